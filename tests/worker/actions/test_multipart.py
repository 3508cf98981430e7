"""One large object, copied in parts."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.actions.copying import copy_options
from tests.worker.actions.stores import MemoryStore
from tests.worker.proxy import Fault, Reply, faulty
from worker.actions.copy import CopyAction
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, Outcome, Phase, ResultRow
from worker.errors import StoppingError
from worker.pool.loop import MoveToLongPool, Retry
from worker.pool.pacing import Pace
from worker.pool.part_threads import part_ranges
from worker.s3.ask import S3
from worker.s3.clients import object_client

MIB = 1024**2
NOW = datetime(2026, 11, 22, tzinfo=UTC)
CONTENT = b"x" * (12 * MIB)
ENTRY = LotEntry(bucket="bucket", key="large é")


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


def snapshot() -> dict[str, Any]:
    """What is to stay the same of the object."""
    s3 = boto3.client("s3")
    head: dict[str, Any] = dict(s3.get_object(Bucket="bucket", Key="large é"))
    tags = s3.get_object_tagging(Bucket="bucket", Key="large é")["TagSet"]
    for changes in ("ResponseMetadata", "LastModified", "ETag", "StorageClass", "ChecksumCRC32", "ChecksumType"):
        head.pop(changes, None)
    return head | {"Body": head["Body"].read(), "tags": sorted(tag["Key"] + tag["Value"] for tag in tags)}


def act(endpoint: str, stop: threading.Event | None = None, store: MemoryStore | None = None) -> ResultRow | Retry:
    """Copy the object into STANDARD_IA, in parts of 5 MiB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        pace = Pace(0, stop or threading.Event(), wait=lambda _: None)
        s3 = S3(object_client(8), pace, Phase.COPY)
    options = copy_options(10 * MIB, 5 * MIB)
    found = CopyAction(s3, options, uploads=UploadNotes(store or MemoryStore(), 1))(ENTRY, None)
    assert isinstance(found, MoveToLongPool)
    found = found.action(ENTRY, None)
    assert not isinstance(found, MoveToLongPool)
    return found


def uploads() -> list[Any]:
    """Uploads in parts that were begun and neither completed nor aborted."""
    return boto3.client("s3").list_multipart_uploads(Bucket="bucket").get("Uploads", [])


def test_a_large_object_stays_as_it_was(bucket: str) -> None:
    """Content, headers, metadata and tags come through; only the class changes. Parts are pinned to the ETag."""
    before = snapshot()
    etag = boto3.client("s3").head_object(Bucket="bucket", Key="large é")["ETag"]

    with faulty(bucket, lambda _: None) as seen:
        row = act(seen.endpoint)

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.size_bytes) == (Outcome.COPIED, len(CONTENT))
    assert snapshot() == before
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
    """A part that is refused for the rate is asked for again; the upload isn't begun again."""
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
        (Outcome.CHANGED, Reply(412, "PreconditionFailed"), "CompleteMultipartUpload"),
        (Outcome.ERROR, Reply(500, "InternalError"), "CompleteMultipartUpload"),
    ],
)
def test_an_upload_that_fails_is_aborted(expected: Outcome, reply: Reply, operation: str, bucket: str) -> None:
    """Whether a part or the completion fails, nothing is left behind and the object is as before."""
    before = snapshot()

    def decide(request: Request) -> Fault:
        return reply if request.operation == operation else None

    with faulty(bucket, decide) as seen:
        found = act(seen.endpoint)

    row = found.row if isinstance(found, Retry) else found
    assert row.outcome is expected
    assert uploads() == []
    assert snapshot() == before


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


