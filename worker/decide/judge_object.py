"""
What S3 said about an object -> what to do with it. Pure.

Sources, unless a line names another: the documentation of HeadObject, CopyObject and RestoreObject in
botocore 1.44.5.

What the guards of a copy prevent, and what they can't. The source is pinned by ETag, and by version where there are
versions; the destination by ETag. So no other content is ever copied or overwritten. A rewrite between our HEAD and
our copy passes when it keeps the ETag: a copy of the object onto itself with other metadata, or by a second worker.
CopySourceIfUnmodifiedSince doesn't help: with CopySourceIfMatch beside it, S3 copies though it is false. CopyObject
then takes metadata and tags from what it finds. With a version pinned it takes them from that version, and the newer
one stays as the version before. Encryption, lock and ACL are given as HEAD showed them, some milliseconds before. A
copy in parts takes hours, so all of it is looked at once more right before its completion.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.contract import ARCHIVE_CLASSES, Outcome, bare_etag
from worker.decide.head_facts import ObjectFacts

CLASSES_OF_OTHER_STORES = frozenset({"EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP"})
"""The classes of objects that aren't in an ordinary bucket. A copy onto itself can't move them (CopyObject)."""

COPY_MARGIN = timedelta(minutes=5)
"""How long a restored copy must still be there when a copy of it begins."""

COPY_BYTES_PER_S = 200_000_000
"""How fast S3 copies a large object at least, in parts side by side: a cautious estimate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What to do with an object: copy it when there is no outcome, else nothing, for this reason."""

    outcome: Outcome | None = None
    message: str = ""


COPY = Judgement()


def judge_object(facts: ObjectFacts, target: str, now: datetime) -> Judgement:
    """
    What to do with an object that should be in the class `target`; the first row that fits counts.

    | its class | and | then |
    |---|---|---|
    | the target | | `already` |
    | another store's (S3 Express, Outposts, ...) | | `unsupported`: it has no other classes |
    | any | SSE-C | `unsupported`: S3 needs the key to copy it |
    | any | metadata that headers can't show | `unsupported`: a copy would lose it |
    | GLACIER, DEEP_ARCHIVE | no restore known | `pending`: never asked for, or expired and gone |
    | GLACIER, DEEP_ARCHIVE | restore under way | `pending`: in progress |
    | GLACIER, DEEP_ARCHIVE | restored copy, expiry passed | `pending`: expired |
    | GLACIER, DEEP_ARCHIVE | restored copy, gone before a copy could be made | `pending`: expires too soon |
    | GLACIER, DEEP_ARCHIVE | restored copy | copy |
    | INTELLIGENT_TIERING | in an archive tier, restore under way | `pending`: in progress |
    | INTELLIGENT_TIERING | in an archive tier | `pending`: never asked for |
    | any other | | copy |
    """
    if facts.storage_class == target:
        return Judgement(outcome=Outcome.ALREADY, message=f"it is in {target}")
    if facts.storage_class in CLASSES_OF_OTHER_STORES:
        message = f"{facts.storage_class} is a class of another kind of store, which objects don't leave by a copy"
        return Judgement(outcome=Outcome.UNSUPPORTED, message=message)
    if facts.customer_key:
        return Judgement(outcome=Outcome.UNSUPPORTED, message=SSE_C)
    if facts.missing_metadata:
        return Judgement(
            outcome=Outcome.UNSUPPORTED,
            message=f"{facts.missing_metadata} metadata entries can't be shown as headers: a copy would lose them",
        )
    archived = facts.storage_class in ARCHIVE_CLASSES
    if archived or facts.archive_status:
        reason = _why_not_restored(facts, now, archived=archived)
        if reason:
            where = facts.archive_status or facts.storage_class
            return Judgement(outcome=Outcome.PENDING, message=f"archived in {where}: {reason}")
    return COPY


SSE_C = "encrypted with a customer-provided key (SSE-C), without which S3 can't copy it"


def _why_not_restored(facts: ObjectFacts, now: datetime, *, archived: bool) -> str:
    if facts.restore is None:
        return "no restored copy (a restore was never asked for, or its copy has expired): run the restore phase"
    if facts.restore.ongoing:
        return "its restore is in progress"
    if not archived:
        # A restored INTELLIGENT_TIERING object leaves its archive tier for good; in one, it was archived again.
        return "no restore under way: run the restore phase"
    expires_at = facts.restore.expires_at
    if expires_at and expires_at <= now:
        return f"its restored copy expired on {expires_at:%Y-%m-%d %H:%M} UTC: run the restore phase"
    if expires_at and expires_at < now + copy_takes(facts.size_bytes):
        return (
            f"its restored copy expires on {expires_at:%Y-%m-%d %H:%M} UTC, too soon to copy it: restore it for longer"
        )
    return ""


def copy_takes(size_bytes: int) -> timedelta:
    """How long a restored copy must still be there for an object of this size to be copied."""
    return COPY_MARGIN + timedelta(seconds=size_bytes / COPY_BYTES_PER_S)


def judge_version(facts: ObjectFacts, current: ObjectFacts | None, target: str, *, allowed: bool) -> Judgement:
    """
    What to do with a line that asks for a version which is not the current one.

    facts: of the version asked for. current: of the current version, None when that is a delete marker.
    allowed: whether the user said that noncurrent versions are to be copied.

    | current version | then |
    |---|---|
    | the same content, newer, in the target class | `already`: an earlier copy of ours, or as good as one |
    | any other, or a delete marker | `unsupported`: a copy would make the asked one current, unless allowed |
    """
    if (
        current
        and current.storage_class == target
        and current.last_modified >= facts.last_modified
        and (bare_etag(current.etag), current.size_bytes) == (bare_etag(facts.etag), facts.size_bytes)
    ):
        return Judgement(
            outcome=Outcome.ALREADY, message=f"its newer version {current.version_id} has the same content in {target}"
        )
    if allowed:
        return COPY
    return Judgement(
        outcome=Outcome.UNSUPPORTED,
        message=f"version {facts.version_id} is not the current one: copying it would make it current",
    )


def judge_lost_copy(before: ObjectFacts, after: ObjectFacts, target: str) -> Judgement:
    """
    What became of a copy whose answer never came, from the object's facts before and after it.

    | looks as before | in the target class | same content and size, not older | then |
    |---|---|---|---|
    | yes | | | copy again: the lost one didn't happen |
    | no | yes | yes, and still the same version | `already`: a lifecycle rule moved it, as a copy is a new version |
    | no | yes | yes | `copied` |
    | no | yes | no | `changed`: another wrote it |
    | no | no | | `changed` |

    A copy keeps the ETag of an object in one part and without KMS, so there it must be the same. For any other object
    the size decides. That is enough to say `copied`, and nothing is ever deleted for it.
    """
    if _identity(before) == _identity(after):
        return COPY
    if (
        after.storage_class != target
        or after.size_bytes != before.size_bytes
        or after.last_modified < before.last_modified
        or not _may_be_same_content(before, after)
    ):
        return _OVERWRITTEN
    if after.version_id not in ("", "null") and after.version_id == before.version_id:
        return Judgement(outcome=Outcome.ALREADY, message=f"it is in {target}")
    return Judgement(outcome=Outcome.COPIED, message="S3's answer was lost; a second look found the copy made")


_OVERWRITTEN = Judgement(outcome=Outcome.CHANGED, message="the object was overwritten while it was copied")


def _identity(facts: ObjectFacts) -> tuple[str, datetime, str, str]:
    """What changes with any write, and when a lifecycle rule changes the class."""
    return bare_etag(facts.etag), facts.last_modified, facts.version_id, facts.storage_class


def _may_be_same_content(before: ObjectFacts, after: ObjectFacts) -> bool:
    """Whether the ETags are the same, or one of them isn't the MD5 of the content (HeadObject, ETag)."""
    return bare_etag(before.etag) == bare_etag(after.etag) or any(
        "-" in facts.etag or facts.encryption.startswith("aws:kms") for facts in (before, after)
    )
