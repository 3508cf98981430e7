"""What HeadObject tells of an object: AWS's dict is read here and nowhere else. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

_LONGEST_HEADER = 1_000
"""Characters of an `x-amz-restore` that is read; S3's has some 80."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreStatus:
    """
    The `x-amz-restore` header.

    ongoing: a restore is under way.
    expires_at: when the restored copy goes, or None when the header names no date.
    """

    ongoing: bool
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectFacts:
    """
    What the judge needs to know of an object.

    version_id: "" on a bucket that was never versioned.
    restore: None when the object was never restored, or its restored copy is gone.
    archive_status: the archive tier of an INTELLIGENT_TIERING object, "" when it is in an active one.
    customer_key: encrypted with a key of the customer's (SSE-C).
    encryption: what encrypts it, "" where HEAD shows nothing.
    missing_metadata: metadata entries that S3 holds but can't show as headers.
    """

    storage_class: str
    size_bytes: int
    etag: str
    last_modified: datetime
    version_id: str = ""
    restore: RestoreStatus | None = None
    archive_status: str = ""
    customer_key: bool = False
    encryption: str = ""
    missing_metadata: int = 0


def facts_of(head: Mapping[str, Any]) -> ObjectFacts:
    """The facts in a HeadObject answer; no StorageClass means STANDARD (botocore 1.44.5, HeadObject)."""
    return ObjectFacts(
        storage_class=head.get("StorageClass", "STANDARD"),
        size_bytes=head["ContentLength"],
        etag=head["ETag"],
        last_modified=head["LastModified"],
        version_id=head.get("VersionId", ""),
        restore=parse_restore(head.get("Restore", "")),
        archive_status=head.get("ArchiveStatus", ""),
        customer_key="SSECustomerAlgorithm" in head,
        encryption=head.get("ServerSideEncryption", ""),
        missing_metadata=head.get("MissingMeta", 0),
    )


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
    names, values = (header[:_LONGEST_HEADER].split('"')[first::2] for first in (0, 1))
    fields = {name.strip(" ,").removesuffix("="): value for name, value in zip(names, values, strict=False)}
    ongoing = fields.get("ongoing-request") != "false"
    try:
        expires_at = parsedate_to_datetime(fields.get("expiry-date", ""))
    except (ValueError, OverflowError):
        return RestoreStatus(ongoing=ongoing)
    if expires_at.tzinfo is None:
        expires_at = expires_at.replace(tzinfo=UTC)
    return RestoreStatus(ongoing=ongoing, expires_at=expires_at)
