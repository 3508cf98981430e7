"""
`s3reclass run --phase restore --again`: restores asked for again, of the keys that the copy phase left pending.

Restored copies may expire before they are copied, and a finished restore phase touches no key again. So the pending
keys become the lots of another job in the same state. Its restore phase runs like any other: it can be killed and
repeated, and asks for nothing twice. The job's id comes from the results that left the keys pending: the same results
are the same job, and when a later copy phase still finds them pending, it is another.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from orchestrator.common.clock import Clock
from orchestrator.common.output import say
from orchestrator.errors import S3ReclassError
from orchestrator.estimate.sample import Sample
from orchestrator.lots.sample_keys import DEFAULT_SEED, DEFAULT_SIZE, choose_some
from orchestrator.model import Lot, Lots
from orchestrator.objects.head_objects import THREADS, head_objects
from orchestrator.run.job import Job
from orchestrator.run.one_phase import ProbedSample, Run, finish, show_plans
from orchestrator.run.plan import make_plan
from orchestrator.run.show_progress import counted
from orchestrator.state.lot_status import last_finished
from worker.contract import ExitCode, LotEntry, Outcome, Phase, PhaseSettings, format_lot_line


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingKeys:
    """
    The job of the pending keys.

    some: a few of its keys at random, to estimate the cost from.
    """

    job: Job
    some: tuple[LotEntry, ...]


def ask_again(run: Run, restore: PhaseSettings) -> ExitCode:
    """
    Ask for the restores of the pending keys again, or go on with asking; the exit code of it.

    Raises S3ReclassError when the state can't be read, or no task could do its work.
    """
    with TemporaryDirectory(prefix="s3reclass-") as scratch:
        again = pending_keys_of(run.job, Path(scratch))
        if again is None:
            say("restore: the copy phase has left no key pending: nothing is to be asked for again")
            return ExitCode.GOOD
        return _ask_again(run, restore, again)


def _ask_again(run: Run, restore: PhaseSettings, again: PendingKeys) -> ExitCode:
    job, keys = again.job, counted(again.job.lots.keys, "key")
    say(
        f"restore: {keys} that the copy phase left pending become job {job.lots.job} in the same state "
        "(--job of status, logs and stop)"
    )
    inner = replace(run, job=job)
    plan = make_plan(job, restore, run.settings.rate)
    if plan.nothing_to_do:
        say("restore: asked for again already, since the copy phase last looked at them")
    else:
        say(
            f"restore: asking again costs a request for each of {keys}, and the retrieval of each whose copy has "
            "expired"
        )
        show_plans(inner, [plan], _probe(run, again) if run.estimate else None)
        if run.dry:
            return ExitCode.GOOD
        run.job.state.note_again(job.lots.job, restore, Clock().now())
    return finish(inner, plan)


def _probe(run: Run, again: PendingKeys) -> ProbedSample:
    clock, arguments = Clock(), run.settings.request_arguments()
    heads = tuple(head_objects(again.some, arguments=arguments, clock=clock, threads=min(THREADS, len(again.some))))
    return ProbedSample(lots=again.job.lots, sample=Sample(keys=again.job.lots.keys, heads=heads, taken_at=clock.now()))


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


def _cut(job: Job, attempts: Mapping[str, int], scratch: Path, lots: list[Lot]) -> Iterator[LotEntry]:
    """Each pending key, written to its lot's file on the way; a lot is in `lots` once it is whole."""
    for name, attempt in attempts.items():
        digest, keys = hashlib.sha256(), 0
        with (scratch / f"{name}.csv").open("wb") as file:
            for entry in job.pending(name, attempt):
                line = format_lot_line(entry).encode()
                file.write(line)
                digest.update(line)
                keys += 1
                yield entry
        lots.append(Lot(name=name, keys=keys, sha256=digest.hexdigest()))


def _identity(of: Lots, lots: Iterable[Lot], attempts: Mapping[str, int]) -> str:
    """The digest of the job of these pending keys: the same wherever they are cut."""
    cut = "".join(f"{lot.name} {attempts[lot.name]} {lot.sha256}\n" for lot in lots)
    return hashlib.sha256(f"again {of.digest}\n{cut}".encode()).hexdigest()
