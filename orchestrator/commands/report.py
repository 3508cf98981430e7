"""`s3reclass report`: every key of a job with what became of it."""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click

from orchestrator import assemble
from orchestrator.commands.options import uses_settings
from orchestrator.commands.output import say, tell
from orchestrator.errors import S3ReclassError
from orchestrator.job_state import JobState
from orchestrator.lot_table import table_for
from orchestrator.lots_folder import iter_lot
from orchestrator.model import Lot
from orchestrator.planning.report import UNPROCESSED, ReportTotals, phase_to_report, report_rows, status_of
from orchestrator.planning.spreadsheet import harmless
from orchestrator.settings import Settings
from orchestrator.whole_file import whole_file
from worker.contract import OUTCOMES, RESULT_COLUMNS, ContractError, LotEntry, Outcome, Phase, parse_lot_line

SHOWN_FAILURES = 10


@click.command()
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

    Prints a table of outcomes. With --csv, a row for each key in the format of an S3 Batch Operations
    completion report (Bucket, Key (URL-encoded), VersionId, TaskStatus, ErrorCode, HTTPStatusCode,
    ResultMessage) with three columns of ours: Outcome, SizeBytes, NewVersionId. A key without a result
    is `unprocessed` and counts as failed. A cell that a spreadsheet would take for a formula begins with
    an apostrophe; no name that S3 gives does, so that split takes the report as it is. Exit code 3 when
    keys failed or are unprocessed, 4 when keys are pending, 0 otherwise.
    """
    state = assemble.open_state(settings, job)
    lots = state.lots()
    wanted = Phase(phase) if phase else phase_to_report(state.begun_phases())
    counted = ReportTotals(outcomes=Counter(), bytes_by_outcome=Counter())
    failures: list[tuple[str, ...]] = []
    rows = _rows(state, lots.lots, wanted, Path(settings.lots), counted, failures)
    if csv_file:
        kept = (cells for cells in rows if not only or cells[7] in only)
        _write(csv_file, kept, header=header)
    else:
        for _ in rows:
            pass
    _print(lots.job, wanted, counted, failures, to_stderr=csv_file == "-")
    return counted.exit_code()


def _rows(
    state: JobState,
    lots: Iterable[Lot],
    phase: Phase,
    lots_dir: Path,
    counted: ReportTotals,
    failures: list[tuple[str, ...]],
) -> Iterator[tuple[str, ...]]:
    for lot in lots:
        with table_for(lot.keys, dump=list, load=tuple) as standing:
            for cells in report_rows(_entries(state, lot, lots_dir), state.result_rows(phase, lot.name), standing):
                counted.add(cells)
                if cells[3] == "failed" and cells[7] != UNPROCESSED and len(failures) < SHOWN_FAILURES:
                    failures.append(cells)
                yield cells


def _entries(state: JobState, lot: Lot, lots_dir: Path) -> Iterator[LotEntry]:
    """The lot's entries: from the state, or from lots/ when the lots travel in the image."""
    chunks = state.lot_chunks(lot.name)
    first = next(chunks, None)
    if first is None:
        yield from iter_lot(lots_dir, lot)
        return
    try:
        for line in _lines(chain((first,), chunks)):
            yield parse_lot_line(line.decode())
    except (UnicodeDecodeError, ContractError) as error:
        raise S3ReclassError(f"{lot.name} can't be read: {error}") from error


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""The lines of these chunks, without their `\n`."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _write(file: str, rows: Iterable[tuple[str, ...]], *, header: bool) -> None:
    """Write the rows; a file appears only when it is whole."""
    if file == "-":
        with nullcontext(_Terminal()) if sys.stdout.isatty() else click.open_file("-", "w", encoding="utf-8") as out:
            _write_rows(csv.writer(out, lineterminator="\n"), rows, header=header)
        return
    with whole_file(Path(file)) as write:
        _write_rows(csv.writer(_Text(write), lineterminator="\n"), rows, header=header)


def _write_rows(writer: Any, rows: Iterable[tuple[str, ...]], *, header: bool) -> None:
    if header:
        writer.writerow(RESULT_COLUMNS)
    writer.writerows(map(harmless, cells) for cells in rows)


@dataclass(frozen=True, slots=True)
class _Text:
    """What csv writes to."""

    write: Callable[[str], None]


class _Terminal:
    """Standard output where it is a terminal: rows are shown there, and can't steer it."""

    def write(self, row: str) -> None:
        """Show a row."""
        tell(row.removesuffix("\n"))


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
