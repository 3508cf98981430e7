"""
What S3 makes of a request's headers, by its documentation: a function for each property. Pure but for the clock.

Sources: the documentation of botocore 1.44.5 (CopyObject, CreateMultipartUpload, PutObject) and the S3 User
Guide, "Working with object metadata", "Object Lock", "Access control list overview"; 2026-11.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from tests.fidelity.documented_objects import (
    BUCKET_KEY,
    CANNED,
    KMS_KEY,
    LOCK,
    SSE,
    Bucket,
    RefusedError,
    Request,
    Version,
)

CONTENT = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
HEADERS_BYTES = 8 * 1024
"""The headers of a request, at most; of them user metadata: a quarter ("Working with object metadata")."""

TAGS = 10
"""Tags of one object, at most (PutObjectTagging)."""

GRANTS = {
    "x-amz-grant-full-control": "FULL_CONTROL",
    "x-amz-grant-read": "READ",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
}


def content_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The content headers, the default type among them."""
    return {"content-type": "binary/octet-stream"} | {name: headers[name] for name in CONTENT if name in headers}


def metadata_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The user metadata."""
    return {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}


def tags_of(header: str) -> dict[str, str]:
    """The tags in `x-amz-tagging`. Raises RefusedError for duplicates and too many."""
    pairs = parse_qsl(header, keep_blank_values=True, strict_parsing=bool(header))
    if len(dict(pairs)) < len(pairs) or len(pairs) > 10:
        raise RefusedError(400, "InvalidArgument", "x-amz-tagging")
    return dict(pairs)


def algorithm_of(version: Version) -> str:
    """The algorithm of an object's checksum in lower case, or ""."""
    return next((name.removeprefix("x-amz-checksum-") for name in version.checksums if not name.endswith("type")), "")


def encryption_of(headers: Mapping[str, str], bucket: Bucket) -> dict[str, str]:
    """The encryption asked for, or the bucket's; what it leaves open is the bucket's too."""
    if SSE not in headers:
        return dict(bucket.encryption)
    kind, key, bucket_key = headers[SSE], headers.get(KMS_KEY), headers.get(BUCKET_KEY)
    if kind == "AES256":
        if key or bucket_key:
            raise RefusedError(400, "InvalidArgument", f"{kind} takes no KMS key")
        return {SSE: kind}
    if kind != "aws:kms" and bucket_key:
        raise RefusedError(400, "InvalidArgument", f"{kind} takes no bucket key")
    on = kind == "aws:kms" and (bucket_key or bucket.encryption.get(BUCKET_KEY)) == "true"
    return {SSE: kind, KMS_KEY: key or "arn:aws:kms:eu-west-1:1:key/aws-s3"} | ({BUCKET_KEY: "true"} if on else {})


def lock_of(headers: Mapping[str, str], bucket: Bucket) -> dict[str, str]:
    """The lock asked for; without a retention, the bucket's default one."""
    asked = {name: value for name, value in headers.items() if name.startswith(LOCK)}
    if asked and not bucket.locks:
        raise RefusedError(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
    until = asked.get(f"{LOCK}retain-until-date")
    if bool(until) != (f"{LOCK}mode" in asked):
        raise RefusedError(400, "InvalidArgument", "mode and date go together")
    if until and datetime.fromisoformat(until) <= datetime.now(UTC):
        raise RefusedError(400, "InvalidArgument", "The retain until date must be in the future!")
    if bucket.retention and not until:
        mode, days = bucket.retention
        asked |= {f"{LOCK}mode": mode}
        asked |= {f"{LOCK}retain-until-date": (datetime.now(UTC) + timedelta(days=days)).isoformat()}
    return asked


def grants_of(headers: Mapping[str, str], bucket: Bucket) -> tuple[tuple[str, str], ...]:
    """The ACL asked for: the owner's own permission is in it only where it was asked for, or nothing was."""
    named = [(GRANTS[name], value) for name, value in headers.items() if name in GRANTS]
    canned = headers.get("x-amz-acl", "private")
    if bucket.owner_enforced:
        if named or canned not in ("private", "bucket-owner-full-control"):
            raise RefusedError(400, "AccessControlListNotSupported")
        return CANNED["private"]
    if not named:
        return CANNED[canned]
    return tuple(
        sorted(
            (permission, one.partition("=")[2].strip().strip('"'))
            for permission, value in named
            for one in value.split(",")
        )
    )


def check_headers(request: Request) -> None:
    """Raise RefusedError for headers that are too long, or that wouldn't arrive as they were signed."""
    own = {name: value for name, value in request.headers.items() if name not in ("authorization", "user-agent")}
    if not all(value.isascii() for value in own.values()):
        raise RefusedError(403, "SignatureDoesNotMatch", "a header isn't ASCII")
    if sum(len(name) + len(value) for name, value in metadata_headers(own).items()) > HEADERS_BYTES // 4:
        raise RefusedError(400, "MetadataTooLarge")
    if sum(len(name) + len(value) for name, value in own.items()) > HEADERS_BYTES:
        raise RefusedError(400, "RequestHeaderSectionTooLarge")


def check_lock(version: Version, now: datetime) -> None:
    """Raise RefusedError for a version that may not be deleted: no permission to go round a lock is ever used."""
    held = any(version.shown.get(f"{LOCK}{hold}") == "ON" for hold in ("legal-hold", "event-hold"))
    until = version.shown.get(f"{LOCK}retain-until-date")
    if held or (until and datetime.fromisoformat(until) > now):
        raise RefusedError(403, "AccessDenied", "Access Denied because object protected by object lock.")
