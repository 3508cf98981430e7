"""A copy that S3 says it made, and whether its answer bears that out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.contract import ResultRow, bare_etag
from worker.decide.carry_over import Acl

NULL = "null"
"""The version id of what is written while a bucket has no versioning, or it is suspended."""


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

    row: the key's result as far as it is known. source: the object that was copied. head: HEAD's answer for it.
    answer: S3's to the copy. etag: of the copy. carried: what the copy was given. seen_at: when head was asked for.
    tells_checksum: False where the server didn't tell any checksum of a copy that was to have one.
    """

    row: ResultRow
    source: Mapping[str, str]
    head: Mapping[str, Any]
    answer: Mapping[str, Any]
    etag: str
    carried: Carried
    seen_at: datetime
    tells_checksum: bool = True

    @property
    def place(self) -> dict[str, str]:
        """What names the copy, and its version on a versioned bucket."""
        named = {"Bucket": self.source["Bucket"], "Key": self.source["Key"]}
        version = self.answer.get("VersionId", "")
        return named | {"VersionId": version} if version and version != NULL else named


def told_by_answer(copied: Copied) -> list[str]:
    """In words, how S3's answer says that the copy is not of what was to be copied: no request is needed for that."""
    found = []
    if not same_content(copied.head, copied.answer, copied.etag):
        found.append(f"its ETag {copied.head['ETag']} became {copied.etag}, which is of other content")
    asked, told = copied.source.get("VersionId", ""), copied.answer.get("CopySourceVersionId", "")
    if asked and told and told != asked:
        found.append(f"it is a copy of version {told}, and was to be one of {asked}")
    return found


def same_content(head: Mapping[str, Any], answer: Mapping[str, Any], etag: str) -> bool:
    """
    Whether a copy's ETag says that its content is the object's; True where ETags don't tell.

    They are MD5s of the content, and so must be the same, of objects in one part and not under KMS or a
    customer's key (botocore 1.44.5, Object, ETag).
    """
    tells = all("-" not in one for one in (head["ETag"], etag)) and all(
        one.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in one
        for one in (head, answer)
    )
    return not tells or bare_etag(head["ETag"]) == bare_etag(etag)
