"""
boto3's client, but for answers that arrived whole, and say what they must (proof.py).

botocore holds no answer against its Content-Length, and http.client takes the end of a connection for the end of the
headers, any interim answer but 100 for the answer, and a header line that it can't read for the beginning of the body.
So each answer's bytes come through a reader that notices all of this, and botocore's own parser comes after the proof.
"""

import http.client
import io
import re
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, MutableMapping, MutableSequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import XML, tostring
from xml.sax.saxutils import escape

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSPreparedRequest,
    AWSResponse,
)
from botocore.exceptions import ConnectionClosedError, HTTPClientError

from worker.s3.fast.connection import LENGTH, MAX_HEAD_BYTES, MAX_INTERIM, RECV_BYTES
from worker.s3.proof import PROOFS, UnprovenError, check, local_name

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

LONGEST_LINE = 16 * 1024
"""Bytes of a header, at most: botocore's reader of dates takes longer than in proportion. S3's have 2 KB at most."""

_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9])(?: ([^\r\n]*))?\r?\n")
_ERROR = 300


class UnbelievedError(HTTPClientError):
    """An answer that proves nothing, as an error of botocore's own family: whoever asked knows to take those."""

    fmt = "{error}"


def _send_and_read(send: Callable[[AWSPreparedRequest], AWSResponse], request: AWSPreparedRequest) -> AWSResponse:
    """
    Send a request, and read the body of an error.

    Where an object's content was asked for botocore reads it later, and lets what urllib3 raises then go past all.
    Raises botocore's errors.
    """
    response = send(request)
    if response.status_code >= _ERROR:
        try:
            response.content  # noqa: B018 (it is kept there)
        except Exception as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error
    return response


class _Reader:
    """
    The bytes of one answer, as http.client and urllib3 ask for them: never fewer than they need.

    raw: the socket's, unbuffered. most_bytes: of the answer. until: on the monotonic clock, when it must be there.
    lines: those that were read. rest: what came after what was read.
    Raises http.client.HTTPException where the connection ends before, or one of these bounds is passed.
    """

    def __init__(self, raw: io.RawIOBase, most_bytes: float, until: float) -> None:
        self._raw = raw
        self._left = most_bytes
        self._until = until
        self.rest = bytearray()
        self.lines: MutableSequence[bytes] = []

    def readline(self, limit: int) -> bytes:
        """A line with its end."""
        seen = 0
        while (end := self.rest.find(b"\n", seen)) < 0 and len(self.rest) < min(limit, LONGEST_LINE):
            seen = len(self.rest)
            self._more()
        if not 0 <= end < limit:
            raise http.client.HTTPException("a line without end")
        self.lines.append(self._take(end + 1))
        return self.lines[-1]

    def read(self, amt: int | None = None) -> bytes:
        """So many bytes."""
        while len(self.rest) < (amt or 0):
            self._more()
        return self._take(amt or 0)

    def readinto(self, buffer: bytearray) -> int:
        """So many bytes as the buffer takes."""
        buffer[:] = self.read(len(buffer))
        return len(buffer)

    def flush(self) -> None:
        """Nothing is written here."""

    def fileno(self) -> int:
        """The socket's."""
        return self._raw.fileno()

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()

    def _take(self, count: int) -> bytes:
        taken = bytes(self.rest[:count])
        del self.rest[:count]
        return taken

    def _more(self) -> None:
        if self._left <= 0 or time.monotonic() > self._until:
            raise http.client.HTTPException("an answer without end")
        data = self._raw.read(RECV_BYTES)
        if not data:
            raise http.client.IncompleteRead(bytes(self.rest))
        self._left -= len(data)
        self.rest += data


