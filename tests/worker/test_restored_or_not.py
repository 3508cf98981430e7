"""HEAD says restored, another answer that the object is archived: a race, which the worker waits out for seconds."""

from collections import Counter

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, Reply, faulty
from tests.worker.running import Job, entry, make_bucket, put, restore, run_here
from worker.actions.copy import DOUBTS
from worker.contract import Outcome

KEYS = [f"k{number}" for number in range(12)]
ARCHIVED = Reply(403, "InvalidObjectState", "The operation is not valid for the object's storage class")


class NotYet:
    """Answers to the first requests for each key that the object is archived."""

    def __init__(self, times: int, *, of: str) -> None:
        self._times = times
        self._of = of
        self.asked: Counter[str] = Counter()

    def __call__(self, request: Request) -> Fault:
        """The answer, to a request of the kind."""
        asks_acl = request.method == "GET" and "acl" in request.query
        if not request.key or self._of != ("acl" if asks_acl else request.operation):
            return None
        self.asked[request.key] += 1
        return ARCHIVED if self.asked[request.key] <= self._times else None


@pytest.fixture
def lot(aws: str, job: Job) -> str:
    """A lot of restored objects, in a bucket where ACLs matter: the fake AWS's endpoint."""
    make_bucket(acls=True)
    put(*KEYS, storage_class="GLACIER")
    restore(*KEYS)
    job.write_lot(map(entry, KEYS))
    return aws


@pytest.mark.parametrize("of", ["acl", "CopyObject"])
@pytest.mark.parametrize(("expected", "times"), [(Outcome.COPIED, DOUBTS), (Outcome.PENDING, DOUBTS + 1)])
def test_a_restore_between_two_steps_is_waited_for_and_not_for_ever(
    expected: Outcome, times: int, of: str, lot: str, job: Job
) -> None:
    """Copied by the same task when the last look is in time, else `pending`: after a number of looks and no more."""
    server = NotYet(times, of=of)
    arguments = job.arguments("copy", "--storage-class", "STANDARD_IA", "--threads", "8")

    with faulty(lot, server) as seen:
        code = run_here(arguments, seen.endpoint, speed=50)

    assert job.outcomes() == dict.fromkeys(KEYS, expected)
    assert code == (0 if expected is Outcome.COPIED else 4)
    assert seen.count("HeadObject") == len(KEYS) * (DOUBTS + 1)
    assert {server.asked[key] >= DOUBTS + 1 for key in KEYS} == {True}
