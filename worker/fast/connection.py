"""One connection to S3: bytes out, a strictly read HTTP answer back. It knows nothing of S3."""

import math
import re
import socket
import ssl
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024**2
_RECV_BYTES = 64 * 1024
_IDLE_S = 0.25
"""How long a connection may have been idle without being looked at before it is used again, in seconds."""

_HEAD = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)(?: [ -~]*)?((?:\r\n[!#-9;-~]+:[ -~]*)*)")
"""A status line and header lines in printable ASCII: no folded lines, no tabs, no spaces in names."""

_WATCH_S = 0.25

_MAY_COME_TWICE = frozenset({"server", "date", "via"})
"""Headers that say nothing of the object: servers on the way add their own."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_HTTP_NO_CONTENT = 204


class StrangeError(Exception):
    """
    No answer, or one that the fast lane doesn't understand.

    sent: whether the request may have reached S3.
    """

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An HTTP answer, complete.

    headers: by name in lower case, each there once. lines: names as they came, and values.
    """

    status: int
    headers: dict[str, str]
    lines: list[tuple[str, str]]
    body: bytes


class Connection:
    """
    A connection that is kept alive, for one request at a time.

    reusable: whether another request may follow. due_at: by when, on the monotonic clock, an answer must be there.

    connect: makes the socket, with the timeout for answers set. Raises OSError.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        try:
            self._socket = connect()
        except OSError as error:
            raise StrangeError(f"no connection: {error}", sent=False) from error
        # A socket with a timeout asks the system, before each call, whether it may go on: twice the calls, and each
        # is a turn of the interpreter's lock. So it has none, and whoever watches aborts what is overdue.
        self._timeout_s = self._socket.gettimeout() or math.inf
        self._socket.settimeout(None)
        self.due_at = math.inf
        self._rest = b""
        self._used_at = 0.0
        self.reusable = True

    def exchange(self, request: bytes, *, bodiless: bool) -> Reply:
        """
        The answer to a request. Raises StrangeError for anything but a complete answer.

        bodiless: the answer has no body whatever its headers say, as that to HEAD.
        """
        self.reusable = False
        self.due_at = time.monotonic() + self._timeout_s
        try:
            self._socket.sendall(request)
            status, headers, lines = self._head()
            body = b"" if bodiless else self._body(status, headers)
        except OSError as error:
            raise StrangeError(f"{type(error).__name__}: {error}", sent=True) from error
        finally:
            self.due_at = math.inf
        if self._rest:
            raise StrangeError("more came than the answer", sent=True)
        self.reusable = headers.get("connection", "keep-alive").lower() == "keep-alive"
        self._used_at = time.monotonic()
        return Reply(status, headers, lines, body)

    def is_alive(self) -> bool:
        """Whether the server hasn't closed it, as far as one can know before the next request."""
        if time.monotonic() - self._used_at < _IDLE_S:
            return True
        try:
            self._socket.settimeout(0)
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            self._socket.settimeout(None)
        return False

    def abort(self) -> None:
        """Let whoever waits for an answer wait no longer; any thread may."""
        with suppress(OSError):
            # Not a TLS socket's own way, which is for the thread that uses it.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _more(self) -> bytes:
        data = self._socket.recv(_RECV_BYTES)
        if not data:
            raise StrangeError("the connection was closed before the answer was complete", sent=True)
        return data

    def _head(self) -> tuple[int, dict[str, str], list[tuple[str, str]]]:
        data = self._more()
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise StrangeError("headers without end", sent=True)
            data += self._more()
        self._rest = data[end + 4 :]
        match = _HEAD.fullmatch(data, 0, end)
        if not match:
            raise StrangeError("not a plain HTTP/1.1 answer", sent=True)
        lines: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        for line in match[2].decode("ascii").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            value = value.lstrip(" ")
            lines.append((name, value))
            headers[name.lower()] = value
        if len(headers) != len(lines) and _twice(lines) - _MAY_COME_TWICE:
            raise StrangeError("a header came twice", sent=True)
        return int(match[1]), headers, lines

    def _body(self, status: int, headers: dict[str, str]) -> bytes:
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise StrangeError("an unknown transfer encoding", sent=True)
            return self._chunks()
        if length is None and status == _HTTP_NO_CONTENT:
            return b""
        if length is None or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise StrangeError("no length that can be", sent=True)
        return self._take(int(length))

    def _take(self, count: int) -> bytes:
        """The next bytes of the answer."""
        while len(self._rest) < count:
            self._rest += self._more()
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def _chunks(self) -> bytes:
        """A body in chunks (RFC 9112, 7.1): S3 sends errors, and the answer to a copy that takes long, so."""
        body = b""
        while True:
            while b"\r\n" not in self._rest and len(self._rest) < _RECV_BYTES:
                self._rest += self._more()
            size = _CHUNK.match(self._rest)
            if not size or len(body) > MAX_BODY_BYTES or int(size[1], 16) > MAX_BODY_BYTES:
                raise StrangeError("not a chunk", sent=True)
            self._rest = self._rest[size.end() :]
            chunk = self._take(int(size[1], 16))
            if self._take(2) != b"\r\n":
                # After the last chunk too: trailers aren't understood.
                raise StrangeError("a chunk without its end", sent=True)
            if not chunk:
                return body
            body += chunk


class Watch:
    """Aborts connections whose answer is overdue: one thread for all of them, from the first one on."""

    def __init__(self) -> None:
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._begun = False

    def over(self, connection: Connection) -> Connection:
        """The same connection, watched from now on."""
        with self._lock:
            self._connections.add(connection)
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._look, daemon=True).start()
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
