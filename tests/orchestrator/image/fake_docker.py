"""A Docker engine of a few answers on a loopback port: docker-py talks to it as to a real one."""

import base64
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class FakeDocker:
    """
    What the engine answers and what it was asked.

    url: for DOCKER_HOST.
    system, architecture: its own. image_architecture: what its builds come out as, "" for its own.
    build_lines, push_lines: what it streams; the defaults are of a build and a push that go well.
    on_push: called with repository URI and tag before the push is answered.
    repo_digests: of each image that it has. missing: what it hasn't. in_registry: digests that a registry tells it.
    contexts: the files of each context it was sent. builds, pushes: each request's parameters.
    logins: the user name and password of each push.
    """

    def __init__(self) -> None:
        self.url = ""
        self.system, self.architecture, self.image_architecture = "linux", "amd64", ""
        self.build_lines: list[dict[str, Any]] = [
            {"stream": "Step 1/1 : FROM x\n"},
            {"stream": " ---> 0123456789ab\n"},
            {"aux": {"ID": "sha256:00"}},
        ]
        self.push_lines: list[dict[str, Any]] = [
            {"status": "The push refers to repository [r]"},
            {"status": "Pushing", "progressDetail": {"current": 512, "total": 1024}, "id": "aaaa"},
            {"status": "Pushed", "progressDetail": {}, "id": "aaaa"},
            {"progressDetail": {}, "aux": {"Tag": "t", "Digest": "sha256:00", "Size": 1}},
        ]
        self.on_push: Callable[[str, str], None] = lambda _uri, _tag: None
        self.repo_digests: list[str] = []
        self.missing: set[str] = set()
        self.in_registry: dict[str, str] = {}
        self.contexts: list[dict[str, bytes]] = []
        self.builds: list[dict[str, str]] = []
        self.pushes: list[tuple[str, str]] = []
        self.logins: list[tuple[str, str]] = []

    def get(self, path: str) -> dict[str, Any] | None:
        """The answer to a GET: the engine's version, an image, or what a registry says of one; None for a 404."""
        if path.endswith("/version"):
            return {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": self.system, "Arch": self.architecture}
        kind, name = path.removesuffix("/json").split("/", 3)[2:]
        if kind == "distribution":
            return {"Descriptor": {"digest": self.in_registry[name]}} if name in self.in_registry else None
        if name in self.missing:
            return None
        return {"Architecture": self.image_architecture or self.architecture, "RepoDigests": self.repo_digests}

    def post(self, path: str, query: dict[str, str], headers: Any, body: bytes) -> list[dict[str, Any]]:
        """The lines that answer a build or a push."""
        if path.endswith("/build"):
            self.builds.append(query)
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                self.contexts.append({one.name: _read(tar, one) for one in tar})
            return self.build_lines
        uri = path.partition("/images/")[2].removesuffix("/push")
        self.pushes.append((uri, query["tag"]))
        login = json.loads(base64.urlsafe_b64decode(headers["X-Registry-Auth"]))
        self.logins.append((login["username"], login["password"]))
        self.on_push(uri, query["tag"])
        return self.push_lines


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    assert stream
    return stream.read()


@contextmanager
def serve_docker() -> Iterator[FakeDocker]:
    """A fake engine that listens while the block runs."""
    fake = FakeDocker()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = fake.get(unquote(self.path))
            body = json.dumps({"message": "no such image"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            lines = fake.post(unquote(url.path), query, self.headers, self._body())
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in lines:
                data = json.dumps(line).encode() + b"\r\n"
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    fake.url = f"tcp://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
