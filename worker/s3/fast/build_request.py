"""
The three requests: boto3's arguments -> HTTP. Pure.

What each argument is called on the wire is read from botocore's own model of S3. Only what is named here is ever sent.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from worker.s3.fast.reply import UnexpectedAnswerError
from worker.s3.fast.signing import EMPTY_HASH

if TYPE_CHECKING:
    from botocore.model import ServiceModel, Shape

HEAD, COPY, RESTORE = "head_object", "copy_object", "restore_object"
OPERATIONS: Mapping[str, tuple[str, str]] = {
    HEAD: ("HEAD", "HeadObject"),
    COPY: ("PUT", "CopyObject"),
    RESTORE: ("POST", "RestoreObject"),
}
"""boto3's name -> method, S3's name."""

_PLACE = frozenset({"Bucket", "Key", "VersionId"})
_EVERYWHERE = _PLACE | {"RequestPayer", "ExpectedBucketOwner"}
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    HEAD: _EVERYWHERE | {"ChecksumMode", "IfMatch"},
    RESTORE: _EVERYWHERE | {"RestoreRequest"},
    COPY: (_EVERYWHERE - {"VersionId"})
    | {
        "CopySource",
        "CopySourceIfMatch",
        "IfMatch",
        "IfNoneMatch",
        "StorageClass",
        "MetadataDirective",
        "TaggingDirective",
        "ServerSideEncryption",
        "SSEKMSKeyId",
        "BucketKeyEnabled",
        "WebsiteRedirectLocation",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "ObjectLockLegalHoldStatus",
        "ObjectLockEventHold",
        "ObjectLockEventHoldDurationDays",
        "ObjectLockEventHoldDurationYears",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "ExpectedSourceBucketOwner",
    },
}

_VERSION = re.compile(r"[A-Za-z0-9._-]+")
_BUCKET = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Request:
    """
    A request, but for its host, its date and its signature.

    path: of the key, encoded, without what the bucket's address puts before it.
    query: as it is sent, and, canonical, as it is signed.
    headers: their names in lower case; those that are signed. body_hash: SHA-256 in hex.
    """

    method: str
    path: str
    query: str = ""
    canonical_query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    body_hash: str = EMPTY_HASH


class Sending:
    """What the three requests look like on the wire, by botocore's model."""

    def __init__(self, model: "ServiceModel") -> None:
        self._names: dict[str, dict[str, str]] = {}
        for operation, (_, name) in OPERATIONS.items():
            self._names[operation] = {
                member: shape.serialization["name"].lower()
                for member, shape in members(model.operation_model(name).input_shape)
                if shape.serialization.get("location") == "header" and member in _ARGUMENTS[operation]
            }

    def request(self, operation: str, parameters: Mapping[str, Any]) -> Request:
        """The request that these arguments make. Raises UnexpectedAnswerError for an unknown one."""
        if not parameters.keys() <= _ARGUMENTS[operation]:
            raise UnexpectedAnswerError(f"arguments of {operation} that the fast client doesn't know", sent=False)
        names = self._names[operation]
        headers = {names[name]: _text(value) for name, value in parameters.items() if name in names}
        method = OPERATIONS[operation][0]
        path = quote(parameters["Key"], safe="/~")
        version = parameters.get("VersionId", "")
        version = f"versionId={quote(version, safe='-_.~')}" if version else ""
        if operation != RESTORE:
            return Request(method, path, version, version, headers)
        body, body_hash = _restore_body(*_days_and_tier(parameters["RestoreRequest"]))
        and_version = f"&{version}" if version else ""
        return Request(method, path, f"restore{and_version}", f"restore={and_version}", headers, body, body_hash)


def copy_source(source: Mapping[str, str]) -> str:
    """The x-amz-copy-source header. Raises UnexpectedAnswerError for a bucket or a version that isn't plain."""
    bucket, version = source["Bucket"], source.get("VersionId", "")
    if not _BUCKET.fullmatch(bucket) or (version and not _VERSION.fullmatch(version)):
        raise UnexpectedAnswerError("a source with an unusual name", sent=False)
    path = f"{bucket}/{quote(source['Key'], safe='/~')}"
    return f"{path}?versionId={version}" if version else path


def members(shape: "Shape | None") -> "list[tuple[str, Shape]]":
    """The shape's members by name; none of what has no shape."""
    found: dict[str, Shape] = getattr(shape, "members", {})
    return list(found.items())


def _text(value: object) -> str:
    """An argument as a header has it. Raises UnexpectedAnswerError for text that headers don't carry plainly."""
    if isinstance(value, Mapping):
        return copy_source(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.utcoffset() != timedelta(0) or value.microsecond:
            raise UnexpectedAnswerError("a date that isn't whole seconds in UTC", sent=False)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        raise UnexpectedAnswerError("a header that isn't plain ASCII", sent=False)
    return text


def _days_and_tier(restore: Mapping[str, Any]) -> tuple[int | None, str]:
    if not restore.keys() <= {"Days", "GlacierJobParameters"}:
        raise UnexpectedAnswerError("a kind of restore that the fast client doesn't know", sent=False)
    return restore.get("Days"), restore["GlacierJobParameters"]["Tier"]


@cache
def _restore_body(days: int | None, tier: str) -> tuple[bytes, str]:
    """The body of a RestoreObject, and its hash."""
    length = "" if days is None else f"<Days>{days}</Days>"
    parameters = f"<GlacierJobParameters><Tier>{tier}</Tier></GlacierJobParameters>"
    xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"
    body = f'<RestoreRequest xmlns="{xmlns}">{length}{parameters}</RestoreRequest>'.encode()
    return body, hashlib.sha256(body).hexdigest()
