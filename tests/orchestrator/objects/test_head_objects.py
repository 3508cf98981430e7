"""HeadObject of many keys: what each answer means, what is tried again, and what stops the stream."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.objects.head_objects import THREADS, WINDOW_PER_THREAD, head_objects
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from tests.orchestrator.common.odd_s3 import answer, odd_s3, s3_client
from worker.contract import LotEntry

FOUND = {"ContentLength": 7, "LastModified": datetime(2026, 1, 1, tzinfo=UTC)}


def entries(*keys: str) -> list[LotEntry]:
    """Lot lines of these keys."""
    return [LotEntry(bucket="bucket", key=key) for key in keys]


def refusal(status: int, code: str = "", headers: dict[str, str] | None = None) -> ClientError:
    """S3's refusal, as botocore raises it: HEAD has no body, so that the code is the status."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}}
    return ClientError({"Error": {"Code": code or str(status)}, "ResponseMetadata": metadata}, "HeadObject")  # type: ignore[typeddict-item]  # the fields that count


class FakeS3:
    """S3 whose answers to HEAD are given in turn (the last one for good), and whose GET refuses with a code."""

    def __init__(self, *answers: dict[str, Any] | Exception, get_code: str = "AccessDenied") -> None:
        self._answers = list(answers)
        self._get_code = get_code
        self.heads: list[dict[str, str]] = []
        self.gets = 0

    def head_object(self, **which: str) -> dict[str, Any]:
        """The next answer."""
        self.heads.append(which)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get_object(self, **_: str) -> dict[str, Any]:
        """A refusal with a body, and so with a code."""
        self.gets += 1
        raise refusal(403, self._get_code)


class Sleeps:
    """A clock that doesn't wait, and remembers how long it would have."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(sleep=self.slept.append)


def look_at(s3: FakeS3, *keys: str, sleeps: Sleeps | None = None, versions: bool = True) -> list[ObjectHead]:
    """What one thread finds of these keys, in order."""
    return list(head_objects(entries(*keys), s3=s3, threads=1, clock=(sleeps or Sleeps()).clock, versions=versions))


def test_what_s3_says_of_an_object() -> None:
    """Class, size, restore and version come from the headers; S3 leaves STANDARD out."""
    archived = {**FOUND, "StorageClass": "GLACIER", "Restore": 'ongoing-request="true"', "VersionId": "v2"}

    plain, glacier = look_at(FakeS3(FOUND, archived), "a", "b")

    assert (plain.look, plain.storage_class, plain.size_bytes, plain.archived) == (
        HeadOutcome.FOUND,
        "STANDARD",
        7,
        False,
    )
    assert (glacier.storage_class, glacier.archived, glacier.restore_asked) == ("GLACIER", True, True)
    assert glacier.versioned


@pytest.mark.parametrize(("expected", "versions"), [({"VersionId": "v1"}, True), ({}, False)])
def test_a_version_is_looked_at_only_when_asked(expected: dict[str, str], versions: bool) -> None:  # noqa: FBT001 (a table's column)
    """An estimate looks at the version that a line names, verify at the current one."""
    s3 = FakeS3(FOUND)

    list(head_objects([LotEntry(bucket="bucket", key="k", version_id="v1")], s3=s3, versions=versions, threads=1))

    assert s3.heads == [{"Bucket": "bucket", "Key": "k", **expected}]


def test_pictures_and_arguments_go_with_each_request() -> None:
    """With pictures the checksums are asked for, and payer and owner are named in every request."""
    named = {"RequestPayer": "requester", "ExpectedBucketOwner": "123456789012"}
    answer = {**FOUND, "ETag": '"e"', "ContentType": "image/png", "TagCount": 2, "ChecksumCRC32": "c"}
    s3 = FakeS3(answer)

    (head,) = head_objects(entries("k"), snapshots=True, arguments=named, s3=s3, threads=1)
    (plain,) = look_at(s3, "k")

    assert s3.heads[0] == {"Bucket": "bucket", "Key": "k", "ChecksumMode": "ENABLED", **named}
    assert s3.heads[1] == {"Bucket": "bucket", "Key": "k"}
    assert head.snapshot
    assert (head.snapshot.etag, head.snapshot.tag_count, head.snapshot.checksums) == ("e", 2, {"CRC32": "c"})
    assert plain.snapshot is None


def test_a_denied_picture_names_the_key_permission() -> None:
    """A checksum under KMS is shown only to those who may use the key: the message says so."""
    (head,) = head_objects(entries("k"), snapshots=True, s3=FakeS3(refusal(403)), threads=1)

    assert "kms:Decrypt" in head.message


@pytest.mark.parametrize(
    ("look", "message", "answer", "get_code"),
    [
        (HeadOutcome.MISSING, "no such key or version", refusal(404), "NoSuchKey"),
        (HeadOutcome.MISSING, "a delete marker", refusal(404, headers={"x-amz-delete-marker": "true"}), "NoSuchKey"),
        (HeadOutcome.MISSING, "a delete marker", refusal(405, headers={"x-amz-delete-marker": "true"}), ""),
        (HeadOutcome.DENIED, "AccessDenied: s3:GetObject is needed", refusal(403), "AccessDenied"),
        (HeadOutcome.ERROR, "S3 answered InvalidRequest", refusal(400), "InvalidRequest"),
        (HeadOutcome.ERROR, "S3 answered 418", refusal(418), ""),
        (HeadOutcome.ERROR, "can't be asked for", ParamValidationError(report="Invalid\nlength"), ""),
    ],
)
def test_a_key_that_cannot_be_seen_is_a_result(
    look: HeadOutcome, message: str, answer: Exception, get_code: str
) -> None:
    """A refusal is the key's result with its reason, told at once and never an exception."""
    sleeps = Sleeps()

    (head,) = look_at(FakeS3(answer, get_code=get_code), "k", sleeps=sleeps)

    assert head.look is look
    assert head.message.startswith(message)
    assert "\n" not in head.message
    assert sleeps.slept == []


