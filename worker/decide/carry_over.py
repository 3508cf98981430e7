"""
What a copy must be told so that the object stays as it was: S3's answers -> arguments of the copy. Pure.

Only this module knows what S3 keeps by itself and what it drops. Sources: botocore 1.44.5's documentation
of the operations named: [C] CopyObject, [M] CreateMultipartUpload, [H] HeadObject, [A] GetObjectAcl,
[L] GetObjectLockConfiguration; [U] "Working with object metadata", S3 User Guide, 2026-11.

| property | CopyObject | an upload in parts |
|---|---|---|
| Content-Type, -Encoding, -Language, -Disposition, Cache-Control | kept: MetadataDirective=COPY [C] | given [M] |
| Expires | kept [C] | given letter by letter: it may be no date [M][H] |
| user metadata | kept [C] | given as HEAD shows it; RFC 2047 words read the same after [U] |
| user metadata that headers can't show (MissingMeta) | refused by the judge [H] | refused by the judge |
| tags | kept: TaggingDirective=COPY [C] | given, after GetObjectTagging [M] |
| annotations | kept: AnnotationDirective's default is COPY [C] | refused: they could only be written after [C] |
| storage class | the target, always given: the default is STANDARD [C] | the same [M] |
| SSE-S3, SSE-KMS, DSSE-KMS, the key's id | given, or the bucket's default would apply [C] | given [M] |
| no encryption (before 2023) | given as SSE-S3, the least there is, whatever the default [C] | the same [M] |
| bucket-key setting | given, off too [C] | given [M] |
| SSE-C | refused by the judge: S3 doesn't keep the key [C] | refused by the judge |
| KMS encryption context | lost, and no answer shows it: it can't be known [C] | lost |
| website redirect | given: "not copied" [C] | given [M] |
| Object Lock mode and date | given, unless past [C]; seen only with s3:GetObjectRetention [H] | given [M] |
| no lock, in a bucket with default retention | refused: the copy would be locked [L] | refused |
| legal hold | given when on [C]; seen only with s3:GetObjectLegalHold [H] | given [M] |
| event hold, its days or years | given when on, and off where the bucket's default is on [C][L] | given [M] |
| ACL | where ACLs matter: its grants are given, after GetObjectAcl; "not preserved" [C][A] | given [M] |
| owner | where ACLs matter: refused when it isn't the bucket's, as the copy is its maker's [A] | refused |
| checksum algorithm | kept: "copied to the new object by default" [C] | given [M] |
| checksum type | that of one part: FULL_OBJECT [C] | given; COMPOSITE where no other can be [M] |
| a key that XML can't hold | kept: S3's answer doesn't repeat it [C] | refused |
| Last-Modified, version id, an ETag over parts | new: they are the copy's own | the same |
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from worker.contract.snapshot import CHECKSUMS, CONTENT_HEADERS

_KMS = "aws:kms"
_SSE_S3 = "AES256"
_CRC = frozenset({"CRC64NVME", "CRC32", "CRC32C"})
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 has no way to write (https://www.w3.org/TR/xml/#charsets), and S3's answers repeat the key in XML."""

_GRANT_HEADERS = {
    "FULL_CONTROL": "GrantFullControl",
    "READ": "GrantRead",
    "READ_ACP": "GrantReadACP",
    "WRITE_ACP": "GrantWriteACP",
}
"""The permissions that the requests can grant; WRITE means nothing on an object."""

_OWNERSHIP = frozenset({"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"})
"""The settings of Object Ownership (GetBucketOwnershipControls)."""


class UnsupportedError(Exception):
    """The object can't be copied without losing what the text says; nothing was done to it."""


