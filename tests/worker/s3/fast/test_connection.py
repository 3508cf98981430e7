"""Reading answers from a connection: the plain ones whole, however they come in; all else is strange."""

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.worker.s3.fast.scripted import OK_COPY, OK_COPY_BODY, OK_HEAD, OK_RESTORE, socket_of
from worker.contract.whole_answers import MAX_INTERIM
from worker.s3.clients import fast_client, object_client, session
from worker.s3.fast.client import FastClient
from worker.s3.fast.connection import Connection, ConnectionTimeouts, connect
from worker.s3.fast.reply import UnexpectedAnswerError

RESTORE = {"Bucket": "b", "Key": "k", "RestoreRequest": {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"


def exchange(answer: bytes, *, bodiless: bool = False, pieces: int = 1 << 16) -> tuple[int, bytes, bool]:
    """Status and body of an answer, and whether its connection may be used again."""
    connection = Connection(lambda: socket_of(lambda _: answer, pieces))
    reply = connection.exchange(b"request", bodiless=bodiless)
    return reply.status, reply.body, connection.reusable


@pytest.mark.parametrize("pieces", [1, 7, 100, 1 << 16])
@pytest.mark.parametrize(
    ("answer", "bodiless", "expected"),
    [
        (OK_HEAD, True, (200, b"", True)),
        (OK_COPY, False, (200, OK_COPY_BODY, True)),
        (OK_RESTORE, False, (202, b"", True)),
        (CHUNKED, False, (200, b"abcdefgh", True)),
        (b"HTTP/1.1 503 Slow Down\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", False, (503, b"no", False)),
        (b"HTTP/1.1 404\r\nServer: a\r\nserver: b\r\nContent-Length: 0\r\n\r\n", False, (404, b"", True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, (204, b"", True)),
        (b"HTTP/1.1 102 Processing\r\n\r\n" + OK_HEAD, True, (200, b"", True)),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\na: b\r\n\r\n" + CHUNKED,
            False,
            (200, b"abcdefgh", True),
        ),
    ],
)
def test_a_plain_answer_is_read_whole(
    *, answer: bytes, bodiless: bool, expected: tuple[int, bytes, bool], pieces: int
) -> None:
    """In one piece or byte by byte."""
    assert exchange(answer, bodiless=bodiless, pieces=pieces) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + OK_RESTORE,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * MAX_INTERIM + OK_RESTORE,
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n<html/>..",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\naaaaaaaaaa",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xd9\xa1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nETag: a\r\netag: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx a: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-a: \xe9\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-a: \t\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx-a\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 100_000,
        OK_COPY[:-1],
        OK_COPY + b"x",
        OK_COPY + OK_COPY,
        CHUNKED[:-3],
        CHUNKED[:-2] + b"x-trailer: a\r\n\r\n",
        CHUNKED.replace(b"5\r\n", b"6\r\n"),
        CHUNKED.replace(b"5\r\n", b"5;a=b\r\n"),
        CHUNKED.replace(b"5\r\n", b"ffffffff\r\n"),
        CHUNKED.replace(b"chunked", b"gzip, chunked"),
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 8\r\n\r\n", 1),
    ],
)
def test_anything_else_is_strange_and_the_connection_is_done_with(answer: bytes) -> None:
    """Cut off, more than one, unknown or ambiguous: the request may have been served, and nothing follows on it."""
    connection = Connection(lambda: socket_of(lambda _: answer))

    with pytest.raises(UnexpectedAnswerError) as strange:
        connection.exchange(b"request", bodiless=False)

    assert strange.value.sent
    assert not connection.reusable


def test_a_connection_that_cannot_be_made_has_sent_nothing() -> None:
    """Nothing listens there: that is known, and the request can go another way."""
    with pytest.raises(UnexpectedAnswerError) as strange:
        Connection(lambda: connect("127.0.0.1", 9, None, connect_timeout_s=5, read_timeout_s=5))

    assert not strange.value.sent


class _Once(BaseRequestHandler):
    """Answers the first request on a connection, keeps the second without an answer, then closes."""

    def handle(self) -> None:
        """Serve one connection."""
        try:
            self.request.recv(10_000)
            self.request.sendall(OK_RESTORE)
            self.request.recv(10_000)
        except OSError:
            return


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]  # a TLS socket is one
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
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """A server on loopback; set its context for TLS."""
    with _Server(("127.0.0.1", 0), _Once) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(60)


