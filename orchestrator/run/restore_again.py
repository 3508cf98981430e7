"""
Restores asked for again: the keys that the copy phase left pending, as a job of their own.

Restored copies may expire before they are copied, and a finished restore phase touches no key again. So the pending
keys become the lots of another job in the same state, whose restore phase is run as any other's: it can be
killed and repeated, and asks for nothing twice. Its id comes from the results that left the keys pending: the same
results are the same job, and when the copy phase has looked anew and still finds them pending, it is another.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from orchestrator.errors import S3ReclassError
from orchestrator.lots.sample_keys import DEFAULT_SEED, DEFAULT_SIZE, choose_some
from orchestrator.model import Lot, Lots
from orchestrator.run.plan import Job
from orchestrator.state.lot_status import last_finished
from worker.contract import LotEntry, Outcome, Phase, format_lot_line


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingKeys:
    """
    The job of the pending keys.

    some: a few of its keys at random, to estimate the cost from.
    """

    job: Job
    some: tuple[LotEntry, ...]


def pending_keys_of(job: Job, scratch: Path) -> PendingKeys | None:
    """
    The job of the keys that this job's copy phase left pending; None when it left none.

    scratch: a folder for its lots, until they are in the state.
    Raises S3ReclassError when the state can't be read, a part of the results is damaged, or the folder is full.
    """
    attempts = {
        one.lot.name: one.files.attempt
        for one in job.state.lot_statuses(job.lots, Phase.COPY)
        if last_finished(one) and one.outcomes.get(Outcome.PENDING)
    }
    if not attempts:
        return None
    lots: list[Lot] = []
    try:
        some = choose_some(_cut(job, attempts, scratch, lots), DEFAULT_SIZE, Random(DEFAULT_SEED))  # noqa: S311 (no secret)
    except OSError as error:
        raise S3ReclassError(f"the pending keys can't be written to {scratch}: {error.strerror}") from error
    pending = Lots(
        lots=tuple(lots),
        digest=_identity(job.lots, lots, attempts),
        buckets=job.lots.buckets,
        source=f"pending keys of job {job.lots.job}",
    )
    state = job.state.sibling(pending.job)
    asked_to_stop = state.stop_sign()
    again = replace(
        job,
        lots=pending,
        state=state,
        asked_to_stop=lambda: job.asked_to_stop() or asked_to_stop(),
        read_lot=lambda lot: scratch / f"{lot.name}.csv",
        lots_in_image="",
    )
    return PendingKeys(job=again, some=some)


def pending_in(job: Job, lot: str, attempt: int) -> Iterator[LotEntry]:
    """The keys of a lot that this attempt of its copy left pending."""
    rows = job.state.result_rows(Phase.COPY, lot, attempt)
    return (row.entry for row in rows if row.outcome is Outcome.PENDING)


def _cut(job: Job, attempts: Mapping[str, int], scratch: Path, lots: list[Lot]) -> Iterator[LotEntry]:
    """Each pending key, written to its lot's file on the way; a lot is in `lots` once it is whole."""
    for name, attempt in attempts.items():
        digest, keys = hashlib.sha256(), 0
        with (scratch / f"{name}.csv").open("wb") as file:
            for entry in pending_in(job, name, attempt):
                line = format_lot_line(entry).encode()
                file.write(line)
                digest.update(line)
                keys += 1
                yield entry
        lots.append(Lot(name=name, keys=keys, sha256=digest.hexdigest()))


def _identity(of: Lots, lots: Iterable[Lot], attempts: Mapping[str, int]) -> str:
    """The digest that the job of these pending keys has, whoever cuts them."""
    cut = "".join(f"{lot.name} {attempts[lot.name]} {lot.sha256}\n" for lot in lots)
    return hashlib.sha256(f"again {of.digest}\n{cut}".encode()).hexdigest()
