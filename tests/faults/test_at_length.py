"""What takes too long for every day: real time, each fault alone, moto's server, other seeds, killed processes."""

import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.bench import (
    BUCKET,
    COPY,
    IN_PARTS,
    S3_CLIENTS,
    TARGET,
    WORKS,
    Work,
    documented,
    ended,
    run_documented,
    run_task,
    serve,
)
from tests.faults.faults import Mixed, Outage, faults_of
from tests.faults.killing import PROBABILITY, run_mixed
from tests.faults.launching import Life, World
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import CUT, Fault, Reply, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, start
from worker.contract import ExitCode, LotEntry

# Minutes of faults, and many processes one after another.
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

KEYS = [f"key-{number:03}" for number in range(200)]


def test_twenty_seconds_of_nothing_but_503(s3_client: str, tmp_path: Path) -> None:
    """In real time: no key fails, none is copied twice, no second attempt is needed, and few requests are wasted."""
    s3, job = documented(COPY, KEYS), Job(tmp_path)
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in KEYS)
    outage = Outage(Reply(503, "SlowDown"), 20, speed=1)

    with faulty(serve(s3), outage) as seen:
        code = run_task(job.arguments(*COPY.arguments, "--s3-client", s3_client), seen.endpoint, speed=1)

    assert code is ExitCode.GOOD
    assert ended(s3, code, job.rows(), KEYS, seen).not_right(KEYS, 1) == {}
    assert 1 < outage.fell < 5 * len(KEYS)


class FirstOf:
    """A fault that befalls each key's first request of an operation."""

    def __init__(self, operation: str, fault: Fault) -> None:
        self._operation, self._fault = operation, fault
        self.met: set[str] = set()

    def __call__(self, request: Request) -> Fault:
        """The fault, once for each key."""
        if request.operation != self._operation or request.key in self.met:
            return None
        self.met.add(request.key)
        return self._fault


@pytest.mark.parametrize(
    ("name", "s3_client"), [(name, S3_CLIENTS[number % 2]) for number, name in enumerate(faults_of("CopyObject"))]
)
def test_each_fault_alone(name: str, s3_client: str, tmp_path: Path) -> None:
    """It befalls the copy of every key of a lot: all end well, each is copied once."""
    faults = FirstOf("CopyObject", faults_of("CopyObject")[name])

    found = run_documented(COPY, s3_client, KEYS, faults, tmp_path, "--threads", "32")

    assert len(faults.met) == len(KEYS)
    assert found.not_right(KEYS, COPY.copies) == {}
    assert found.code is ExitCode.GOOD


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_mixed_faults_by_other_seeds(work: Work, seed: int, s3_client: str) -> None:
    """22% of all requests go wrong, for objects and for the state."""
    keys = KEYS if work is not IN_PARTS else KEYS[:40]

    found, _ = run_mixed(work, s3_client, keys, seed)

    assert found.not_right(keys, work.copies) == {}
    assert found.code is ExitCode.GOOD


@pytest.mark.parametrize("seed", [4])
def test_mixed_faults_before_moto(seed: int, s3_client: str, aws: str, tmp_path: Path) -> None:
    """22% of all requests to moto's server go wrong: each object of a versioned bucket has one version more."""
    make_bucket(versioned=True)
    put(*KEYS)
    job = Job(tmp_path)
    job.write_lot(map(entry, KEYS))

    with faulty(aws, Mixed(seed, PROBABILITY)) as seen:
        code = run_task(job.arguments(*COPY.arguments, "--s3-client", s3_client, "--threads", "24"), seen.endpoint)

    assert code is ExitCode.GOOD
    assert set(job.outcomes()) == set(KEYS)
    versions = fake_s3().list_object_versions(Bucket=BUCKET)["Versions"]
    assert Counter(one["Key"] for one in versions) == dict.fromkeys(KEYS, 2)
    assert Counter(one["Key"] for one in versions if one["StorageClass"] == TARGET) == dict.fromkeys(KEYS, 1)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_a_process_killed_anywhere(work: Work, s3_client: str, tmp_path: Path) -> None:
    """SIGKILL in the middle of anything, with many requests in flight, eight times over: then a run that ends well."""
    chance = random.Random(5)  # noqa: S311 (no secret)
    keys = KEYS[:60]
    s3, job = documented(work, keys), Job(tmp_path)
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in keys)
    left = iter(range(0))

    def decide(_: Request) -> Fault:
        # Many threads ask, each of which gets a number of its own.
        if next(left, 0):
            return None
        process.kill()
        return CUT

    with faulty(serve(s3), decide) as seen:
        for _ in range(8):
            left = iter(range(chance.randrange(2, 40), 0, -1))
            arguments = job.arguments(*work.arguments, "--s3-client", s3_client, "--threads", "8")
            with start(arguments, AWS_ENDPOINT_URL=seen.endpoint) as process:
                process.communicate(timeout=300)
            if process.returncode != -signal.SIGKILL:
                break
    with faulty(serve(s3), lambda _: None) as seen:
        code = run_task(job.arguments(*work.arguments, "--s3-client", s3_client, attempt=2), seen.endpoint)

    assert code is ExitCode.GOOD
    assert ended(s3, code, job.rows(), keys, seen).not_right(keys, work.copies) == {}


def test_a_launcher_killed_twice_at_any_two_changes(tmp_path: Path) -> None:
    """Every pair of changes: each lot has one task, and the report is the same."""
    life = Life()
    assert World(tmp_path / "whole", 2).launch(life) == 0

    for first in range(len(life.made)):
        for second in range(len(life.made)):
            world = World(tmp_path / f"{first}-{second}", 2)
            world.launch(Life(first))
            world.launch(Life(second))

            assert world.launch(Life()) == 0
            assert world.tasks() == [lot.name for lot in world.lots.lots]
