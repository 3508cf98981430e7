"""The stub S3 that benchmarks measure against: a boto3 client takes it for S3, and its counts are true."""

import http.client
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from benchmarks.check_stub import BUCKET, CASES, Case, client_of, wrong
from benchmarks.stub import COMPILERS, Stub, StubError, compile_stub

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

needs_compiler = pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="there is no C compiler")


@pytest.fixture(scope="module")
def running() -> Iterator[Stub]:
    """A stub, compiled and started once."""
    with Stub() as stub:
        yield stub


@pytest.fixture
def stub(running: Stub) -> Stub:
    """The stub as it is when it has just been started."""
    running.set(delay_ms=0, rate=0, objects=0, size=1 << 20)
    return running


@pytest.fixture(scope="module")
def client(running: Stub) -> "S3Client":
    """A client that sends each request once; made once, as that takes longer than a test."""
    return client_of(running.endpoint)


@pytest.fixture
def s3(stub: Stub, client: "S3Client") -> "S3Client":  # noqa: ARG001 (the stub is as new)
    """The client, of a stub that is as new."""
    return client


@needs_compiler
@pytest.mark.parametrize("case", CASES, ids=str)
def test_boto3_takes_its_answers_for_s3s(s3: "S3Client", case: Case) -> None:
    """Status, error code and what the answer says of the object."""
    assert wrong(s3, case) == ""


@needs_compiler
def test_a_copy_pinned_to_what_head_showed_is_made(s3: "S3Client") -> None:
    """The ETag is the same however the client encodes the key, and the copy's is the object's."""
    key = "ready/a b+c%41ü"
    etag = s3.head_object(Bucket=BUCKET, Key=key)["ETag"]

    copied = s3.copy_object(
        Bucket=BUCKET,
        Key=key,
        CopySource={"Bucket": BUCKET, "Key": key},
        CopySourceIfMatch=etag,
        IfMatch=etag,
        StorageClass="STANDARD_IA",
    )

    assert copied["CopyObjectResult"]["ETag"] == etag
    assert s3.head_object(Bucket=BUCKET, Key="ready/other")["ETag"] != etag


@needs_compiler
def test_a_listing_has_as_many_objects_as_it_was_told(stub: Stub, s3: "S3Client") -> None:
    """In pages of a thousand, of the kind that the prefix names, with the ETags that HEAD shows."""
    stub.set(objects=2_001)

    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="archived/"))
    found = [one for page in pages for one in page["Contents"]]

    assert [len(page["Contents"]) for page in pages] == [1_000, 1_000, 1]
    assert [one["Key"] for one in found] == [f"archived/{number:010}" for number in range(2_001)]
    assert {one["StorageClass"] for one in found} == {"GLACIER"}
    assert found[7]["ETag"] == s3.head_object(Bucket=BUCKET, Key="archived/0000000007")["ETag"]


@needs_compiler
def test_the_counts_are_those_of_the_requests(stub: Stub, s3: "S3Client") -> None:
    """By kind, refusals and errors too; asking for them isn't counted."""
    s3.head_object(Bucket=BUCKET, Key="ready/0")
    s3.restore_object(Bucket=BUCKET, Key="archived/0", RestoreRequest={"Days": 1})
    with pytest.raises(ClientError):
        s3.head_object(Bucket=BUCKET, Key="missing/0")

    stub.counts()
    counts = stub.counts()

    assert (counts.requests, counts.head, counts.restore, counts.copy) == (3, 2, 1, 0)
    assert (counts.errors, counts.refused) == (1, 0)
    assert counts.span_s > 0


@needs_compiler
def test_setting_it_zeroes_the_counts(stub: Stub, s3: "S3Client") -> None:
    """So that each row of a table begins with none."""
    s3.head_object(Bucket=BUCKET, Key="ready/0")

    stub.set(delay_ms=0)

    assert stub.counts().requests == 0


@needs_compiler
def test_no_answer_comes_before_its_time(stub: Stub, s3: "S3Client") -> None:
    """The delay is kept to."""
    stub.set(delay_ms=300)

    s3.head_object(Bucket=BUCKET, Key="ready/0")

    assert stub.counts().span_s >= 0.3


@needs_compiler
def test_no_answer_waits_for_another(stub: Stub) -> None:
    """All eight are in flight before the first is answered, which is far off."""
    stub.set(delay_ms=600_000)
    with ExitStack() as stack:
        for number in range(8):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", stub.port)))
            connection.sendall(f"HEAD /{BUCKET}/ready/{number} HTTP/1.1\r\nHost: stub\r\n\r\n".encode())
        while stub.counts().requests < 8:
            time.sleep(0.01)

        assert stub.counts().in_flight_max == 8


@needs_compiler
def test_over_its_rate_it_says_slow_down(stub: Stub, s3: "S3Client") -> None:
    """As S3 does: code and status."""
    stub.set(rate=0.01)
    codes = []
    for _ in range(3):
        try:
            s3.restore_object(Bucket=BUCKET, Key="archived/0", RestoreRequest={"Days": 1})
        except ClientError as error:
            codes.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))

    assert codes == [("SlowDown", 503)] * 3
    assert stub.counts().refused == 3


@needs_compiler
@pytest.mark.parametrize("delay_ms", [0, 20])
def test_requests_sent_without_waiting_are_answered_in_order(stub: Stub, delay_ms: int) -> None:
    """On one connection, in pieces, with and without a body."""
    stub.set(delay_ms=delay_ms)
    one = b"HEAD /b/ready/0 HTTP/1.1\r\nHost: b\r\n\r\n"
    two = b"POST /b/archived/0?restore HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nabcde"
    three = b"HEAD /b/missing/0 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
    sent = one + two + three
    with socket.create_connection(("127.0.0.1", stub.port)) as connection:
        for part in (sent[:20], sent[20:-70], sent[-70:]):
            connection.sendall(part)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))

    assert [line.split()[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [
        b"200",
        b"202",
        b"404",
    ]


@needs_compiler
def test_what_isnt_http_gets_a_refusal_and_no_more(stub: Stub) -> None:
    """The connection is closed, and the stub lives on."""
    with socket.create_connection(("127.0.0.1", stub.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert stub.counts().requests == 0


@needs_compiler
def test_it_ends_with_who_started_it() -> None:
    """Leaving the context ends the process."""
    with Stub() as stub:
        port = stub.port

    connection = http.client.HTTPConnection("127.0.0.1", port)
    with pytest.raises(ConnectionRefusedError):
        connection.connect()


def test_without_a_compiler_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In one line."""
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StubError, match=r"needs a C compiler.*install gcc"):
        compile_stub(tmp_path)


@needs_compiler
def test_it_compiles_without_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the compiler's strictest look at it."""
    compiler = next(filter(None, map(shutil.which, COMPILERS)))
    monkeypatch.setenv("CC", f"{compiler} -Wall -Wextra -Werror")

    assert compile_stub(tmp_path).exists()
