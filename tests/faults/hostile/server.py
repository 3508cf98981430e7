"""Sockets, threads, and bytes as a script says: the truth's answers to most requests, odd ones to some."""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from tests.faults.hostile.message import HANG, RESET, Endless, Idle, Message, Script, Slowly
from tests.fidelity.documented_objects import Request
from tests.fidelity.wire import Answer

MOST_BYTES = 64 * 1024**2
"""How much of an endless answer is sent before it ends: no client should ever take it all."""

HANG_S = 5.0
"""How long nothing is said: longer than any client here waits."""

Respond = Callable[[Request], Script]


@dataclass
class Heard:
    """What a server saw. endpoint: to talk to. swallowed: endless answers that were taken to their very end."""

    endpoint: str = ""
    swallowed: list[str] = field(default_factory=list)


@contextmanager
def serving(respond: Respond) -> Iterator[Heard]:
    """A server on loopback that answers each request by this script."""
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        heard.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=_accept, args=(listener, respond, heard), daemon=True).start()
        yield heard
        # A thread that waits for a connection isn't woken by its listener's end.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, respond: Respond, heard: Heard) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection, respond, heard), daemon=True).start()


def _serve(connection: socket.socket, respond: Respond, heard: Heard) -> None:
    with connection, suppress(OSError):
        reader = _Reader(connection)
        while request := reader.request():
            script = respond(request)
            if not _played(connection, script, partial(heard.swallowed.append, request.key)):
                return


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


def _played(connection: socket.socket, script: Script, swallowed: Callable[[], None]) -> bool:
    """Whether the connection is still open after the script. Raises OSError when the client closed it before."""
    for step in script:
        if isinstance(step, str):
            _end(connection, step)
            return False
        if isinstance(step, Endless):
            times = min(step.most, MOST_BYTES // len(step.content))
            for _ in range(times):
                connection.sendall(step.content)
                time.sleep(step.pause_s)
            if times < step.most:
                swallowed()
            return False
        if isinstance(step, Idle):
            if select.select([connection], [], [], step.seconds)[0]:
                return True
        else:
            _do(connection, step)
    return True


def _end(connection: socket.socket, how: str) -> None:
    """Do what comes before the connection is closed."""
    if how == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif how == HANG:
        connection.settimeout(HANG_S)
        connection.recv(1)


def _do(connection: socket.socket, step: bytes | float | Slowly) -> None:
    if isinstance(step, bytes):
        connection.sendall(step)
    elif isinstance(step, Slowly):
        for byte in step.content:
            connection.sendall(bytes([byte]))
            time.sleep(step.pause_s)
    else:
        time.sleep(step)


def message_of(answer: Answer, *, bodiless: bool) -> Message:
    """The truth's answer as it would be sent."""
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
