"""
An object's snapshot: what a change of class must leave as it was; how two snapshots differ. Pure.

The copy phase takes one before it copies (`--audit` keeps it in the state), `verify` takes another after.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from worker.contract.outcomes import ContractError
from worker.contract.rows import LotEntry
from worker.contract.values import parse_object, whole_number, word

CONTENT_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "ExpiresString",
)
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
_UNTIL = "ObjectLockRetainUntilDate"
LOCK = (
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays",
    "ObjectLockEventHoldDurationYears",
)
CHECKSUMS = (
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
"""The algorithms of HeadObject's `Checksum...` fields (botocore 1.44.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectSnapshot:
    """
    What HeadObject (with ChecksumMode=ENABLED) shows of an object, but for what a copy is meant to change.

    etag: without quotes. tag_count: 0 for none.
    headers, encryption, lock: HeadObject's fields by name, absent ones left out, dates in ISO 8601.
    checksums: by algorithm. checksum_type: FULL_OBJECT, COMPOSITE or "".
    """

    size_bytes: int
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tag_count: int = 0
    encryption: Mapping[str, str] = field(default_factory=dict)
    lock: Mapping[str, str] = field(default_factory=dict)
    website_redirect: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum_type: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The picture as plain values, for JSON."""
        # asdict would copy each of them, which takes longer than all else that is done with a picture.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The picture that `to_dict` made these values of. Raises ContractError for others."""
        try:
            snapshot = cls(**data)
            whole_number(snapshot.size_bytes)
            whole_number(snapshot.tag_count)
            for text in (snapshot.etag, snapshot.website_redirect, snapshot.checksum_type):
                word(text)
            for table in (snapshot.metadata, snapshot.headers, snapshot.encryption, snapshot.lock, snapshot.checksums):
                for name, value in table.items():
                    word(name)
                    word(value)
            if (until := snapshot.lock.get(_UNTIL)) and datetime.fromisoformat(until).tzinfo is None:
                raise ContractError(f"not a picture: {until} names no time zone")
        except (TypeError, AttributeError, ValueError) as error:
            raise ContractError(f"not a picture: {error}") from error
        return snapshot


def bare_etag(etag: str) -> str:
    """An ETag without its quotes, which not every server sends, and without a proxy's `W/`: ETags are compared so."""
    return etag.removeprefix("W/").strip('"')


def snapshot_of(head: Mapping[str, Any]) -> ObjectSnapshot:
    """The picture in a HeadObject answer."""
    return ObjectSnapshot(
        size_bytes=head["ContentLength"],
        etag=bare_etag(head["ETag"]),
        metadata=dict(head.get("Metadata", {})),
        headers=_named(head, CONTENT_HEADERS),
        tag_count=head.get("TagCount", 0),
        encryption=_named(head, ENCRYPTION),
        lock=_named(head, LOCK),
        website_redirect=head.get("WebsiteRedirectLocation", ""),
        checksums={name: head[f"Checksum{name}"] for name in CHECKSUMS if head.get(f"Checksum{name}")},
        checksum_type=head.get("ChecksumType", ""),
    )


