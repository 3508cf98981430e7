"""What HeadObject tells of an object: AWS's dict is read here and nowhere else. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.contract import RestoreStatus, parse_restore


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
