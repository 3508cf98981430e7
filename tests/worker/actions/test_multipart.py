"""One large object, copied in parts."""

import threading
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.actions.conftest import Script
from tests.worker.proxy import Fault, Reply, Request, faulty
from worker.actions.asking import S3, RefusedError
from worker.actions.copy import CopyAction
from worker.actions.multipart import MAX_PARTS, UnsupportedError, copy_in_parts, part_ranges
from worker.clients import object_client
from worker.command_line import MAX_COPY_BYTES
from worker.contract import LotEntry, Outcome, Phase, ResultRow
from worker.errors import StoppingError
from worker.loop import Again
from worker.pacing import Pace

MIB = 1024**2
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CONTENT = b"x" * (12 * MIB)


@pytest.mark.parametrize("size", [1, 5 * MIB, 6 * 1024**3, 5 * 10**12, 50 * 10**12])
@pytest.mark.parametrize("part", [5 * MIB, 512 * MIB, MAX_COPY_BYTES])
def test_parts_cover_every_byte_once(size: int, part: int) -> None:
    """From one byte to 50 TB: no gap, no overlap, no part too large, not too many parts."""
    ranges = list(part_ranges(size, part))

    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(before[1] + 1 == after[0] for before, after in pairwise(ranges))
    assert all(last - first + 1 <= MAX_COPY_BYTES for first, last in ranges)
    assert len(ranges) <= MAX_PARTS


@given(size=st.integers(1, 10**12), part=st.integers(5 * MIB, MAX_COPY_BYTES))
def test_parts_are_as_large_as_asked_for_where_they_can_be(size: int, part: int) -> None:
    """All parts but the last have the size asked for, unless there would be too many."""
    first = next(part_ranges(size, part))

    if size <= part * MAX_PARTS:
        assert first[1] + 1 == min(part, size)


@pytest.fixture
def bucket(aws: str) -> str:
    """A bucket with one large object, with everything on it that moto can hold: its endpoint."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(
        Bucket="bucket",
        Key="large é",
        Body=CONTENT,
        ContentType="text/large",
        ContentEncoding="x-none",
        ContentLanguage="pt",
        ContentDisposition="inline",
        CacheControl="no-store",
        Metadata={"a": "b"},
        Tagging="t=1&u=a+b",
        WebsiteRedirectLocation="/elsewhere",
        ServerSideEncryption="AES256",
    )
    return aws


def picture() -> dict[str, Any]:
    """What is to stay the same of the object."""
    s3 = boto3.client("s3")
    head: dict[str, Any] = dict(s3.get_object(Bucket="bucket", Key="large é"))
    tags = s3.get_object_tagging(Bucket="bucket", Key="large é")["TagSet"]
    for changes in ("ResponseMetadata", "LastModified", "ETag", "StorageClass", "ChecksumCRC32", "ChecksumType"):
        head.pop(changes, None)
    return head | {"Body": head["Body"].read(), "tags": sorted(tag["Key"] + tag["Value"] for tag in tags)}


def act(endpoint: str, stop: threading.Event | None = None) -> ResultRow | Again:
    """Copy the object into STANDARD_IA, in parts of 5 MiB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        pace = Pace(0, stop or threading.Event(), wait=lambda _: None)
        s3 = S3(object_client(8), pace, Phase.COPY)
    action = CopyAction(s3, target="STANDARD_IA", threshold_bytes=10 * MIB, part_bytes=5 * MIB)
    return action(LotEntry(bucket="bucket", key="large é"), None)


def uploads() -> list[Any]:
    """Uploads in parts that were begun and neither completed nor aborted."""
    return boto3.client("s3").list_multipart_uploads(Bucket="bucket").get("Uploads", [])


def test_a_large_object_stays_as_it_was(bucket: str) -> None:
    """Content, headers, metadata and tags come through; only the class changes. Parts are pinned to the ETag."""
    before = picture()
    etag = boto3.client("s3").head_object(Bucket="bucket", Key="large é")["ETag"]

    with faulty(bucket, lambda _: None) as seen:
        row = act(seen.endpoint)

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.size_bytes) == (Outcome.COPIED, len(CONTENT))
    assert picture() == before
    assert boto3.client("s3").head_object(Bucket="bucket", Key="large é")["StorageClass"] == "STANDARD_IA"
    parts = [request.headers for request in seen.requests if request.operation == "UploadPartCopy"]
    assert {part["x-amz-copy-source-range"] for part in parts} == {
        f"bytes={first}-{last}" for first, last in part_ranges(len(CONTENT), 5 * MIB)
    }
    assert {part["x-amz-copy-source-if-match"] for part in parts} == {etag}
    completed = [r for r in seen.requests if r.method == "POST" and "uploadId" in r.query]
    assert [request.headers["if-match"] for request in completed] == [etag]
    assert uploads() == []


