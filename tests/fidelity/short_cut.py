"""The fast client to the documented S3: its bytes are read and answered where they would leave for the network."""

import socket
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, unquote

from tests.fidelity.documented_objects import Request
from tests.fidelity.wire import Wire
from tests.worker.s3.fast.scripted import quiet_pipe
from worker.s3.fast.client import FastClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client


class _Keys:
    """Credentials."""

    access_key = "testing"
    secret_key = "testing"
    token = None


class _Socket:
    """What the fast client takes for a socket: a request goes in whole, its answer comes out whole."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._answers = b""
        self._end, _, self._close = quiet_pipe(self)

    def fileno(self) -> int:
        """Of something that has nothing to read."""
        return self._end

    def sendall(self, data: bytes) -> None:
        """Take a request, and have its answer ready."""
        asked = _request(data)
        status, headers, body = self._wire.ask(asked)
        told = {"Content-Length": str(len(body)), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        self._answers = f"HTTP/1.1 {status} Any\r\n{lines}\r\n".encode("latin-1") + (asked.method != "HEAD") * body

    def recv(self, _: int) -> bytes:
        """The answer."""
        answers, self._answers = self._answers, b""
        return answers

    def gettimeout(self) -> None:
        """None."""

    def settimeout(self, _: object) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Close what stands for it."""
        self._close()


def fast_client(wire: Wire) -> "Callable[[S3Client], FastClient]":
    """What makes the fast client beside a client: it goes where the wire goes."""

    def connect() -> socket.socket:
        return cast("socket.socket", _Socket(wire))

    return lambda client: FastClient(client, _Keys, lambda _host, _port, _tls: connect)


def _request(data: bytes) -> Request:
    """What S3 would read in these bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    method, target, _ = line.split(" ")
    headers = dict(one.split(": ", 1) for one in lines)
    path, _, query = target.partition("?")
    return Request(
        method=method,
        bucket=headers["host"].split(".")[0],
        key=unquote(path)[1:],
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )
