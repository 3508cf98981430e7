"""The copy phase of one key: look at it, let the judge decide, copy it onto itself pinned to what was seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from worker.actions.bucket_rules import BucketRules
from worker.actions.check_copy import CopyCheck
from worker.actions.copied import Copied
from worker.actions.delete_superseded import Superseded
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.look_at_object import LookAtObject, Observed, SettledError
from worker.actions.multipart import Large, Multipart, UnsentError, before_the_copy
from worker.actions.read_answer import odd_answer
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, ObjectSnapshot, Outcome, ResultRow, snapshot_of
from worker.decide.carry_over import UnsupportedError
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import Answer, RetryAction
from worker.pool.loop import MoveToLongPool, Retry
from worker.pool.part_threads import PARTS_IN_FLIGHT, PartThreads
from worker.s3.ask import S3, RefusedError

_OK = 200

_NOT_RESTORED = frozenset({"InvalidObjectState", "ObjectNotInActiveTierError"})
"""What S3 says of an archived object that isn't restored."""

DOUBTS = 5
"""
How often an object is looked at again which HEAD shows restored while another answer says that it isn't.

With the loop's delays between the looks, which double from half a second, some 15 seconds.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class CopySettings:
    """
    How to copy.

    target: the class. threshold_bytes: larger objects are copied in parts of part_bytes.
    allow_noncurrent: copy noncurrent versions too. delete_superseded: delete each version once its copy is checked.
    """

    target: str
    threshold_bytes: int
    part_bytes: int
    allow_noncurrent: bool = False
    delete_superseded: bool = False


class CopyAction:
    """
    Copies an object onto itself, into another storage class.

    uploads: where uploads in parts are noted.
    audit: takes the picture of each object that was copied, or may have been, before its result is known.
    now: the time in UTC.
    """

    def __init__(
        self,
        s3: S3,
        settings: CopySettings,
        *,
        uploads: UploadNotes,
        audit: Callable[[LotEntry, ObjectSnapshot], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._s3 = s3
        self._settings = settings
        self._audit = audit
        # Checksums belong to the pictures that are compared or kept.
        self._checksums = settings.delete_superseded or audit is not None
        self._look = LookAtObject(
            s3,
            target=settings.target,
            allow_noncurrent=settings.allow_noncurrent,
            checksums=self._checksums,
            now=now,
        )
        self._carrying = CarryOverReader(s3, BucketRules(s3))
        superseded = Superseded(s3, self._carrying) if settings.delete_superseded else None
        self._checks = CopyCheck(s3, self._carrying, target=settings.target, superseded=superseded)
        self._doubts: dict[LotEntry, int] = {}
        self._multipart = Multipart(
            s3, self._carrying, uploads, threads=PartThreads(PARTS_IN_FLIGHT), part_bytes=settings.part_bytes
        )

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Retry | MoveToLongPool:
        """
        The key's result, the wish to try again, or, for a large object, to go on elsewhere.

        memory: the object before a copy whose answer was lost: it is looked for before another is sent.
        """
        return self._settle(entry, memory, self._work(entry, memory, large=False))

    def _large(self, entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Retry | MoveToLongPool:
        """The same for a large object, which may take hours; looked at anew, as it may have waited for long."""
        return self._settle(entry, memory, self._work(entry, memory, large=True))

    def _settle(
        self, entry: LotEntry, memory: ObjectFacts | None, found: ResultRow | Retry | MoveToLongPool
    ) -> ResultRow | Retry | MoveToLongPool:
        """What was found, but that a key which HEAD shows restored and S3 calls archived is looked at again first."""
        if isinstance(found, ResultRow):
            doubts = self._doubts.pop(entry, 0)
            if found.error_code in _NOT_RESTORED and found.outcome is Outcome.PENDING and doubts < DOUBTS:
                self._doubts[entry] = doubts + 1
                return Retry(row=found, retry_action=RetryAction.LOOK_AGAIN, memory=memory)
        return found

    def _work(self, entry: LotEntry, memory: ObjectFacts | None, *, large: bool) -> ResultRow | Retry | MoveToLongPool:
        try:
            seen = self._look(entry, memory)
        except SettledError as settled:
            found = settled.found
            return replace(found, memory=memory) if isinstance(found, Retry) else found
        if seen.judgement.outcome:
            return self._judged(entry, seen, memory)
        in_parts = seen.facts.size_bytes > self._settings.threshold_bytes
        if in_parts and not large:
            return MoveToLongPool(action=self._large, memory=memory)
        try:
            copied = self._copy_in_parts(entry, seen) if in_parts else self._copy(entry, seen)
        except RefusedError as refused:
            sent = not isinstance(refused, UnsentError)
            return self._refused(entry, seen, refused.answer, memory, sent=sent)
        except UnsupportedError as error:
            size = seen.facts.size_bytes
            return ResultRow(entry=entry, outcome=Outcome.UNSUPPORTED, message=str(error), size_bytes=size)
        self._take_snapshot(entry, copied.head)
        return self._checks(copied, thorough=in_parts)

    def _judged(self, entry: LotEntry, seen: Observed, memory: ObjectFacts | None) -> ResultRow:
        """The result of a key that needs no copy."""
        outcome, message, made = seen.judgement.outcome or Outcome.ERROR, seen.judgement.message, ""
        if outcome is Outcome.COPIED:
            made = seen.facts.version_id
            if self._settings.delete_superseded and memory and memory.version_id:
                # As good as certain that it is ours isn't enough to delete anything for.
                message += f"; its old version {memory.version_id} stays"
        return ResultRow(
            entry=entry,
            outcome=outcome,
            http_status=_OK,
            message=message,
            size_bytes=seen.facts.size_bytes,
            new_version_id=made,
        )

    def _copy(self, entry: LotEntry, seen: Observed) -> Copied:
        """A copy by one CopyObject. Raises RefusedError, UnsupportedError."""
        source = seen.source(entry)
        with before_the_copy():
            carried = self._carrying.for_copy(source, seen.head, seen.seen_at)
        answer = self._s3.ask(
            "copy_object",
            Bucket=entry.bucket,
            Key=entry.key,
            CopySource=source,
            CopySourceIfMatch=seen.facts.etag,
            **seen.guard,
            StorageClass=self._settings.target,
            MetadataDirective="COPY",
            TaggingDirective="COPY",
            **carried.arguments,
        )
        etag = answer.get("CopyObjectResult", {}).get("ETag", "")
        if not etag:
            raise odd_answer("no ETag of a copy")
        return Copied(
            row=self._row(entry, seen, answer),
            source=source,
            head=seen.head,
            answer=answer,
            etag=etag,
            carried=carried,
            seen_at=seen.seen_at,
        )

    def _copy_in_parts(self, entry: LotEntry, seen: Observed) -> Copied:
        """A copy in parts. Raises RefusedError, UnsupportedError."""
        source, head = seen.source(entry), seen.head
        if not self._checksums:
            with before_the_copy():
                head = self._s3.ask("head_object", **source, IfMatch=seen.facts.etag, ChecksumMode="ENABLED")
        large = Large(
            entry=entry,
            source=source,
            head=head,
            guard=seen.guard,
            target=self._settings.target,
            current=seen.current,
            seen_at=seen.seen_at,
        )
        made = self._multipart.copy(large)
        return Copied(
            row=self._row(entry, seen, made.answer),
            source=source,
            head=head,
            answer=made.answer,
            etag=made.answer["ETag"],
            carried=made.carried,
            seen_at=seen.seen_at,
            tells_checksum=made.tells_checksum,
        )

    def _row(self, entry: LotEntry, seen: Observed, answer: Mapping[str, Any]) -> ResultRow:
        """The result of a key that S3 says was copied."""
        was = "" if seen.current else "; it was not the current version, and its copy is"
        return ResultRow(
            entry=entry,
            outcome=Outcome.COPIED,
            http_status=_OK,
            message=f"copied from {seen.facts.storage_class} to {self._settings.target}{was}",
            size_bytes=seen.facts.size_bytes,
            new_version_id=answer.get("VersionId", ""),
        )

    def _refused(
        self, entry: LotEntry, seen: Observed, answer: Answer, memory: ObjectFacts | None, *, sent: bool
    ) -> ResultRow | Retry:
        """What an answer means that was no success. sent: whether it is the copy's, which may have been made."""
        found = self._s3.result(entry, answer, memory=memory)
        if isinstance(found, Retry):
            if found.retry_action is not RetryAction.LOOK_AGAIN or not sent:
                return found
            self._take_snapshot(entry, seen.head)
            # A noncurrent version is no sign of a lost copy of it: judge_version knows one by its content.
            return replace(found, memory=seen.facts if seen.current else None)
        if found.outcome is Outcome.CHANGED and memory:
            # Perhaps changed by our own earlier copy, whose answer was lost and which only now came through.
            return Retry(row=found, retry_action=RetryAction.LOOK_AGAIN, memory=memory)
        return replace(found, size_bytes=seen.facts.size_bytes)

    def _take_snapshot(self, entry: LotEntry, head: Mapping[str, Any]) -> None:
        if self._audit:
            self._audit(entry, snapshot_of(head))
