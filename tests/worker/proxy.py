"""A small HTTP proxy before a fake S3, which does what a network and a busy S3 do: refuse, delay, cut, lose answers."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the proxy sees it; the key is decoded."""

    method: str
    key: str
    query: str
    headers: dict[str, str]

    @property
    def operation(self) -> str:
        """S3's name for the requests that the tests speak of, the method for others."""
        if self.method == "POST" and self.query.startswith("restore"):
            return "RestoreObject"
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "UploadPartCopy" if "partNumber" in self.query else "CopyObject"
        return {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject"}.get(self.method, self.method)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the proxy's own, instead of the server's."""

    status: int
    code: str = ""
    message: str = ""


CUT = "cut"
"""Close the connection without passing the request on."""

LOSE = "lose"
"""Pass the request on, and close the connection without passing the answer back."""

Fault = Reply | str | None
Decide = Callable[[Request], Fault]


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
    server_host: ClassVar[str]
    decide: ClassVar[Decide]
    seen: ClassVar[Seen]

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests look at `Seen`."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(path.lstrip("/").partition("/")[2]), query, headers)
        self.seen.requests.append(request)
        fault = type(self).decide(request)
        if isinstance(fault, Reply):
            text = f"<?xml version='1.0'?><Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
            self._send(fault.status, {"Content-Type": "application/xml"}, text.encode())
            return
        if fault != CUT:
            self._forward(body, back=fault != LOSE)
        if fault:
            self.close_connection = True

    def _forward(self, body: bytes, *, back: bool) -> None:
        with closing(http.client.HTTPConnection(self.server_host, timeout=20)) as connection:
            connection.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            if back:
                kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
                self._send(answer.status, kept, content, length=answer.getheader("Content-Length"))

    def _send(self, status: int, headers: dict[str, str], content: bytes, *, length: str | None = None) -> None:
        """Send an answer; the answer to a HEAD tells the length of what it doesn't bring."""
        head = self.command == "HEAD"
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", (length or "0") if head else str(len(content)))
        self.end_headers()
        if not head:
            self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 (http.server's names)


_HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}


@contextmanager
def faulty(server: str, decide: Decide) -> Iterator[Seen]:
    """A proxy to the server; `decide` says for each request what goes wrong, None for nothing."""
    seen = Seen()
    handler = type(
        "Handler", (_Handler,), {"server_host": urlsplit(server).netloc, "decide": staticmethod(decide), "seen": seen}
    )
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    proxy.daemon_threads = True
    seen.endpoint = f"http://127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
