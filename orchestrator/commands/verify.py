"""`s3reclass verify`: probe every object of the job, and say which aren't in the target class, or as they were."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from random import Random

import click

from orchestrator import wiring as assemble
from orchestrator.common.atomic_file import whole_file
from orchestrator.common.clock import Clock
from orchestrator.common.counter import counting
from orchestrator.common.output import say, tell
from orchestrator.errors import NoStateError, S3ReclassError
from orchestrator.lots.disk_table import table_for
from orchestrator.lots.folder import iter_lot, read_lots, sample_by_lot, verify_lots
from orchestrator.lots.manifest import Table
from orchestrator.lots.sample_keys import DEFAULT_SEED, choose_indexes
from orchestrator.model import Lot, Lots
from orchestrator.objects.head_objects import THREADS, head_client, head_objects
from orchestrator.objects.object_head import HeadOutcome
from orchestrator.report.verdict import (
    Basis,
    Before,
    Judged,
    Verdict,
    compare_head,
    format_verdict_row,
    gather_befores,
    judge_head,
    verdict_line,
)
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.state.job_state import JobState
from worker.contract import ExitCode, LotEntry, Phase

SHOWN = 20
"""Keys that are named on standard output; `--csv` takes them all."""

KEYS_IN_MEMORY = 10_000
"""The largest lot whose snapshots stay in memory: some twenty megabytes. A disk is fast compared with a HEAD."""

_UNKNOWN = Before()


@click.command(epilog="\b\nExample:\n    s3reclass verify --sample 1000 --csv differs.csv")
@uses_settings("storage_class", "state", "place", "request_payer", "bucket_owner", "lots", "stack")
@click.option(
    "--csv",
    "csv_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a row for each key that isn't in the class, or differs: Bucket, Key (URL-encoded), VersionId, "
    "Verdict, StorageClass, ResultMessage; no header.",
)
@click.option(
    "--sample",
    "size",
    metavar="N",
    type=click.IntRange(1),
    help="Look at N keys only, chosen at random, always the same ones.",
)
def command(*, settings: Settings, csv_file: Path | None, size: int | None) -> int:
    """
    Look at every object of the job in lots/ and say which aren't in the target class, or as they were.

    Sends a HEAD request for the current version of every key, whatever version the lot names: on a versioned
    bucket, the copy is the current version. After `run --phase copy --audit`, all that HEAD shows is compared
    with what it showed before the copy: size, content (ETag, checksums), headers, metadata, number of tags,
    encryption, Object Lock. After a copy without --audit, only size and version are compared. A key that
    couldn't be looked at never counts as good: it is `missing`, `denied` or `error`.

    Exit codes: 0 every key looked at is in the class and as it was; 3 some aren't, or couldn't be looked at.
    """
    target = settings.require_storage_class()
    folder = Path(settings.lots)
    lots = read_lots(folder)
    verify_lots(folder, lots)
    state = _state(settings)
    found, bases = Counter[Verdict](), Counter[Basis]()
    shown: list[str] = []
    total = min(size or lots.keys, lots.keys)
    rows = whole_file(csv_file) if csv_file else nullcontext(lambda _: None)
    with rows as write, counting("looked at", total) as count:
        for judged, basis in _judge_all(settings, lots, size, state, target):
            found[judged.verdict] += 1
            if judged.head.look is HeadOutcome.FOUND:
                bases[basis] += 1
            if judged.verdict is not Verdict.IN_CLASS:
                write(format_verdict_row(judged))
                if len(shown) < SHOWN:
                    shown.append(verdict_line(judged))
            count(found.total())
    if found.total() != total:
        raise S3ReclassError(f"{total:,} keys were to be looked at and {found.total():,} were: run verify again")
    for line in _summary(lots, target, found, bases if state else Counter(), shown):
        tell(line)
    if csv_file and total > found[Verdict.IN_CLASS]:
        tell(f"all of them: {csv_file}")
    return ExitCode.GOOD if found[Verdict.IN_CLASS] == total else ExitCode.SOME_FAILED


def _state(settings: Settings) -> JobState | None:
    """The job's state; None, with a message, when there is none to compare with."""
    try:
        state = assemble.open_state(settings, None)
        state.lots()
    except NoStateError as error:
        say(f"only the class is looked at, nothing is compared: {error}")
        return None
    if Phase.COPY not in state.begun_phases():
        say("only the class is looked at, nothing is compared: the job's copy phase wasn't begun with this state")
        return None
    return state


def _judge_all(
    settings: Settings, lots: Lots, size: int | None, state: JobState | None, target: str
) -> Iterator[tuple[Judged, Basis]]:
    """The verdict on each key, and what it was compared with."""
    s3, clock = head_client(), Clock()
    for lot, entries in _by_lot(Path(settings.lots), lots, size):
        keys = len(entries) if isinstance(entries, tuple) else lot.keys
        with table_for(keys, dump=Before.to_dict, load=Before.from_dict, keys_in_memory=KEYS_IN_MEMORY) as befores:
            heads = head_objects(
                entries,
                versions=False,
                snapshots=_gather(state, lot, entries, befores),
                arguments=settings.request_arguments(),
                clock=clock,
                threads=min(THREADS, lot.keys),
                s3=s3,
            )
            for head in heads:
                before = befores.get(head.entry) or _UNKNOWN
                yield judge_head(head, target, tuple(compare_head(head, before, now=clock.now()))), before.basis


def _by_lot(folder: Path, lots: Lots, size: int | None) -> Iterator[tuple[Lot, Iterable[LotEntry]]]:
    """The entries to probe, lot by lot."""
    if size is None or size >= lots.keys:
        yield from ((lot, iter_lot(folder, lot, lots.buckets)) for lot in lots.lots)
    else:
        yield from sample_by_lot(folder, lots, choose_indexes(lots.keys, size, Random(DEFAULT_SEED)))  # noqa: S311 (no secret)


def _gather(state: JobState | None, lot: Lot, entries: Iterable[LotEntry], befores: Table[Before]) -> bool:
    """Gather what the lot's copies left; whether any key has a snapshot. entries: a tuple for a sample."""
    if state is None:
        return False
    wanted = frozenset(entries) if isinstance(entries, tuple) else None
    return gather_befores(state.result_rows(Phase.COPY, lot.name), state.snapshots(lot.name), befores, wanted)


def _summary(
    lots: Lots, target: str, found: Counter[Verdict], bases: Counter[Basis], shown: list[str]
) -> Iterator[str]:
    total = found.total()
    of = f"all {total:,} keys" if total == lots.keys else f"{total:,} of {lots.keys:,} keys, chosen at random,"
    in_class = found[Verdict.IN_CLASS] + found[Verdict.DIFFERS]
    yield f"looked at {of} of job {lots.job}: {in_class:,} in {target}"
    yield from (f"  {verdict:<12} {found[verdict]:,}" for verdict in Verdict if found[verdict])
    yield from (f"compared with {basis}: {bases[basis]:,}" for basis in Basis if bases[basis])
    yield from shown
    if (more := total - found[Verdict.IN_CLASS] - len(shown)) > 0:
        yield f"... and {more:,} more"
