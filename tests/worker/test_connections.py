"""Connections that are used again, answers that take their time, servers that aren't to be trusted: both clients."""

import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.s3.fast.test_connection import certificate
from tests.worker.server import Script, Server, serving
from tests.worker.telling import ALL, Told
from worker.contract import Phase
from worker.decide.judge_error import UNTRUSTED, Answer, RetryAction, judge_answer
from worker.pool.pacing import Pace
from worker.s3.ask import S3, RefusedError
from worker.s3.clients import fast_client, object_client, session, state_client

TOLD = {told.name: told for told in ALL}
HEAD, COPY = TOLD["HeadObject"], TOLD["CopyObject"]
S3_CLIENTS = ("fast", "boto3")

Make = Callable[..., S3]


@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that keeps its connections, with and without TLS."""
    with serving(lambda _: ()) as made:
        if request.param:
            path = certificate(tmp_path, "127.0.0.1")
            made.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.context.load_cert_chain(path)
            monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.endpoint)
        session.cache_clear()
        yield made


@pytest.fixture
def make(server: Server) -> Iterator[Make]:
    """Makes S3 by one of the clients, with a deadline."""
    assert server
    clients = []

    def by(s3_client: str, read_timeout_s: float = 20) -> S3:
        client = object_client(4, read_timeout_s=read_timeout_s)
        fast = fast_client(client) if s3_client == "fast" else None
        clients.append(fast)
        return S3(client, Pace(0, threading.Event()), Phase.COPY, {}, fast)

    yield by
    for fast in filter(None, clients):
        fast.close()


def found(s3: S3, told: Told, key: str) -> str | Answer:
    """What S3 told of a key: its ETag, or its answer that is no success."""
    try:
        answer = s3.ask(told.call, **{**told.asked, "Key": key})
    except RefusedError as refused:
        return refused.answer
    etag: str = answer.get("ETag") or answer["CopyObjectResult"]["ETag"]
    return etag


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
def test_an_answer_too_many_is_not_the_next_keys(s3_client: str, make: Make, server: Server) -> None:
    """However soon the next request follows: the connection is looked at before each, and done with."""
    go, came = threading.Event(), threading.Event()

    def twice(_: Request) -> Script:
        yield HEAD.answer()
        go.wait(30)
        yield HEAD.answer()
        came.set()

    s3 = make(s3_client)
    server.respond = twice
    first = found(s3, HEAD, "a")
    go.set()
    came.wait(30)
    server.respond = lambda _: (HEAD.answer(status=404),)

    assert (first, found(s3, HEAD, "b")) == ('"e"', Answer(code="404", http_status=404))
    assert server.connections == 2


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
def test_an_answer_too_many_in_one_piece_is_not_the_next_keys(s3_client: str, make: Make, server: Server) -> None:
    """Whether or not the first is believed, nothing more comes on that connection."""
    s3 = make(s3_client)
    server.respond = lambda _: (HEAD.answer() * 2,)
    found(s3, HEAD, "a")
    server.respond = lambda _: (HEAD.answer(status=404),)

    assert found(s3, HEAD, "b") == Answer(code="404", http_status=404)


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
def test_a_clean_connection_is_used_again(s3_client: str, make: Make, server: Server) -> None:
    """Many requests, one connection."""
    s3 = make(s3_client)
    server.respond = lambda _: (HEAD.answer(),)

    assert [found(s3, HEAD, key) for key in "abcde"] == ['"e"'] * 5
    assert server.connections == 1


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
def test_an_answer_that_goes_on_is_not_overdue(s3_client: str, make: Make, server: Server) -> None:
    """S3 sends white space while it copies: the copy is waited for longer than silence would be."""
    pause = threading.Event()
    declaration, _, rest = COPY.body.partition(b"\n")

    def slowly(_: Request) -> Script:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for piece in (declaration, *[b" "] * 8, rest):
            pause.wait(0.4)
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    server.respond = slowly

    assert found(make(s3_client, read_timeout_s=2), COPY, "a") == '"e"'
    assert len(server.requests) == 1


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
@pytest.mark.parametrize("what", ["interim answers", "headers", "white space"])
def test_an_answer_that_never_ends_is_lost(what: str, s3_client: str, make: Make, server: Server) -> None:
    """One byte at a time for ever, whatever it is of: a copy isn't sent again for it."""
    pause = threading.Event()
    heads = {
        "interim answers": b"",
        "headers": b"HTTP/1.1 200 OK\r\nx-a: ",
        "white space": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }
    more = {"interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n", "headers": b"a", "white space": b"1\r\n \r\n"}

    def for_ever(_: Request) -> Script:
        yield heads[what]
        while True:
            for at in range(len(more[what])):
                pause.wait(0.02)
                yield more[what][at : at + 1]

    server.respond = for_ever

    answer = found(make(s3_client, read_timeout_s=0.3), COPY, "a")

    assert isinstance(answer, Answer)
    assert answer.lost
    assert len(server.requests) == 1


@pytest.mark.parametrize("s3_client", S3_CLIENTS)
@pytest.mark.parametrize("name", ["127.0.0.1", "elsewhere"])
@pytest.mark.parametrize("server", [True], indirect=True, ids=["TLS"])
def test_a_server_without_a_certificate_to_trust_is_sent_nothing(
    name: str, s3_client: str, make: Make, server: Server, tmp_path: Path
) -> None:
    """It counts as refused credentials do: tried again for a minute, and no key is to blame."""
    (tmp_path / "new").mkdir()
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(certificate(tmp_path / "new", name))

    answer = found(make(s3_client), COPY, "a")

    assert isinstance(answer, Answer)
    assert (answer.code, answer.lost) == (UNTRUSTED, False)
    assert judge_answer(Phase.COPY, answer) is RetryAction.CREDENTIALS
    assert server.requests == []


STATE = {name: TOLD[name] for name in ("PutObject", "GetObject", "ListObjectsV2")}
WRONG = {
    "cut in its headers": lambda told: told.answer()[:30],
    "a page": lambda told: told.answer(headers={}, body=b"<html><body>It works!</body></html>"),
    "a page that is refused": lambda told: told.answer(status=403, headers={}, body=b"<html>no</html>"),
    "an error that is cut off": lambda told: told.answer(status=404, headers={}, body=b"<Error><Code>N")[:-5],
    "another status": lambda told: told.answer(status=299),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", STATE)
@pytest.mark.parametrize("server", [False], indirect=True, ids=["plain"])
def test_what_proves_nothing_of_the_state_is_asked_for_again(name: str, wrong: str, server: Server) -> None:
    """By botocore, as after a failure of S3's own."""
    told = STATE[name]
    answers = iter([WRONG[wrong](told)])
    server.keep = False
    server.respond = lambda _: (next(answers, told.answer()),)

    answer = getattr(state_client(), told.call)(**told.asked)
    if "Body" in answer:
        assert answer["Body"].read() == b"x"

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == told.status
    assert len(server.requests) == 2
    assert not any("expect" in request.headers for request in server.requests)