def _named(head: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """These fields of the answer as text; absent and False ones left out: S3 shows a setting that is off either way."""
    return {name: _text(head[name]) for name in names if head.get(name)}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def differences(before: ObjectSnapshot, after: ObjectSnapshot, *, now: datetime) -> Iterator[str]:
    """
    In words, each way in which the object isn't as it was.

    An ETag tells of the content only where both are MD5s: not of an object in parts, nor under KMS. A
    checksum's value is compared where both are of the whole object: one over parts changes with them, its
    algorithm doesn't. A retention date that has passed protects nothing and isn't missed.
    Sources: HeadObject and "Checking object integrity", S3 User Guide; 2026-11.

    now: the time, in UTC.
    """
    if before.size_bytes != after.size_bytes:
        yield f"size {before.size_bytes} became {after.size_bytes}"
    if before.etag != after.etag and _etag_is_md5(before) and _etag_is_md5(after):
        yield f"ETag {before.etag} became {after.etag}"
    yield from _changed("metadata", before.metadata, after.metadata)
    yield from _changed("header", before.headers, after.headers)
    if before.tag_count != after.tag_count:
        yield f"{before.tag_count} tags became {after.tag_count}"
    yield from _changed("encryption", _encryption(before), _encryption(after))
    yield from _changed("lock", _in_force(before.lock, now), _in_force(after.lock, now))
    if before.website_redirect != after.website_redirect:
        yield f"website redirect {before.website_redirect or 'none'} became {after.website_redirect or 'none'}"
    if before.checksums.keys() - after.checksums.keys():
        yield f"checksum {', '.join(before.checksums)} became {', '.join(after.checksums) or 'none'}"
    elif "COMPOSITE" not in (before.checksum_type, after.checksum_type):
        yield from _changed("checksum", before.checksums, {name: after.checksums[name] for name in before.checksums})


def proves_content(before: ObjectSnapshot, after: ObjectSnapshot) -> bool:
    """
    Whether something that is computed of all the content is the same in both pictures.

    | the same in both | proves it |
    |---|---|
    | the size, of 0 bytes | yes |
    | the ETag, neither under KMS: the MD5 of the content, or of its parts' MD5s | yes |
    | a checksum of the whole object | yes |
    | a checksum over parts, which may be other parts | no |
    | the size alone | no |

    Sources: as for `differences`.
    """
    if before.size_bytes != after.size_bytes:
        return False
    if before.size_bytes == 0:
        return True
    if before.etag and before.etag == after.etag and not _is_under_kms(before) and not _is_under_kms(after):
        return True
    return "COMPOSITE" not in (before.checksum_type, after.checksum_type) and any(
        # A value over parts ends in their number.
        value == after.checksums.get(name) and "-" not in value
        for name, value in before.checksums.items()
    )


def _encryption(snapshot: ObjectSnapshot) -> Mapping[str, str]:
    """
    The encryption, SSE-S3 where none is shown: an object written before 2023 may show none, its copy can't.

    Source: S3 User Guide, "Setting default server-side encryption behavior"; 2026-11.
    """
    return {"ServerSideEncryption": "AES256"} | dict(snapshot.encryption)


def _etag_is_md5(snapshot: ObjectSnapshot) -> bool:
    return "-" not in snapshot.etag and not _is_under_kms(snapshot)


def _is_under_kms(snapshot: ObjectSnapshot) -> bool:
    return snapshot.encryption.get("ServerSideEncryption", "").startswith("aws:kms")


def _in_force(lock: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    """The lock without what no longer protects: retention that has ended, a hold that is off."""
    until = lock.get("ObjectLockRetainUntilDate")
    ended = until is not None and datetime.fromisoformat(until) <= now
    return {
        name: value
        for name, value in lock.items()
        if value != "OFF" and not (ended and name in ("ObjectLockMode", "ObjectLockRetainUntilDate"))
    }


def _changed(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{what} {name}: {'none' if old is None else old} became {'none' if new is None else new}"


def format_snapshot_line(entry: LotEntry, snapshot: ObjectSnapshot) -> str:
    r"""A line of an audit part: JSON, `\n` included."""
    named = {"bucket": entry.bucket, "key": entry.key, "version_id": entry.version_id}
    return json.dumps({**named, "before": snapshot.to_dict()}, sort_keys=True) + "\n"


def parse_snapshot_lines(text: str) -> Iterator[tuple[LotEntry, ObjectSnapshot]]:
    """Each line of an audit part. Raises ContractError naming the line that isn't one."""
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            data = parse_object(line)
            entry = LotEntry(bucket=word(data["bucket"]), key=word(data["key"]), version_id=word(data["version_id"]))
            yield entry, ObjectSnapshot.from_dict(data["before"])
        except (ValueError, KeyError, TypeError) as error:
            raise ContractError(f"line {number} is not a picture: {line[:200]!r}") from error
