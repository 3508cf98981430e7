"""The fast client itself: which endpoint a bucket has, whose credentials sign, and which keys it is for."""

import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from worker.decide.judge_error import Answer
from worker.s3.fast.build_request import OPERATIONS, Request, Sending
from worker.s3.fast.connection import Connection, ConnectionTimeouts
from worker.s3.fast.parse_response import Reading
from worker.s3.fast.reply import UnexpectedAnswerError
from worker.s3.fast.signing import ALGORITHM, Credentials, Signer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CREDENTIALS_S = 5.0
"""How long credentials are used before boto3's session is asked again, in seconds; it renews them minutes ahead."""

STRANGE_IN_A_ROW = 100
REST_S = 60.0
"""After this many unexpected answers in a row, the fast client rests for REST_S seconds."""

REMEMBERED = 20_000
"""Keys known to be for boto3's client, at most; one that is forgotten is only found to be strange again."""

_PROBE_KEY = "k"
_PLAIN_HEADERS = frozenset(
    {
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "content-length",
        "user-agent",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
    }
)
"""What botocore sends with a HEAD in an ordinary bucket; another header means a bucket with its own rules."""

_SCOPE = re.compile(ALGORITHM + r" Credential=[^,]*/\d{8}/([^/,]+)/(s3)/aws4_request, .*")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """
    How a bucket is reached, as botocore decided it.

    connect: makes a socket. host: the Host header. prefix: what goes before the key in the path.
    idle: connections for the next requests.
    """

    connect: Callable[[], socket.socket]
    host: str
    prefix: str
    signer: Signer
    idle: deque[Connection] = field(default_factory=deque)


