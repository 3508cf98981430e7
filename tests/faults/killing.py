"""
A worker that is killed after so many of its requests, as the world sees it.

All that a worker does to the world it does by requests, its state in S3 too. So a worker whose requests after the
n-th have no effect, and whose answers it can't use, is to the world one that was killed between the n-th and the next:
whether it saw the n-th's answer makes no difference to anybody. That takes a hundredth of the time that a process
takes to be started, so that every n can be tried.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.faults.bench import BUCKET, TARGET, Ended, Work, documented, ended, run_task, serve
from tests.faults.faults import FAULTS, Mixed
from tests.faults.state_bucket import STATE, StateBucket
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import LOSE_LATE, Fault, Reply, faulty
from tests.worker.server import HANG, Answer
from worker.clock import Clock
from worker.command_line import parse_command_line
from worker.contract import (
    ExitCode,
    LotEntry,
    LotFileName,
    ResultRow,
    StatePaths,
    TaskStatus,
    format_lot_line,
    parse_result_rows,
    supersedes,
)
from worker.errors import WorkerError
from worker.s3.clients import object_client, session, state_client
from worker.task import Task

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESULTS = "job/phase/lot-00000/"
LEAPING = Clock(speed=100_000)
"""So fast that whatever waits for its time is written at once: a part for each row, which makes the most of steps."""


@dataclass
class Life:
    """
    How many requests a worker has left; None for no end.

    sent: how many have gone through.
    """

    left: int | None = None
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, _: Request) -> Fault:
        """Nothing goes wrong while it lives; then every request is refused, in a way that is never tried again."""
        with self.lock:
            if self.left is not None and self.sent >= self.left:
                return Reply(403, "AccessDenied", "this worker is dead")
            self.sent += 1
            return None


class World:
    """
    Objects, a state, and workers on one lot.

    server: answers the requests of all of them.
    """

    def __init__(self, work: Work, keys: Sequence[str]) -> None:
        self.work, self.keys = work, keys
        self.s3 = documented(work, keys)
        self.state = StateBucket()
        self.state.files["job/lot.csv"] = "".join(
            format_lot_line(LotEntry(bucket=BUCKET, key=key)) for key in keys
        ).encode()
        self._objects = serve(self.s3)

    def answer(self, request: Request) -> Answer:
        """The answer to a request, for an object or for the state."""
        return self.state(request) if request.bucket == STATE else self._objects(request)

    def rows(self) -> list[ResultRow]:
        """All results in the order of writing."""
        names = [name.removeprefix(RESULTS) for name in self.state.files if name.startswith(RESULTS)]
        numbers = sorted(filter(None, map(LotFileName.parse, names)))
        return [
            row
            for one in numbers
            if one.kind == "results"
            for row in parse_result_rows(
                self.state.files[RESULTS + StatePaths.part_name(one.attempt, one.seq)].decode()
            )
        ]

    def report(self) -> dict[str, TaskStatus]:
        """How each key fared, by the results that count."""
        found: dict[str, TaskStatus] = {}
        for row in self.rows():
            if supersedes(row.outcome.status, found.get(row.entry.key)):
                found[row.entry.key] = row.outcome.status
        return found

    def copies(self) -> dict[str, int]:
        """How many versions in the target class each key has."""
        objects = self.s3.buckets[BUCKET].objects
        return {key: sum(one.storage_class == TARGET for one in objects[key]) for key in self.keys}


class Workers:
    """Workers in this process, that share their clients: making one takes longer than a whole lot here."""

    def __init__(self, endpoint: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "testing")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            patch.setenv("AWS_REGION", "eu-west-1")
            patch.setenv("AWS_ENDPOINT_URL", endpoint)
            session.cache_clear()
            self._objects: S3Client = object_client(8)
            self._state: S3Client = state_client()

    def run(self, world: World, s3_client: str, attempt: int, *more: str) -> ExitCode:
        """The exit code of a worker that lives. Raises WorkerError when it can't go on."""
        what = ["--lot", f"s3://{STATE}/job/lot.csv", "--results", f"s3://{STATE}/{RESULTS}"]
        how = [*world.work.arguments, "--s3-client", s3_client, *more, "--attempt", str(attempt), "--threads", "1"]
        return Task(
            parse_command_line([how[0], *what, *how[1:]]),
            state_client=lambda: self._state,
            object_client=lambda _: self._objects,
            clock=LEAPING,
        ).run()

    def run_and_die(self, world: World, s3_client: str, *more: str) -> None:
        """A worker's first attempt, to its end."""
        with suppress(WorkerError):
            self.run(world, s3_client, 1, *more)


PROBABILITY = 0.22


def run_mixed(work: Work, s3_client: str, keys: Sequence[str], seed: int) -> tuple[Ended, Mixed]:
    """How a job over these keys ends, and what befell its objects' requests."""
    print(f"seed {seed}")  # noqa: T201 (told when the test fails)
    world = World(work, keys)
    objects = Mixed(seed, PROBABILITY)
    # The state's client waits a minute for an answer, and takes a redirect for what it says.
    state = Mixed(seed, PROBABILITY, but=(HANG, LOSE_LATE, FAULTS["302 to elsewhere"], FAULTS["307 to elsewhere"]))

    def decide(request: Request) -> Fault:
        return (state if request.bucket == STATE else objects)(request)

    what = ["--lot", f"s3://{STATE}/job/lot.csv", "--results", f"s3://{STATE}/{RESULTS}", "--attempt", "1"]
    how = [*work.arguments[1:], "--s3-client", s3_client, "--threads", "24"]
    with faulty(world.answer, decide) as seen:
        code = run_task([work.arguments[0], *what, *how], seen.endpoint)
    assert RESULTS + StatePaths.done_name(1) in world.state.files
    return ended(world.s3, code, world.rows(), keys, seen), objects
