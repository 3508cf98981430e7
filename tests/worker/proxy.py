"""A small HTTP proxy before a fake S3, which does what a network and a busy S3 do: refuse, hang, cut, lose, garble."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the proxy sees it; the key is decoded."""

    method: str
    key: str
    query: str
    headers: dict[str, str]
    bucket: str = ""

    @property
    def operation(self) -> str:
        """S3's name for the requests that the tests speak of, the method for others."""
        asked = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.method == "POST":
            for word, name in _POSTS.items():
                if word in asked:
                    return name
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "UploadPartCopy" if "partNumber" in asked else "CopyObject"
        return {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject"}.get(self.method, self.method)


_POSTS = {"restore": "RestoreObject", "uploads": "CreateMultipartUpload", "uploadId": "CompleteMultipartUpload"}


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer of the proxy's own, instead of the server's.

    body: None for S3's XML of code and message. headers: beside those of every answer.
    """

    status: int
    code: str = ""
    message: str = ""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


CUT = "cut"
"""Close the connection without passing the request on."""

RESET = "reset"
"""The same with a TCP reset."""

HANG = "hang"
"""Neither pass the request on nor answer, until the client gives up."""

NOISE = "noise"
"""Answer with something that is no HTTP, without passing the request on."""

LOSE = "lose"
"""Pass the request on, and close the connection without passing the answer back."""

LOSE_LATE = "lose late"
"""Pass the request on, and answer nothing until the client gives up."""

SHORT = "short"
"""Pass the request on, and close the connection in the middle of the answer."""

GARBLE = "garble"
"""Pass the request on, and answer 200 with a body that is no XML."""

Fault = Reply | str | None
Decide = Callable[[Request], Fault]
Answer = tuple[int, Mapping[str, str], bytes]
Server = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""What answers requests: method, path with query, headers, body."""


@dataclass
class Seen:
    """What went through: `endpoint` to talk to, and every request in order."""

    endpoint: str = ""
    requests: list[Request] = field(default_factory=list)

    def count(self, operation: str) -> int:
        """How many requests there were of this operation."""
        return sum(request.operation == operation for request in self.requests)


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection of the proxy; made into a class of its own for each proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_of: ClassVar[Server]
    decide: ClassVar[Decide]
    seen: ClassVar[Seen]

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests look at `Seen`."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        bucket, _, key = unquote(path.lstrip("/")).partition("/")
        request = Request(self.command, key, query, headers, bucket)
        self.seen.requests.append(request)
        fault = type(self).decide(request)
        if isinstance(fault, Reply):
            self._send(fault.status, {"Content-Type": "application/xml", **dict(fault.headers)}, _text(fault))
            return
        answer = None
        if fault not in (CUT, RESET, HANG, NOISE):
            answer = type(self).server_of(self.command, self.path, dict(self.headers.items()), body)
        if fault:
            self.close_connection = True
            # The other side may have given up by now.
            with suppress(OSError):
                self._spoil(fault, answer)
        elif answer:
            self._send(*answer)

    def _spoil(self, fault: str, answer: Answer | None) -> None:
        """Do what the fault says with the connection, after the request was passed on where that is part of it."""
        if fault == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == NOISE:
            self.wfile.write(b"\x15\x03\x01\x00\x02\x02\x50 no HTTP at all\r\n\r\n")
        elif fault in (HANG, LOSE_LATE):
            self.connection.recv(1)
        elif fault == SHORT and answer:
            self.wfile.write(f"HTTP/1.1 {answer[0]} OK\r\nContent-Length: {len(answer[2]) + 9}\r\nx-amz-".encode())
            if self.command != "HEAD":
                self.wfile.write(b"id-2: 1\r\n\r\n" + answer[2][: len(answer[2]) // 2])
        elif fault == GARBLE:
            self._send(200, {"Content-Type": "application/xml"}, b"<?xml version='1.0'?><CopyOb\x00\xff")

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        """Send an answer; the answer to a HEAD tells the length of what it doesn't bring."""
        told = {name.lower(): value for name, value in headers.items()}
        head = self.command == "HEAD"
        self.send_response_only(status)
        for name, value in told.items():
            if name not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", told.get("content-length", "0") if head else str(len(content)))
        if not head:
            # In one piece with the headers: two small writes could wait for each other's acknowledgement.
            self._headers_buffer.append(b"\r\n" + content)  # type: ignore[attr-defined]  # http.server's own buffer
            self.flush_headers()
            return
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 (http.server's names)


_HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}


def _text(reply: Reply) -> bytes:
    if reply.body is not None:
        return reply.body
    return f"<?xml version='1.0'?><Error><Code>{reply.code}</Code><Message>{reply.message}</Message></Error>".encode()


def over_http(endpoint: str) -> Server:
    """The server at an endpoint."""
    host = urlsplit(endpoint).netloc

    def answer(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    return answer


@contextmanager
def faulty(server: str | Server, decide: Decide, *, port: int = 0) -> Iterator[Seen]:
    """A proxy to the server, or to the one at an endpoint; `decide` says for each request what goes wrong, or None."""
    seen = Seen()
    answers = over_http(server) if isinstance(server, str) else server
    handler = type(
        "Handler", (_Handler,), {"server_of": staticmethod(answers), "decide": staticmethod(decide), "seen": seen}
    )
    proxy = _Proxy(("127.0.0.1", port), handler)
    seen.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join(60)


class _Proxy(ThreadingHTTPServer):
    """All connections that come, each on a thread that isn't waited for."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away in the middle is what these tests are about."""