def test_any_text_can_be_an_expires(bucket: str) -> None:
    """S3 keeps what it is given as Expires, a date or not: it comes out letter by letter."""
    s3 = boto3.client("s3")
    s3.meta.events.register(
        "before-call.s3.PutObject", lambda params, **_: params["headers"].update(Expires="when pigs fly")
    )
    s3.put_object(Bucket="bucket", Key="large é", Body=CONTENT, ContentType="a/b")

    row = act(bucket)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.COPIED, row.message
    head: dict[str, Any] = dict(s3.head_object(Bucket="bucket", Key="large é"))
    assert (head["ExpiresString"], head["ContentType"]) == ("when pigs fly", "a/b")


def test_grants_come_out_as_they_were(bucket: str) -> None:
    """Where ACLs matter, the new object is begun with the old one's grants."""
    s3 = boto3.client("s3")
    s3.put_object_acl(Bucket="bucket", Key="large é", ACL="public-read")
    before = s3.get_object_acl(Bucket="bucket", Key="large é")["Grants"]

    row = act(bucket)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.COPIED, row.message
    after = s3.get_object_acl(Bucket="bucket", Key="large é")["Grants"]
    assert sorted(map(str, after)) == sorted(map(str, before))
    assert len(after) == 2


def test_an_upload_is_noted_before_its_first_part(bucket: str) -> None:
    """Whenever a part is copied, the state knows the upload: a kill can't leave an unknown one."""
    store = MemoryStore()
    known: list[bool] = []

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy":
            noted = b"".join(store.files.values()).decode()
            known.append(request.query["uploadId"] in noted)
        return None

    with faulty(bucket, decide) as seen:
        act(seen.endpoint, store=store)

    assert known == [True] * 3


def change_tags() -> None:
    """PutObjectTagging by another."""
    boto3.client("s3").put_object_tagging(
        Bucket="bucket", Key="large é", Tagging={"TagSet": [{"Key": "new", "Value": "1"}]}
    )


def change_acl() -> None:
    """PutObjectAcl by another."""
    boto3.client("s3").put_object_acl(Bucket="bucket", Key="large é", ACL="public-read")


def change_metadata() -> None:
    """A copy of the object onto itself by another: the same content, other metadata."""
    boto3.client("s3").copy_object(
        Bucket="bucket",
        Key="large é",
        CopySource={"Bucket": "bucket", "Key": "large é"},
        Metadata={"new": "1"},
        MetadataDirective="REPLACE",
    )


def overwrite() -> None:
    """PutObject by another."""
    boto3.client("s3").put_object(Bucket="bucket", Key="large é", Body=b"newer")


@pytest.mark.parametrize("change", [change_tags, change_acl, change_metadata, overwrite])
def test_what_changes_while_the_parts_are_copied_is_not_undone(change: Callable[[], None], bucket: str) -> None:
    """Tags, grants and metadata change without the ETag, which no guard sees: the upload is given up, `changed`."""
    changed: list[str] = []

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy" and not changed:
            changed.append("once")
            change()
        return None

    with faulty(bucket, decide) as seen:
        row = act(seen.endpoint)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.CHANGED
    assert uploads() == []
    s3 = boto3.client("s3")
    head = s3.head_object(Bucket="bucket", Key="large é")
    assert head.get("StorageClass", "STANDARD") == "STANDARD"
    after = {
        change_tags: s3.get_object_tagging(Bucket="bucket", Key="large é")["TagSet"] == [{"Key": "new", "Value": "1"}],
        change_acl: len(s3.get_object_acl(Bucket="bucket", Key="large é")["Grants"]) == 2,
        change_metadata: head["Metadata"] == {"new": "1"},
        overwrite: head["ContentLength"] == 5,
    }
    assert after[change]


def test_an_object_deleted_while_its_parts_are_copied_is_missing(bucket: str) -> None:
    """It isn't brought back."""

    def decide(request: Request) -> Fault:
        if request.method == "HEAD" and any(one.operation == "UploadPartCopy" for one in seen.requests):
            boto3.client("s3").delete_object(Bucket="bucket", Key="large é")
        return None

    with faulty(bucket, decide) as seen:
        row = act(seen.endpoint)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.MISSING
    assert uploads() == []
