"""
The answers to the three requests: HTTP -> boto3's answers. Pure.

What each header is called, and of which type it is, is read from botocore's own model of S3.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.utils import parse_timestamp

from worker.answers import Answer
from worker.fast.connection import Reply, StrangeError
from worker.fast.sending import COPY, HEAD, OPERATIONS, RESTORE, members

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_OK, _ACCEPTED = 200, 202
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

_NEEDED = ("ContentLength", "ETag", "LastModified")
_NOT_UNDERSTOOD = frozenset(
    {"SSECustomerAlgorithm", "SSECustomerKeyMD5", "MissingMeta", "DeleteMarker", "ContentRange"}
)
"""What a HEAD may say that is for the careful lane: it concerns few objects, and each of them in its own way."""

_METADATA = "x-amz-meta-"
_FLAT_XML = re.compile(
    r"\s*(?:<\?xml [^<>]*\?>)?\s*<(\w+)(?: xmlns=[\"'][^\"'<>]*[\"'])?>"
    r"((?:\s*<(\w+)>[^<>]*</\3>|\s*<\w+/>)*)\s*</\1>\s*"
)
_FIELD = re.compile(r"<(\w+)(?:/>|>([^<]*)</\1>)")
_ENTITY = re.compile(r"&(\w+|#\d{1,5});")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "#34": '"', "#39": "'"}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_HTTP_DATE_LENGTH = 29


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
        """What S3 said: boto3's answer, or the error. Raises StrangeError for all that isn't understood."""
        try:
            found = self._understand(operation, reply)
        except (ValueError, KeyError, OverflowError) as error:
            raise StrangeError(f"an answer that can't be read: {error}", sent=True) from error
        if found is None:
            raise StrangeError(f"status {reply.status}: {reply.body[:200]!r}", sent=True)
        return found

    def _understand(self, operation: str, reply: Reply) -> Mapping[str, Any] | Answer | None:
        good = reply.status == _OK or (reply.status == _ACCEPTED and operation == RESTORE)
        if not good:
            return _error(operation, reply)
        told = self._told(operation, reply)
        if operation == RESTORE:
            return None if reply.body else told
        if operation == COPY:
            result = _flat(reply.body, "CopyObjectResult")
            if not result or "ETag" not in result:
                return None
            told["CopyObjectResult"] = {
                name: self._result[name](text) for name, text in result.items() if name in self._result
            }
            return told
        if any(name not in told for name in _NEEDED) or not _NOT_UNDERSTOOD.isdisjoint(told):
            return None
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


def _error(operation: str, reply: Reply) -> Answer | None:
    """An error that is understood, None for any other."""
    if operation == HEAD:
        return Answer(code=str(reply.status), http_status=reply.status) if reply.status in _HEAD_ERRORS else None
    error = _flat(reply.body, "Error")
    if not error or (reply.status, error.get("Code")) not in _ERRORS:
        return None
    return Answer(code=error["Code"], http_status=reply.status, message=error.get("Message", ""))


def _flat(body: bytes, root: str) -> dict[str, str] | None:
    """The fields of an XML document that is one level deep, None for any other, or one with another root."""
    text = body.decode()
    match = _FLAT_XML.fullmatch(text)
    if not match or match[1] != root or "\r" in text:
        return None
    fields = _FIELD.findall(match[2])
    told = {name: _unescaped(value) if "&" in value else value for name, value in fields}
    return told if len(told) == len(fields) else None


def _unescaped(text: str) -> str:
    """The text with its entities resolved. Raises KeyError for one that isn't known, ValueError for a stray `&`."""
    if text.count("&") != len(_ENTITY.findall(text)):
        raise ValueError("a stray ampersand")
    return _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)


def _expires(text: str) -> dict[str, Any]:
    """
    What boto3 makes of an Expires header: its text, and a date where botocore can read one.

    Raises ValueError for an empty one, which botocore itself stumbles over.
    """
    if not text:
        raise ValueError("an empty date")
    try:
        return {"ExpiresString": text, "Expires": parse_timestamp(text)}
    except (ValueError, RuntimeError):
        return {"ExpiresString": text}


def _date(text: str) -> datetime:
    """A date of HTTP's (IMF-fixdate, RFC 9110) or of ISO 8601. Raises ValueError, KeyError for any other text."""
    if len(text) == _HTTP_DATE_LENGTH and text.endswith(" GMT"):
        day, month, year = int(text[5:7]), _MONTHS[text[8:11]], int(text[12:16])
        return datetime(year, month, day, int(text[17:19]), int(text[20:22]), int(text[23:25]), tzinfo=UTC)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a date without a time zone")
    return found


def _number(text: str) -> int:
    if not text.isdigit():
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