class FastClient:
    """
    Asks S3 for the three operations. Safe to share between threads.

    client: boto3's; asked, without sending anything, how it would reach each bucket.
    credentials: boto3's, renewed as boto3 does it; None when there are none.
    door: for a host and port, with TLS or without: what connects to it.
    clock: seconds, monotonic. now: seconds since 1970.
    """

    def __init__(
        self,
        client: "S3Client",
        credentials: Callable[[], Credentials | None],
        door: Callable[[str, int, bool], Callable[[], socket.socket]],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._prober = _Prober(client)
        self._watch = ConnectionTimeouts()
        self._credentials = credentials
        self._door = door
        self._clock = clock
        self._now = now
        self._sending = Sending(client.meta.service_model)
        self._reading = Reading(client.meta.service_model)
        self._lock = threading.Lock()
        self._addresses: dict[str, Address | None] = {}
        self._frozen: Credentials | None = None
        self._frozen_until = self._rests_until = clock()
        self._second = (0, "")
        self._strange: dict[tuple[str, str], None] = {}
        self._in_a_row = 0

    def takes(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        """Whether a request is for this s3_client: one of the three, for a key that had no strange answer yet."""
        return (
            operation in OPERATIONS
            and (parameters["Bucket"], parameters["Key"]) not in self._strange
            and (self._in_a_row < STRANGE_IN_A_ROW or self._is_rested())
        )

    def ask(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Answer:
        """
        What S3 said: boto3's answer, or an error of the well-known ones.

        Raises UnexpectedAnswerError for anything else; the key is for boto3's client then.
        """
        try:
            found = self._ask(operation, parameters)
        except UnexpectedAnswerError:
            self._note_strange(parameters["Bucket"], parameters["Key"])
            raise
        self._in_a_row = 0
        return found

    def close(self) -> None:
        """Close the connections that aren't in use."""
        self._watch.end()
        with self._lock:
            self._forget_addresses()

    def _ask(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Answer:
        request = self._sending.request(operation, parameters)
        address = self._address(parameters["Bucket"])
        content = self._signed(request, address)
        connection = self._connection(address)
        try:
            found = self._reading.understand(operation, connection.exchange(content, bodiless=request.method == "HEAD"))
        except UnexpectedAnswerError:
            # Who knows what comes next on it.
            connection.close()
            raise
        if connection.reusable:
            address.idle.append(connection)
        else:
            connection.close()
        return found

    def _signed(self, request: Request, address: Address) -> bytes:
        """The bytes to send."""
        credentials = self._current_credentials()
        at = self._timestamp()
        headers = request.headers
        headers["host"] = address.host
        headers["x-amz-content-sha256"] = request.body_hash
        headers["x-amz-date"] = at
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        path = address.prefix + request.path
        authorization = address.signer.authorization(
            credentials,
            at,
            (request.method, path, request.canonical_query),
            headers,
            request.body_hash,
        )
        target = f"{path}?{request.query}" if request.query else path
        told = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        length = "" if request.method == "HEAD" else f"content-length: {len(request.body)}\r\n"
        head = f"{request.method} {target} HTTP/1.1\r\n{told}{length}authorization: {authorization}\r\n\r\n"
        return head.encode("ascii") + request.body

    def _timestamp(self) -> str:
        """Now, as `x-amz-date` has it; made once a second."""
        second, text = self._second
        now = int(self._now())
        if now != second:
            text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
            self._second = (now, text)
        return text

    def _current_credentials(self) -> Credentials:
        """The credentials, asked for again every few seconds. Raises UnexpectedAnswerError when there are none."""
        frozen = self._frozen
        if frozen is None or self._clock() >= self._frozen_until:
            try:
                frozen = self._credentials()
            except (BotoCoreError, ClientError) as error:
                raise UnexpectedAnswerError(f"no credentials: {error}", sent=False) from error
            if frozen is None:
                raise UnexpectedAnswerError("no credentials", sent=False)
            self._frozen, self._frozen_until = frozen, self._clock() + CREDENTIALS_S
        return frozen

    def _connection(self, address: Address) -> Connection:
        """The connection that was used last and is free, or a new one."""
        while True:
            try:
                connection = address.idle.pop()
            except IndexError:
                return self._watch.over(Connection(address.connect))
            if connection.is_clean():
                return connection
            connection.close()

    def _address(self, bucket: str) -> Address:
        """How the bucket is reached, found out once. Raises UnexpectedAnswerError for a bucket of boto3's."""
        address = self._addresses.get(bucket)
        if address is None:
            with self._lock:
                if bucket not in self._addresses:
                    self._addresses[bucket] = self._find(bucket)
                address = self._addresses[bucket]
        if address is None:
            raise UnexpectedAnswerError(f"{bucket} is no ordinary bucket", sent=False)
        return address

    def _find(self, bucket: str) -> Address | None:
        """The bucket's address, None where botocore would do more than sign plainly. Raises UnexpectedAnswerError."""
        asked = self._prober.request_for(bucket)
        if asked is None:
            raise UnexpectedAnswerError(f"botocore can't reach {bucket}", sent=False)
        headers = {name.lower(): _decoded(value) for name, value in asked.headers.items()}
        scope = _SCOPE.fullmatch(headers.get("authorization", ""))
        url = urlsplit(str(asked.url))
        if not scope or not headers.keys() <= _PLAIN_HEADERS or url.query or not url.path.endswith(f"/{_PROBE_KEY}"):
            return None
        host = url.hostname or ""
        port = _PORTS[url.scheme]
        named = f"[{host}]" if ":" in host else host
        return Address(
            connect=self._door(host, url.port or port, url.scheme == "https"),
            host=named if url.port in (None, port) else f"{named}:{url.port}",
            prefix=url.path[: -len(_PROBE_KEY)],
            signer=Signer(scope[1], scope[2]),
        )

    def _note_strange(self, bucket: str, key: str) -> None:
        with self._lock:
            self._strange[bucket, key] = None
            if len(self._strange) > REMEMBERED:
                del self._strange[next(iter(self._strange))]
            self._in_a_row += 1
            if self._in_a_row == STRANGE_IN_A_ROW:
                self._rests_until = self._clock() + REST_S

    def _is_rested(self) -> bool:
        """Whether the fast client may be tried again; by then botocore may know better where a bucket is."""
        with self._lock:
            if self._in_a_row >= STRANGE_IN_A_ROW and self._clock() >= self._rests_until:
                self._in_a_row = 0
                self._forget_addresses()
            return self._in_a_row < STRANGE_IN_A_ROW

    def _forget_addresses(self) -> None:
        known, self._addresses = self._addresses, {}
        for address in known.values():
            while address and address.idle:
                address.idle.pop().close()


class _Prober:
    """Lets botocore make a HEAD and keeps it from being sent: endpoint, addressing and scope are its own choice."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client
        self._local = threading.local()
        # The signing is registered for S3 alone, and so done before what is registered for all services.
        client.meta.events.register_last("request-created", self._keep)

    def request_for(self, bucket: str) -> AWSRequest | None:
        """The request that botocore would send, None when it makes none."""
        self._local.asks = True
        try:
            self._client.head_object(Bucket=bucket, Key=_PROBE_KEY)
        except _KeptError as kept:
            return kept.request
        except (BotoCoreError, ClientError):
            return None
        finally:
            self._local.asks = False
        return None

    def _keep(self, request: AWSRequest, **_: object) -> None:
        if getattr(self._local, "asks", False):
            raise _KeptError(request)


class _KeptError(Exception):
    """A request that was made and isn't to be sent."""

    def __init__(self, request: AWSRequest) -> None:
        super().__init__()
        self.request = request


def _decoded(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
