"""A server whose answers are bytes, as they are: whatever a proxy or a broken S3 may send."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

Answer = Callable[[bytes], Iterable[bytes]]
"""A request -> the pieces of its answer; those may block to come late."""


class RawServer(ThreadingTCPServer):
    """
    Answers each request with whatever `answer` gives at the time.

    keep: whether connections stay open after an answer. requests: all that came. connections: how many there were.
    context: for TLS, None without.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Answer = lambda _: ()
        self.keep = False
        self.context: ssl.SSLContext | None = None
        self.requests: list[bytes] = []
        self.connections = 0
        self._open = 0
        self._changed = threading.Condition()

    def process_request(self, *arguments: Any) -> None:
        """Serve a connection, and count it."""
        with self._changed:
            self._open += 1
        super().process_request(*arguments)

    def shutdown_request(self, *arguments: Any) -> None:
        """End a connection, and tell."""
        super().shutdown_request(*arguments)
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def wait_until_closed(self) -> None:
        """Wait until no connection is open, so that none is used on which its end is still to come."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, timeout=30)

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> Any:
        """The next connection, after its handshake where there is TLS."""
        plain, address = super().get_request()
        if not self.context:
            return plain, address
        try:
            return self.context.wrap_socket(plain, server_side=True), address
        except OSError:
            plain.close()
            raise

    def handle_error(self, *_: object) -> None:
        """Say nothing: a client that goes away is what these tests are about."""


class _Handler(BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        """Serve one connection."""
        self.server.connections += 1
        with suppress(OSError):
            while request := self._request():
                self.server.requests.append(request)
                for piece in self.server.answer(request):
                    self.request.sendall(piece)
                if not self.server.keep:
                    return

    def _request(self) -> bytes:
        """The next request, whole; b"" when the client has closed the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.request.recv(65_536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        told = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < int(told[0] if told else 0):
            body += self.request.recv(65_536)
        return head + b"\r\n\r\n" + body


@contextmanager
def raw_server() -> Iterator[RawServer]:
    """A server on loopback."""
    with RawServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
