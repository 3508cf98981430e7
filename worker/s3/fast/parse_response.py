"""
The answers to the three requests: HTTP -> boto3's answers. Pure.

What each header is called, and of which type it is, is read from botocore's own model of S3.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from botocore.utils import parse_timestamp

from worker.contract.proofs import ERROR, UnprovenError, local_name, prove, told_error
from worker.decide.judge_error import Answer
from worker.s3.fast.build_request import HEAD, OPERATIONS, members
from worker.s3.fast.reply import Reply, UnexpectedAnswerError

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_HEAD_ERRORS = frozenset({404, 412, 503})
"""A HEAD's errors have no body. Of these the status says enough; behind 400 and 403 hides more than one reason."""

_ERRORS = frozenset(
    {
        (400, "InvalidArgument"),
        (400, "ThrottlingException"),
        (403, "AccessDenied"),
        (403, "InvalidObjectState"),
        (403, "ObjectNotInActiveTierError"),
        (403, "ObjectAlreadyInActiveTierError"),
        (404, "NoSuchBucket"),
        (404, "NoSuchKey"),
        (404, "NoSuchVersion"),
        (405, "MethodNotAllowed"),
        (409, "ConditionalRequestConflict"),
        (409, "RestoreAlreadyInProgress"),
        (412, "PreconditionFailed"),
        (503, "GlacierExpeditedRetrievalNotAvailable"),
        (503, "ServiceUnavailable"),
        (503, "SlowDown"),
        (503, "ThrottlingException"),
    }
)
"""The errors that are understood: status and code. Each says that nothing was done."""

_NOT_UNDERSTOOD = frozenset(
    {"SSECustomerAlgorithm", "SSECustomerKeyMD5", "MissingMeta", "DeleteMarker", "ContentRange"}
)
"""What a HEAD may say that is for boto3's client: it concerns few objects, and each of them in its own way."""

_METADATA = "x-amz-meta-"
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_HTTP_DATE_LENGTH = 29
_LONGEST_DATE = 100
_LONGEST_NUMBER = 19


class Reading:
    """What the answers to the three requests say, by botocore's model."""

    def __init__(self, model: "ServiceModel") -> None:
        self._shown: dict[str, dict[str, tuple[str, Callable[[str], Any]]]] = {}
        for operation, (_, name) in OPERATIONS.items():
            self._shown[operation] = {
                shape.serialization["name"].lower(): (member, _READERS[shape.type_name])
                for member, shape in members(model.operation_model(name).output_shape)
                if shape.serialization.get("location") == "header"
            }
        result = dict(members(model.operation_model("CopyObject").output_shape))["CopyObjectResult"]
        self._result = {member: _READERS[shape.type_name] for member, shape in members(result)}

    def understand(self, operation: str, reply: Reply) -> Mapping[str, Any] | Answer:
        """What S3 said: boto3's answer, or the error. Raises UnexpectedAnswerError for all that isn't understood."""
        try:
            return self._understand(operation, reply)
        except (UnprovenError, ValueError, KeyError, OverflowError) as error:
            raise UnexpectedAnswerError(f"an answer that can't be read: {error}", sent=True) from error

    def _understand(self, operation: str, reply: Reply) -> Mapping[str, Any] | Answer:
        """The same. Raises UnprovenError, ValueError, KeyError, OverflowError."""
        name = OPERATIONS[operation][1]
        if reply.status >= ERROR:
            return _error(operation, reply)
        root = prove(name, reply.status, reply.headers, reply.body)
        told = self._told(operation, reply)
        if root is not None:
            told["CopyObjectResult"] = {
                child: self._result[child](text) for child, text in _flat(root).items() if child in self._result
            }
        if not _NOT_UNDERSTOOD.isdisjoint(told):
            raise UnprovenError(f"{name}: a header for boto3's client")
        return told

    def _told(self, operation: str, reply: Reply) -> dict[str, Any]:
        """The answer's headers as boto3 has them."""
        table = self._shown[operation]
        told: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": reply.status}}
        metadata: dict[str, str] = {}
        for name, text in reply.lines:
            lower = name.lower()
            known = table.get(lower)
            if known:
                if lower == "expires":
                    told |= _expires(text)
                else:
                    told[known[0]] = known[1](text)
            elif lower.startswith(_METADATA):
                metadata[name[len(_METADATA) :]] = text
        if operation == HEAD:
            told["Metadata"] = metadata
        return told


def _error(operation: str, reply: Reply) -> Answer:
    """An error that is understood. Raises UnprovenError for any other."""
    code, message = told_error(OPERATIONS[operation][1], reply.status, reply.body)
    known = reply.status in _HEAD_ERRORS if operation == HEAD else (reply.status, code) in _ERRORS
    if not known:
        raise UnprovenError(f"status {reply.status}, {code}: for boto3's client")
    return Answer(code=code, http_status=reply.status, message=message)


def _flat(root: Element) -> dict[str, str]:
    """The fields of an element that is one level deep. Raises UnprovenError for any other."""
    told = {local_name(child): child.text or "" for child in root}
    if len(told) != len(root) or any(len(child) for child in root):
        raise UnprovenError(f"{root.tag} isn't flat")
    return told


def _expires(text: str) -> dict[str, Any]:
    """
    What boto3 makes of an Expires header: its text, and a date where botocore can read one.

    Raises ValueError for an empty one, which botocore itself stumbles over, and for one too long to try.
    """
    if not 0 < len(text) <= _LONGEST_DATE:
        raise ValueError("no date")
    try:
        return {"ExpiresString": text, "Expires": parse_timestamp(text)}
    except (ValueError, RuntimeError):
        return {"ExpiresString": text}


def _date(text: str) -> datetime:
    """A date of HTTP's (IMF-fixdate, RFC 9110) or of ISO 8601. Raises ValueError, KeyError for any other text."""
    if len(text) == _HTTP_DATE_LENGTH and text.endswith(" GMT"):
        day, month, year = _number(text[5:7]), _MONTHS[text[8:11]], _number(text[12:16])
        return datetime(year, month, day, _number(text[17:19]), _number(text[20:22]), _number(text[23:25]), tzinfo=UTC)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a date without a time zone")
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise ValueError("not a whole number")
    return int(text)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


_READERS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": _number,
    "long": _number,
    "boolean": _truth,
    "timestamp": _date,
}
