"""The worker, killed between any two of its requests and run again: the same report, and nothing done twice."""

from collections.abc import Iterator

import pytest

from tests.faults.bench import COPY, IN_PARTS, RESTORE, S3_CLIENTS, Work
from tests.faults.killing import Life, Workers, World
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, faulty
from tests.worker.server import Answer
from worker.contract import ExitCode, TaskStatus

KEYS = ("one", "two")
JOBS = {
    "restore": (RESTORE, ()),
    "copy": (COPY, ("--audit",)),
    "copy in parts": (IN_PARTS, ("--audit",)),
}
WAYS = [(name, s3_client) for name in JOBS for s3_client in S3_CLIENTS if name != IN_PARTS.name or s3_client == "boto3"]
"""Copies in parts are boto3's client's in either."""

MOST_REQUESTS = 200


class Bench:
    """Whichever world is on it, and whichever life the worker in it has."""

    def __init__(self) -> None:
        self.world: World = World(RESTORE, ())
        self.life = Life()

    def answer(self, request: Request) -> Answer:
        """The present world's."""
        return self.world.answer(request)

    def fault(self, request: Request) -> Fault:
        """What the present life says."""
        return self.life(request)


@pytest.fixture(scope="module")
def bench() -> Bench:
    """One bench for all tests."""
    return Bench()


@pytest.fixture(scope="module")
def workers(bench: Bench) -> Iterator[Workers]:
    """Workers that talk to it."""
    with faulty(bench.answer, bench.fault) as seen:
        yield Workers(seen.endpoint)


def requests_of_a_whole_run(bench: Bench, workers: Workers, work: Work, s3_client: str, *more: str) -> int:
    """How many requests a worker sends that nobody kills."""
    bench.world, bench.life = World(work, KEYS), Life()
    assert workers.run(bench.world, s3_client, 1, *more) is ExitCode.GOOD
    return bench.life.sent


@pytest.mark.parametrize(("name", "s3_client"), WAYS)
def test_killed_anywhere_and_run_again(name: str, s3_client: str, bench: Bench, workers: Workers) -> None:
    """
    Killed after each of its requests in turn, a second run ends with every key good, each copied once.

    Every other time the second run is the same attempt once more, as somebody does it by hand.
    """
    work, more = JOBS[name]
    whole = requests_of_a_whole_run(bench, workers, work, s3_client, *more)
    assert 8 < whole < MOST_REQUESTS

    for left in range(whole):
        world = bench.world = World(work, KEYS)
        bench.life = Life(left)
        workers.run_and_die(world, s3_client, *more)
        before, files = world.report(), dict(world.state.files)
        recorded = set(before)
        assert set(before.values()) <= {TaskStatus.SUCCEEDED}

        bench.life = Life()
        code = workers.run(world, s3_client, 1 + left % 2, *more)

        assert code is ExitCode.GOOD, f"killed after {left} requests"
        assert world.report() == dict.fromkeys(KEYS, TaskStatus.SUCCEEDED), f"killed after {left} requests"
        assert set(world.copies().values()) == {work.copies}, f"killed after {left} requests"
        assert not any(upload.parts for upload in world.s3.uploads.values()), f"killed after {left} requests"
        assert not recorded & {row.entry.key for row in world.rows()[len(recorded) :]}, "a finished key was redone"
        assert all(world.state.files[name] == content for name, content in files.items() if "results" in name)
