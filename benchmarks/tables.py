"""What was measured -> Markdown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from benchmarks.clients import BARE, FAST, LOOP, POOL, S5CMD
from benchmarks.growth import THROTTLED_RATE, Lot, Pace, Throttled, Together
from benchmarks.measure import Run
from benchmarks.side_by_side import Cell, Measured

Found = Mapping[Cell, Measured]

_GOALS = (
    ("restores, 30 ms: objects/s of the worker to the boto3 pool's", "restore", 30, FAST, POOL, 8.0),
    ("copies, 30 ms: objects/s of the worker to the boto3 pool's", "copy", 30, FAST, POOL, 6.0),
    ("copies, 30 ms: objects/s of the worker (two requests each) to s5cmd's (one)", "copy", 30, FAST, S5CMD, 2.5),
)


def number(value: float) -> str:
    """Three digits that count, and thousands kept apart."""
    if value >= 100:  # noqa: PLR2004 (three digits)
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004 (two digits)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; all but its first column is aligned to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))


def ratio(found: Found, one: Cell, other: Cell, name: str = "objects_per_s") -> float | None:
    """How many times the other's number: the median over the rounds, each compared within itself."""
    pair = [found.get(one), found.get(other)]
    if any(measured is None or measured.failure for measured in pair):
        return None
    mine, theirs = (measured.each(name) for measured in pair if measured)
    return median(a / b for a, b in zip(mine, theirs, strict=True) if b)


def detail(found: Found, phase: str, delay_ms: int) -> str:
    """Every client at a phase and a delay."""
    pool = Cell(client=POOL, phase=phase, delay_ms=delay_ms)
    rows = []
    for cell, measured in found.items():
        if (cell.phase, cell.delay_ms) != (phase, delay_ms):
            continue
        if measured.failure:
            rows.append([cell.client, measured.failure.replace("|", "/"), *[""] * 6])
            continue
        times = ratio(found, cell, pool)
        rows.append(
            [
                cell.client,
                number(measured.of("objects_per_s")),
                f"{number(times)}x" if times else "",
                number(measured.of("requests_per_s")),
                number(measured.of("cpu_per_1000")),
                f"{measured.of('peak_mib'):.0f}",
                f"{measured.of('start_s'):.2f}",
                f"{measured.runs[-1].objects:,}",
            ]
        )
    head = ("client", "objects/s", "to the boto3 pool", "requests/s", "CPU s per 1,000 requests", "peak MiB")
    return table((*head, "first request after s", "objects in a run"), rows)


def summary(found: Found) -> str:
    """Every client's objects a second, and how many times the boto3 pool's that is; what a request costs; memory."""
    rows = []
    for client in dict.fromkeys(cell.client for cell in found):
        cells = [_rate(found, client, phase, delay_ms) for delay_ms in (30, 0) for phase in ("restore", "copy")]
        copying = found[Cell(client=client, phase="copy", delay_ms=0)]
        good = not copying.failure
        cpu = number(copying.of("cpu_per_1000")) if good else ""
        rows.append([client, *cells, cpu, f"{copying.of('peak_mib'):.0f}" if good else ""])
    head = ("objects a second", "restore, 30 ms", "copy, 30 ms", "restore, 0 ms", "copy, 0 ms")
    return table((*head, "CPU s per 1,000 requests of the last", "its peak MiB"), rows)


def _rate(found: Found, client: str, phase: str, delay_ms: int) -> str:
    cell = Cell(client=client, phase=phase, delay_ms=delay_ms)
    measured = found.get(cell)
    if not measured:
        return "-"
    if measured.failure:
        return "failed"
    times = ratio(found, cell, Cell(client=POOL, phase=phase, delay_ms=delay_ms))
    return number(measured.of("objects_per_s")) + (f" ({number(times)}x)" if times and client != POOL else "")


def goals(found: Found, largest: Lot | None) -> str:
    """What was set out for, and what was reached."""
    rows = []
    for words, phase, delay_ms, one, other, goal in _GOALS:
        worker, rival = (Cell(client=name, phase=phase, delay_ms=delay_ms) for name in (one, other))
        times = ratio(found, worker, rival)
        rows.append([words, f"at least {goal:g}x", f"{number(times)}x" if times else "not measured"])
    for phase in ("restore", "copy"):
        worker, loop, bare = (Cell(client=name, phase=phase, delay_ms=0) for name in (FAST, LOOP, BARE))
        less, more = (ratio(found, a, b, "cpu_per_1000") for a, b in ((loop, worker), (worker, bare)))
        told = f"1/{number(less)}" if less else "not measured"
        rows.append([f"{phase}, 0 ms: CPU of the worker's request to plain boto3's", "at most 1/7", told])
        told = f"{number(more)}x" if more else "not measured"
        rows.append([f"{phase}, 0 ms: CPU of the worker's request to the bare socket's", "", told])
    if largest:
        run = largest.run
        partly = f", after {run.objects:,} of them" if run.objects < largest.keys else ""
        # 100 MB are 95 MiB.
        told = run.failure or f"{run.peak_mib * 1.048576:.0f} MB{partly}"
        rows.append([f"peak memory with a lot of {largest.keys:,} keys", "under 100 MB", told])
    return table(("what", "goal", "reached"), rows)


def concurrency(paces: Sequence[Pace]) -> str:
    """What the worker found by itself."""
    rows = [
        [
            f"{one.phase}, {one.delay_ms} ms",
            *(
                [one.run.failure, "", "", ""]
                if one.run.failure
                else [
                    number(one.run.objects_per_s),
                    number(one.run.requests_per_s),
                    number(one.in_flight),
                    f"{one.run.counts.in_flight_max:,}",
                ]
            ),
        ]
        for one in paces
    ]
    return table(("", "objects/s", "requests/s", "in flight on average", "at most"), rows)


def throttling(found: Sequence[Throttled]) -> str:
    """Who gets how much of what a limit lets through. A boto3 pool's failed keys make its exit code 3."""
    rows = [
        [
            one.client,
            f"{one.share:.0%}",
            number(one.refused_per_answer),
            one.run.failure or "0 keys failed",
        ]
        for one in found
    ]
    return table(("", f"of {THROTTLED_RATE:g} requests/s", "refused for each that was not", ""), rows)


def lot_sizes(lots: Sequence[Lot]) -> str:
    """Cost for each key and memory, over the size of the lot."""
    head = (
        "keys in the lot",
        "of them worked through",
        "objects/s",
        "CPU µs for each key",
        "without start-up",
        "peak MiB",
    )
    return table(head, ([f"{lot.keys:,}", *_lot_cells(lot.run)] for lot in lots))


def _lot_cells(run: Run) -> list[str]:
    if run.failure:
        return [run.failure, "", "", "", ""]
    marginal = number(1e6 * (run.cpu_s - run.start_cpu_s) / run.objects)
    cost = number(1e6 * run.cpu_s / run.objects)
    return [f"{run.objects:,}", number(run.objects_per_s), cost, marginal, f"{run.peak_mib:.0f}"]


def workers(found: Sequence[Together]) -> str:
    """Cost for each key and memory, over the number of workers."""
    rows = [
        [
            str(one.workers),
            *(
                [one.failure, "", ""]
                if one.failure
                else [
                    number(one.objects_per_s),
                    number(1e6 * one.cpu_s / (one.workers * one.keys)),
                    f"{one.peak_mib:.0f}",
                ]
            ),
        ]
        for one in found
    ]
    return table(("workers", "objects/s together", "CPU µs for each key", "peak MiB of each"), rows)
