"""Every key of a lot with its outcome; a key without a result is `unprocessed`. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.lots.table import Table
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
    entries: Iterable[LotEntry], rows: Iterable[ResultRow], lot_status: Table[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """
    The report's rows for one lot: one for each key, in the lot's order, cells in the order of RESULT_COLUMNS.

    An unprocessed key is reported as failed, so that whoever reads TaskStatus alone doesn't take it for done.

    rows: of one lot, in the order of writing, all attempts'.
    standing: an empty table, to gather the result that stands for each key.
    """
    for row in rows:
        old = lot_status.get(row.entry)
        if supersedes(row.outcome.status, TaskStatus(old[STATUS_CELL]) if old else None):
            lot_status[row.entry] = result_fields(row)
    for entry in entries:
        yield lot_status.get(entry) or _unprocessed(entry)


def _unprocessed(entry: LotEntry) -> tuple[str, ...]:
    key = encode_key(entry.key)
    return (entry.bucket, key, entry.version_id, TaskStatus.FAILED.value, "", "", "no result yet", UNPROCESSED, "", "")


@dataclass(slots=True)
class ReportTotals:
    """
    The report in numbers, added up row by row.

    outcomes: rows by outcome, `unprocessed` among them. bytes_by_outcome: their sizes, as far as looked at.
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
    What speaks against a lot's tally when its results have been read, and what to do about it; "" for nothing.

    seen: what the parts that were read amount to. unprocessed: keys of the lot without a result. where: the tally.
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
        # More may have come since, and then the digest is of more.
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
    """The phase that a report tells of unless asked otherwise: the last one begun."""
    return Phase.COPY if Phase.COPY in tuple(begun) else Phase.RESTORE