def test_a_server_that_closes_without_an_answer_is_strange(server: _Server) -> None:
    """On a connection that served before: whether the second request was done isn't known."""
    port = server.server_address[1]
    connection = Connection(lambda: connect("127.0.0.1", port, None, connect_timeout_s=20, read_timeout_s=20))

    first = connection.exchange(b"a", bodiless=False).status
    with pytest.raises(UnexpectedAnswerError) as strange:
        connection.exchange(b"b", bodiless=False)
    connection.close()

    assert first == 202
    assert strange.value.sent


def test_an_answer_that_never_comes_is_given_up(server: _Server) -> None:
    """After the timeout, though the socket itself has none."""
    port = server.server_address[1]
    server.RequestHandlerClass = _Never
    watch = ConnectionTimeouts()
    connection = watch.over(
        Connection(lambda: connect("127.0.0.1", port, None, connect_timeout_s=20, read_timeout_s=0.1))
    )

    with pytest.raises(UnexpectedAnswerError) as strange:
        connection.exchange(b"a", bodiless=False)
    watch.end()
    connection.close()

    assert strange.value.sent


def test_without_a_thread_to_watch_the_deadline_holds_all_the_same(server: _Server) -> None:
    """A task that can't start one more still gives up an answer that never comes, and looks before each request."""

    def none_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    port = server.server_address[1]
    watch = ConnectionTimeouts(start=none_more)
    served = watch.over(Connection(lambda: connect("127.0.0.1", port, None, connect_timeout_s=20, read_timeout_s=20)))
    served.exchange(b"a", bodiless=False)
    clean = served.is_clean()
    server.RequestHandlerClass = _Never
    silent = watch.over(Connection(lambda: connect("127.0.0.1", port, None, connect_timeout_s=20, read_timeout_s=0.1)))

    with pytest.raises(UnexpectedAnswerError) as strange:
        silent.exchange(b"a", bodiless=False)
    silent.close()
    served.close()

    assert (clean, strange.value.sent) == (True, True)


class _Never(BaseRequestHandler):
    """Keeps every request without an answer."""

    def handle(self) -> None:
        """Serve one connection."""
        while self.request.recv(10_000):
            pass


def certificate(folder: Path, name: str) -> Path:
    """A self-signed certificate for this name, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative: x509.GeneralName = x509.DNSName(name) if name.isalpha() else x509.IPAddress(ip_address(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls_client(server: _Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, str], FastClient]]:
    """Makes the worker's fast client to a TLS server with this certificate, trusting what is in that file."""
    clients = []

    def make(served: Path, trusted: str) -> FastClient:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.context.load_cert_chain(served)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{server.server_address[1]}")
        if trusted:
            monkeypatch.setenv("AWS_CA_BUNDLE", trusted)
        session.cache_clear()
        s3_client = fast_client(object_client(1))
        assert s3_client
        clients.append(s3_client)
        return s3_client

    yield make
    for s3_client in clients:
        s3_client.close()


def test_tls_works_with_a_certificate_that_is_trusted(
    tls_client: Callable[[Path, str], FastClient], tmp_path: Path
) -> None:
    """AWS_CA_BUNDLE says what is."""
    path = certificate(tmp_path, "127.0.0.1")

    answer = tls_client(path, str(path)).ask("restore_object", RESTORE)

    assert isinstance(answer, dict)


@pytest.mark.parametrize(("name", "trusted"), [("127.0.0.1", ""), ("elsewhere", "itself")])
def test_tls_refuses_an_unknown_certificate_and_another_hosts(
    name: str, trusted: str, tls_client: Callable[[Path, str], FastClient], tmp_path: Path
) -> None:
    """Nothing is sent then."""
    path = certificate(tmp_path, name)

    with pytest.raises(UnexpectedAnswerError, match="CERTIFICATE_VERIFY_FAILED") as strange:
        tls_client(path, trusted and str(path)).ask("restore_object", RESTORE)

    assert not strange.value.sent
