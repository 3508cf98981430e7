"""
What the launcher itself takes, as the number of lots grows: calls, memory, processor time.

    python -m benchmarks.launcher                               the table, into benchmarks/launcher.md
    python -m benchmarks.launcher --lots 10 --keys 5000        one size, to standard output

`run`, `status` and `report` each run in a process of their own, against `fake_cloud.py` in another, through
real boto3 clients. The launcher's clock is ours: where it would sleep, the fake's tasks go on.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fake_tasks import CLUSTER, lot_line
from orchestrator.common.aws_sessions import client
from orchestrator.common.clock import Clock
from orchestrator.lots.folder import LOTS_JSON, lot_path, read_lots, verify_lots
from orchestrator.lots.manifest import format_lots, lots_digest
from orchestrator.model import Architecture, Image, Lot, Lots, Resources
from orchestrator.places.fargate import FargatePlace
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.run.job import Job, Limits, PhaseProgress
from orchestrator.run.plan import begin, make_plan
from orchestrator.run.wait_for_restores import see_through
from orchestrator.settings.settings import Settings
from orchestrator.state.job_state import JobState
from orchestrator.state.state_store import open_store
from worker.contract import Phase, PhaseSettings, lot_name

ROOT = Path(__file__).parents[1]
STATE = "s3://state/bench"
SIZES = ((10, 1_000), (100, 1_000), (1_000, 1_000), (2_000, 1_000), (2_000, 5_000), (1, 1_000_000))
"""Lots, and keys in each."""

AT_ONCE = 300
RESULTS = Path(__file__).with_suffix(".md")
RESOURCES = Resources(
    state_bucket="state",
    repository="bench",
    cluster=CLUSTER,
    task_role_arn="arn:aws:iam::123456789012:role/task",
    execution_role_arn="arn:aws:iam::123456789012:role/execution",
    log_group="bench",
    subnets=("subnet-1",),
    security_groups=("sg-1",),
)
IMAGE = Image(repository_uri="bench", tag="t", digest="sha256:" + "0" * 64, architecture=Architecture.X86_64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What a command took: calls by name, CPU seconds, the process's largest memory, and what it printed."""

    calls: Mapping[str, int]
    cpu_s: float
    peak_mib: float
    printed: str


def write_lots(folder: Path, count: int, keys: int) -> Lots:
    """A folder of so many lots of so many keys each, as `split` leaves it."""
    lots = []
    for name in map(lot_name, range(count)):
        digest = hashlib.sha256()
        with (folder / f"{name}.csv").open("wb") as file:
            # Line by line: a child's peak memory is at least that of the process that it was forked from.
            for number in range(keys):
                line = lot_line(name, number)
                file.write(line)
                digest.update(line)
        lots.append(Lot(name=name, keys=keys, sha256=digest.hexdigest()))
    made = Lots(lots=tuple(lots), digest=lots_digest(lots), buckets=("archive",), source="keys.txt")
    (folder / LOTS_JSON).write_text(format_lots(made), encoding="utf-8")
    return made


class Deaf:
    """An audience that isn't interested."""

    def show(self, snapshot: PhaseProgress) -> None:
        """Nothing."""

    def remark(self, line: str) -> None:
        """Nothing."""