@pytest.mark.parametrize(
    "fault", [refusal(503), refusal(500), refusal(400, "SlowDown"), ReadTimeoutError(endpoint_url="https://s3")]
)
def test_what_passes_is_waited_out(fault: Exception) -> None:
    """Throttling, a server's fault and a lost answer are tried again after growing delays."""
    sleeps = Sleeps()

    (head,) = look_at(FakeS3(fault, fault, fault, FOUND), "k", sleeps=sleeps)

    assert head.look is HeadOutcome.FOUND
    assert len(sleeps.slept) == 3
    assert 0.5 <= sleeps.slept[0] <= 1
    assert 2 <= sleeps.slept[2] <= 4


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("S3 answered 503", refusal(503)),
        ("no answer: ReadTimeoutError", ReadTimeoutError(endpoint_url="https://s3")),
    ],
)
def test_what_does_not_pass_is_an_error_in_the_end(message: str, fault: Exception) -> None:
    """After more than 30 seconds' waits at least, a key that still can't be looked at is `error`, not good."""
    sleeps = Sleeps()

    (head,) = look_at(FakeS3(fault), "k", sleeps=sleeps)

    assert (head.look, head.message) == (HeadOutcome.ERROR, message)
    assert sum(sleeps.slept) >= 30


@pytest.mark.parametrize(
    ("message", "answer", "get_code"),
    [
        ("there is no bucket bucket", refusal(404), "NoSuchBucket"),
        ("the AWS credentials have expired", refusal(400), "ExpiredToken"),
        ("AWS doesn't know these credentials", refusal(403), "InvalidAccessKeyId"),
        ("no connection", EndpointConnectionError(endpoint_url="https://s3"), ""),
        ("no AWS credentials were found", NoCredentialsError(), ""),
    ],
)
def test_what_makes_looking_pointless_stops_the_stream(message: str, answer: Exception, get_code: str) -> None:
    """No bucket, no credentials, no connection: one error that says what to do, not one for each key."""
    with pytest.raises(S3ReclassError, match=message):
        look_at(FakeS3(answer, get_code=get_code), "a", "b", "c")


