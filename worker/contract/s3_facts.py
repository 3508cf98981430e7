"""S3's own words and rules that both sides go by: classes, tiers, error codes, headers. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

STORAGE_CLASSES = (
    "STANDARD",
    "INTELLIGENT_TIERING",
    "STANDARD_IA",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
"""The classes that an object can be copied into in an ordinary bucket (CopyObject, `StorageClass`; botocore 1.44.5)."""

ARCHIVE_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
"""Classes whose objects must be restored before a copy (S3 User Guide, "Working with archived objects"; 2026-11)."""

TIERS = ("Bulk", "Standard", "Expedited")
"""How soon S3 restores an object, the slowest and cheapest first (RestoreObject, `Tier`; botocore 1.44.5)."""

REQUESTER = "requester"
"""The one thing that S3's RequestPayer can be (botocore 1.44.5)."""

S3_CLIENTS = ("fast", "boto3")
"""How a worker talks to S3: the fast client beside boto3, or boto3 alone."""

EXPIRED_CREDENTIALS = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
UNKNOWN_CREDENTIALS = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "InvalidSignatureException",
    }
)

NO_LOCK_CODES = frozenset({"ObjectLockConfigurationNotFoundError", "ObjectLockConfigurationNotFound"})
"""How S3 says that a bucket has no Object Lock: an error and not an empty answer."""

_THROTTLES = frozenset(
    {
        "SlowDown",
        "BandwidthLimitExceeded",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "TooManyRequestsException",
        "PriorRequestNotComplete",
    }
)
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and botocore 1.44.5's list of throttles."""

_MAX_RESTORE = 1_000
"""Characters of an `x-amz-restore` that is read; S3's has some 80."""

_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
"""A Content-Range: the first byte sent, the last, and how many the object has (RFC 9110, 14.4)."""

_MAX_DATE = 64
"""Characters of a date, at most: one in the format of RFC 9110 has 29."""


def is_throttle(code: str) -> bool:
    """Whether S3 refused for the request rate's sake, by its error code."""
    return code in _THROTTLES or "Throttl" in code


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreStatus:
    """
    The `x-amz-restore` header.

    ongoing: a restore is under way.
    expires_at: when the restored copy goes, or None when the header names no date.
    """

    ongoing: bool
    expires_at: datetime | None = None


@lru_cache(maxsize=256)
def parse_restore(header: str) -> RestoreStatus | None:
    """
    The status that an `x-amz-restore` header states, None for an empty header.

    Its format, from botocore 1.44.5, HeadObject: `ongoing-request="true"`, or
    `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`.
    A date that can't be read counts as none given. Restored copies go at midnight, so that many headers are the same.
    """
    if not header:
        return None
    # Between the quotes stand names, and within them values.
    names, values = (header[:_MAX_RESTORE].split('"')[first::2] for first in (0, 1))
    fields = {name.strip(" ,").removesuffix("="): value for name, value in zip(names, values, strict=False)}
    expires_at = time_in(fields.get("expiry-date", ""))
    return RestoreStatus(ongoing=fields.get("ongoing-request") != "false", expires_at=expires_at)


def time_in(header: str) -> datetime | None:
    """The time in a header of HTTP's, None for what is none."""
    try:
        found = parsedate_to_datetime(header[:_MAX_DATE])
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def size_of_whole(content_range: str, start: int, length: int) -> int:
    """The size in bytes of the object of which this part came; 0 unless it is the part of this length from there."""
    found = _RANGE.fullmatch(content_range)
    if not found or not length or (int(found[1]), int(found[2])) != (start, start + length - 1):
        return 0
    return int(found[3])
