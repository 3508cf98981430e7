"""boto3 clients for the worker: its timeouts and retries; credentials, region and endpoint are boto3's own."""

import os
import socket
import ssl
import time
from collections.abc import Callable, MutableMapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ConnectionClosedError
from botocore.httpsession import create_urllib3_context, get_cert_path
from botocore.session import Session, get_session
from botocore.utils import get_environ_proxies

from worker.contract.proofs import MAX_BODY_BYTES
from worker.contract.whole_answers import Wire, believe_whole_answers_only, make_failure
from worker.errors import WorkerError
from worker.s3.ask import UnbelievedError
from worker.s3.fast.client import FastClient
from worker.s3.fast.connection import LONGEST_ANSWER, connect
from worker.s3.fast.signing import Credentials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 10
STATE_READ_TIMEOUT_S = 60
STATE_ATTEMPTS = 10
OBJECT_READ_TIMEOUT_S = 300
"""
Seconds without a byte of an answer, at most. CopyObject answers when the copy is made, which for 5 GB can take minutes;
S3 sends white space meanwhile.
"""

_WIRE = Wire(
    monotonic=time.monotonic,
    # Not a TLS socket's own way, which would go on in plain text.
    hang_up=lambda connection: socket.socket.shutdown(connection, socket.SHUT_RDWR),
    broken=lambda error, request: ConnectionClosedError(error=error, request=request, endpoint_url=request.url),
)


@cache
def session() -> Session:
    """
    The process's session: boto3's own, made without importing boto3.

    A boto3 client is a botocore client with methods for files and folders added, which take a tenth of a second to
    import and which nothing here uses.
    """
    return get_session()


def state_client() -> "S3Client":
    """
    The client for the lot and the results: botocore's standard retries, as each of its requests may be repeated.

    Raises WorkerError when boto3 isn't set up well enough to make one.
    """
    client = _client(
        Config(
            retries={"mode": "standard", "total_max_attempts": STATE_ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=STATE_READ_TIMEOUT_S,
            tcp_keepalive=True,
        )
    )
    # A lot is read while its keys are worked on: its answer may be long, and take long.
    believe_whole_answers_only(client, wire=_WIRE, lost=partial(make_failure, code="IncompleteAnswer"))
    return client


def object_client(connections: int, *, read_timeout_s: float = OBJECT_READ_TIMEOUT_S) -> "S3Client":
    """
    The client for the lot's objects: each request is sent once, and the loop decides about another.

    botocore's own retries would repeat a copy whose answer got lost, which on a versioned bucket makes a
    second billed version; and they hide throttling from our pacing, then fail the key when their quota is
    empty. One client serves all threads: boto3 clients are safe to share.

    connections: requests in flight at once, at most. read_timeout_s: how long an answer is waited for.
    Raises WorkerError when boto3 isn't set up well enough, or finds no credentials.
    """
    client = _client(
        Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            tcp_keepalive=True,
            max_pool_connections=connections,
            # No request to an object has a body worth a checksum of its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    carry_expires_as_it_is(client)
    believe_whole_answers_only(
        client, wire=_WIRE, lost=_give_up, max_bytes=MAX_BODY_BYTES, max_s=LONGEST_ANSWER * read_timeout_s
    )
    try:
        found = session().get_credentials()
    except BotoCoreError as error:
        raise WorkerError(f"no credentials: {error}") from error
    if not found:
        raise WorkerError("no credentials: boto3 finds none in the environment, a profile or the task's role")
    return client


def fast_client(client: "S3Client") -> FastClient | None:
    """
    The fast client beside this client for the objects; None where there is a proxy, which boto3 alone knows to use.

    It has the client's timeouts, and checks certificates as botocore does, by the same context and the same settings
    (AWS_CA_BUNDLE, ca_bundle in a profile, REQUESTS_CA_BUNDLE, else botocore's own list).
    """
    if get_environ_proxies(client.meta.endpoint_url):
        return None
    found = session().get_credentials()

    @cache
    def context() -> ssl.SSLContext:
        made: ssl.SSLContext = create_urllib3_context()
        # What urllib3 does by itself after the handshake: the certificate must be the host's.
        made.check_hostname = True
        made.load_verify_locations(_ca_bundle())
        return made

    read_timeout_s: float = client.meta.config.read_timeout  # type: ignore[attr-defined]  # made of Config's options

    def door(host: str, port: int, tls: bool) -> Callable[[], socket.socket]:  # noqa: FBT001 (as the fast client calls it)
        checks = context() if tls else None
        timeouts = {"connect_timeout_s": CONNECT_TIMEOUT_S, "read_timeout_s": read_timeout_s}
        return partial(connect, host, port, checks, **timeouts)

    def credentials() -> Credentials | None:
        frozen: Any = found and found.get_frozen_credentials()
        given: Credentials | None = frozen if frozen and frozen.access_key and frozen.secret_key else None
        return given

    return FastClient(client, credentials, door)


def _ca_bundle() -> str:
    """The file of trusted certificates that botocore uses."""
    configured: str = session().get_config_variable("ca_bundle")
    return configured or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(verify=True) or ""


def carry_expires_as_it_is(client: "S3Client") -> None:
    """
    Let this client's create_multipart_upload take `ExpiresString`, as HeadObject's answer has it.

    botocore takes `Expires` as a date only and writes it in its own form, while S3 keeps any text
    (botocore 1.44.5, handlers.handle_expires_header): the header must go out as it came in.
    """

    def take(params: MutableMapping[str, Any], context: MutableMapping[str, Any], **_: object) -> None:
        context["expires_string"] = params.pop("ExpiresString", None)

    def give(params: MutableMapping[str, Any], context: MutableMapping[str, Any], **_: object) -> None:
        if context.get("expires_string") is not None:
            params["headers"]["Expires"] = context["expires_string"]

    client.meta.events.register("before-parameter-build.s3.CreateMultipartUpload", take)
    client.meta.events.register("before-call.s3.CreateMultipartUpload", give)


def _give_up(answer: MutableMapping[str, Any], why: str) -> None:
    """Raise past botocore that an answer is lost."""
    raise UnbelievedError(error=why, status=answer["status_code"])


def _client(config: Config) -> "S3Client":
    try:
        return cast("S3Client", session().create_client("s3", config=config))
    except (BotoCoreError, ValueError) as error:
        # ValueError: an endpoint that is no URL.
        raise WorkerError(f"boto3 can't be set up: {error}") from error