class WholeResponse(http.client.HTTPResponse):
    """
    An answer that is whole, or raises http.client.HTTPException.

    most_bytes: of its body. most_s: seconds that all of it may take.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, most_bytes: float, most_s: float, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        self._connection = sock
        buffered: Any = self.fp
        self.fp: Any = _Reader(buffered.detach(), MAX_HEAD_BYTES + most_bytes, time.monotonic() + most_s)

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the answer, after any interim ones; http.client itself passes over 100 only."""
        for _ in range(MAX_INTERIM):
            line = self.fp.readline(MAX_HEAD_BYTES)
            found = _STATUS_LINE.fullmatch(line)
            if not found:
                raise http.client.BadStatusLine(repr(line[:100]))
            status = int(found[2])
            if status >= http.client.OK:
                self.fp.lines.clear()
                return found[1].decode(), status, (found[3] or b"").decode("latin-1")
            if status == http.client.SWITCHING_PROTOCOLS:
                break
            while self.fp.readline(MAX_HEAD_BYTES) not in (b"\r\n", b"\n"):
                pass
        raise http.client.HTTPException("interim answers only")

    def begin(self) -> None:
        """Read status and headers. Raises for headers that don't say plainly how long the body is."""
        super().begin()
        lines = self.headers.items()
        came, self.fp.lines = self.fp.lines[:-1], deque(maxlen=1)
        twice = {name for name, count in Counter(name.lower() for name, _ in lines).items() if count > 1}
        length, coding = self.headers.get("content-length"), self.headers.get("transfer-encoding")
        plain = [line.partition(b":")[0].decode("latin-1") for line in came if b"\r" not in line[:-2]]
        if plain != [name for name, _ in lines]:
            # Such a line ends the headers for http.client, or makes two of one.
            raise http.client.HTTPException("a header that can't be read")
        if any(name in _ONCE or name.startswith("x-amz-") for name in twice):
            raise http.client.HTTPException("a header came twice")
        if length is not None and not LENGTH.fullmatch(length):
            raise http.client.HTTPException("no length that can be")
        if coding is not None and (coding.lower() != "chunked" or length is not None):
            raise http.client.HTTPException("an unknown transfer encoding")
        if self.length is None and not self.chunked:
            raise http.client.HTTPException("a body without length")

    def _close_conn(self) -> None:
        if self.fp.rest:
            # More came than the answer, or it wasn't read to its end: nothing may follow on this connection.
            with suppress(OSError):
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]  # http.client's own, which the stubs leave out


_ONCE = frozenset({"content-length", "transfer-encoding", "etag", "last-modified"})


def believe_whole_answers_only(
    client: "S3Client", *, most_bytes: float, most_s: float, lost: "Callable[[MutableMapping[str, Any], str], None]"
) -> None:
    """
    Have this client believe nothing but answers that arrived whole and prove what they say.

    most_bytes, most_s: of an answer, infinite for one that may be as long as it likes.
    lost: what to do with one that proves nothing, beside its reason: raise, or make another answer of it.
    """
    session = client._endpoint.http_session  # type: ignore[attr-defined]  # noqa: SLF001 (botocore has no other way in)
    session.send = partial(_send_and_read, session.send)
    response = partial(WholeResponse, most_bytes=most_bytes, most_s=most_s)
    for scheme, pool, connection in (
        ("http", AWSHTTPConnectionPool, AWSHTTPConnection),
        ("https", AWSHTTPSConnectionPool, AWSHTTPSConnection),
    ):
        made = type("Whole", (connection,), {"response_class": staticmethod(response)})
        # The dict that the session's pools are made by.
        session._pool_classes_by_scheme[scheme] = type(  # noqa: SLF001 (likewise)
            "WholePool", (pool,), {"ConnectionCls": made}
        )

    def judge(operation_model: "OperationModel", response_dict: MutableMapping[str, Any], **_: object) -> None:
        if operation_model.name not in PROOFS:
            return
        try:
            _judge(operation_model, response_dict)
        except UnprovenError as unproven:
            lost(response_dict, str(unproven))

    def send_at_once(params: MutableMapping[str, Any], **_: object) -> None:
        # With it botocore reads the first answer itself, for ever if the connection ends in it.
        params["headers"].pop("Expect", None)

    client.meta.events.register("before-parse.s3", judge)
    client.meta.events.register_last("before-call.s3", send_at_once)


def _judge(operation: "OperationModel", response: MutableMapping[str, Any]) -> None:
    """Make sure that an answer may be parsed. Raises UnprovenError."""
    streams = PROOFS[operation.name].streams and response["status_code"] < _ERROR
    body: bytes | None = None if streams else response["body"]
    check(operation.name, response["status_code"], response["headers"], body)
    if body and response["status_code"] >= _ERROR:
        response["body"] = _plain(body)


def _plain(body: bytes) -> bytes:
    """The same error without namespaces and without white space before it, either of which botocore doesn't take."""
    root = XML(body.lstrip())
    for element in root.iter():
        element.tag = local_name(element)
    made: bytes = tostring(root)
    return made


def error_body(code: str, message: str) -> bytes:
    """An error as S3 writes it."""
    return f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>".encode()
