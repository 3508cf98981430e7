"""A bucket for a job's state, kept in memory: as much of S3 as the state needs, conditional writes among it."""

import threading
from collections.abc import Mapping
from hashlib import md5
from xml.sax.saxutils import escape

from tests.fidelity.documented_objects import Request
from tests.worker.server import Answer

STATE = "state"


class StateBucket:
    """
    The bucket `state`.

    files: what is in it. writes: the keys of all writes, in order.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.writes: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        with self._lock:
            if request.method == "PUT":
                return self._put(request.key, request.headers, request.body)
            if not request.key:
                return self._list(request.query)
            return self._get(request.key, request.headers)

    def _put(self, key: str, headers: Mapping[str, str], body: bytes) -> Answer:
        there = self.files.get(key)
        taken = "if-none-match" in headers and there is not None
        other = "if-match" in headers and (there is None or headers["if-match"] != _etag(there))
        if taken or other:
            return _refusal(412, "PreconditionFailed")
        self.files[key] = body
        self.writes.append(key)
        return 200, {"ETag": _etag(body)}, b""

    def _get(self, key: str, headers: Mapping[str, str]) -> Answer:
        content = self.files.get(key)
        if content is None:
            return _refusal(404, "NoSuchKey")
        told = {"ETag": _etag(content), "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT"}
        if "range" not in headers:
            return 200, told, content
        first, last = (int(number) for number in headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(content):
            return _refusal(416, "InvalidRange")
        piece = content[first : last + 1]
        return 206, told | {"Content-Range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}, piece

    def _list(self, query: Mapping[str, str]) -> Answer:
        prefix = query.get("prefix", "")
        names = sorted(name for name in self.files if name.startswith(prefix))
        if "delimiter" in query:
            names = [name for name in names if "/" not in name.removeprefix(prefix)]
        when = "<LastModified>2026-11-22T10:00:00.000Z</LastModified>"
        items = "".join(
            f"<Contents><Key>{escape(name)}</Key>{when}<Size>{len(self.files[name])}</Size></Contents>"
            for name in names
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
        return 200, {"Content-Type": "application/xml"}, text.encode()


def _etag(content: bytes) -> str:
    return f'"{md5(content).hexdigest()}"'  # noqa: S324 (S3's own)


def _refusal(status: int, code: str) -> Answer:
    return status, {}, f"<Error><Code>{code}</Code></Error>".encode()
