"""Which requests take the fast client, and what becomes of a key that had a strange answer there."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.worker.clock import FakeClock
from tests.worker.s3.fast.scripted import OK, OK_HEAD, OK_RESTORE, Answerer, client_to, credentials, socket_of
from worker.contract import Phase
from worker.decide.judge_error import Answer
from worker.pool.pacing import Pace
from worker.s3.ask import S3, RefusedError
from worker.s3.clients import fast_client, object_client, session
from worker.s3.fast.client import CREDENTIALS_S, REST_S, STRANGE_IN_A_ROW, FastClient
from worker.s3.fast.reply import UnexpectedAnswerError

PLACE = {"Bucket": "bucket", "Key": "k"}
ASKED: Mapping[str, Mapping[str, Any]] = {
    "head_object": PLACE,
    "copy_object": {**PLACE, "CopySource": PLACE},
    "restore_object": {**PLACE, "RestoreRequest": {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}},
}
STRANGE = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def client() -> Any:
    """A client with an endpoint where nothing listens."""
    return object_client(1)


class Careful:
    """A client that says that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def ask(**_: Any) -> dict[str, Any]:
            self.asked.append(operation)
            return {"ETag": "e", "LastModified": 0, "ContentLength": 0, "by": "boto3"}

        return ask


def make(client: Any, answer: Answerer, phase: Phase = Phase.COPY) -> tuple[S3, Careful]:
    """S3 with both clients: the fast one's server, and who the careful one is."""
    careful: Any = Careful()
    return S3(careful, Pace(0, threading.Event()), phase, {}, client_to(client, answer)), careful


@pytest.mark.parametrize("operation", ASKED)
def test_a_plain_answer_needs_no_other_client(operation: str, client: Any) -> None:
    """One request, counted."""
    s3, careful = make(client, lambda data: OK[data[:4]])

    s3.ask(operation, **ASKED[operation])

    assert careful.asked == []
    assert s3.pace.sent == 1


@pytest.mark.parametrize("operation", ["head_object", "restore_object"])
def test_what_may_be_repeated_is_asked_again_by_boto3(operation: str, client: Any) -> None:
    """After a strange answer; both requests are paced and counted, and the key stays there."""
    sent: list[bytes] = []

    def strange(data: bytes) -> bytes:
        sent.append(data)
        return STRANGE

    s3, careful = make(client, strange)

    assert s3.ask(operation, **ASKED[operation])["by"] == "boto3"
    assert s3.ask("head_object", **PLACE)["by"] == "boto3"

    assert careful.asked == [operation, "head_object"]
    assert (len(sent), s3.pace.sent) == (1, 3)


