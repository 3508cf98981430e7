"""Others write while the worker copies: what they wrote last is what stays."""

import random

import boto3
import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, Reply, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, run_here
from worker.contract import Outcome

KEYS = [f"k{number}" for number in range(30)]
LARGE = ("--multipart-threshold", "1")


class Writer:
    """
    Overwrites and deletes keys between the worker's requests, and keeps S3's guards, which the fake doesn't.

    One request is in flight at a time, so that what it decides holds when the request comes through.
    """

    def __init__(self, seed: int, server: str) -> None:
        self._s3 = boto3.client("s3", endpoint_url=server)
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self.written: dict[str, bytes | None] = {key: key.encode() for key in KEYS}
        self.guarded = 0

    def __call__(self, request: Request) -> Fault:
        """What the server answers, after the writer had a turn."""
        if request.key not in self.written:
            return None
        if self._chance.random() < 0.15:
            self._write(request.key)
        return self._guard(request)

    def _write(self, key: str) -> None:
        if self._chance.random() < 0.3:
            self._s3.delete_object(Bucket="bucket", Key=key)
            self.written[key] = None
        else:
            self.written[key] = f"newer {self._chance.random()}".encode()
            self._s3.put_object(Bucket="bucket", Key=key, Body=self.written[key] or b"")

    def _guard(self, request: Request) -> Fault:
        wanted = {name: request.headers.get(name) for name in ("if-match", "x-amz-copy-source-if-match")}
        if request.method == "HEAD" or not any(wanted.values()):
            return None
        self.guarded += 1
        if self.written[request.key] is None:
            return Reply(404, "NoSuchKey")
        etag = self._s3.head_object(Bucket="bucket", Key=request.key)["ETag"]
        return None if {etag} >= {value for value in wanted.values() if value} else Reply(412, "PreconditionFailed")


@pytest.mark.parametrize("more", [(), LARGE])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_newer_is_ever_overwritten(seed: int, more: tuple[str, ...], aws: str, job: Job) -> None:
    """Each key has the content that was written last, or is as deleted as it was; the rows tell which."""
    make_bucket()
    put(*KEYS)
    job.write_lot(map(entry, KEYS))
    writer = Writer(seed, aws)

    with faulty(aws, writer) as seen:
        arguments = job.arguments("copy", "--storage-class", "STANDARD_IA", "--threads", "1", *more)
        code = run_here(arguments, seen.endpoint)

    assert code == 3
    assert writer.guarded >= 20
    left = {item["Key"]: item for item in fake_s3().list_objects_v2(Bucket="bucket")["Contents"]}
    outcomes = job.outcomes()
    assert set(outcomes.values()) >= {Outcome.COPIED, Outcome.CHANGED, Outcome.MISSING}
    for key, content in writer.written.items():
        if content is None:
            assert key not in left
            continue
        assert fake_s3().get_object(Bucket="bucket", Key=key)["Body"].read() == content
        if outcomes[key] is Outcome.CHANGED:
            assert left[key]["StorageClass"] == "STANDARD"
