"""The copy phase of one key: look at it, let the judge decide, copy it onto itself pinned to what was seen."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from worker.actions.asking import S3, RefusedError, object_of
from worker.actions.multipart import UnsupportedError, copy_in_parts
from worker.carry import dropped_by_copy
from worker.contract import LotEntry, Outcome, ResultRow
from worker.facts import ObjectFacts, facts_of
from worker.judge import (
    SSE_C,
    Answer,
    Course,
    Judgement,
    judge_lost_copy,
    judge_object,
    judge_version,
    refused_head_is_customer_key,
)
from worker.loop import Again

_BAD_REQUEST = 400
_FORBIDDEN = 403
_OK = 200


class _SettledError(Exception):
    """The key's result is known before it was copied."""

    def __init__(self, found: ResultRow | Again) -> None:
        super().__init__()
        self.found = found


class CopyAction:
    """
    Copies an object onto itself, into another storage class.

    target: the class. threshold_bytes: larger objects are copied in parts of part_bytes.
    now: the time in UTC.
    """

    def __init__(
        self,
        s3: S3,
        *,
        target: str,
        threshold_bytes: int,
        part_bytes: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._s3 = s3
        self._target = target
        self._threshold_bytes = threshold_bytes
        self._part_bytes = part_bytes
        self._now = now

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Again:
        """
        The key's result, or the wish to try again.

        memory: the object before a copy whose answer was lost: it is looked for before another is sent.
        """
        try:
            head, judgement = self._look(entry, memory)
        except _SettledError as settled:
            if isinstance(settled.found, Again):
                return replace(settled.found, memory=memory)
            return settled.found
        facts = facts_of(head)
        if judgement.outcome:
            made = facts.version_id if judgement.outcome is Outcome.COPIED else ""
            return ResultRow(
                entry=entry,
                outcome=judgement.outcome,
                http_status=_OK,
                message=judgement.message,
                size_bytes=facts.size_bytes,
                new_version_id=made,
            )
        try:
            response = self._copy(entry, head, facts)
        except RefusedError as refused:
            return self._refused(entry, facts, refused.answer, memory)
        except UnsupportedError as error:
            return ResultRow(entry=entry, outcome=Outcome.UNSUPPORTED, message=str(error), size_bytes=facts.size_bytes)
        return ResultRow(
            entry=entry,
            outcome=Outcome.COPIED,
            http_status=_OK,
            message=f"copied from {facts.storage_class} to {self._target}",
            size_bytes=facts.size_bytes,
            new_version_id=response.get("VersionId", ""),
        )

    def _look(self, entry: LotEntry, memory: ObjectFacts | None) -> tuple[Mapping[str, Any], Judgement]:
        """HEAD's answer for the object, and what to do with it. Raises _SettledError when there is no such answer."""
        # Always the current version: a copy can only become the current one, and this HEAD tells which that is.
        current = self._head(replace(entry, version_id=""), entry)
        facts = facts_of(current) if current else None
        if current and facts and memory:
            judgement = judge_lost_copy(memory, facts, self._target)
            if judgement.outcome:
                return current, judgement
        if entry.version_id and (facts is None or (facts.version_id or "null") != entry.version_id):
            asked = self._head(entry, entry)
            if asked:
                return asked, judge_version(entry.version_id, facts_of(asked), facts, self._target)
            current = None
        if not current or not facts:
            outcome = Outcome.MISSING
            row = ResultRow(entry=entry, outcome=outcome, error_code="404", http_status=404, message="no such object")
            raise _SettledError(row)
        return current, judge_object(facts, self._target, self._now())

    def _head(self, asked: LotEntry, entry: LotEntry) -> Mapping[str, Any] | None:
        """HEAD's answer, None when there is no such object. Raises _SettledError for any other refusal."""
        try:
            return self._s3.ask("head_object", **object_of(asked))
        except RefusedError as refused:
            answer = refused.answer
        if answer.http_status in (_BAD_REQUEST, _FORBIDDEN):
            answer = self._reason(asked, answer)
        found = self._s3.result(entry, answer)
        if isinstance(found, ResultRow):
            if found.outcome is Outcome.MISSING:
                return None
            if refused_head_is_customer_key(answer):
                found = replace(found, outcome=Outcome.UNSUPPORTED, message=SSE_C)
        raise _SettledError(found)

    def _reason(self, asked: LotEntry, answer: Answer) -> Answer:
        """
        Why HEAD was refused: its answer has no body, that of a GET has.

        It costs a request for refused keys only, and tells apart what must not be confused: a policy, a
        customer's key, and credentials that have expired or are wrong.
        """
        try:
            self._s3.ask("get_object", **object_of(asked), Range="bytes=0-0")["Body"].close()
        except RefusedError as refused:
            told = refused.answer
            if told.http_status is None or told.http_status >= _BAD_REQUEST:
                return answer if told.code == "InvalidObjectState" else told
        return answer

    def _copy(self, entry: LotEntry, head: Mapping[str, Any], facts: ObjectFacts) -> Mapping[str, Any]:
        """S3's answer to the copy. Raises RefusedError."""
        source = {"Bucket": entry.bucket, "Key": entry.key}
        if facts.version_id:
            source["VersionId"] = facts.version_id
        if facts.size_bytes > self._threshold_bytes:
            return copy_in_parts(
                self._s3, source, head, target=self._target, part_bytes=self._part_bytes, now=self._now()
            )
        return self._s3.ask(
            "copy_object",
            Bucket=entry.bucket,
            Key=entry.key,
            CopySource=source,
            CopySourceIfMatch=facts.etag,
            IfMatch=facts.etag,
            StorageClass=self._target,
            MetadataDirective="COPY",
            TaggingDirective="COPY",
            **dropped_by_copy(head, self._now()),
        )

    def _refused(
        self, entry: LotEntry, facts: ObjectFacts, answer: Answer, memory: ObjectFacts | None
    ) -> ResultRow | Again:
        """What a copy that was no success means."""
        found = self._s3.result(entry, answer, memory=memory)
        if isinstance(found, Again):
            return replace(found, memory=facts) if found.course is Course.LOOK_AGAIN else found
        if found.outcome is Outcome.CHANGED and memory:
            # Perhaps changed by our own earlier copy, whose answer was lost and which only now came through.
            return Again(row=found, course=Course.LOOK_AGAIN, memory=memory)
        return replace(found, size_bytes=facts.size_bytes)
