"""What networks and a busy S3 do to a lot: each key ends in its right outcome, and each copy is made once."""

import random
import threading
import time
from collections import Counter

import pytest

from tests.worker.proxy import CUT, LOSE, Fault, Reply, Request, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, run_here
from worker.contract import Outcome, TaskStatus

KEYS = [f"k{number}" for number in range(12)]
COPY = ("copy", "--storage-class", "STANDARD_IA", "--threads", "8")


class FirstTime:
    """A fault that befalls each key's first request of an operation."""

    def __init__(self, operation: str, fault: Fault) -> None:
        self._operation = operation
        self._fault = fault
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Fault:
        """The fault, for a key that hadn't any yet."""
        with self._lock:
            if request.operation != self._operation or request.key in self._seen:
                return None
            self._seen.add(request.key)
        return self._fault


@pytest.fixture
def lot(aws: str, job: Job) -> str:
    """A lot of 12 objects in a versioned bucket: the fake AWS's endpoint."""
    make_bucket(versioned=True)
    put(*KEYS)
    job.write_lot(map(entry, KEYS))
    return aws


def copies() -> Counter[str]:
    """How many times each object was written after it was put."""
    versions = fake_s3().list_object_versions(Bucket="bucket")["Versions"]
    return Counter(version["Key"] for version in versions) - Counter(KEYS)


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("HeadObject", Reply(503, "SlowDown")),
        ("HeadObject", Reply(500, "InternalError")),
        ("HeadObject", CUT),
        ("HeadObject", LOSE),
        ("CopyObject", Reply(503, "SlowDown")),
        ("CopyObject", Reply(400, "ThrottlingException")),
        ("CopyObject", Reply(200, "SlowDown")),
        ("CopyObject", Reply(500, "InternalError")),
        ("CopyObject", Reply(200, "InternalError")),
        ("CopyObject", CUT),
        ("CopyObject", LOSE),
    ],
)
def test_a_passing_fault_fails_no_key_and_copies_none_twice(operation: str, fault: Fault, lot: str, job: Job) -> None:
    """Throttled, failed, cut off or answered into the void: every object is copied, and exactly once."""
    with faulty(lot, FirstTime(operation, fault)) as seen:
        code = run_here(job.arguments(*COPY), seen.endpoint)

    assert code == 0
    assert {row.outcome for row in job.rows()} == {Outcome.COPIED}
    assert copies() == Counter(KEYS)


@pytest.mark.parametrize("fault", [Reply(503, "SlowDown"), Reply(500, "InternalError"), CUT, LOSE])
def test_a_restore_is_asked_for_again(fault: Fault, aws: str, job: Job) -> None:
    """RestoreObject may be repeated: a lost answer ends as well as a refused request."""
    make_bucket()
    put(*KEYS, storage_class="DEEP_ARCHIVE")
    job.write_lot(map(entry, KEYS))

    with faulty(aws, FirstTime("RestoreObject", fault)) as seen:
        code = run_here(job.arguments("restore"), seen.endpoint)

    assert code == 0
    assert {row.outcome.status for row in job.rows()} == {TaskStatus.SUCCEEDED}
    assert seen.count("RestoreObject") == 2 * len(KEYS)


def test_a_stretch_of_nothing_but_503_fails_no_key(lot: str, job: Job) -> None:
    """S3 refuses everything for a while in the middle of the lot; few requests are wasted, and the lot ends well."""
    begun: list[float] = []

    def decide(_: Request) -> Fault:
        begun.append(time.monotonic())
        return Reply(503, "SlowDown") if len(begun) > 20 and begun[-1] - begun[20] < 1 else None

    with faulty(lot, decide) as seen:
        code = run_here(job.arguments(*COPY), seen.endpoint)

    assert code == 0
    assert copies() == Counter(KEYS)
    assert len(seen.requests) < 6 * len(KEYS)


@pytest.mark.parametrize("seed", [1])
def test_mixed_faults_fail_no_key_and_copy_none_twice(seed: int, lot: str, job: Job) -> None:
    """One request in four goes wrong, in every way there is: each object is copied exactly once all the same."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    faults: list[Fault] = [Reply(503, "SlowDown"), Reply(500, "InternalError"), CUT, LOSE]

    def decide(request: Request) -> Fault:
        if request.operation in ("HeadObject", "CopyObject") and chance.random() < 0.25:
            return chance.choice(faults)
        return None

    with faulty(lot, decide) as seen:
        code = run_here(job.arguments(*COPY), seen.endpoint)

    assert code == 0
    assert copies() == Counter(KEYS)


def test_an_object_overwritten_between_look_and_copy_is_left_alone(lot: str, job: Job) -> None:
    """The guard holds against a writer who comes in between: the newer object stays, in the class it was written in."""

    def overwrite(request: Request) -> Fault:
        if request.operation == "CopyObject" and request.key == "k7":
            # moto ignores the guard, so the proxy stands in for it once it has let the other writer through.
            put("k7", storage_class="STANDARD")
            assert request.headers["x-amz-copy-source-if-match"]
            assert request.headers["if-match"]
            return Reply(412, "PreconditionFailed")
        return None

    with faulty(lot, overwrite) as seen:
        code = run_here(job.arguments(*COPY), seen.endpoint)

    assert code == 3
    assert {key for key, outcome in job.outcomes().items() if outcome is not Outcome.COPIED} == {"k7"}
    assert job.outcomes()["k7"] is Outcome.CHANGED


def test_two_workers_on_one_lot_do_no_harm(lot: str, job: Job) -> None:
    """A launcher that thought the first was dead starts a second: every key ends well by both."""
    codes = []
    others = [
        threading.Thread(target=lambda n=n: codes.append(run_here(job.arguments(*COPY, attempt=n), lot)))
        for n in (1, 2)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(timeout=60)

    assert codes == [0, 0]
    assert set(job.outcomes()) == set(KEYS)
    assert {row.outcome.status for row in job.rows()} == {TaskStatus.SUCCEEDED}
    with faulty(lot, lambda _: None) as seen:
        assert run_here(job.arguments(*COPY, attempt=3), seen.endpoint) == 0
    assert seen.requests == []
