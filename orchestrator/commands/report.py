"""`s3reclass report`: every key of a job with what became of it."""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from orchestrator import assemble
from orchestrator.commands.options import uses_settings
from orchestrator.commands.progress import say
from orchestrator.errors import S3ReclassError
from orchestrator.job_state import JobState
from orchestrator.model import Lot
from orchestrator.planning.report import UNPROCESSED, ReportTotals, phase_to_report, report_rows, status_of
from orchestrator.planning.text import printable
from orchestrator.settings import Settings
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
    is `unprocessed` and counts as failed. Exit code 3 when keys failed or are unprocessed, 4 when keys
    are pending, 0 otherwise.
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
        for cells in report_rows(_entries(state, lot, lots_dir), state.result_rows(phase, lot.name)):
            counted.add(cells)
            if cells[3] == "failed" and cells[7] != UNPROCESSED and len(failures) < SHOWN_FAILURES:
                failures.append(cells)
            yield cells


def _entries(state: JobState, lot: Lot, lots_dir: Path) -> Iterator[LotEntry]:
    """The lot's entries: from the state, or from lots/ when the lots travel in the image."""
    data = state.lot_bytes(lot.name)
    try:
        text = (data if data is not None else (lots_dir / f"{lot.name}.csv").read_bytes()).decode()
        for line in text.split("\n"):
            if line:
                yield parse_lot_line(line)
    except (OSError, UnicodeDecodeError, ContractError) as error:
        raise S3ReclassError(f"{lot.name} can't be read: {error}") from error


def _write(file: str, rows: Iterable[tuple[str, ...]], *, header: bool) -> None:
    """Write the rows; a file appears only when it is whole."""
    if file == "-":
        with click.open_file("-", "w", encoding="utf-8") as out:
            _write_rows(csv.writer(out, lineterminator="\n"), rows, header=header)
        return
    target = Path(file)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=target.absolute().parent, prefix=".", delete=False
        ) as out:
            try:
                _write_rows(csv.writer(out, lineterminator="\n"), rows, header=header)
                Path(out.name).chmod(0o666 & ~_umask())
                Path(out.name).replace(target)
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise S3ReclassError(f"{file} can't be written: {error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_rows(writer: Any, rows: Iterable[tuple[str, ...]], *, header: bool) -> None:
    if header:
        writer.writerow(RESULT_COLUMNS)
    writer.writerows(rows)


def _print(job: str, phase: Phase, counted: ReportTotals, failures: list[tuple[str, ...]], *, to_stderr: bool) -> None:
    click.echo(f"{phase} of job {job}: {counted.keys:,} keys", err=to_stderr)
    for word in (*(outcome.value for outcome in OUTCOMES[phase]), UNPROCESSED):
        if count := counted.outcomes[word]:
            size = counted.bytes_by_outcome[word]
            sized = f"  {size / 1e9:,.3f} GB" if size else ""
            click.echo(f"  {word:<14}{count:>12,}  {status_of(word):<10}{sized}", err=to_stderr)
    for cells in failures:
        say(printable(f"  {cells[7]}: {cells[0]}/{cells[1]}: {cells[4]} {cells[6]}".rstrip()))