@pytest.mark.parametrize("answer", [b"", STRANGE, OK_RESTORE, b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_a_copy_with_a_strange_answer_is_lost_and_never_sent_again(answer: bytes, client: Any) -> None:
    """It may have been made: nobody asks again, and the key's next look is boto3's client's."""
    s3, careful = make(client, lambda _: answer)

    with pytest.raises(RefusedError) as refused:
        s3.ask("copy_object", **ASKED["copy_object"])

    assert refused.value.answer.lost
    assert (careful.asked, s3.pace.sent) == ([], 1)
    assert s3.ask("head_object", **PLACE)["by"] == "boto3"


@pytest.mark.parametrize("operation", ASKED)
def test_a_request_that_was_never_sent_goes_by_boto3(operation: str, client: Any) -> None:
    """No connection was made: the copy too is boto3's client's, and it is one request."""

    def refuse() -> Any:
        raise ConnectionRefusedError

    careful: Any = Careful()
    s3_client = FastClient(client, credentials, lambda _host, _port, _tls: refuse)
    s3 = S3(careful, Pace(0, threading.Event()), Phase.COPY, {}, s3_client)

    assert s3.ask(operation, **ASKED[operation])["by"] == "boto3"

    assert (careful.asked, s3.pace.sent) == ([operation], 1)


def test_other_operations_are_boto3s(client: Any) -> None:
    """The fast client knows three."""
    s3, careful = make(client, lambda _: STRANGE)

    s3.ask("get_object_tagging", **PLACE)

    assert careful.asked == ["get_object_tagging"]


def test_throttling_is_told_to_the_pace(client: Any) -> None:
    """A refusal in the fast client slows the task down as one in boto3's client does, and isn't asked again there."""
    s3, careful = make(client, lambda _: b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n")
    refusals = 0

    for number in range(5):
        with pytest.raises(RefusedError) as refused:
            s3.ask("head_object", Bucket="bucket", Key=f"{number}")
        refusals += refused.value.answer == Answer(code="503", http_status=503)

    assert refusals == 5
    assert careful.asked == []
    assert s3.pace._refused == 5  # noqa: SLF001 (what AIMD goes by)


def test_after_many_strange_answers_in_a_row_the_fast_client_rests(client: Any) -> None:
    """A server that doesn't speak plainly costs no request twice for long; it is tried again a minute later."""
    clock = FakeClock()
    s3_client = FastClient(
        client, credentials, lambda _host, _port, _tls: lambda: socket_of(lambda _: STRANGE), clock=clock
    )
    for number in range(STRANGE_IN_A_ROW):
        assert s3_client.takes("head_object", {"Bucket": "bucket", "Key": f"{number}"})
        with pytest.raises(UnexpectedAnswerError):
            s3_client.ask("head_object", {"Bucket": "bucket", "Key": f"{number}"})

    resting = s3_client.takes("head_object", {"Bucket": "bucket", "Key": "new"})
    clock.wait(REST_S)

    assert not resting
    assert s3_client.takes("head_object", {"Bucket": "bucket", "Key": "new"})
    assert not s3_client.takes("head_object", {"Bucket": "bucket", "Key": "1"})


def test_credentials_are_asked_for_every_few_seconds(client: Any) -> None:
    """A role's credentials change while the task runs: the next ones are used, with their token."""
    clock = FakeClock()
    tokens = iter(["one", "two"])
    seen: list[bytes] = []

    def answer(data: bytes) -> bytes:
        seen.append(data)
        return OK_HEAD

    s3_client = FastClient(
        client, lambda: credentials(next(tokens)), lambda _host, _port, _tls: lambda: socket_of(answer), clock=clock
    )

    for wait in (0, CREDENTIALS_S - 1, 1):
        clock.wait(wait)
        s3_client.ask("head_object", PLACE)

    assert [b"x-amz-security-token: one" in data for data in seen] == [True, True, False]
    assert b"x-amz-security-token: two" in seen[-1]


def test_a_connection_serves_many_requests(client: Any) -> None:
    """It is kept; one that the server closes, or that gave a strange answer, isn't."""
    made: list[Any] = []
    answers = iter([OK_HEAD, OK_HEAD, STRANGE, OK_HEAD.replace(b"Server", b"Connection: close\r\nServer"), OK_HEAD])

    def connect() -> Any:
        made.append(socket_of(lambda _: next(answers)))
        return made[-1]

    s3_client = FastClient(client, credentials, lambda _host, _port, _tls: connect)

    for key in "aabcd":
        with suppress(UnexpectedAnswerError):
            s3_client.ask("head_object", {"Bucket": "bucket", "Key": key})
    s3_client.close()

    assert len(made) == 3
    assert all(one.closed for one in made)


@pytest.mark.parametrize("bucket", ["arn:aws:s3:eu-west-1:123456789012:accesspoint/mine", "mine--use1-az4--x-s3"])
def test_an_unusual_bucket_is_boto3s(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An access point's ARN, a directory bucket: only what botocore would sign plainly is for the fast client."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    session.cache_clear()
    s3_client = client_to(object_client(1), lambda _: OK_HEAD)

    if bucket.startswith("arn"):
        s3_client.ask("head_object", {"Bucket": bucket, "Key": "k"})
        with pytest.raises(UnexpectedAnswerError):
            s3_client.ask("copy_object", {"Bucket": bucket, "Key": "k", "CopySource": {"Bucket": bucket, "Key": "k"}})
    else:
        with pytest.raises(UnexpectedAnswerError) as strange:
            s3_client.ask("head_object", {"Bucket": bucket, "Key": "k"})
        assert not strange.value.sent


def test_with_a_proxy_there_is_no_fast_client(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only boto3 knows how to go through one."""
    assert fast_client(client)

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    assert fast_client(client) is None