def run_phase(folder: Path, endpoint: str) -> float:
    """See a copy phase of these lots through as `run` does; how long their tasks and the watch over them take, in s."""
    lots = read_lots(folder)
    verify_lots(folder, lots)
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        ask(f"{endpoint}/-/clock", json.dumps(now).encode())

    began = datetime(2026, 1, 1, tzinfo=UTC)
    clock = Clock(monotonic=lambda: now, sleep=sleep, now=lambda: began + timedelta(seconds=now))
    settings = Settings(state=STATE, storage_class="STANDARD_IA", max_tasks=AT_ONCE)
    state = JobState(open_store(STATE), lots.job)
    job = Job(
        lots=lots,
        state=state,
        asked_to_stop=state.stop_sign(),
        place=FargatePlace(Ecs(client("ecs"), clock=clock.monotonic, sleep=sleep), settings, RESOURCES, IMAGE),
        read_lot=lambda lot: lot_path(folder, lot),
    )
    plan = make_plan(job, PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA"), None)
    begin(job, plan, clock)
    result = see_through(job, plan, reporter=Deaf(), clock=clock, limits=Limits(poll_s=2, poll_max_s=10))
    if not all(standing.complete for standing in result.lot_statuses):
        raise SystemExit(f"lots are left: {result.stopped} {result.given_up}")
    return now


@contextmanager
def cloud() -> Iterator[str]:
    """The fake's endpoint."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fake_cloud"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def ask(url: str, body: bytes | None = None) -> bytes:
    """The answer to a request of ours to the fake."""
    with urllib.request.urlopen(urllib.request.Request(url, body)) as answer:  # noqa: S310 (http, and our own)
        content: bytes = answer.read()
    return content


def measure(endpoint: str, command: Sequence[str]) -> Taken:
    """Run a command to its end, and say what it took."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    calls = Counter(json.loads(ask(f"{endpoint}/-/calls")))
    return Taken(
        calls=calls,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss / 1024,
        printed=printed.strip(),
    )


COMMANDS = ("run", "run again", "status", "report")


def measure_all(count: int, keys: int) -> Iterator[tuple[str, Taken]]:
    """Each command on a job of this size, in the order of COMMANDS, with what it took."""
    with cloud() as endpoint, TemporaryDirectory() as folder:
        job = write_lots(Path(folder), count, keys).job
        run = [sys.executable, "-m", "benchmarks.launcher", "--run", folder]
        product = [sys.executable, "-m", "orchestrator"]
        state = ["--job", job, "--state", STATE, "--place", "fargate"]
        report = [*product, "report", *state, "--csv", os.devnull]
        for name, command in zip(COMMANDS, (run, run, [*product, "status", *state], report), strict=True):
            yield name, measure(endpoint, command)


def row(name: str, count: int, keys: int, taken: Taken) -> str:
    """A line of the table."""
    ecs = sum(number for call, number in taken.calls.items() if call.startswith("ECS"))
    cells = [name, f"{count:,}", f"{keys:,}", f"{ecs / count:.2f}"]
    cells += [f"{taken.calls.get(f'S3 {call}', 0) / count:.2f}" for call in ("PutObject", "ListObjectsV2", "GetObject")]
    cells += [f"{1000 * taken.cpu_s / count:,.0f}", f"{taken.cpu_s:,.1f}", f"{taken.peak_mib:,.0f}"]
    return "| " + " | ".join(cells) + " |"


HEAD = """\
| command | lots | keys each | ECS calls a lot | S3 PUT a lot | LIST a lot | GET a lot | CPU ms a lot | CPU s | MiB |
|---|---|---|---|---|---|---|---|---|---|"""


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, help="one size instead of the table's")
    parser.add_argument("--keys", type=int, default=1_000, help="keys in a lot, then (default: %(default)s)")
    parser.add_argument("--run", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        print(f"{run_phase(given.run, os.environ['AWS_ENDPOINT_URL']):.0f}")
        return
    lines = [HEAD]
    for count, keys in ((given.lots, given.keys),) if given.lots else SIZES:
        for name, taken in measure_all(count, keys):
            lines.append(row(name, count, keys, taken))
            print(lines[-1], dict(taken.calls), taken.printed.split("\n")[0], file=sys.stderr)
    if given.lots:
        print("\n".join(lines))
    else:
        RESULTS.write_text(page(lines), encoding="utf-8")


def page(lines: Sequence[str]) -> str:
    """The results as a page."""
    python = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    return f"""# What the launcher takes

Made by `make bench-launcher` on {datetime.now(UTC):%Y-%m-%d} ({python}). At most {AT_ONCE} tasks at once; every
fiftieth lot is interrupted once, the first among them, so that it has results of two attempts. `run again` finds
the finished job. ECS calls are mostly RunTask, one for each start. Progress is read 5 times a second at most, however
many tasks run, so that a long job's GETs follow its time and not its lots; before each start one more GET looks whether
somebody has asked for the job to be stopped. `report` reads each part of results once:
here a part is of 500 keys at most. MiB is the process's largest memory.

{chr(10).join(lines)}
"""


if __name__ == "__main__":
    main()
