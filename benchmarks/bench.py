"""
The worker beside other clients, against a stub S3 on this machine: `make bench`.

    python -m benchmarks.bench              some 10 minutes: benchmarks/bench.md, and the table in docs/speed.md
    python -m benchmarks.bench --quick      under 2 minutes, to standard output only

Needs Linux and a C compiler. The clients run one at a time, pinned to one core, the stub on another. docs/speed.md
says what is measured, and how.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import tables
from benchmarks.clients import FAST, POOL, clients
from benchmarks.growth import Lot, Pace, Throttled, Together, lots, paces, throttled, together
from benchmarks.programs import ROOT, install, machine, today, versions
from benchmarks.side_by_side import DELAYS_MS, Bench, Cell, Measured, say, side_by_side
from benchmarks.stub import Stub, StubError

RESULTS = ROOT / "benchmarks" / "bench.md"
SPEED_PAGE = ROOT / "docs" / "speed.md"
BEGIN = "<!-- made by `make bench`: begin -->\n"
END = "<!-- made by `make bench`: end -->\n"
BUSY = 0.5
"""A load average above it means that others used the machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extent:
    """
    How much is measured.

    rounds, seconds: of every client at each phase and delay. sizes: keys in a lot. lot_limit_s: when one is stopped.
    workers, workers_keys: how many at once, and keys for each. pace_delays_ms: for the
        worker by itself. pace_s, throttled_s: for each run of these two.
    """

    rounds: int
    seconds: float
    sizes: tuple[int, ...]
    lot_limit_s: float
    pace_delays_ms: tuple[int, ...]
    workers: tuple[int, ...]
    workers_keys: int
    pace_s: float
    throttled_s: float


