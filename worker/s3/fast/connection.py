"""One connection to S3: bytes out, a strictly read HTTP answer back. It knows nothing of S3."""

import math
import re
import select
import socket
import ssl
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from worker.contract.proofs import MAX_BODY_BYTES
from worker.contract.whole_answers import LENGTH, MAX_HEAD_BYTES, MAX_INTERIM, RECV_BYTES
from worker.s3.fast.reply import Reply, UnexpectedAnswerError

LONGEST_ANSWER = 6
"""
How long an answer may take in all, in times of how long it may be silent.

Half an hour with the worker's timeout: far more than any CopyObject of 5 GB, whose answer S3 begins early and keeps
alive with white space.
"""

_HEAD = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9])(?: [ -~]*)?((?:\r\n[!#-9;-~]+:[ -~]*)*)")
"""A status line and header lines in printable ASCII: no folded lines, no tabs, no spaces in names."""

_WATCH_S = 0.25

_MAY_COME_TWICE = frozenset({"server", "date", "via"})
"""Headers that say nothing of the object: servers on the way add their own."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_CHUNK_LINE_BYTES = 10
_OK, _SWITCHING_PROTOCOLS, _NO_CONTENT = 200, 101, 204


class Connection:
    """
    A connection that is kept alive, for one request at a time.

    reusable: whether another request may follow. due_at: on the monotonic clock, by when another byte must be there.

    connect: makes the socket, with the timeout set that is for the silence of an answer. Raises OSError.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        try:
            self._socket = connect()
        except OSError as error:
            raise UnexpectedAnswerError(f"no connection: {error}", sent=False) from error
        # A socket with a timeout asks the system, before each call, whether it may go on: twice the calls, and each
        # is a turn of the interpreter's lock. So it has none, and a watching thread aborts what is overdue.
        self._timeout_s = self._socket.gettimeout() or math.inf
        self._socket.settimeout(None)
        self._came = select.poll()
        self._came.register(self._socket, select.POLLIN)
        self._pending = self._socket.pending if isinstance(self._socket, ssl.SSLSocket) else lambda: 0
        self.due_at = self._end_at = math.inf
        self._rest = bytearray()
        self.reusable = True

    def exchange(self, request: bytes, *, bodiless: bool) -> Reply:
        """
        The answer to a request. Raises UnexpectedAnswerError for anything but a complete answer.

        bodiless: the answer has no body whatever its headers say, as that to HEAD.
        """
        self.reusable = False
        now = time.monotonic()
        self.due_at, self._end_at = now + self._timeout_s, now + LONGEST_ANSWER * self._timeout_s
        try:
            self._socket.sendall(request)
            status, headers, lines = self._head()
            body = b"" if bodiless else self._body(status, headers)
        except OSError as error:
            raise UnexpectedAnswerError(f"{type(error).__name__}: {error}", sent=True) from error
        finally:
            self.due_at = math.inf
        if self._rest:
            raise UnexpectedAnswerError("more came than the answer", sent=True)
        self.reusable = headers.get("connection", "keep-alive").lower() == "keep-alive"
        return Reply(status, headers, lines, body)

    def is_clean(self) -> bool:
        """
        Whether nothing came since the last answer: neither the server's end, nor bytes.

        Those would be taken for the next request's answer. What comes only after that was sent can't be told from it.
        """
        return not self._came.poll(0) and not self._pending()

    def watch_itself(self) -> None:
        """Have the socket wait no longer than for the silence: where nothing else watches."""
        if self._timeout_s < math.inf:
            self._socket.settimeout(self._timeout_s)

    def abort(self) -> None:
        """End the wait for an answer; any thread may call it."""
        with suppress(OSError):
            # Not a TLS socket's own way, which is for the thread that uses it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _more(self) -> None:
        """Wait for bytes."""
        data = self._socket.recv(RECV_BYTES)
        if not data:
            raise UnexpectedAnswerError("the connection was closed before the answer was complete", sent=True)
        now = time.monotonic()
        if now > self._end_at:
            raise UnexpectedAnswerError("an answer without end", sent=True)
        self.due_at = now + self._timeout_s
        self._rest += data

    def _head(self) -> tuple[int, dict[str, str], list[tuple[str, str]]]:
        """Status, headers and header lines of the answer, after any interim ones."""
        for _ in range(MAX_INTERIM):
            head = self._one_head()
            match = _HEAD.fullmatch(head)
            if not match or int(match[1]) == _SWITCHING_PROTOCOLS:
                raise UnexpectedAnswerError("not a plain HTTP/1.1 answer", sent=True)
            if int(match[1]) >= _OK:
                break
        else:
            raise UnexpectedAnswerError("interim answers only", sent=True)
        lines: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        for line in match[2].decode("ascii").split("\r\n")[1:]:
            name, _colon, value = line.partition(":")
            value = value.lstrip(" ")
            lines.append((name, value))
            headers[name.lower()] = value
        if len(headers) != len(lines) and _twice(lines) - _MAY_COME_TWICE:
            raise UnexpectedAnswerError("a header came twice", sent=True)
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise UnexpectedAnswerError("an unknown transfer encoding", sent=True)
        return int(match[1]), headers, lines

    def _one_head(self) -> bytes:
        """The next bytes up to an empty line."""
        seen = 0
        while (end := self._rest.find(b"\r\n\r\n", seen)) < 0 and len(self._rest) <= MAX_HEAD_BYTES:
            seen = max(0, len(self._rest) - 3)
            self._more()
        if not 0 <= end <= MAX_HEAD_BYTES:
            raise UnexpectedAnswerError("headers without end", sent=True)
        return self._take(end + 4)[:end]

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        length = headers.get("content-length")
        if "transfer-encoding" in headers:
            if length is not None:
                raise UnexpectedAnswerError("both chunks and a length", sent=True)
            return self._chunks()
        if length is None and status == _NO_CONTENT:
            return b""
        if length is None or not LENGTH.fullmatch(length) or int(length) > MAX_BODY_BYTES:
            raise UnexpectedAnswerError("no length that can be", sent=True)
        return self._take(int(length))

    def _take(self, count: int) -> bytes:
        """The next bytes of the answer."""
        while len(self._rest) < count:
            self._more()
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    def _chunks(self) -> bytes:
        """A body in chunks (RFC 9112, 7.1): S3 sends errors, and the answer to a copy that takes long, so."""
        body = bytearray()
        while True:
            while self._rest.find(b"\n", 0, _CHUNK_LINE_BYTES) < 0 and len(self._rest) < _CHUNK_LINE_BYTES:
                self._more()
            line = _CHUNK.match(bytes(self._rest[:_CHUNK_LINE_BYTES]))
            length = int(line[1], 16) if line else MAX_BODY_BYTES + 1
            if not line or len(body) + length > MAX_BODY_BYTES:
                raise UnexpectedAnswerError("not a chunk", sent=True)
            self._take(line.end())
            body += self._take(length)
            if self._take(2) != b"\r\n":
                # After the last chunk too: trailers aren't understood.
                raise UnexpectedAnswerError("a chunk without its end", sent=True)
            if not length:
                return bytes(body)


class ConnectionTimeouts:
    """
    Aborts connections whose answer is overdue: one thread for all of them, from the first one on.

    Where no thread can be started, each connection's socket watches by itself, which costs some speed.
    start: starts the thread. Raises RuntimeError where there can be none more.
    """

    def __init__(self, start: Callable[[threading.Thread], None] = threading.Thread.start) -> None:
        self._start = start
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._begun = False

    def over(self, connection: Connection) -> Connection:
        """The same connection, watched from now on."""
        with self._lock:
            self._connections.add(connection)
            if not self._begun:
                try:
                    self._start(threading.Thread(target=self._look, daemon=True))
                except RuntimeError:
                    connection.watch_itself()
                else:
                    self._begun = True
        return connection

    def end(self) -> None:
        """Watch no more."""
        self._end.set()

    def _look(self) -> None:
        while not self._end.wait(_WATCH_S):
            now = time.monotonic()
            with self._lock:
                overdue = [connection for connection in self._connections if connection.due_at < now]
            for connection in overdue:
                connection.abort()


def _twice(lines: list[tuple[str, str]]) -> set[str]:
    """The names that came more than once."""
    return {name for name, count in Counter(name.lower() for name, _ in lines).items() if count > 1}


def connect(
    host: str, port: int, context: ssl.SSLContext | None, *, connect_timeout_s: float, read_timeout_s: float
) -> socket.socket:
    """
    A socket that is ready for requests. Raises OSError, an untrusted certificate's too.

    context: how TLS checks the certificate, None for plain HTTP.
    """
    plain = socket.create_connection((host, port), timeout=connect_timeout_s)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        ready = context.wrap_socket(plain, server_hostname=host) if context else plain
        ready.settimeout(read_timeout_s)
    except OSError:
        plain.close()
        raise
    return ready
