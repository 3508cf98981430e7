"""Somebody between worker and S3: passes requests on, overwrites an object at the worst moment, refuses another."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.system.account import Account

OVERWRITTEN = "overwritten"
"""The key that is overwritten between a worker's look at it and its copy."""

REFUSED = "refused"
"""The key that S3 won't change, for a reason that no table knows."""

_REFUSAL = b"<Error><Code>KMS.DisabledException</Code><Message>The key is disabled.</Message></Error>"


@contextmanager
def meddler(account: Account, box: str) -> Iterator[str]:
    """
    A proxy in front of the box: its endpoint.

    box: the host and port that requests go on to, as they came (so their signatures stay valid).
    """

    class Meddling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            bucket, _, key = self.path.lstrip("/").partition("?")[0].partition("/")
            if key == REFUSED and self.command != "HEAD":
                self._answer(400, {}, _REFUSAL)
                return
            status, headers, answer = _ask(box, self.command, self.path, dict(self.headers), body)
            if key == OVERWRITTEN and self.command == "HEAD":
                account.s3.put_object(Bucket=bucket, Key=key, Body=b"somebody else's")
            self._answer(status, headers, answer)

        do_HEAD = do_GET = do_PUT = do_POST = _pass_on  # noqa: N815 (http.server's names)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests' output is pytest's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Meddling) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _ask(box: str, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """The box's answer to a request: status, headers, body."""
    connection = HTTPConnection(box, timeout=30)
    try:
        # This side has answered it with "100 Continue" already.
        headers.pop("Expect", None)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        # HEAD's Content-Length is the object's, not that of its empty body.
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_CONNECTION}
        return answer.status, kept, answer.read()
    finally:
        connection.close()


_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "date", "server"})
