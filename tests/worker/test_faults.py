"""What a network and a busy S3 do to a lot in moto's server; `tests/faults/` has all of it, before a stricter S3."""

import threading
from collections import Counter

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import LOSE, Fault, Reply, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, run_here
from worker.contract import Outcome

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
    [("HeadObject", LOSE), ("CopyObject", LOSE), ("CopyObject", Reply(503, "SlowDown"))],
)
def test_a_passing_fault_fails_no_key_and_copies_none_twice(operation: str, fault: Fault, lot: str, job: Job) -> None:
    """Throttled, or answered into the void: every object is copied, and exactly once."""
    with faulty(lot, FirstTime(operation, fault)) as seen:
        code = run_here(job.arguments(*COPY), seen.endpoint, speed=10)

    assert code == 0
    assert {row.outcome for row in job.rows()} == {Outcome.COPIED}
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
