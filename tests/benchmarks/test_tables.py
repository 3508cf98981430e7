"""The benchmark's tables: medians, ratios within each round, and failures that say what they are."""

import pytest

from benchmarks.bench import BEGIN, END, SPEED_PAGE, put_between
from benchmarks.clients import FAST, LOOP, POOL
from benchmarks.growth import Lot, Pace, Throttled
from benchmarks.measure import Run
from benchmarks.side_by_side import Cell, Measured
from benchmarks.stub import Counts
from benchmarks.tables import (
    concurrency,
    detail,
    goals,
    lot_sizes,
    number,
    ratio,
    summary,
    table,
    throttling,
)


def run(objects: int, seconds: float, cpu_s: float = 0.0, *, refused: int = 0, failure: str = "") -> Run:
    """A run with one request for each object."""
    counts = Counts(requests=objects + refused, refused=refused, in_flight_max=9)
    return Run(
        objects=objects,
        start_s=0.5,
        took_s=seconds,
        cpu_s=cpu_s,
        start_cpu_s=0.4,
        peak_mib=60.4,
        counts=counts,
        failure=failure,
    )


def cell(client: str, phase: str = "copy", delay_ms: int = 30) -> Cell:
    """A cell, of copies at 30 ms."""
    return Cell(client=client, phase=phase, delay_ms=delay_ms)


FOUND = {
    cell(FAST): Measured(first=run(100, 1, 0.5), runs=[run(1_100, 1, 1.5), run(2_100, 2, 4.6), run(1_100, 4, 1.5)]),
    cell(POOL): Measured(first=run(10, 1, 0.5), runs=[run(110, 1, 1.5), run(110, 2, 1.5), run(110, 1, 1.5)]),
    cell(LOOP): Measured(first=run(1, 1, failure="exit code 1: boom | bang")),
}


@pytest.mark.parametrize(
    ("expected", "value"), [("12,346", 12345.6), ("123", 123.4), ("12.3", 12.34), ("1.2", 1.23), ("0.012", 0.0123)]
)
def test_numbers_have_the_digits_that_count(expected: str, value: float) -> None:
    """And no more."""
    assert number(value) == expected


def test_a_table_is_one_of_markdown() -> None:
    """Numbers to the right."""
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"


def test_a_ratio_is_taken_within_each_round() -> None:
    """1,100 to 110, 1,050 to 55, 275 to 110: the median of the three ratios, and not of the numbers."""
    assert ratio(FOUND, cell(FAST), cell(POOL)) == pytest.approx(10)


def test_what_was_not_measured_has_no_ratio() -> None:
    """Neither a client that failed nor one that isn't there."""
    assert ratio(FOUND, cell(FAST), cell(LOOP)) is None
    assert ratio(FOUND, cell(FAST), cell("s5cmd")) is None


def test_start_up_is_no_part_of_what_a_request_costs() -> None:
    """0.4 s of CPU before the first request: 1, 2 and 1 ms for each request; 10 ms for the pool's."""
    assert FOUND[cell(FAST)].each("cpu_per_1000") == pytest.approx([1, 2, 1])
    assert ratio(FOUND, cell(POOL), cell(FAST), "cpu_per_1000") == pytest.approx(10)


def test_the_detail_has_a_row_for_every_client() -> None:
    """A failure stands where the numbers would."""
    assert detail(FOUND, "copy", 30).splitlines()[2:] == [
        "| worker | 1,050 | 10.0x | 1,050 | 1 | 60 | 0.50 | 1,100 |",
        "| boto3, 64 threads | 110 | 1x | 110 | 10.0 | 60 | 0.50 | 110 |",
        "| boto3, a loop | exit code 1: boom / bang |  |  |  |  |  |  |",
    ]


def test_the_summary_says_what_a_client_cant_do_and_what_failed() -> None:
    """A dash, and a word."""
    found = dict(FOUND)
    found |= {cell(name, "copy", 0): FOUND[cell(name)] for name in (FAST, POOL, LOOP)}

    assert summary(found).splitlines()[2:] == [
        "| worker | - | 1,050 (10.0x) | - | 1,050 (10.0x) | 1 | 60 |",
        "| boto3, 64 threads | - | 110 | - | 110 | 10.0 | 60 |",
        "| boto3, a loop | - | failed | - | failed |  |  |",
    ]


def test_goals_stand_beside_what_was_reached() -> None:
    """Or beside the fact that it wasn't measured."""
    told = goals(FOUND, Lot(keys=1_000_000, run=run(600_000, 100)))

    assert "copies, 30 ms: objects/s of the worker to the boto3 pool's | at least 6x | 10.0x |" in told
    assert "to s5cmd's (one) | at least 2.5x | not measured |" in told
    assert "| peak memory with a lot of 1,000,000 keys | under 100 MB | 63 MB, after 600,000 of them |" in told


def test_requests_in_flight_follow_from_rate_and_delay() -> None:
    """100 a second that take 200 ms each are 20 at once."""
    pace = Pace(phase="copy", delay_ms=200, run=run(100, 1))

    assert concurrency([pace]).splitlines()[2] == "| copy, 200 ms | 100 | 100 | 20.0 | 9 |"


def test_throttling_tells_the_share_that_was_used() -> None:
    """Of 300 a second, and what was sent in vain."""
    found = [Throttled(client="a", run=run(600, 4, refused=300, failure="exit code 3: 1 keys failed"))]

    assert throttling(found).splitlines()[2] == "| a | 50% | 0.5 | exit code 3: 1 keys failed |"


def test_a_lots_cost_for_each_key_is_told_with_and_without_start_up() -> None:
    """2.4 s for 2,000 keys, 0.4 of them before the first request: 1,200 µs, and 1,000."""
    runs = {1_000: run(1_000, 1, 1.5), 4_000: run(2_000, 2, 2.4), 9: run(9, 0, failure="exit code 1")}

    told = lot_sizes([Lot(keys=keys, run=one) for keys, one in runs.items()]).splitlines()

    assert told[3:] == ["| 4,000 | 2,000 | 1,000 | 1,200 | 1,000 | 60 |", "| 9 | exit code 1 |  |  |  |  |"]


def test_the_page_on_speed_has_a_place_for_the_table() -> None:
    """What is made replaces what was made before, and nothing else."""
    text = SPEED_PAGE.read_text(encoding="utf-8")

    once = put_between(text, "one")

    assert put_between(put_between(text, "another"), "one") == once
    assert once.replace(f"{BEGIN}\none\n{END}", "") == text.partition(BEGIN)[0] + text.partition(END)[2]


def test_a_page_without_a_place_is_left_alone() -> None:
    """It is an error rather than a table at its end."""
    with pytest.raises(ValueError, match="made by `make bench`: begin"):
        put_between("text", "one")