class IncompleteAnswerError(Exception):
    """S3's answer lacks what it must hold, which the text names. Nothing is concluded from such an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LockDefaults:
    """
    What a bucket's Object Lock does to a new object whose request has no lock.

    retention: its mode and length in words, "" for none. event_hold: whether it is on.
    """

    retention: str = ""
    event_hold: bool = False


def acls_have_no_effect(answer: Mapping[str, Any]) -> bool:
    """Whether a GetBucketOwnershipControls answer says BucketOwnerEnforced. Raises IncompleteAnswerError."""
    rules = answer.get("OwnershipControls", {}).get("Rules") or ()
    settings = {rule.get("ObjectOwnership") for rule in rules}
    if not settings or not settings <= _OWNERSHIP:
        raise IncompleteAnswerError("no Object Ownership that is known")
    return "BucketOwnerEnforced" in settings


def owner_of(answer: Mapping[str, Any]) -> str:
    """The owner's canonical id in a GetBucketAcl or GetObjectAcl answer. Raises IncompleteAnswerError."""
    owner: str = answer.get("Owner", {}).get("ID", "")
    if not owner:
        raise IncompleteAnswerError("no owner")
    return owner


def lock_defaults_of(answer: Mapping[str, Any]) -> LockDefaults:
    """The defaults in a GetObjectLockConfiguration answer. Raises IncompleteAnswerError."""
    configuration = answer.get("ObjectLockConfiguration", {})
    default = configuration.get("Rule", {}).get("DefaultRetention", {})
    if not default and ("Rule" in configuration or not configuration.get("ObjectLockEnabled")):
        raise IncompleteAnswerError("neither that Object Lock is on nor what it does to new objects")
    lengths = [f"{default[unit]} {unit.lower()}" for unit in ("Days", "Years") if default.get(unit)]
    if lengths and not default.get("Mode"):
        raise IncompleteAnswerError("a default retention without its mode")
    return LockDefaults(
        retention=" ".join([default["Mode"], *lengths]) if default.get("Mode") else "",
        event_hold=bool(default.get("DefaultEventHold")),
    )


