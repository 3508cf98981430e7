"""
Each fault, at each request that a job can't do without, in each s3_client.

One job has all of them at once, a few keys for each: hundreds of keys, and the requests of those that were spared in
between. The bucket is versioned, so a copy that was made twice shows.
"""

from dataclasses import dataclass

import pytest

from tests.faults.bench import IN_PARTS, S3_CLIENTS, WORKS, Ended, Work, run_documented
from tests.faults.faults import EachKeyItsOwn, faults_of
from worker.contract import ExitCode

KEYS_EACH = {"restore": 6, "copy": 4, "copy in parts": 1}
SPARED = [f"spared-{number}" for number in range(40)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """A job that has been through all of its work's faults."""

    work: Work
    s3_client: str
    faults: EachKeyItsOwn
    ended: Ended


JOBS = [(work, s3_client) for work in WORKS for s3_client in S3_CLIENTS if work is not IN_PARTS or s3_client == "boto3"]
"""Copies in parts are boto3's client's in either."""


@pytest.fixture(scope="module", params=JOBS, ids=lambda job: f"{job[0].name}-{job[1]}")
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A job of each work in each client; run once, looked at by many tests."""
    work, s3_client = request.param
    faults = EachKeyItsOwn(work.operations, KEYS_EACH[work.name])
    keys = [key for row in zip(*faults.keys.values(), strict=True) for key in row]
    ended = run_documented(work, s3_client, [*keys, *SPARED], faults, tmp_path_factory.mktemp("job"), "--threads", "16")
    return Done(work=work, s3_client=s3_client, faults=faults, ended=ended)


@pytest.mark.parametrize("name", faults_of("CopyObject"))
def test_a_passing_fault_fails_no_key_and_copies_none_twice(name: str, done: Done) -> None:
    """Refused, cut off, answered with noise or into the void: every key ends well, and is copied exactly once."""
    keys = [key for (_, fault), keys in done.faults.keys.items() if fault == name for key in keys]

    assert done.ended.not_right(keys, done.work.copies) == {}
    assert all(done.faults.met[key] >= 1 for key in keys)


def test_the_job_ends_well(done: Done) -> None:
    """The keys that were spared end well too, the exit code says so, and most requests went by the job's s3_client."""
    assert done.ended.not_right(SPARED, done.work.copies) == {}
    assert done.ended.code is ExitCode.GOOD
    by_boto3 = sum("amz-sdk-invocation-id" in request.headers for request in done.ended.seen.requests)
    assert (by_boto3 > len(done.ended.seen.requests) / 2) == (done.s3_client == "boto3")
