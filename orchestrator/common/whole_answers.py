"""
boto3's S3 clients, but for answers that arrived whole and prove what they say. Calls S3.

http.client takes the end of a connection for the end of the headers, and a header that it can't read for the
beginning of the body; botocore takes any answer with a good status for what was asked for, and lets errors of Python's
out where it can't read one.
"""

import http.client
from collections.abc import Mapping, MutableMapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.exceptions import HTTPClientError
from botocore.parsers import ResponseParserError, ResponseParserFactory

from orchestrator.common.proofs import what_is_wrong

UNPROVEN = "UnprovenAnswer"
"""The code of an answer that proves nothing: ours, no word of S3's."""

_ERROR, _SERVER_ERROR = 300, 500

_LINE_ENDS = (b"\r\n", b"\n")


class UnreadableError(HTTPClientError):
    """An answer that can't be read, as an error of botocore's own family."""

    fmt = "{error}"


class CarefulParsers(ResponseParserFactory):
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


def believe_whole_answers_only(client: Any) -> None:
    """Have an S3 client ask again for what isn't whole or proves nothing; after the last try it is an error."""
    for scheme, pool, connection in (
        ("http", AWSHTTPConnectionPool, AWSHTTPConnection),
        ("https", AWSHTTPSConnectionPool, AWSHTTPSConnection),
    ):
        made = type("WholeConnection", (connection,), {"response_class": _WholeHeaders})
        # The dict that the client's pools are made by; botocore has no other way in.
        pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001
        pools[scheme] = type("WholePool", (pool,), {"ConnectionCls": made})
    client.meta.events.register("before-parse.s3", _judge)
    client.meta.events.register_last("before-call.s3", _send_at_once)


class _Lines:
    """What http.client reads status and headers from; last: the line that it read last."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.last = b""

    def readline(self, limit: int) -> bytes:
        self.last = self.raw.readline(limit)
        return self.last

    def close(self) -> None:
        self.raw.close()

    def flush(self) -> None:
        self.raw.flush()


class _WholeHeaders(http.client.HTTPResponse):
    """An answer whose headers ended, each of which could be read."""

    def begin(self) -> None:
        """Read status and headers. Raises http.client.HTTPException, upon which botocore asks again."""
        lines = _Lines(self.fp)
        self.fp: Any = lines
        try:
            super().begin()
        finally:
            if self.fp is lines:
                self.fp = lines.raw
        if lines.last not in _LINE_ENDS or self.headers.defects or self.headers.get_payload():
            raise http.client.HTTPException("the headers broke off, or can't be read")


def _judge(operation_model: Any, response_dict: MutableMapping[str, Any], **_: object) -> None:
    """Make an error of the server's of an answer that proves nothing, as botocore does of a 200 with an error in it."""
    if response_dict["status_code"] >= _ERROR:
        return
    body = response_dict["body"]
    content = body if isinstance(body, bytes) else b""
    wrong = what_is_wrong(operation_model.name, response_dict["status_code"], response_dict["headers"], content)
    if wrong:
        if not isinstance(body, bytes):
            body.close()
        response_dict["status_code"] = _SERVER_ERROR
        message = f"the answer proves nothing: {wrong}; is there a proxy on the way?"
        response_dict["body"] = f"<Error><Code>{UNPROVEN}</Code><Message>{escape(message)}</Message></Error>".encode()


def _send_at_once(params: MutableMapping[str, Any], **_: object) -> None:
    # With it botocore reads the first answer by another class, and takes the end of the connection for "go on".
    params["headers"].pop("Expect", None)
