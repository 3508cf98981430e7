"""The report's rows: every key, with the result that stands."""

from collections import Counter
from collections.abc import Iterable

import pytest

from orchestrator.report.report_rows import ReportTotals, phase_to_report, report_rows
from worker.contract import LotEntry, Outcome, Phase, ResultRow, result_fields

A, B, C = (LotEntry(bucket="b", key=key) for key in ("a", "b b", "c"))


def row(entry: LotEntry, outcome: Outcome, size: int | None = None) -> ResultRow:
    """A result."""
    return ResultRow(entry=entry, outcome=outcome, size_bytes=size)


def report(entries: Iterable[LotEntry], rows: Iterable[ResultRow]) -> list[tuple[str, ...]]:
    """The report of a small lot."""
    return list(report_rows(entries, rows, {}))


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        (Outcome.COPIED, [Outcome.PENDING, Outcome.ERROR, Outcome.COPIED]),
        (Outcome.PENDING, [Outcome.ERROR, Outcome.PENDING]),
        (Outcome.ERROR, [Outcome.PENDING, Outcome.ERROR]),
        (Outcome.COPIED, [Outcome.COPIED, Outcome.CHANGED]),
        (Outcome.ALREADY, [Outcome.COPIED, Outcome.ALREADY]),
    ],
)
def test_the_last_result_stands_but_success_is_for_good(expected: Outcome, outcomes: list[Outcome]) -> None:
    """A later failure never hides an earlier success."""
    assert report([A], (row(A, outcome) for outcome in outcomes)) == [result_fields(row(A, expected))]


def test_every_key_has_a_row_in_the_lots_order() -> None:
    """A key without a result is there, as unprocessed and failed."""
    rows = report([A, B, C], [row(C, Outcome.COPIED, 5), row(A, Outcome.MISSING)])

    assert [(cells[1], cells[3], cells[7]) for cells in rows] == [
        ("a", "failed", "missing"),
        ("b%20b", "failed", "unprocessed"),
        ("c", "succeeded", "copied"),
    ]


def test_versions_of_one_key_are_told_apart() -> None:
    """Two versions of a key are two rows."""
    old, new = LotEntry(bucket="b", key="a", version_id="1"), LotEntry(bucket="b", key="a", version_id="2")
    rows = report([old, new], [row(new, Outcome.COPIED)])

    assert [cells[7] for cells in rows] == ["unprocessed", "copied"]


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        (0, ["copied", "already"]),
        (4, ["copied", "pending"]),
        (3, ["pending", "missing"]),
        (3, ["copied", "unprocessed"]),
        (0, []),
    ],
)
def test_the_reports_exit_code(expected: int, outcomes: list[str]) -> None:
    """Unprocessed counts as failed, and failed outweighs pending."""
    counted = ReportTotals(outcomes=Counter(outcomes), bytes_by_outcome=Counter())

    assert counted.exit_code() == expected


def test_sizes_are_summed_by_outcome() -> None:
    """A row without a size adds none."""
    counted = ReportTotals(outcomes=Counter(), bytes_by_outcome=Counter())
    for cells in report([A, B, C], [row(A, Outcome.COPIED, 5), row(C, Outcome.COPIED, 6)]):
        counted.add(cells)

    assert (counted.keys, counted.bytes_by_outcome) == (3, Counter(copied=11))


def test_the_last_phase_begun_is_reported() -> None:
    """Copy once it has begun, restore before."""
    assert phase_to_report([Phase.RESTORE]) is Phase.RESTORE
    assert phase_to_report([Phase.RESTORE, Phase.COPY]) is Phase.COPY
    assert phase_to_report([]) is Phase.RESTORE
