"""`s3reclass report`: every key of a job with what became of it."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import click

from orchestrator import wiring as assemble
from orchestrator.common.output import say, tell
from orchestrator.common.row_output import row_output
from orchestrator.lots.disk_table import table_for
from orchestrator.lots.folder import entries_in, iter_lot
from orchestrator.model import Lot, Lots
from orchestrator.report.report_rows import (
    UNPROCESSED,
    ReportTotals,
    doubts_of,
    harmless,
    phase_to_report,
    report_rows,
    status_of,
)
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.state.job_state import JobState
from worker.contract import OUTCOMES, RESULT_COLUMNS, ExitCode, LotEntry, Outcome, PartsDigest, Phase

SHOWN_FAILURES = 10


@click.command(epilog="\b\nExample:\n    s3reclass report --csv failed.csv --header --outcome error --outcome missing")
@uses_settings("state", "place", "lots", "stack")
@click.option("--phase", type=click.Choice([phase.value for phase in Phase]), help="Default: the last phase begun.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write a row for each key of the job; `-` for standard output.")
@click.option("--header", is_flag=True, help="Begin the CSV with the columns' names.")
@click.option(
    "--outcome",
    "only",
    multiple=True,
    metavar="OUTCOME",
    type=click.Choice([*(outcome.value for outcome in Outcome), UNPROCESSED]),
    help="Write only rows of this outcome (repeatable).",
)
@click.option("--job", metavar="ID", help="A job's id (default: the job of the lots in lots/).")
def command(
    settings: Settings, phase: str | None, csv_file: str | None, only: tuple[str, ...], job: str | None, *, header: bool
) -> int:
    """
    Say what became of every key of the job.

    Prints a table of outcomes. --csv also writes a row for each key, in the format of an S3 Batch
    Operations completion report (Bucket, Key (URL-encoded), VersionId, TaskStatus, ErrorCode,
    HTTPStatusCode, ResultMessage) with three more columns: Outcome, SizeBytes, NewVersionId. A key without
    a result is `unprocessed` and counts as failed. A cell that a spreadsheet would take for a formula
    begins with an apostrophe; no name that S3 gives does, so that split takes the report as it is.

    Exit codes: 3 when keys failed or are unprocessed, 4 when keys are pending, 0 otherwise.
    """
    state = assemble.open_state(settings, job)
    lots = state.lots()
    wanted = Phase(phase) if phase else phase_to_report(state.begun_phases())
    counted = ReportTotals(outcomes=Counter(), bytes_by_outcome=Counter())
    found = _Found()
    rows = _rows(state, lots, wanted, Path(settings.lots), counted, found)
    if csv_file:
        with row_output(None if csv_file == "-" else Path(csv_file)) as write:
            writer = csv.writer(_Text(write), lineterminator="\n")
            if header:
                writer.writerow(RESULT_COLUMNS)
            writer.writerows(map(harmless, cells) for cells in rows if not only or cells[7] in only)
    else:
        for _ in rows:
            pass
    _print(lots.job, wanted, counted, found.failures, to_stderr=csv_file == "-")
    for line in found.doubts[:SHOWN_FAILURES]:
        say(line)
    if more := len(found.doubts[SHOWN_FAILURES:]):
        say(f"... and {more:,} lots more")
    return ExitCode.SOME_FAILED if found.doubts else counted.exit_code()


@dataclass(frozen=True, slots=True)
class _Found:
    """
    What a report says besides its rows.

    failures: some rows of failed keys. doubts: what speaks against lots' tallies.
    """

    failures: list[tuple[str, ...]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _rows(
    state: JobState, lots: Lots, phase: Phase, lots_dir: Path, counted: ReportTotals, found: _Found
) -> Iterator[tuple[str, ...]]:
    for lot_status in state.lot_statuses(lots, phase):
        lot, seen, unprocessed = lot_status.lot, PartsDigest(), counted.outcomes[UNPROCESSED]
        with table_for(lot.keys, dump=list, load=tuple) as results:
            rows = state.result_rows(phase, lot.name, seen=seen)
            for cells in report_rows(_entries(state, lots, lot, lots_dir), rows, results):
                counted.add(cells)
                if cells[3] == "failed" and cells[7] != UNPROCESSED and len(found.failures) < SHOWN_FAILURES:
                    found.failures.append(cells)
                yield cells
        unprocessed = counted.outcomes[UNPROCESSED] - unprocessed
        tally = state.tally_uri(phase, lot.name, lot_status.finished.attempt if lot_status.finished else 0)
        if why := doubts_of(lot_status, seen.parts(), unprocessed, tally):
            found.doubts.append(why)


def _entries(state: JobState, lots: Lots, lot: Lot, lots_dir: Path) -> Iterator[LotEntry]:
    """The lot's entries: from the state, or from lots/ when the lots travel in the image. Raises as `entries_in`."""
    chunks = state.lot_chunks(lot.name)
    first = next(chunks, None)
    if first is None:
        return iter_lot(lots_dir, lot, lots.buckets)
    advice = "move it away, then run report again, or `s3reclass run`, where the lots are in lots/"
    return entries_in(chain((first,), chunks), lot, lots.buckets, where=state.lot_uri(lot), advice=advice)


@dataclass(frozen=True, slots=True)
class _Text:
    """The file that csv writes to."""

    write: Callable[[str], object]


def _print(job: str, phase: Phase, counted: ReportTotals, failures: list[tuple[str, ...]], *, to_stderr: bool) -> None:
    out = say if to_stderr else tell
    out(f"{phase} of job {job}: {counted.keys:,} keys")
    for word in (*(outcome.value for outcome in OUTCOMES[phase]), UNPROCESSED):
        if count := counted.outcomes[word]:
            size = counted.bytes_by_outcome[word]
            sized = f"  {size / 1e9:,.3f} GB" if size else ""
            out(f"  {word:<14}{count:>12,}  {status_of(word):<10}{sized}")
    for cells in failures:
        say(f"  {cells[7]}: {cells[0]}/{cells[1]}: {cells[4]} {cells[6]}".rstrip())