WHOLE = Extent(
    rounds=3,
    seconds=1.5,
    sizes=(1_000, 30_000, 1_000_000),
    lot_limit_s=200,
    pace_delays_ms=(5, 30, 200),
    workers=(1, 2, 4),
    workers_keys=10_000,
    pace_s=1.5,
    throttled_s=5,
)
QUICK = Extent(
    rounds=1,
    seconds=0.4,
    sizes=(1_000, 10_000),
    lot_limit_s=10,
    pace_delays_ms=(30,),
    workers=(1, 2),
    workers_keys=2_000,
    pace_s=0.3,
    throttled_s=2,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """All that was measured, and the remarks that go with it."""

    found: dict[Cell, Measured]
    paces: list[Pace]
    throttled: list[Throttled]
    lots: list[Lot]
    together: list[Together]
    where: str
    remarks: list[str]


def measure_all(extent: Extent) -> Results:
    """Everything. Raises StubError when there is no stub to measure against, or it doesn't answer as S3."""
    say("installing the other clients into .venv/bench, if they aren't there")
    programs, missing = install()
    remarks = [f"Not measured, as it can't be installed here: {missing}."] if missing else []
    remarks += ["A quick look: one short round, and no large lot."] if extent.rounds < WHOLE.rounds else []
    remarks += busy()
    cores = sorted(os.sched_getaffinity(0))
    where = f"{today()}, {machine()}; {versions(programs)}"
    with (
        Stub(cores={cores[-1]}) as stub,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
    ):
        check(stub)
        os.sched_setaffinity(0, cores[:1])
        if len(cores) == 1:
            remarks.append("There is one core only, which the stub shares: objects a second are too few.")
        bench = Bench(stub, Path(folder), cores)
        rows = {one.name: one for one in clients(programs)}
        found = side_by_side(bench, list(rows.values()), rounds=extent.rounds, seconds=extent.seconds)
        results = Results(
            found=dict(found),
            paces=paces(bench, rows[FAST], extent.pace_delays_ms, seconds=extent.pace_s),
            throttled=throttled(bench, [rows[FAST], rows[POOL]], seconds=extent.throttled_s),
            lots=lots(bench, rows[FAST], extent.sizes, limit_s=extent.lot_limit_s),
            together=together(bench, rows[FAST], extent.workers, extent.workers_keys),
            where=where,
            remarks=remarks,
        )
        remarks += [
            f"The stub was busy for most of this run, and may have been its limit: {row}." for row in limits(bench)
        ]
    return results


def limits(bench: Bench) -> list[str]:
    """The rows whose limit may have been the stub, each once."""
    return list(dict.fromkeys(bench.stub_limits))


def busy() -> list[str]:
    """What to say when others use the machine."""
    load = os.getloadavg()[0]
    if load < BUSY:
        return []
    return [f"The machine was not idle (load average {load:.1f} at the start): trust the ratios, not the numbers."]


def check(stub: Stub) -> None:
    """Let boto3 ask the stub, in a process of its own. Raises StubError when an answer isn't S3's."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.check_stub", stub.endpoint], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StubError(f"the stub's answers aren't S3's: {done.stdout.strip() or done.stderr.strip()}")
    say(done.stdout.strip())


def page(results: Results) -> str:
    """The whole page of results."""
    found = results.found
    parts = ["# The worker beside other clients\n", f"Made by `make bench`: {results.where}.\n"]
    parts += [f"{remark}\n" for remark in results.remarks]
    parts.append("What is measured, and how, is in [docs/speed.md](../docs/speed.md).\n")
    largest = results.lots[-1] if results.lots[-1].keys >= WHOLE.sizes[-1] else None
    parts += ["## Goals\n", tables.goals(found, largest)]
    for delay_ms in DELAYS_MS:
        for phase, does in (("restore", "Restore"), ("copy", "Copy")):
            parts += [f"## {does}, {delay_ms} ms\n", tables.detail(found, phase, delay_ms)]
    parts += [
        "## Concurrency that finds itself\n",
        "The worker without `--threads`.\n",
        tables.concurrency(results.paces),
    ]
    parts += ["## Throttled\n", "Restores at 30 ms; every request over the limit is answered 503 SlowDown.\n"]
    parts.append(tables.throttling(results.throttled))
    parts += ["## Growth: keys in a lot\n", "One worker, restore, 0 ms, on one core.\n", tables.lot_sizes(results.lots)]
    keys = f"{results.together[0].keys:,}"
    parts += ["## Growth: workers\n", f"Each with a lot of {keys} keys, restore, 0 ms, on all cores, the stub's too.\n"]
    parts.append(tables.workers(results.together))
    return "\n".join(parts)


def quoted(results: Results) -> str:
    """What docs/speed.md quotes of it."""
    remarks = "".join(f" {remark}" for remark in results.remarks)
    return f"{tables.summary(results.found)}\n{results.where}.{remarks}\n"


def put_between(text: str, made: str) -> str:
    """The text with what was made between its two marks. Raises ValueError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN.strip()} and {END.strip()}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def main() -> int:
    """Measure, print, and write the two pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short look, written nowhere")
    parser.add_argument("--keys", type=int, help="leave out lots of more keys than this")
    parser.add_argument("--patience", type=float, metavar="SECONDS", help="for the largest lot, which is stopped then")
    parser.add_argument(
        "--write", action=argparse.BooleanOptionalAction, help="write the pages (default: not if --quick)"
    )
    options = parser.parse_args()
    extent = QUICK if options.quick else WHOLE
    began = time.monotonic()
    if options.keys:
        sizes = tuple(size for size in extent.sizes if size <= options.keys)
        extent = replace(extent, sizes=sizes or extent.sizes[:1])
    if options.patience:
        extent = replace(extent, lot_limit_s=options.patience)
    try:
        results = measure_all(extent)
    except StubError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(page(results))
    say(f"all of it took {time.monotonic() - began:.0f} s")
    if options.write or (options.write is None and not options.quick):
        RESULTS.write_text(page(results), encoding="utf-8")
        SPEED_PAGE.write_text(put_between(SPEED_PAGE.read_text(encoding="utf-8"), quoted(results)), encoding="utf-8")
        say(f"written: {RESULTS.relative_to(ROOT)}, and the table in {SPEED_PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
