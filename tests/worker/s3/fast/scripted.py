"""A fast client whose server is a function: bytes in, bytes out."""

import os
import socket
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from worker.s3.fast.client import FastClient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from worker.s3.fast.signing import Credentials

OK_HEAD = (
    b"HTTP/1.1 200 OK\r\nLast-Modified: Sun, 01 Jan 2023 12:00:00 GMT\r\n"
    b'ETag: "fba9dede5f27731c9771645a39863328"\r\nContent-Length: 3\r\nServer: AmazonS3\r\n\r\n'
)
OK_COPY_BODY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<LastModified>2026-10-28T22:32:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>"
)
OK_COPY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK_COPY_BODY) + OK_COPY_BODY
OK_RESTORE = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
OK = {b"HEAD": OK_HEAD, b"PUT ": OK_COPY, b"POST": OK_RESTORE}

Answerer = Callable[[bytes], bytes]


def quiet_pipe(owner: object) -> tuple[int, int, Callable[[], object]]:
    """The ends of a pipe that has nothing to read, closed with their owner or by what comes third."""
    ends = os.pipe()

    def close() -> None:
        for end in ends:
            os.close(end)

    return *ends, weakref.finalize(owner, close)


class ScriptedSocket:
    """
    What the fast client takes for a socket. pieces: how many bytes come at a time.

    After the answer the server has closed the connection if it was cut short: nothing more comes.
    """

    def __init__(self, answer: Answerer, pieces: int = 1 << 16) -> None:
        self._answer = answer
        self._pieces = pieces
        self._coming = memoryview(b"")
        self._end, self._late, self._close = quiet_pipe(self)
        self.closed = False

    def fileno(self) -> int:
        """Of something that has nothing to read, until bytes come late."""
        return self._end

    def come_late(self) -> None:
        """Have something to read that nobody asked for."""
        os.write(self._late, b"HTTP/1.1 ")

    def sendall(self, data: bytes) -> None:
        """Take a request."""
        self._coming = memoryview(self._answer(data))

    def recv(self, _: int) -> bytes:
        """The answer's next piece; b"" at its end."""
        piece, self._coming = self._coming[: self._pieces], self._coming[self._pieces :]
        return bytes(piece)

    def gettimeout(self) -> float | None:
        """None."""

    def settimeout(self, _: object) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Remember it."""
        self.closed = True
        self._close()


def socket_of(answer: Answerer, pieces: int = 1 << 16) -> socket.socket:
    """A socket to such a server."""
    return cast("socket.socket", ScriptedSocket(answer, pieces))


def credentials(token: str | None = None) -> "Credentials":
    """Credentials."""
    return SimpleNamespace(access_key="AKIA", secret_key="secret", token=token)


def client_to(client: "S3Client", answer: Answerer, token: str | None = None) -> FastClient:
    """A fast client beside this client, to such a server."""
    return FastClient(client, lambda: credentials(token), lambda _host, _port, _tls: lambda: socket_of(answer))
