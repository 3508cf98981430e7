"""The one S3 server of the tests: it reads requests, and answers each with the bytes that a small script says."""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import responses
from typing import TYPE_CHECKING

from tests.fidelity.documented_objects import Request

if TYPE_CHECKING:
    import ssl

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""

MOST_BYTES = 64 * 1024**2
"""How much of an endless answer is sent before it ends: no client should ever take it all."""

HANG_S = 60.0
"""How long nothing is said, at most: longer than any client here waits."""

CLOSE = "close"
"""Close the connection."""

RESET = "reset"
"""The same with a TCP reset."""

HANG = "hang"
"""Say nothing until the client gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endless:
    """The same bytes over and over, until the client gives up. pause_s: between them. most: how often, at most."""

    content: bytes
    pause_s: float = 0
    most: int = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Slowly:
    """These bytes one at a time. pause_s: between them."""

    content: bytes
    pause_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Idle:
    """So many seconds without another request; with one before, nothing of what follows is done."""

    seconds: float


Step = bytes | float | str | Endless | Slowly | Idle
"""What to do with the connection: send bytes, wait for seconds, or one of the words and classes above."""

Script = Iterable[Step]
Respond = Callable[[Request], Script]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """
    An answer.

    status: a text, as it may be no number. bodiless: whether it answers a HEAD. raw: the body as it goes out.
    """

    status: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes
    bodiless: bool
    version: str = "HTTP/1.1"

    def head(self) -> bytes:
        """Status line and headers, the empty line too."""
        number = int(self.status) if self.status.isascii() and self.status.isdigit() else 0
        reason = responses.get(number, "Any")
        lines = [f"{self.version} {self.status} {reason}", *(f"{name}: {value}" for name, value in self.headers)]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"

    def body(self) -> bytes:
        """What follows the empty line."""
        return b"" if self.bodiless else self.raw

    def whole(self) -> bytes:
        """All of it."""
        return self.head() + self.body()

    def without(self, *names: str) -> "Message":
        """The same without these headers; names in lower case."""
        return replace(self, headers=tuple(one for one in self.headers if one[0].lower() not in names))

    def told(self, *headers: tuple[str, str]) -> "Message":
        """The same with these headers instead of others of their names."""
        kept = self.without(*(name.lower() for name, _ in headers)).headers
        return replace(self, headers=(*kept, *headers))

    def holding(self, body: bytes) -> "Message":
        """The same with another body, and its right length."""
        changed = replace(self, raw=body)
        return changed if self.bodiless else changed.told(("Content-Length", str(len(body))))

    def value(self, name: str) -> str:
        """A header's value, "" without one."""
        return next((value for found, value in self.headers if found.lower() == name), "")


Change = Callable[[Message], Message]
Play = Callable[[Message], Script]


def plainly(message: Message) -> Script:
    """As it is."""
    return (message.whole(),)


def chunked(body: bytes, *, last: bytes = b"0\r\n\r\n", size: str | None = None) -> bytes:
    """A body as one chunk. size: what is said of its length, instead of the truth."""
    told = f"{len(body):x}" if size is None else size
    one = f"{told}\r\n".encode() + body + b"\r\n" if body else b""
    return one + last


def in_chunks(message: Message, raw: bytes) -> Message:
    """The same, its body said to be in chunks."""
    return replace(message.without("content-length").told(("Transfer-Encoding", "chunked")), raw=raw)


def message_of(answer: Answer, *, bodiless: bool) -> Message:
    """An answer as S3 would send it."""
    status, headers, body = answer
    told: Mapping[str, str] = {
        "x-amz-id-2": "aGVsbG8=",
        "x-amz-request-id": "0123456789ABCDEF",
        "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
        **({"Content-Type": "application/xml"} if body and not bodiless else {}),
        **headers,
        **({} if bodiless else {"Content-Length": str(len(body))}),
        "Server": "AmazonS3",
    }
    if bodiless and "Content-Length" not in told:
        told = {**told, "Content-Length": "0"}
    return Message(status=str(status), headers=tuple(told.items()), raw=b"" if bodiless else body, bodiless=bodiless)


@dataclass(kw_only=True)
class Server:
    """
    A server on loopback, and what it saw.

    respond: answers each request; may be replaced at any time. keep: whether connections stay open after an answer.
    context: for TLS, None without. requests: all that came. connections: how many there were, once they were secure.
    swallowed: the keys whose endless answers were taken to their very end.
    """

    respond: Respond
    keep: bool = True
    port: int = 0
    context: "ssl.SSLContext | None" = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    swallowed: list[str] = field(default_factory=list)
    _open: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def count(self, operation: str) -> int:
        """How many requests there were of this operation."""
        return sum(request.operation == operation for request in self.requests)

    def wait_until_closed(self) -> None:
        """Wait until no connection is open, so that none is used on which its end is still to come."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, timeout=30)

    def accept(self, listener: socket.socket) -> None:
        """Serve connections, each on a thread that nothing waits for, until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with self._changed:
                    self._open += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            # A client that goes away in the middle is what these tests are about.
            with suppress(OSError), plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if not self.context:
                    self._answer(plain)
                    return
                with self.context.wrap_socket(plain, server_side=True) as secure:
                    self._answer(secure)
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    def _answer(self, connection: socket.socket) -> None:
        self.connections += 1
        reader = _Reader(connection)
        while request := reader.request():
            self.requests.append(request)
            if not self._play(connection, request) or not self.keep:
                return

    def _play(self, connection: socket.socket, request: Request) -> bool:
        """Whether the connection is still open after the script. Raises OSError when the client closed it before."""
        for step in self.respond(request):
            match step:
                case str():
                    _end(connection, step)
                    return False
                case Endless():
                    times = min(step.most, MOST_BYTES // len(step.content))
                    _repeat(connection, [step.content] * times, step.pause_s)
                    self.swallowed += [request.key] * (times < step.most)
                    return False
                case Idle():
                    if select.select([connection], [], [], step.seconds)[0]:
                        return True
                case Slowly():
                    _repeat(connection, [bytes([byte]) for byte in step.content], step.pause_s)
                case bytes():
                    connection.sendall(step)
                case _:
                    time.sleep(step)
        return True


class _Reader:
    """Reads requests from a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""

    def request(self) -> Request | None:
        """The next one, None when there is none. Raises OSError."""
        while b"\r\n\r\n" not in self._data:
            if not self._more():
                return None
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
        length = int(headers.get("content-length", 0))
        if headers.get("expect") == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._data) < length:
            if not self._more():
                return None
        body, self._data = self._data[:length], self._data[length:]
        return Request.of_http(method, path, headers, body)

    def _more(self) -> bool:
        data = self._connection.recv(65536)
        self._data += data
        return bool(data)


def _repeat(connection: socket.socket, pieces: Iterable[bytes], pause_s: float) -> None:
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(pause_s)


def _end(connection: socket.socket, how: str) -> None:
    """Do what comes before the connection is closed."""
    if how == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == HANG:
        connection.settimeout(HANG_S)
        connection.recv(1)


@contextmanager
def serving(respond: Respond, *, keep: bool = True, port: int = 0) -> Iterator[Server]:
    """A server that answers each request by this script. port: its own, 0 for any."""
    server = Server(respond=respond, keep=keep)
    with socket.create_server(("127.0.0.1", port), backlog=256) as listener:
        server.port = listener.getsockname()[1]
        threading.Thread(target=server.accept, args=(listener,), daemon=True).start()
        yield server
        # A thread that waits for a connection isn't woken by its listener's end.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
