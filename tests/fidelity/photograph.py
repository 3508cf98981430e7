"""What can be seen of an object from outside: all of it, by requests of the tests' own, before and after a copy."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.fidelity.documented_objects import Version
from worker.contract.snapshot import ObjectSnapshot, differences, snapshot_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_MEANT_TO_CHANGE = {"ResponseMetadata", "LastModified", "StorageClass", "VersionId", "Restore", "ETag", "ChecksumType"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Photograph:
    """
    One look at an object.

    head: HeadObject's answer. picture: what `verify` would keep of it.
    digest: of its bytes, "" where they can't be read.
    """

    head: Mapping[str, Any]
    snapshot: ObjectSnapshot
    digest: str
    tags: Mapping[str, str]
    grants: tuple[tuple[str, str], ...]
    owner: str = ""
    annotations: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def write(self) -> tuple[str, str, datetime, str]:
        """Which write of the object this is of."""
        head = self.head
        return head["ETag"], head.get("VersionId", ""), head["LastModified"], head.get("StorageClass", "STANDARD")


def photograph(
    s3: "S3Client", named: Mapping[str, Any], customer_key: Mapping[str, Any], asks: Collection[str]
) -> Photograph:
    """
    The object as it is now.

    named: its bucket and key. customer_key: the arguments without which it isn't shown.
    asks: what to ask for beside HEAD, of content, tags and grants; what isn't asked for is empty.
    """
    head = s3.head_object(**named, **customer_key, ChecksumMode="ENABLED")
    digest = ""
    if "content" in asks:
        with suppress(ClientError):  # archived
            digest = sha256(s3.get_object(**named, **customer_key)["Body"].read()).hexdigest()
    tag_set = s3.get_object_tagging(**named)["TagSet"] if "tags" in asks else []
    acl = s3.get_object_acl(**named)["Grants"] if "grants" in asks else []
    return Photograph(
        head=head,
        snapshot=snapshot_of(head),
        digest=digest,
        tags={tag["Key"]: tag["Value"] for tag in tag_set},
        grants=tuple(sorted(_grant(one) for one in acl)),
    )


def look_inside(
    s3: "S3Client", named: Mapping[str, Any], customer_key: Mapping[str, Any], version: Version
) -> Photograph:
    """An object of the documented S3, whose current version this is, without asking for more than HEAD."""
    head = s3.head_object(**named, **customer_key, ChecksumMode="ENABLED")
    return Photograph(
        head=head,
        snapshot=snapshot_of(head),
        digest=sha256(version.body).hexdigest(),
        tags=version.tags,
        grants=tuple(sorted(version.grants)),
        owner=version.owner,
        annotations=version.annotations,
    )


def _grant(grant: Any) -> tuple[str, str]:
    return grant["Permission"], grant["Grantee"].get("ID") or grant["Grantee"]["URI"]


def changes(before: Photograph, after: Photograph) -> Iterator[str]:
    """
    Each way in which an object isn't what it was, but for what a change of class changes; empty where none was harmed.

    `differences`, which `verify` goes by, counts too, but not alone: it may be blind where the copy is.
    """
    yield from (f"verify: {words}" for words in differences(before.snapshot, after.snapshot, now=datetime.now(UTC)))
    for what in ("digest", "tags", "grants", "owner", "annotations"):
        old, new = getattr(before, what), getattr(after, what)
        # An archived object's bytes can't be read before it is restored, nor compared.
        if old not in (new, ""):
            yield f"{what}: {old} became {new}"
    old_head, new_head = _comparable(before.head), _comparable(after.head)
    if new_head.get("ServerSideEncryption") == "AES256":
        # Nothing is written without encryption any more: of an object that has none, SSE-S3 is the nearest.
        old_head.setdefault("ServerSideEncryption", "AES256")
    # A checksum that the object had none of is no harm.
    for name in sorted(old_head.keys() | {name for name in new_head if not name.startswith("Checksum")}):
        if old_head.get(name) != new_head.get(name):
            yield f"{name}: {old_head.get(name)!r} became {new_head.get(name)!r}"
    if _is_md5(before) and _is_md5(after) and before.head["ETag"] != after.head["ETag"]:
        yield f"ETag: {before.head['ETag']} became {after.head['ETag']}"


def _comparable(head: Mapping[str, Any]) -> dict[str, Any]:
    """HEAD's answer as far as it is to stay: of a checksum its algorithm, of a lock what is in force."""
    kept = {name: value for name, value in head.items() if name not in _MEANT_TO_CHANGE and value not in ("OFF", False)}
    if kept.get("ObjectLockRetainUntilDate", datetime.max.replace(tzinfo=UTC)) <= datetime.now(UTC):
        kept.pop("ObjectLockMode")
        kept.pop("ObjectLockRetainUntilDate")
    return {name: "there" if name.startswith("Checksum") else value for name, value in kept.items()}


def _is_md5(one: Photograph) -> bool:
    return "-" not in one.head["ETag"] and "kms" not in one.head.get("ServerSideEncryption", "")