def test_a_status_is_asked_about_once() -> None:
    """HEAD's answers have no body: the first denial is asked again by GET, and not the next thousand."""
    s3 = FakeS3(refusal(403))

    heads = look_at(s3, *map(str, range(1000)))

    assert {head.look for head in heads} == {HeadOutcome.DENIED}
    assert s3.gets == 1


def test_credentials_that_expire_under_way_are_noticed() -> None:
    """A 400 is always asked about: the first may be an object's own, a later one the credentials' end."""
    s3 = FakeS3(refusal(400), FOUND, refusal(400), get_code="InvalidRequest")
    stream = head_objects(entries("a", "b", "c"), s3=s3, threads=1)

    assert [next(stream).look, next(stream).look] == [HeadOutcome.ERROR, HeadOutcome.FOUND]
    assert [head.look for head in stream] == [HeadOutcome.ERROR]
    assert s3.gets == 2


def test_an_endless_stream_is_read_no_further_than_the_window() -> None:
    """Keys are read as results are taken: ten million of them never stand in memory."""
    read = itertools.count()

    def endless() -> Iterator[LotEntry]:
        for number in read:
            yield LotEntry(bucket="bucket", key=str(number))

    stream = head_objects(endless(), s3=FakeS3(FOUND))
    taken = list(itertools.islice(stream, 1000))
    stream.close()  # type: ignore[attr-defined]  # it is a generator

    assert len({head.entry.key for head in taken}) == 1000
    assert next(read) <= 1000 + THREADS * WINDOW_PER_THREAD + 1


def test_a_stream_that_cannot_be_read_raises_its_error() -> None:
    """A damaged lot stops the stream with the lot's own error."""

    def damaged() -> Iterator[LotEntry]:
        yield from entries("a")
        raise S3ReclassError("lot-00000.csv, line 2")

    with pytest.raises(S3ReclassError, match="line 2"):
        list(head_objects(damaged(), s3=FakeS3(FOUND)))


def test_many_threads_look_at_each_key_once() -> None:
    """With 64 threads every key has one result, and none is asked for twice."""
    s3 = FakeS3(FOUND)
    keys = [str(number) for number in range(2000)]

    heads = list(head_objects(entries(*keys), s3=s3))

    assert sorted(head.entry.key for head in heads) == sorted(keys)
    assert len(s3.heads) == 2000


@pytest.mark.usefixtures("aws")
def test_against_a_server() -> None:
    """Awkward keys, an archived object and a missing one, over HTTP."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="bucket", Key="a b/ü%+\u2028?", Body=b"1234567", StorageClass="DEEP_ARCHIVE")

    heads = {head.entry.key: head for head in head_objects(entries("a b/ü%+\u2028?", "none"))}

    assert heads["a b/ü%+\u2028?"].kind == "DEEP_ARCHIVE"
    assert heads["a b/ü%+\u2028?"].size_bytes == 7
    assert heads["none"].kind == "missing"


@pytest.mark.usefixtures("aws")
def test_a_bucket_that_is_not_there_against_a_server() -> None:
    """A missing bucket isn't a bucket whose every key is missing."""
    with pytest.raises(S3ReclassError, match="there is no bucket bucket"):
        list(head_objects(entries("a", "b")))


@pytest.mark.parametrize("cut", ["content-length", "last-modified", "etag", "x-amz-storage-class"])
def test_a_head_cut_within_its_headers_is_no_object(cut: str) -> None:
    """What is cut off would make a STANDARD object of an archived one: `verify` said it is fine."""
    whole = answer(etag='"e"', last_modified="Sat, 28 Nov 2026 10:00:00 GMT", x_amz_storage_class="GLACIER")
    with odd_s3(whole[: whole.index(cut.encode())], whole) as odd:
        heads = list(head_objects([LotEntry(bucket="b", key="k")], threads=1, s3=s3_client(odd, attempts=2)))

    assert [head.storage_class for head in heads] == ["GLACIER"]
    assert len(odd.requests) == 2
