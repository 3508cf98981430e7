"""
The fake cloud of `launcher.py` by HTTP, on one port of this machine: an S3 for the state, and ECS; every call counted.

The launcher talks to it through real boto3 clients and sockets. It tells us its time whenever it would sleep.
"""

import json
import sys
from bisect import bisect_left
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import IPPROTO_TCP, TCP_NODELAY
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from benchmarks.fake_tasks import Cloud, answer_ecs


class Handler(BaseHTTPRequestHandler):
    """S3 and ECS by HTTP, as far as the launcher asks."""

    protocol_version = "HTTP/1.1"
    cloud: Cloud

    def setup(self) -> None:
        """Answer at once: headers and body are two small writes."""
        super().setup()
        self.connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """GetObject, ListObjectsV2, and what was counted."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        with self.cloud.lock:
            if url.path == "/-/calls":
                self._answer(200, json.dumps(self.cloud.calls).encode())
                self.cloud.calls.clear()
            elif "list-type" in query:
                self._list(query)
            else:
                self._get(unquote(url.path).split("/", 2)[2])

    def do_PUT(self) -> None:
        """PutObject."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = unquote(urlsplit(self.path).path).split("/", 2)[2]
        with self.cloud.lock:
            self.cloud.calls["S3 PutObject"] += 1
            there = self.cloud.get(key)
            wanted = self.headers.get("If-Match")
            if (self.headers.get("If-None-Match") and there is not None) or (wanted and wanted != _etag(there or b"")):
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            self.cloud.put(key, body)
        self._answer(200, b"", ETag=_etag(body))

    def do_DELETE(self) -> None:
        """DeleteObject."""
        with self.cloud.lock:
            self.cloud.calls["S3 DeleteObject"] += 1
        self._answer(204, b"")

    def do_POST(self) -> None:
        """ECS, and the launcher's clock."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        with self.cloud.lock:
            if self.path == "/-/clock":
                self.cloud.pass_time(body)
                self._answer(200, b"")
                return
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            self.cloud.calls[f"ECS {operation}"] += 1
            status, answer = answer_ecs(self.cloud, operation, body)
        self._answer(status, json.dumps(answer).encode(), Content_Type="application/x-amz-json-1.1")

    def _get(self, key: str) -> None:
        self.cloud.calls["S3 GetObject"] += 1
        content = self.cloud.get(key)
        if content is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        told = {"ETag": _etag(content), "Last_Modified": self.date_time_string()}
        wanted = self.headers.get("Range")
        if wanted is None:
            self._answer(200, content, **told)
            return
        first, last = map(int, wanted.removeprefix("bytes=").split("-"))
        some = content[first : last + 1]
        self._answer(206, some, **told, Content_Range=f"bytes {first}-{first + len(some) - 1}/{len(content)}")

    def _list(self, query: dict[str, str]) -> None:
        self.cloud.calls["S3 ListObjectsV2"] += 1
        names, prefix = self.cloud.names, query.get("prefix", "")
        first = bisect_left(names, query.get("continuation-token", "") or prefix)
        last = bisect_left(names, prefix + "\U0010ffff")
        page = names[first : min(first + 1000, last)]
        more = f"<NextContinuationToken>{names[first + 1000]}</NextContinuationToken>" if first + 1000 < last else ""
        items = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{self._size(name)}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for name in page
        )
        cut = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{more}"
        self._answer(200, f"<ListBucketResult>{cut}{items}</ListBucketResult>".encode())

    def _size(self, name: str) -> int:
        """An object's size; only a lot's is looked at to the byte, and what is made again takes time."""
        return len(self.cloud.get(name) or b"") if "/lots/" in name else 1

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _etag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'


if __name__ == "__main__":
    Handler.cloud = Cloud()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
