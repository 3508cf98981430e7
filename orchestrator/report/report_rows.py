"""Every key of a lot with its outcome; a key without a result is `unprocessed`. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.lots.manifest import Table
from orchestrator.state.lot_status import LotStatus
from worker.contract import (
    RESULT_COLUMNS,
    LotEntry,
    Outcome,
    Parts,
    Phase,
    ResultRow,
    TaskStatus,
    encode_key,
    result_fields,
    supersedes,
)

UNPROCESSED = "unprocessed"

STATUS_CELL = RESULT_COLUMNS.index("TaskStatus")


def report_rows(
    entries: Iterable[LotEntry], rows: Iterable[ResultRow], results: Table[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """
    The report's rows for one lot: one for each key, in the lot's order, cells in the order of RESULT_COLUMNS.

    An unprocessed key counts as failed: a reader of TaskStatus alone must not take it for done.

    rows: every attempt's results of one lot, in the order of writing.
    results: an empty table; it is filled with the result that counts for each key.
    """
    for row in rows:
        old = results.get(row.entry)
        if supersedes(row.outcome.status, TaskStatus(old[STATUS_CELL]) if old else None):
            results[row.entry] = result_fields(row)
    for entry in entries:
        yield results.get(entry) or _unprocessed(entry)


def _unprocessed(entry: LotEntry) -> tuple[str, ...]:
    key = encode_key(entry.key)
    return (entry.bucket, key, entry.version_id, TaskStatus.FAILED.value, "", "", "no result yet", UNPROCESSED, "", "")


_FORMULA = re.compile(r"[=+@\t\r\n'＝＋－＠]|-(?![\w.~/%-]*\Z)", re.ASCII)  # noqa: RUF001 (some take the wide ones too)
r"""
How a cell begins that a spreadsheet may calculate (OWASP, "CSV Injection", 2026-11).

A `-` before letters, digits and `_ . ~ / % -` alone is harmless: they write no call, and no reference to a program or
another file. URL-encoded keys and S3's version ids are made of these, and so stay as they are.
"""


def harmless(cell: str) -> str:
    """
    The cell; an apostrophe goes before it when a spreadsheet could take it for a formula, or it begins with one.

    Nothing is lost: the first character of a cell that begins with an apostrophe is ours. Names that S3 gives
    (buckets, URL-encoded keys, version ids) never get one, and can be split again.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


@dataclass(slots=True)
class ReportTotals:
    """
    The report in numbers, added up row by row.

    outcomes: rows by outcome, `unprocessed` among them. bytes_by_outcome: their known sizes.
    """

    outcomes: Counter[str]
    bytes_by_outcome: Counter[str]

    def add(self, cells: tuple[str, ...]) -> None:
        """Count one report row."""
        outcome, size = cells[7], cells[8]
        self.outcomes[outcome] += 1
        if size:
            self.bytes_by_outcome[outcome] += int(size)

    @property
    def keys(self) -> int:
        """All rows."""
        return self.outcomes.total()

    def exit_code(self) -> int:
        """3 when keys failed or are unprocessed, else 4 when keys are pending, else 0."""
        statuses = {status_of(outcome) for outcome, count in self.outcomes.items() if count}
        if TaskStatus.FAILED in statuses:
            return 3
        return 4 if TaskStatus.PENDING in statuses else 0


def status_of(outcome: str) -> TaskStatus:
    """The TaskStatus that the report gives an outcome, `unprocessed` included."""
    return TaskStatus.FAILED if outcome == UNPROCESSED else Outcome(outcome).status


def doubts_of(lot_status: LotStatus, seen: Sequence[Parts], unprocessed: int, where: str) -> str:
    """
    What speaks against a lot's tally once its results have been read, and what to do about it; "" for nothing.

    seen: the parts that were read, summed up. unprocessed: keys of the lot without a result. where: the tally's URI.
    """
    lot, tally = lot_status.lot.name, lot_status.finished
    if lot_status.doubt:
        return (
            f"{lot} isn't finished, though a tally says so ({lot_status.doubt}): running the phase again does the rest"
        )
    if tally is None:
        return ""
    there = {parts.attempt: parts for parts in seen}
    for told in tally.parts or ():
        found = there.get(told.attempt)
        # A later part changes the digest: only equal counts can be compared.
        if found is None or (found.count == told.count and found != told):
            return (
                f"the results of attempt {told.attempt} of {lot} aren't those that its worker wrote: move them away, "
                "and running the phase again does their keys again"
            )
    if unprocessed:
        return (
            f"{lot} has {unprocessed:,} keys without a result, though its tally says that it is finished: move {where} "
            "away, and running the phase again does these keys"
        )
    return ""


def phase_to_report(begun: Iterable[Phase]) -> Phase:
    """The phase that a report is about by default: the last one begun."""
    return Phase.COPY if Phase.COPY in tuple(begun) else Phase.RESTORE