def test_a_throttled_part_is_waited_for(bucket: str) -> None:
    """A part that is refused for the rate is asked for again; the upload isn't begun anew."""
    faults = iter([Reply(503, "SlowDown"), Reply(500, "InternalError")])

    def decide(request: Request) -> Fault:
        return next(faults, None) if request.operation == "UploadPartCopy" else None

    with faulty(bucket, decide) as seen:
        row = act(seen.endpoint)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.COPIED
    assert seen.count("UploadPartCopy") == 3 + 2


@pytest.mark.parametrize(
    ("expected", "reply", "operation"),
    [
        (Outcome.CHANGED, Reply(412, "PreconditionFailed"), "UploadPartCopy"),
        (Outcome.DENIED, Reply(403, "AccessDenied"), "UploadPartCopy"),
        (Outcome.CHANGED, Reply(412, "PreconditionFailed"), "POST"),
        (Outcome.ERROR, Reply(500, "InternalError"), "POST"),
    ],
)
def test_an_upload_that_fails_is_aborted(expected: Outcome, reply: Reply, operation: str, bucket: str) -> None:
    """Whether a part or the completion fails, nothing is left behind and the object is as before."""
    before = picture()

    def decide(request: Request) -> Fault:
        return reply if request.operation == operation and "uploadId" in request.query else None

    with faulty(bucket, decide) as seen:
        found = act(seen.endpoint)

    row = found.row if isinstance(found, Again) else found
    assert row.outcome is expected
    assert uploads() == []
    assert picture() == before


def test_an_upload_that_is_interrupted_is_aborted(bucket: str) -> None:
    """Told to stop in the middle, the parts copied so far are given back and the key has no result."""
    stop = threading.Event()

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy":
            stop.set()
            return Reply(503, "SlowDown")
        return None

    with faulty(bucket, decide) as seen, pytest.raises(StoppingError):
        act(seen.endpoint, stop)

    assert uploads() == []


HEAD = {"ContentLength": 12 * MIB, "ETag": '"e"', "LastModified": NOW}
SOURCE = {"Bucket": "bucket", "Key": "k", "VersionId": "v1"}


def test_a_checksum_comes_out_as_it_was(script: Script) -> None:
    """The upload is begun with the object's algorithm, and completed with each part's checksum, version and size."""
    script.stub.add_response(
        "head_object",
        {**HEAD, "ChecksumSHA256": "whole", "ChecksumType": "COMPOSITE", "TagCount": 1},
        {**SOURCE, "IfMatch": '"e"', "ChecksumMode": "ENABLED"},
    )
    script.stub.add_response("get_object_tagging", {"TagSet": [{"Key": "t", "Value": "1"}]}, SOURCE)
    script.stub.add_response(
        "create_multipart_upload",
        {"UploadId": "u"},
        {
            "Bucket": "bucket",
            "Key": "k",
            "StorageClass": "STANDARD",
            "Tagging": "t=1",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumType": "COMPOSITE",
        },
    )
    script.stub.add_response(
        "upload_part_copy",
        {"CopyPartResult": {"ETag": '"p"', "ChecksumSHA256": "part"}},
        {
            "Bucket": "bucket",
            "Key": "k",
            "UploadId": "u",
            "PartNumber": 1,
            "CopySource": SOURCE,
            "CopySourceRange": f"bytes=0-{12 * MIB - 1}",
            "CopySourceIfMatch": '"e"',
        },
    )
    script.stub.add_response(
        "complete_multipart_upload",
        {"VersionId": "v2"},
        {
            "Bucket": "bucket",
            "Key": "k",
            "UploadId": "u",
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"p"', "ChecksumSHA256": "part"}]},
            "MpuObjectSize": 12 * MIB,
            "IfMatch": '"e"',
            "ChecksumType": "COMPOSITE",
        },
    )

    answer = copy_in_parts(script.copy, SOURCE, HEAD, target="STANDARD", part_bytes=512 * MIB, now=NOW)

    assert answer["VersionId"] == "v2"


def test_what_would_be_lost_is_refused_before_anything_is_begun(script: Script) -> None:
    """Metadata that can't be given again as it was: no upload is created."""
    script.stub.add_response("head_object", {**HEAD, "Metadata": {"a": "=?UTF-8?Q?=C3=A9?="}})

    with pytest.raises(UnsupportedError, match="ASCII"):
        copy_in_parts(script.copy, SOURCE, HEAD, target="STANDARD", part_bytes=512 * MIB, now=NOW)


def test_tags_that_may_not_be_read_stop_the_copy(script: Script) -> None:
    """Without the permission to read tags they would be lost in silence: denied instead."""
    script.stub.add_response("head_object", HEAD)
    script.stub.add_client_error("get_object_tagging", "AccessDenied", "words", 403)

    with pytest.raises(RefusedError):
        copy_in_parts(script.copy, SOURCE, HEAD, target="STANDARD", part_bytes=512 * MIB, now=NOW)