def tags_of(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """
    The tags in a GetObjectTagging answer, sorted by key to be compared, as S3 promises no order.

    Raises IncompleteAnswerError.
    """
    tags = answer.get("TagSet")
    if tags is None or not all("Key" in tag and "Value" in tag for tag in tags):
        raise IncompleteAnswerError("no set of tags")
    return sorted(({"Key": tag["Key"], "Value": tag["Value"]} for tag in tags), key=lambda tag: tag["Key"])


def retention_until(head: Mapping[str, Any]) -> datetime | None:
    """When the object's retention ends, None for none. Raises IncompleteAnswerError for a mode or a date alone."""
    mode, until = head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")
    if bool(mode) != bool(until):
        raise IncompleteAnswerError("a retention's mode and date go together")
    return until


def dropped_by_copy(head: Mapping[str, Any], now: datetime, defaults: LockDefaults = LockDefaults()) -> dict[str, Any]:
    """
    The arguments for what no kind of copy keeps by itself; CopyObject and CreateMultipartUpload both take them.

    A retention date that has passed is left out: S3 refuses one, and it protects nothing any more.
    Raises UnsupportedError when the bucket's default retention would lock the copy of an object that isn't locked;
    IncompleteAnswerError.
    """
    encryption = head.get("ServerSideEncryption") or _SSE_S3
    given: dict[str, Any] = {"ServerSideEncryption": encryption}
    if encryption.startswith(_KMS) and head.get("SSEKMSKeyId"):
        given["SSEKMSKeyId"] = head["SSEKMSKeyId"]
    if encryption == _KMS:
        # Given when it is False, too, or the bucket's own setting would apply.
        given["BucketKeyEnabled"] = bool(head.get("BucketKeyEnabled"))
    if head.get("WebsiteRedirectLocation"):
        given["WebsiteRedirectLocation"] = head["WebsiteRedirectLocation"]
    until = retention_until(head)
    if until and until > now:
        given |= {"ObjectLockMode": head["ObjectLockMode"], "ObjectLockRetainUntilDate": until}
    elif defaults.retention:
        raise UnsupportedError(
            f"it isn't locked, and the bucket's default retention ({defaults.retention}) would lock its copy"
        )
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        given["ObjectLockLegalHoldStatus"] = "ON"
    if head.get("ObjectLockEventHold") == "ON":
        given |= {name: head[name] for name in head if name.startswith("ObjectLockEventHold")}
    elif defaults.event_hold:
        given["ObjectLockEventHold"] = "OFF"
    return given


def dropped_by_multipart(head: Mapping[str, Any], tags: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """
    The further arguments of CreateMultipartUpload, which keeps nothing by itself.

    `Expires` goes by HeadObject's name ExpiresString, which clients.py lets the request take: it may be no date.
    head: asked for with ChecksumMode=ENABLED. tags: GetObjectTagging's TagSet.
    Raises UnsupportedError when something can't be given.
    """
    given = {name: head[name] for name in CONTENT_HEADERS if head.get(name) is not None}
    metadata = dict(head.get("Metadata", {}))
    for name, value in (given | metadata).items():
        if not f"{name}{value}".isascii():
            # S3 shows metadata as RFC 2047 words, but not other headers. No signature covers their bytes.
            raise UnsupportedError(f"its {name} isn't ASCII, and can't be given to a copy in parts")
    if metadata:
        given["Metadata"] = metadata
    pairs = {tag["Key"]: tag["Value"] for tag in tags}
    if pairs:
        # %20 and not `+`, which some servers don't read as a space.
        given["Tagging"] = urlencode(pairs, quote_via=quote, safe="")
    algorithm = checksum_algorithm(head)
    if algorithm:
        given["ChecksumAlgorithm"] = algorithm
        # An upload in parts can have a checksum over the whole object for the CRCs only, whatever the source had.
        whole = algorithm in _CRC and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
        given["ChecksumType"] = "FULL_OBJECT" if whole else "COMPOSITE"
    return given


def key_refused_in_parts(key: str) -> str:
    """Why an object with this key can't be copied in parts, or "". S3 repeats the key in the answers that it needs."""
    if _NOT_IN_XML.search(key):
        return "its key has a character that S3's answers can't hold, and a copy in parts needs them"
    return ""


def checksum_algorithm(head: Mapping[str, Any]) -> str:
    """The algorithm of the object's checksum, or "" when it has none."""
    return next((name for name in CHECKSUMS if head.get(f"Checksum{name}")), "")


@dataclass(frozen=True, slots=True)
class Acl:
    """
    Who may do what with an object.

    owner: the canonical id. grants: `id="..."` or `uri="..."`, as the request's headers have it, and the permission.
    """

    owner: str
    grants: frozenset[tuple[str, str]]

    @property
    def is_default(self) -> bool:
        """Whether it is what every new object gets: full control for its owner, and no other grant."""
        return self.grants == {(f'id="{self.owner}"', "FULL_CONTROL")}

    def headers(self) -> dict[str, str]:
        """
        The arguments that give all of it again, none for the default.

        The owner's own grant is among them: S3 adds it only where no grant is given.
        Raises UnsupportedError when something can't be given.
        """
        if self.is_default:
            return {}
        if not self.grants:
            raise UnsupportedError("its ACL grants nothing, not even to its owner: a copy would")
        given: dict[str, list[str]] = {}
        for grantee, permission in sorted(self.grants):
            if not grantee or permission not in _GRANT_HEADERS:
                raise UnsupportedError(f"its ACL has a grant that a copy can't be given ({grantee} {permission})")
            given.setdefault(_GRANT_HEADERS[permission], []).append(grantee)
        return {name: ", ".join(grantees) for name, grantees in given.items()}


def acl_of(answer: Mapping[str, Any]) -> Acl:
    """
    The ACL in a GetObjectAcl answer; a grantee that is neither account nor group is "", and can't be given.

    Raises IncompleteAnswerError.
    """
    grants = set()
    if answer.get("Grants") is None:
        raise IncompleteAnswerError("no list of grants")
    for grant in answer["Grants"]:
        grantee, permission = grant.get("Grantee"), grant.get("Permission")
        if not grantee or not permission:
            raise IncompleteAnswerError("a grant without its grantee or its permission")
        named = next((f'{name.lower()}="{grantee[name]}"' for name in ("ID", "URI") if grantee.get(name)), "")
        grants.add((named, permission))
    return Acl(owner_of(answer), frozenset(grants))
