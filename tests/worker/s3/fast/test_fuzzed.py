"""Whatever bytes come, the fast client understands them or says that it doesn't, in linear time."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.s3.fast.scripted import OK_COPY, OK_HEAD, ScriptedSocket, socket_of
from worker.contract.proofs import MAX_BODY_BYTES
from worker.contract.whole_answers import MAX_HEAD_BYTES
from worker.s3.fast.build_request import COPY, HEAD, RESTORE
from worker.s3.fast.connection import Connection
from worker.s3.fast.parse_response import Reading
from worker.s3.fast.reply import Reply, UnexpectedAnswerError

LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 103 Hints\r\n",
        b"HTTP/1.1 404\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"ETag: a\r\n",
        b"\r\n",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"\n",
        b"\r",
    ]
)
SOUPS = st.lists(LINES | st.binary(max_size=20), max_size=20).map(b"".join)
TEXTS = st.text(st.characters(max_codepoint=0x2FF), max_size=40)
NAMES = st.sampled_from(
    ["ETag", "Content-Length", "Last-Modified", "Expires", "x-amz-restore", "x-amz-object-lock-retain-until-date"]
)


@given(answer=SOUPS, bodiless=st.booleans(), pieces=st.sampled_from([1, 5, 1000]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_answer_or_strange(*, answer: bytes, bodiless: bool, pieces: int) -> None:
    """No other error, however they come."""
    with suppress(UnexpectedAnswerError):
        Connection(lambda: socket_of(lambda _: answer, pieces)).exchange(b"request", bodiless=bodiless)


@given(
    operation=st.sampled_from([HEAD, COPY, RESTORE]),
    status=st.integers(200, 599),
    lines=st.dictionaries(NAMES, TEXTS | st.sampled_from(["1", "Sun, 01 Jan 2023 12:00:00 GMT", "+1", "²"])),
    body=st.binary(max_size=60) | st.just(b"<CopyObjectResult><ETag>a</ETag></CopyObjectResult>"),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_is_understood_or_strange(
    operation: str, status: int, lines: dict[str, str], body: bytes, client: Any
) -> None:
    """No other error, whatever its headers say."""
    reply = Reply(status, {name.lower(): value for name, value in lines.items()}, list(lines.items()), body)

    with suppress(UnexpectedAnswerError):
        Reading(client.meta.service_model).understand(operation, reply)


class Counting(ScriptedSocket):
    """Counts what is asked of it."""

    received = 0

    def recv(self, size: int) -> bytes:
        """The next piece."""
        self.received += 1
        return super().recv(size)


ENDLESS = {
    "interim answers": b"HTTP/1.1 102 Processing\r\n\r\n",
    "a header": b"a",
    "chunks of one byte": b"1\r\n \r\n",
    "chunks of one byte in many digits": b"00000001\r\n \r\n",
    "a chunk's size": b"0",
}
BEGINNING = {
    "interim answers": b"",
    "a header": b"HTTP/1.1 200 OK\r\nx-a: ",
    "a chunk's size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("what", ENDLESS)
def test_an_endless_answer_is_given_up(what: str) -> None:
    """After a number of bytes that is known, and no more of them are held than that."""
    beginning = BEGINNING.get(what, BEGINNING["a chunk's size"])
    most = MAX_HEAD_BYTES + MAX_BODY_BYTES * len(ENDLESS[what])
    socket: Any = Counting(lambda _: beginning + ENDLESS[what] * (most // len(ENDLESS[what]) + 1_000), 1000)

    with pytest.raises(UnexpectedAnswerError):
        Connection(lambda: socket).exchange(b"request", bodiless=False)

    assert socket.received <= most / 1000 + 2


@pytest.mark.parametrize("pieces", [1, 1 << 16])
def test_a_long_answer_is_read_in_proportion_to_its_length(pieces: int) -> None:
    """A byte at a time, too, in as many chunks as there can be."""
    body = b"".join(b"1\r\n \r\n" for _ in range(100_000)) + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    connection = Connection(lambda: socket_of(lambda _: answer, pieces))

    assert connection.exchange(b"request", bodiless=False).body == b" " * 100_000


@pytest.mark.parametrize("beginning", [OK_HEAD, OK_COPY])
def test_bytes_that_came_late_are_seen(beginning: bytes) -> None:
    """Before the next request, and without waiting for them."""
    socket: Any = ScriptedSocket(lambda _: beginning)
    connection = Connection(lambda: socket)
    connection.exchange(b"request", bodiless=beginning is OK_HEAD)

    before = connection.is_clean()
    socket.come_late()

    assert (before, connection.is_clean()) == (True, False)
