"""The copy phase of one key: look at it, let the judge decide, copy it onto itself pinned to what was seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from worker.actions.bucket_rules import BucketRules
from worker.actions.check_copy import CopyCheck
from worker.actions.copied import Copied, Observed
from worker.actions.delete_superseded import DeleteSuperseded
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.look_at_object import LookAtObject, SettledError
from worker.actions.multipart import Multipart, UnsentError, before_the_copy
from worker.actions.read_answer import unexpected_answer
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, ObjectSnapshot, Options, Outcome, ResultRow, snapshot_of
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
How often an object is looked at again when HEAD shows it restored and another answer says that it isn't.

The loop's delays between the looks double from half a second, so this takes some 15 seconds.
"""


class CopyAction:
    """
    Copies an object onto itself, into another storage class.

    options: of the copy phase. uploads: where uploads in parts are noted.
    audit: takes the snapshot of each object that was copied, or may have been, before its result is known.
    now: the time in UTC.
    """

    def __init__(
        self,
        s3: S3,
        options: Options,
        *,
        uploads: UploadNotes,
        audit: Callable[[LotEntry, ObjectSnapshot], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._s3 = s3
        self._options = options
        self._audit = audit
        # Checksums belong to the snapshots that are compared or kept.
        self._checksums = options.delete_superseded or audit is not None
        self._look = LookAtObject(
            s3,
            target=options.storage_class,
            allow_noncurrent=options.allow_noncurrent,
            checksums=self._checksums,
            now=now,
        )
        self._carry_over = CarryOverReader(s3, BucketRules(s3))
        delete = DeleteSuperseded(s3, self._carry_over) if options.delete_superseded else None
        self._check = CopyCheck(s3, self._carry_over, target=options.storage_class, delete=delete)
        self._doubts: dict[LotEntry, int] = {}
        self._multipart = Multipart(
            s3,
            self._carry_over,
            uploads,
            threads=PartThreads(PARTS_IN_FLIGHT),
            target=options.storage_class,
            part_bytes=options.part_size_bytes,
        )

    def __call__(
        self, entry: LotEntry, memory: ObjectFacts | None, *, large: bool = False
    ) -> ResultRow | Retry | MoveToLongPool:
        """
        The key's result, the wish to try again, or the wish to move a large object to the long pool.

        memory: the object before a copy whose answer was lost: it is looked for before another is sent.
        large: whether this is the long pool. The object is looked at again there, as it may have waited for long.
        """
        found = self._work(entry, memory, large=large)
        if isinstance(found, ResultRow):
            doubts = self._doubts.pop(entry, 0)
            if found.error_code in _NOT_RESTORED and found.outcome is Outcome.PENDING and doubts < DOUBTS:
                # HEAD shows the object restored, and S3 calls it archived.
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
            return self._judged(seen, memory)
        in_parts = seen.facts.size_bytes > self._options.multipart_threshold_bytes
        if in_parts and not large:
            return MoveToLongPool(action=partial(self, large=True), memory=memory)
        try:
            copied = self._copy_in_parts(seen) if in_parts else self._copy(seen)
        except RefusedError as refused:
            return self._refused(seen, refused.answer, memory, sent=not isinstance(refused, UnsentError))
        except UnsupportedError as error:
            size = seen.facts.size_bytes
            return ResultRow(entry=entry, outcome=Outcome.UNSUPPORTED, message=str(error), size_bytes=size)
        self._take_snapshot(copied.seen)
        return self._check(copied, thorough=in_parts)

    def _judged(self, seen: Observed, memory: ObjectFacts | None) -> ResultRow:
        """The result of a key that needs no copy."""
        outcome, message, made = seen.judgement.outcome or Outcome.ERROR, seen.judgement.message, ""
        if outcome is Outcome.COPIED:
            made = seen.facts.version_id
            if self._options.delete_superseded and memory and memory.version_id:
                # It is almost certain that the copy is ours. That isn't enough to delete anything for.
                message += f"; its old version {memory.version_id} stays"
        return ResultRow(
            entry=seen.entry,
            outcome=outcome,
            http_status=_OK,
            message=message,
            size_bytes=seen.facts.size_bytes,
            new_version_id=made,
        )

    def _copy(self, seen: Observed) -> Copied:
        """A copy by one CopyObject. Raises RefusedError, UnsupportedError."""
        with before_the_copy():
            carried = self._carry_over.for_copy(seen.source, seen.head, seen.seen_at)
        answer = self._s3.ask(
            "copy_object",
            **seen.here,
            CopySource=seen.source,
            CopySourceIfMatch=seen.facts.etag,
            **seen.guard,
            StorageClass=self._options.storage_class,
            MetadataDirective="COPY",
            TaggingDirective="COPY",
            **carried.arguments,
        )
        copied = Copied(seen=seen, answer=answer, carried=carried)
        if not copied.etag:
            raise unexpected_answer("no ETag of a copy")
        return copied

    def _copy_in_parts(self, seen: Observed) -> Copied:
        """A copy in parts. Raises RefusedError, UnsupportedError."""
        if not self._checksums:
            with before_the_copy():
                head = self._s3.ask("head_object", **seen.source, IfMatch=seen.facts.etag, ChecksumMode="ENABLED")
            seen = replace(seen, head=head)
        return self._multipart.copy(seen)

    def _refused(self, seen: Observed, answer: Answer, memory: ObjectFacts | None, *, sent: bool) -> ResultRow | Retry:
        """What an answer means that was no success. sent: whether it is the copy's, which may have been made."""
        found = self._s3.result(seen.entry, answer, memory=memory)
        if isinstance(found, Retry):
            if found.retry_action is not RetryAction.LOOK_AGAIN or not sent:
                return found
            self._take_snapshot(seen)
            # A noncurrent version is no sign of a lost copy of it: judge_version knows one by its content.
            return replace(found, memory=seen.facts if seen.current else None)
        if found.outcome is Outcome.CHANGED and memory:
            # Perhaps changed by our own earlier copy, whose answer was lost and which only now came through.
            return Retry(row=found, retry_action=RetryAction.LOOK_AGAIN, memory=memory)
        return replace(found, size_bytes=seen.facts.size_bytes)

    def _take_snapshot(self, seen: Observed) -> None:
        if self._audit:
            self._audit(seen.entry, snapshot_of(seen.head))
