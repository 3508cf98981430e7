"""
boto3 clients of every AWS service used here, and what botocore's errors mean. Calls AWS.

Credentials, region, profile and endpoint are boto3's own: this module adds retries and timeouts only.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError, ResponseParserFactory

from orchestrator.errors import S3ReclassError
from worker.contract import EXPIRED_CREDENTIALS, UNKNOWN_CREDENTIALS, Wire, believe_whole_answers_only, make_failure

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
MAX_ATTEMPTS = 8

DENIED = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403"}

_WIRE = Wire(
    monotonic=time.monotonic,
    # Not a TLS socket's own way, which would go on in plain text.
    hang_up=lambda connection: socket.socket.shutdown(connection, socket.SHUT_RDWR),
    broken=lambda error, request: ConnectionClosedError(error=error, request=request, endpoint_url=request.url),
)


@cache
def session() -> boto3.Session:
    """The process's one boto3 session. Raises S3ReclassError when the profile doesn't exist."""
    with aws_errors("reading the AWS configuration"):
        core = botocore.session.get_session()
        core.register_component("response_parser_factory", _CarefulParsers())
        return boto3.Session(botocore_session=core)


def account_id() -> str:
    """The account of these credentials; asking needs no permission (STS API Reference, GetCallerIdentity)."""
    with aws_errors("asking for the account of the credentials"):
        return str(client("sts").get_caller_identity()["Account"])


def client(service: str, **config: Any) -> Any:
    """
    A boto3 client with retries and timeouts that suit a launcher; S3's believes only answers that prove what they say.

    config: further botocore Config fields, or others than ours.
    Raises S3ReclassError when no region or profile can be found.
    """
    retries = {"mode": "standard", "max_attempts": MAX_ATTEMPTS}
    given = {"retries": retries, "connect_timeout": CONNECT_TIMEOUT_S, "read_timeout": READ_TIMEOUT_S, **config}
    settings = Config(**given)
    with aws_errors(f"connecting to {service}"):
        made: Any = session().client(service, config=settings)  # type: ignore[call-overload]  # the service is a variable
        if service == "s3":
            _believe_proven_answers(made)
        return made


def _believe_proven_answers(client: Any) -> None:
    """Have an S3 client ask again for what isn't whole or proves nothing; UnprovenAnswer is our code for it."""

    def lost(answer: Any, why: str) -> None:
        make_failure(answer, f"the answer proves nothing: {why}; is there a proxy on the way?", code="UnprovenAnswer")

    believe_whole_answers_only(client, wire=_WIRE, lost=lost)


class UnreadableError(HTTPClientError):
    """An answer that can't be read, as an error of botocore's own family."""

    fmt = "{error}"


class _CarefulParsers(ResponseParserFactory):
    """botocore's parsers, whose only error for an answer that can't be read is UnreadableError."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol."""
        return _CarefulParser(super().create_parser(protocol_name))


class _CarefulParser:
    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """What the answer says. Raises UnreadableError: no date, no number, no XML, nothing that was expected."""
        try:
            return self._parser.parse(response, shape)
        except (ResponseParserError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise UnreadableError(error=f"the answer can't be read: {str(error)[:200]}") from error
        except RecursionError as error:
            raise UnreadableError(error="the answer can't be read: it nests too deeply") from error


def error_code(error: Exception) -> str:
    """AWS's code of an error (`AccessDenied`), or "" when AWS didn't answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """A block whose botocore errors become an S3ReclassError; doing: what was tried, as "reading the stack"."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise explain(error, doing) from error


def explain(error: BotoCoreError | ClientError, doing: str) -> S3ReclassError:
    """The error in words: what was tried, what AWS said, and what to do next."""
    return S3ReclassError(f"{doing}: {_advice(error)}")


_ADVICE: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        "no AWS credentials were found: set AWS_PROFILE, or run `aws configure` or `aws sso login`",
    ),
    ((NoRegionError,), "no AWS Region is set: set AWS_REGION (eu-west-1, say) or a region in your AWS profile"),
    ((ProfileNotFound,), "{error}: check AWS_PROFILE, or run `aws configure list-profiles`"),
    (
        (SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError),
        "the SSO session has ended: run `aws sso login`",
    ),
    (
        (EndpointConnectionError, HTTPClientError),
        "no connection ({error}): check the network, the Region and AWS_ENDPOINT_URL",
    ),
)


def _advice(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return _advice_on_answer(error)
    words = next((words for kinds, words in _ADVICE if isinstance(error, kinds)), "{error}")
    return words.format(error=error)


def _advice_on_answer(error: ClientError) -> str:
    code = error_code(error)
    message = str(error.response.get("Error", {}).get("Message", "")).strip() or str(error)
    if code in EXPIRED_CREDENTIALS:
        return "the AWS credentials have expired: get new ones (`aws sso login`, say) and run the command again"
    if code in UNKNOWN_CREDENTIALS:
        return f"AWS doesn't know these credentials ({code}): check them with `aws sts get-caller-identity`"
    if code in DENIED:
        return (
            f"AWS denied it ({code}: {message}): the IAM policy of your credentials must allow {error.operation_name}"
        )
    return f"{code}: {message}"
