"""Who is measured, and with which command line: the worker, and what else does such work."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command

BUCKET = "bench"
TARGET = "STANDARD_IA"
KINDS = {"copy": "ready", "restore": "archived"}
"""The first part of the keys of each phase: see benchmarks/stub.py."""

FAST, CAREFUL = "worker", "worker --s3-client boto3"
LOOP, POOL = "boto3, a loop", "boto3, 64 threads"
AWS_CLI, S5CMD, RCLONE, BARE = "aws s3api, a process for each object", "s5cmd", "rclone", "bare sockets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """
    What a client is given.

    folder: for the files that it reads, and the worker's results. attempt: a number of its own for each run.
    """

    phase: str
    objects: int
    endpoint: str
    folder: Path
    attempt: int

    @property
    def lot(self) -> Path:
        """A lot of so many keys."""
        return self._file("csv", f"{BUCKET},{{key}}")

    @property
    def keys(self) -> Path:
        """The keys, one on each line."""
        return self._file("txt", "{key}")

    @property
    def copies(self) -> Path:
        """What s5cmd is to run, one on each line."""
        return self._file("s5cmd", f"cp --storage-class {TARGET} s3://{BUCKET}/{{key}} s3://{BUCKET}/{{key}}")

    def _file(self, kind: str, line: str) -> Path:
        path = self.folder / f"{self.phase}-{self.objects}.{kind}"
        if not path.exists():
            with path.open("w", encoding="utf-8") as file:
                keys = (f"{KINDS[self.phase]}/{number:010}" for number in range(self.objects))
                file.writelines(f"{line.format(key=key)}\n" for key in keys)
        return path


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """
    A row of the tables.

    command: its command line for some work. phases: those that it can do.
    first: objects in its first, short run, which tells how many make a long one.
    longer: how many times longer its runs are: the worker takes its first seconds to find its pace.
    """

    name: str
    command: Callable[[Work], Command]
    phases: frozenset[str] = frozenset(KINDS)
    first: int = 200
    longer: float = 1


def worker(work: Work, *more: str) -> Command:
    """The worker as a user runs it by hand, with a lot and results in a folder."""
    results = work.folder / f"results-{work.attempt}"
    how = ["--storage-class", TARGET] if work.phase == "copy" else ["--days", "7", "--tier", "Bulk"]
    where = ["--lot", str(work.lot), "--results", str(results), "--attempt", "1"]
    return Command(arguments=[sys.executable, "-m", "worker", work.phase, *where, *how, *more])


def _boto3(work: Work, threads: int) -> Command:
    program = [sys.executable, "-m", "benchmarks.client_boto3", work.phase, str(work.lot)]
    return Command(arguments=[*program, "--threads", str(threads)])


def _bare(work: Work) -> Command:
    return Command(arguments=[sys.executable, "-m", "benchmarks.client_bare", work.phase, str(work.lot)])


def _aws_cli(program: Path) -> Callable[[Work], Command]:
    def command(work: Work) -> Command:
        named = ["--bucket", BUCKET, "--key", "{}"]
        if work.phase == "copy":
            asked = ["copy-object", *named, "--copy-source", f"{BUCKET}/{{}}", "--storage-class", TARGET]
        else:
            asked = ["restore-object", *named, "--restore-request", '{"Days":7,"GlacierJobParameters":{"Tier":"Bulk"}}']
        return Command(
            arguments=["xargs", "-a", str(work.keys), "-I{}", str(program), "s3api", *asked], starts_anew=True
        )

    return command


def _s5cmd(program: Path) -> Callable[[Work], Command]:
    def command(work: Work) -> Command:
        # It doesn't know AWS_ENDPOINT_URL. 256 workers are its default.
        return Command(
            arguments=[str(program), "--endpoint-url", work.endpoint, "--log", "error", "run", str(work.copies)]
        )

    return command


def _rclone(program: Path) -> Callable[[Work], Command]:
    def command(work: Work) -> Command:
        where = f"stub:{BUCKET}/{KINDS[work.phase]}"
        settings = {
            "TYPE": "s3",
            "PROVIDER": "AWS",
            "ENV_AUTH": "true",
            "ENDPOINT": work.endpoint,
            "REGION": "eu-west-1",
            "FORCE_PATH_STYLE": "true",
        }
        asked = (
            ["settier", TARGET, where]
            if work.phase == "copy"
            else ["backend", "restore", where, "-o", "priority=Bulk", "-o", "lifetime=7"]
        )
        environ = {f"RCLONE_CONFIG_STUB_{name}": value for name, value in settings.items()}
        return Command(arguments=[str(program), *asked], environ=environ)

    return command


def clients(programs: Mapping[str, Path]) -> tuple[Client, ...]:
    """
    The rows, in the tables' order.

    programs: of the clients that aren't ours, as far as they are installed.
    """
    found = [
        Client(name=FAST, command=worker, first=1_000, longer=3),
        Client(name=CAREFUL, command=lambda work: worker(work, "--s3-client", "boto3"), longer=1.5),
        Client(name=POOL, command=lambda work: _boto3(work, 64)),
        Client(name=LOOP, command=lambda work: _boto3(work, 1), first=10),
    ]
    if AWS_CLI in programs:
        found.append(Client(name=AWS_CLI, command=_aws_cli(programs[AWS_CLI]), first=1))
    if S5CMD in programs:
        found.append(Client(name=S5CMD, command=_s5cmd(programs[S5CMD]), phases=frozenset({"copy"})))
    if RCLONE in programs:
        found.append(Client(name=RCLONE, command=_rclone(programs[RCLONE]), first=20))
    return (*found, Client(name=BARE, command=_bare, first=2_000))
