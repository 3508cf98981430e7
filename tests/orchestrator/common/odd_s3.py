"""A server that gives the answers that it was told to, byte by byte as they are, and then hangs up."""

import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from orchestrator.common.aws_sessions import client


@dataclass(kw_only=True)
class OddS3:
    """
    The server.

    answers: given one after the other, the last again and again. asked: the first line of each request.
    """

    answers: Sequence[bytes]
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def client(self, attempts: int = 1) -> Any:
        """The launcher's S3 client, to this server, with so many tries."""
        return client(
            "s3", retries={"mode": "standard", "total_max_attempts": attempts}, s3={"addressing_style": "path"}
        )


@contextmanager
def odd_s3(*answers: bytes) -> Iterator[OddS3]:
    """A block in which the server runs."""
    odd = OddS3(answers=answers)

    class Handler(socketserver.StreamRequestHandler):
        """One request and its answer."""

        def handle(self) -> None:
            lines = list(iter(self.rfile.readline, b"\r\n"))
            if not lines or lines == [b""]:
                return
            headers = dict(line.decode().lower().strip().split(": ", 1) for line in lines[1:])
            self.rfile.read(int(headers.get("content-length", 0)))
            odd.asked.append(lines[0].decode().strip())
            self.wfile.write(odd.answers[min(len(odd.asked), len(odd.answers)) - 1])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        odd.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield odd
        server.shutdown()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer with its headers, `_` in their names for `-`, and the body's length unless one is given."""
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body
