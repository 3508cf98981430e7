"""
What a copy must be told so that the object stays as it was: HeadObject's answer -> arguments of the copy. Pure.

The one place that knows what S3 keeps by itself and what it drops. Sources: botocore 1.44.5, CopyObject
and CreateMultipartUpload.

| property | CopyObject | multipart |
|---|---|---|
| content headers, user metadata | kept (MetadataDirective=COPY) | given |
| tags | kept (TaggingDirective=COPY) | given, after GetObjectTagging |
| annotations | kept: COPY is the default of AnnotationDirective | the object is refused when it has any |
| encryption, its key, its bucket-key setting | given, or the bucket's default would apply | given |
| website redirect | given | given |
| Object Lock mode and date (unless past), legal hold, event hold | given | given |
| checksum algorithm | kept | given, with its type |
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

_KMS = "aws:kms"
_CHECKSUMS = (
    "CRC64NVME",
    "CRC32",
    "CRC32C",
    "SHA1",
    "SHA256",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
)
_CRC = frozenset({"CRC64NVME", "CRC32", "CRC32C"})
_CONTENT_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
)


def dropped_by_copy(head: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """
    The arguments for what no kind of copy keeps by itself; CopyObject and CreateMultipartUpload both take them.

    A retention date that has passed is left out: S3 refuses one, and it protects nothing any more.
    """
    given: dict[str, Any] = {}
    encryption = head.get("ServerSideEncryption")
    if encryption:
        given["ServerSideEncryption"] = encryption
    if head.get("SSEKMSKeyId"):
        given["SSEKMSKeyId"] = head["SSEKMSKeyId"]
    if encryption == _KMS:
        # Said when it is False too, or the bucket's own setting would apply.
        given["BucketKeyEnabled"] = bool(head.get("BucketKeyEnabled"))
    if head.get("WebsiteRedirectLocation"):
        given["WebsiteRedirectLocation"] = head["WebsiteRedirectLocation"]
    if head.get("ObjectLockMode") and head["ObjectLockRetainUntilDate"] > now:
        given["ObjectLockMode"] = head["ObjectLockMode"]
        given["ObjectLockRetainUntilDate"] = head["ObjectLockRetainUntilDate"]
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        given["ObjectLockLegalHoldStatus"] = "ON"
    if head.get("ObjectLockEventHold") == "ON":
        given |= {name: head[name] for name in head if name.startswith("ObjectLockEventHold")}
    return given


def dropped_by_multipart(head: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    """
    The further arguments of CreateMultipartUpload, which keeps nothing by itself.

    head: asked for with ChecksumMode=ENABLED.
    """
    given = {name: head[name] for name in _CONTENT_HEADERS if head.get(name)}
    if head.get("Metadata"):
        given["Metadata"] = dict(head["Metadata"])
    if tags:
        given["Tagging"] = urlencode(tags)
    algorithm = checksum_algorithm(head)
    if algorithm:
        given["ChecksumAlgorithm"] = algorithm
        # An upload in parts can have a checksum over the whole object for the CRCs only, whatever the source had.
        whole = algorithm in _CRC and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
        given["ChecksumType"] = "FULL_OBJECT" if whole else "COMPOSITE"
    return given


def checksum_algorithm(head: Mapping[str, Any]) -> str:
    """The algorithm of the object's checksum, or "" when it has none."""
    return next((name for name in _CHECKSUMS if head.get(f"Checksum{name}")), "")


def lost_by_multipart(head: Mapping[str, Any]) -> str:
    """Why an object can't be copied in parts without losing something, or ""."""
    if head.get("ExpiresString") and not head.get("Expires"):
        return "its Expires header isn't a date, and can't be given again"
    if any(str(value).startswith("=?") for value in head.get("Metadata", {}).values()):
        return "its metadata isn't ASCII, and S3 shows it encoded: it can't be given again as it was"
    return ""
