"""What was really done: the documented S3, a count of every deed, and a look at every key after each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import md5
from typing import Any

from tests.fidelity.documented_objects import Bucket, RefusedError, Request, Version
from tests.fidelity.documented_s3 import ARCHIVED, DocumentedS3
from tests.fidelity.wire import Wire
from tests.worker.server import Answer

TARGET = "STANDARD_IA"
_LOCK_DATE = "x-amz-object-lock-retain-until-date"
_OF_THE_CLASS = {"x-amz-storage-class", "x-amz-restore"}
"""What a change of class may change."""


class Deed(StrEnum):
    """What becomes of what was asked for."""

    DONE = "done"
    UNDONE = "not done"
    EMPTY = "done, with no content"
    SAME_CLASS = "done, in the class that it was in"
    NO_METADATA = "done, without metadata"
    NO_TAGS = "done, without tags"
    OTHER_KEY = "done, under another encryption"


BADLY = (Deed.EMPTY, Deed.SAME_CLASS, Deed.NO_METADATA, Deed.NO_TAGS, Deed.OTHER_KEY)
"""A copy that S3 makes, and not as it promised."""


def spoiled(deed: Deed, version: Version) -> dict[str, Any]:
    """What a badly done copy has changed of its version."""
    shown = dict(version.shown)
    if deed is Deed.EMPTY:
        return {"body": b"", "etag": f'"{md5(b"").hexdigest()}"'}  # noqa: S324 (S3's own ETag)
    if deed is Deed.NO_TAGS:
        return {"tags": {}}
    if deed is Deed.SAME_CLASS:
        shown.pop("x-amz-storage-class", None)
    if deed is Deed.NO_METADATA:
        shown = {name: value for name, value in shown.items() if not name.startswith("x-amz-meta-")}
    if deed is Deed.OTHER_KEY:
        shown["x-amz-server-side-encryption"] = "aws:kms:dsse"
    return {"shown": shown}


def essence(version: Version) -> tuple[Any, ...]:
    """All of a version that must outlive a change of class."""
    shown = {name: value for name, value in version.shown.items() if name not in _OF_THE_CLASS and value != "OFF"}
    if _LOCK_DATE in shown:
        shown[_LOCK_DATE] = str(datetime.fromisoformat(shown[_LOCK_DATE]).timestamp())
    return version.body, shown, dict(version.tags), sorted(version.grants), version.owner


@dataclass(kw_only=True)
class Record:
    """
    What was done to a key, and asked of it.

    before: the object at first. done: deeds by operation. asked: requests by operation.
    broken: the moments at which no version was as it had been.
    """

    before: Version
    done: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def copies(self) -> int:
        """How many copies were made."""
        return self.done["CopyObject"] + self.done["CompleteMultipartUpload"]


class Truth(Wire):
    """
    The documented S3 with RestoreObject's whole answers, which keeps a record of each object that was laid into it.

    s3: the S3 itself.
    """

    def __init__(self, **buckets: Bucket) -> None:
        self.s3 = DocumentedS3(**buckets)
        super().__init__(self.s3)
        self.records: dict[tuple[str, str], Record] = {}

    def lay(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str], **changes: Any) -> None:
        """Make an object. changes: what no request could have made of it."""
        path = f"/{bucket}/{key}"
        status, _, text = self.answer(Request.of_http("PUT", path, headers, body))
        assert status == 200, text
        version = self.s3.find(bucket, key)
        self.s3.change(bucket, key, **changes, shown={**version.shown, **changes.pop("shown", {})})
        self.records[bucket, key] = Record(before=self.s3.find(bucket, key))

    def answer(self, asked: Request) -> Answer:
        """The answer, recorded when the deed was done; every record is checked for a moment without its object."""
        with self.s3.lock:
            answer = super().answer(asked)
            record = self.records.get((asked.bucket, asked.key))
            if record:
                name = asked.operation
                record.done[name] += answer[0] < 300
                if not self.intact(asked.bucket, asked.key):
                    record.broken.append(f"no intact version after {name}")
        return answer

    def intact(self, bucket: str, key: str) -> bool:
        """Whether any version is what the object was at first."""
        wanted = essence(self.records[bucket, key].before)
        return any(essence(one) == wanted for one in self.versions(bucket, key))

    def versions(self, bucket: str, key: str) -> list[Version]:
        """The key's versions, the current one last, delete markers left out."""
        return [one for one in self.s3.buckets[bucket].objects.get(key, []) if not one.deleted]

    def open_uploads(self) -> dict[str, str]:
        """The keys of uploads that have parts, by upload id."""
        return {name: one.request.key for name, one in self.s3.uploads.items() if one.parts}

    def spoil(self, bucket: str, key: str, deed: Deed) -> None:
        """Let the copy that was just made be a bad one."""
        self.s3.change(bucket, key, **spoiled(deed, self.s3.find(bucket, key)))

    def _restored(self, asked: Request) -> Answer:
        """RestoreObject as documented: only of what is archived, 202 for a new one, 200 where one is there."""
        version = self.s3.find(asked.bucket, asked.key)
        if version.storage_class not in ARCHIVED:
            raise RefusedError(403, "InvalidObjectState", "Restore is not allowed for the object's current class")
        there = version.shown.get("x-amz-restore", "")
        if 'ongoing-request="true"' in there:
            raise RefusedError(409, "RestoreAlreadyInProgress", "Object restore is already in progress")
        restore = there or 'ongoing-request="true"'
        self.s3.change(asked.bucket, asked.key, shown={**version.shown, "x-amz-restore": restore})
        return (200 if there else 202), {}, b""
