"""
`s3reclass split` beside what else cuts a key file: keys a second on one core, and memory as the file grows.

    python benchmarks/split.py                    1 and 10 million keys: the tables, into benchmarks/split.md
    python benchmarks/split.py --keys 1000000     one size, to standard output
    python benchmarks/split.py --keys 100000000 --kinds "ascending,any order"     needs 20 GB of disk

Every program runs by itself, pinned to one core. What S3 needs of a lot is a Batch Operations manifest: the
bucket before each key, the key URL-encoded, no key twice. `split -l` does none of that and is the measure of
reading and writing alone; `sed | sort -u | split -l` does it but for the encoding, and in another order; the loop
in Python does all of it, one key at a time, with all keys in memory.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_suffix(".md")
SIZES = (1_000_000, 10_000_000)
LOT_KEYS = 50_000
BUCKET = "my-bucket"
STEP = 7_368_787
"""A prime: counting by it, modulo a number of keys that isn't its multiple, meets each once, in no order."""

LOOP = """\
import sys
from urllib.parse import quote
seen, number, lot = set(), 0, None
with open(sys.argv[1], encoding="utf-8", newline="\\n") as keys:
    for key in keys:
        key = key.rstrip("\\n")
        if key in seen:
            continue
        if len(seen) % 50_000 == 0:
            lot = open(f"lots/{len(seen) // 50_000:05d}.csv", "w", encoding="utf-8")
        seen.add(key)
        lot.write(f"my-bucket,{quote(key)}\\n")
"""
PIPELINE = (
    "LC_ALL=C sed 's/^/my-bucket,/' {file} | LC_ALL=C sort -u -S 64M -T lots | split -d -a 5 -l 50000 - lots/lot-"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of key file: its name in the table, its lines by number, the flags that it is split with."""

    name: str
    line: Callable[[int, int], str]
    flags: tuple[str, ...] = ()
    suffix: str = ".txt"


def _ascending(number: int, _keys: int) -> str:
    return f"photos/2019/{number // 100_000:04d}/IMG-{number:010d}.jpg"


def _any_order(number: int, keys: int) -> str:
    return _ascending(number * STEP % keys, keys)


INVENTORY = ("--bucket-column", "1", "--key-column", "2", "--url-encoded")
MANIFEST = ("--bucket-column", "1", "--key-column", "2", "--version-column", "3", "--url-encoded")
KINDS = (
    Kind(name="ascending", line=_ascending),
    Kind(name="any order", line=_any_order),
    Kind(name="any order, 1 in 1,000 twice", line=lambda number, keys: _any_order(max(number, keys // 1000), keys)),
    Kind(name="any order, all twice", line=lambda number, keys: _ascending(number * STEP % keys // 2, keys)),
    Kind(name="spaces and `=`", line=lambda number, _: f"logs/dt=2019-01-{number // 10**6:03d}/part {number:010d}.gz"),
    Kind(name="not ASCII", line=lambda number, _: f"фото/2019/{number // 10**5:04d}/снимок-{number:010d}.jpg"),
    Kind(
        name="CSV of `s3reclass list`",
        line=lambda number, keys: f"{_ascending(number, keys)},{number % 99_991},GLACIER,2019-01-02T03:04:05Z",
        suffix=".csv",
    ),
    Kind(
        name="CSV of S3 Inventory",
        line=lambda number, _: f'"{BUCKET}","logs/dt%3D2019/{number:010d}.gz","{number % 99_991}","GLACIER"',
        flags=INVENTORY,
        suffix=".csv",
    ),
    Kind(
        name="manifest with versions",
        line=lambda number, _: f'"{BUCKET}","logs/{number:010d}.gz","v{number:031d}"',
        flags=MANIFEST,
        suffix=".csv",
    ),
)
BESIDE = ("ascending", "any order")
"""The key files that the other programs are run with: they know lines alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What one run took; peak_mib: of its largest process."""

    seconds: float
    cpu_s: float
    peak_mib: float


def measure(command: Sequence[str], folder: Path) -> Run:
    """What a command took on one core, the programs that it started included."""
    core = max(os.sched_getaffinity(0))
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    seconds = time.perf_counter() - started
    return Run(seconds=seconds, cpu_s=used.ru_utime + used.ru_stime, peak_mib=used.ru_maxrss / 1024)


def best(command: Sequence[str], folder: Path, times: int) -> Run:
    """The best of some runs, each into an empty folder: what others on the machine do only makes one worse."""
    runs = []
    for _ in range(times):
        shutil.rmtree(folder / "lots", ignore_errors=True)
        (folder / "lots").mkdir()
        runs.append(measure(command, folder))
    return min(runs, key=lambda run: run.cpu_s)


def write_key_file(kind: Kind, keys: int, folder: Path) -> Path:
    """A key file of this kind."""
    path = folder / f"keys{kind.suffix}"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{kind.line(number, keys)}\n" for number in range(keys))
    return path


def programs(kind: Kind, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each program that is run with a key file, with its name in the table."""
    ours = [sys.executable, "-m", "orchestrator", "split", str(path), "--lot-size", str(LOT_KEYS), "--bucket", BUCKET]
    yield "s3reclass split", [*ours, "--lots-dir", "lots", *kind.flags]
    if kind.name in BESIDE:
        yield "split -l", ["split", "-d", "-a", "5", "-l", str(LOT_KEYS), str(path), "lots/lot-"]
        yield "sed, sort -u, split -l", ["sh", "-c", PIPELINE.format(file=path)]
        yield "a loop in Python", [sys.executable, "-c", LOOP, str(path)]


def table(keys: int, kinds: Sequence[Kind], times: int) -> Iterator[str]:
    """The rows of one size's table."""
    yield f"## {keys:,} keys"
    yield ""
    yield "| key file | program | keys a second of processor time | seconds | processor seconds | peak memory, MiB |"
    yield "|---|---|---|---|---|---|"
    for kind in kinds:
        with tempfile.TemporaryDirectory() as made:
            path = write_key_file(kind, keys, Path(made))
            for name, command in programs(kind, path):
                run = best(command, Path(made), times)
                cells = (f"{keys / run.cpu_s:,.0f}", f"{run.seconds:.1f}", f"{run.cpu_s:.1f}", f"{run.peak_mib:,.0f}")
                yield f"| {kind.name} | {name} | {' | '.join(cells)} |"
    yield ""


def head() -> Iterator[str]:
    """What stands above the tables."""
    yield "# `s3reclass split`"
    yield ""
    yield "Made by `python benchmarks/split.py`, which says what the other programs do and what they leave out."
    yield f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, one core, Python {platform.python_version()}; the best of each"
    yield "program's runs, its start included. The machine's other work makes all of them slower: trust the ratios."
    yield ""


def processor() -> str:
    """The processor's name, as Linux tells it."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Measure and print, or write the results' page."""
    parser = argparse.ArgumentParser(description="Measure `s3reclass split` beside what else cuts a key file.")
    parser.add_argument("--keys", type=int, help="one size alone, to standard output")
    parser.add_argument("--kinds", help=f"key files, with commas between: {', '.join(kind.name for kind in KINDS)}")
    parser.add_argument("--times", type=int, default=3, help="runs of each up to a million keys (default: %(default)s)")
    chosen = parser.parse_args()
    names = chosen.kinds.split(",") if chosen.kinds else [kind.name for kind in KINDS]
    lines = list(head())
    for keys in (chosen.keys,) if chosen.keys else SIZES:
        large = keys > min(SIZES)
        kinds = [kind for kind in KINDS if kind.name in names and (not large or chosen.kinds or kind.name in BESIDE)]
        for line in table(keys, kinds, 1 if large else chosen.times):
            print(line, file=sys.stderr)
            lines.append(line)
    if chosen.keys:
        print("\n".join(lines))
    else:
        RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
