"""
boto3's S3 clients, made to believe whole and proven answers only. Pure, but for the client and the socket given.

botocore holds no answer against its Content-Length, and http.client takes the end of a connection for the end of the
headers, any interim answer but 100 for the answer, and a header line that it can't read for the beginning of the body.
So each answer's bytes come through a reader that notices all of this, and botocore's own parser comes after the proof.

Both the worker's clients and the launcher's are made so. Client, socket and clock are given, so that this imports
neither botocore nor anything that waits.
"""

import http.client
import io
import math
import re
from collections import Counter, deque
from collections.abc import Callable, MutableMapping, MutableSequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.etree.ElementTree import XML, tostring
from xml.sax.saxutils import escape

from worker.contract.proofs import ERROR, PROOFS, UnprovenError, check, is_unknown_setting, local_name

MAX_HEAD_BYTES = 64 * 1024
MAX_INTERIM = 20
"""Interim answers (1xx) before one answer, at most."""

RECV_BYTES = 64 * 1024
LENGTH = re.compile("[0-9]{1,19}")
"""A Content-Length: int() would take signs, spaces and other alphabets, and refuse thousands of digits."""

LONGEST_LINE = 16 * 1024
"""Bytes of a header, at most: botocore's reader of dates takes longer than in proportion. S3's have 2 KB at most."""

_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5][0-9][0-9])(?: ([^\r\n]*))?\r?\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wire:
    """
    What a reader of answers needs of the world.

    monotonic: seconds since some moment. hang_up: ends a connection both ways; raises OSError where there is none.
    broken: botocore's error for a connection that ended too early, of the error and the request.
    """

    monotonic: Callable[[], float]
    hang_up: Callable[[Any], None]
    broken: Callable[[Exception, Any], Exception]


def _send_and_read(send: Callable[[Any], Any], broken: Callable[[Exception, Any], Exception], request: Any) -> Any:
    """
    Send a request, and read the body of an error.

    Where an object's content was asked for botocore reads it later, and lets what urllib3 raises then go past all.
    Raises botocore's errors.
    """
    response = send(request)
    if response.status_code >= ERROR:
        try:
            response.content  # noqa: B018 (it is kept there)
        except Exception as error:
            raise broken(error, request) from error
    return response


class _Reader:
    """
    The bytes of one answer, as http.client and urllib3 ask for them: never fewer than they need.

    raw: the socket's, unbuffered. max_bytes: of the answer. until: on the monotonic clock, when it must be there.
    lines: those that were read. rest: what came after what was read.
    Raises http.client.HTTPException where the connection ends before, or one of these bounds is passed.
    """

    def __init__(self, raw: io.RawIOBase, max_bytes: float, monotonic: Callable[[], float], until: float) -> None:
        self._raw = raw
        self._left = max_bytes
        self._monotonic = monotonic
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
        """That many bytes."""
        while len(self.rest) < (amt or 0):
            self._more()
        return self._take(amt or 0)

    def readinto(self, buffer: bytearray) -> int:
        """Fill the buffer."""
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
        if self._left <= 0 or self._monotonic() > self._until:
            raise http.client.HTTPException("an answer without end")
        data = self._raw.read(RECV_BYTES)
        if not data:
            raise http.client.IncompleteRead(bytes(self.rest))
        self._left -= len(data)
        self.rest += data


class WholeResponse(http.client.HTTPResponse):
    """
    An answer that is whole, or raises http.client.HTTPException.

    max_bytes: of its body. max_s: seconds that all of it may take.
    """

    def __init__(self, sock: Any, *arguments: Any, max_bytes: float, max_s: float, wire: Wire, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        self._connection = sock
        self._hang_up = wire.hang_up
        buffered: Any = self.fp
        until = wire.monotonic() + max_s
        self.fp: Any = _Reader(buffered.detach(), MAX_HEAD_BYTES + max_bytes, wire.monotonic, until)

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
                self._hang_up(self._connection)
        super()._close_conn()  # type: ignore[misc]  # http.client's own, which the stubs leave out


_ONCE = frozenset({"content-length", "transfer-encoding", "etag", "last-modified"})


def believe_whole_answers_only(
    client: Any,
    *,
    wire: Wire,
    lost: Callable[[MutableMapping[str, Any], str], None],
    max_bytes: float = math.inf,
    max_s: float = math.inf,
) -> None:
    """
    Have this client of boto3's believe nothing but answers that arrived whole and prove what they say.

    lost: what to do with an answer that proves nothing, beside its reason: raise, or make another answer of it.
    max_bytes, max_s: of an answer's body, of all of it; infinite for one that may be as long as it likes.
    """
    session = client._endpoint.http_session  # noqa: SLF001 (botocore has no other way in)
    session.send = partial(_send_and_read, session.send, wire.broken)
    response = partial(WholeResponse, max_bytes=max_bytes, max_s=max_s, wire=wire)
    # The dict by which botocore makes its pools.
    pools = session._pool_classes_by_scheme  # noqa: SLF001 (botocore has no other way in)
    for scheme, pool in tuple(pools.items()):
        made = type("WholeConnection", (pool.ConnectionCls,), {"response_class": staticmethod(response)})
        pools[scheme] = type("WholePool", (pool,), {"ConnectionCls": made})

    def judge(operation_model: Any, response_dict: MutableMapping[str, Any], **_: object) -> None:
        if operation_model.name not in PROOFS:
            return
        try:
            _judge(operation_model.name, response_dict)
        except UnprovenError as unproven:
            if hasattr(response_dict["body"], "close"):
                response_dict["body"].close()
            lost(response_dict, str(unproven))

    def send_at_once(params: MutableMapping[str, Any], **_: object) -> None:
        # With it botocore reads the first answer itself, for ever if the connection ends in it.
        params["headers"].pop("Expect", None)

    client.meta.events.register("before-parse.s3", judge)
    client.meta.events.register_last("before-call.s3", send_at_once)


def _judge(operation: str, response: MutableMapping[str, Any]) -> None:
    """Make sure that an answer may be parsed. Raises UnprovenError."""
    status = response["status_code"]
    body: bytes | None = None if PROOFS[operation].streams and status < ERROR else response["body"]
    if body and status < ERROR and is_unknown_setting(operation, body):
        # S3's own code for it, after which botocore doesn't ask again.
        make_failure(response, "the server answered with the bucket's listing", code="NotImplemented", status=501)
        return
    check(operation, status, response["headers"], body)
    if body and status >= ERROR:
        response["body"] = _plain(body)


def _plain(body: bytes) -> bytes:
    """The same error without namespaces and without white space before it, either of which botocore doesn't take."""
    root = XML(body.lstrip())
    for element in root.iter():
        element.tag = local_name(element)
    made: bytes = tostring(root)
    return made


def make_failure(response: MutableMapping[str, Any], message: str, *, code: str, status: int = 500) -> None:
    """Make an answer a failure of S3's; after a 500, botocore asks again."""
    body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>".encode()
    response.update(status_code=status, body=body)
