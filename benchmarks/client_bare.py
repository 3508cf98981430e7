"""
The least that Python can do for the same requests: sockets and epoll, no signature, no look at the answer but its end.

    python -m benchmarks.client_bare copy lot.csv --connections 64

Nobody could use it: it is what the worker's cost for each request is held against.
"""

import argparse
import os
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

HEADERS = (
    "Host: 127.0.0.1\r\nUser-Agent: bare\r\nX-Amz-Date: 20260101T000000Z\r\n"
    f"X-Amz-Content-SHA256: {'e3' * 32}\r\n"
    f"Authorization: AWS4-HMAC-SHA256 Credential=testing/20260101/eu-west-1/s3/aws4_request, "
    f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={'0' * 64}\r\n"
)
HEAD = "HEAD /{path} HTTP/1.1\r\n" + HEADERS + "\r\n"
COPY = (
    "PUT /{path} HTTP/1.1\r\n" + HEADERS + "x-amz-copy-source: {path}\r\nx-amz-storage-class: STANDARD_IA\r\n"
    "x-amz-metadata-directive: COPY\r\nx-amz-tagging-directive: COPY\r\nContent-Length: 0\r\n\r\n"
)
BODY = "<RestoreRequest><Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters></RestoreRequest>"
RESTORE = f"POST /{{path}}?restore HTTP/1.1\r\n{HEADERS}Content-Length: {len(BODY)}\r\n\r\n{BODY}"
PHASES = {"copy": (HEAD, COPY), "restore": (RESTORE,)}
ANSWER_END = {HEAD: b"\r\n\r\n", COPY: b"</CopyObjectResult>", RESTORE: b"\r\n\r\n"}


@dataclass(slots=True)
class Connection:
    """A connection and the request that is in flight on it. path: its key's. step: which request of the key's."""

    socket: socket.socket
    path: str = ""
    step: int = 0


def paths(lot: Path) -> Iterator[str]:
    """Each key's path."""
    with lot.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").replace(",", "/", 1)


def work_through(todo: Iterator[str], steps: tuple[str, ...], connections: list[Connection]) -> None:
    """Send every key's requests, one key at a time on each connection. Raises ConnectionError for a bad answer."""
    poll = select.epoll()
    busy = {one.socket.fileno(): one for one in connections}
    for number, one in list(busy.items()):
        poll.register(number, select.EPOLLIN)
        one.step = len(steps)
        if not go_on(one, todo, steps):
            del busy[number]
    while busy:
        for number, _ in poll.poll():
            one = busy[number]
            answer = one.socket.recv(65536)
            # The stub sends each answer as one piece, and it is the only one on its connection.
            if not answer.startswith(b"HTTP/1.1 2") or not answer.endswith(ANSWER_END[steps[one.step]]):
                raise ConnectionError(f"not what a stub answers: {answer[:200]!r}")
            one.step += 1
            if not go_on(one, todo, steps):
                del busy[number]


def go_on(one: Connection, todo: Iterator[str], steps: tuple[str, ...]) -> bool:
    """Send the connection's next request, if there is one."""
    if one.step == len(steps):
        one.path, one.step = next(todo, ""), 0
    if not one.path:
        return False
    one.socket.send(steps[one.step].format(path=one.path).encode())
    return True


def main() -> None:
    """Work through a lot; the first bad answer ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("lot", type=Path)
    parser.add_argument("--connections", type=int, default=512)
    options = parser.parse_args()
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    connections = []
    for _ in range(options.connections):
        one = socket.create_connection((endpoint.hostname, endpoint.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(Connection(one))
    work_through(paths(options.lot), PHASES[options.phase], connections)


if __name__ == "__main__":
    main()
