"""What is known of an object before its copy, and of the copy that S3 says it made. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.contract import LotEntry, bare_etag
from worker.decide.carry_over import Acl
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_object import COPY, Judgement

NULL = "null"
"""The version id of what is written while a bucket has no versioning, or it is suspended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """
    What was seen of a key before its copy.

    head: HeadObject's answer for the version to copy. facts: what is in it. judgement: what to do with it.
    current_etag: of what stands at the key, "" for nothing or a delete marker.
    current: whether the version to copy is what stands there.
    seen_at: when, in UTC.
    """

    entry: LotEntry
    head: Mapping[str, Any]
    facts: ObjectFacts
    judgement: Judgement = COPY
    current_etag: str
    current: bool
    seen_at: datetime

    @property
    def here(self) -> dict[str, str]:
        """The arguments that name the key."""
        return {"Bucket": self.entry.bucket, "Key": self.entry.key}

    @property
    def source(self) -> dict[str, str]:
        """The arguments that name the object to copy, and its version on a versioned bucket."""
        return self.here | ({"VersionId": self.facts.version_id} if self.facts.version_id else {})

    @property
    def guard(self) -> dict[str, str]:
        """What must hold at the destination when the copy is made."""
        return {"IfMatch": self.current_etag} if self.current_etag else {"IfNoneMatch": "*"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried:
    """
    What a copy is given.

    arguments: of the request that makes the new object. acl: what its ACL must be, None where ACLs don't matter.
    tags: those given, in S3's form; none where S3 copies them by itself.
    """

    arguments: Mapping[str, Any]
    acl: Acl | None = None
    tags: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """
    A copy that S3 says it made.

    seen: the object that was copied. answer: S3's to the copy. carried: what the copy was given.
    tells_checksum: False where the server told no checksum of a copy that should have one.
    """

    seen: Observed
    answer: Mapping[str, Any]
    carried: Carried
    tells_checksum: bool = True

    @property
    def etag(self) -> str:
        """The copy's ETag, as CopyObject or CompleteMultipartUpload tells it; "" when the answer has none."""
        etag: str = self.answer.get("CopyObjectResult", self.answer).get("ETag", "")
        return etag

    @property
    def place(self) -> dict[str, str]:
        """The arguments that name the copy, and its version on a versioned bucket."""
        version = self.answer.get("VersionId", "")
        return self.seen.here | ({"VersionId": version} if version not in ("", NULL) else {})


def told_by_answer(copied: Copied) -> list[str]:
    """In words, how S3's answer says that the copy is of something else. This costs no request."""
    found, before = [], copied.seen.head
    if not same_content(before, copied.answer, copied.etag):
        found.append(f"its ETag {before['ETag']} became {copied.etag}, which is of other content")
    asked, told = copied.seen.facts.version_id, copied.answer.get("CopySourceVersionId", "")
    if asked and told and told != asked:
        found.append(f"it is a copy of version {told}, and was to be one of {asked}")
    return found


def same_content(head: Mapping[str, Any], answer: Mapping[str, Any], etag: str) -> bool:
    """
    Whether a copy's ETag says that its content is the object's; True where ETags don't tell.

    An ETag is the MD5 of the content when the object is in one part and not under KMS or a customer's key
    (botocore 1.44.5, Object, ETag). Two such ETags must be the same.
    """
    tells = all("-" not in one for one in (head["ETag"], etag)) and all(
        one.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in one
        for one in (head, answer)
    )
    return not tells or bare_etag(head["ETag"]) == bare_etag(etag)
