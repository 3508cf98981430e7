"""Look at one key before it is copied: what stands there, what to do with it, and what must still hold then."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from worker.actions.copied import NULL, Observed
from worker.actions.read_answer import ask_head
from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts, facts_of
from worker.decide.judge_error import Answer, message_of, refused_head_is_customer_key
from worker.decide.judge_object import COPY, SSE_C, judge_lost_copy, judge_object, judge_version
from worker.pool.loop import Retry
from worker.s3.ask import S3, UNSAID_PAUSES_S, RefusedError, object_of

_BAD_REQUEST = 400
_FORBIDDEN = 403

_TOLD_TO_READERS = frozenset({"InvalidObjectState", "InvalidRange"})
"""Refusals of a GET because of the object's class, or because it is empty. Only a caller who may read it gets them."""


class SettledError(Exception):
    """The key's result is known before it was copied."""

    def __init__(self, found: ResultRow | Retry) -> None:
        super().__init__()
        self.found = found


class LookAtObject:
    """
    Looks at keys.

    target: the class to copy into. allow_noncurrent: whether noncurrent versions are to be copied too.
    checksums: whether to ask for checksums with each HEAD. For an object under KMS, S3 then calls KMS, which costs
        (HeadObject, ChecksumMode). So they are asked for only where they are used.
    now: the time in UTC.
    """

    def __init__(
        self, s3: S3, *, target: str, allow_noncurrent: bool, checksums: bool, now: Callable[[], datetime]
    ) -> None:
        self._s3 = s3
        self._target = target
        self._allow_noncurrent = allow_noncurrent
        self._checksums = checksums
        self._now = now

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None) -> Observed:
        """
        What is seen of the key. Raises SettledError when there is nothing to copy.

        memory: the object before a copy whose answer was lost.
        """
        # Always the current version first: the copy will take its place.
        head = self._head(replace(entry, version_id="") if entry.version_id else entry, entry)
        facts = current = facts_of(head) if head else None
        seen_at = self._now()
        noncurrent = self._is_noncurrent(entry, current, memory)
        if noncurrent:
            head = self._head(entry, entry)
            facts = facts_of(head) if head else None
        if not head or not facts:
            raise SettledError(_missing(entry))
        if noncurrent:
            judgement = judge_version(facts, current, self._target, allowed=self._allow_noncurrent)
        else:
            judgement = judge_lost_copy(memory, facts, self._target) if memory else COPY
        return Observed(
            entry=entry,
            head=head,
            facts=facts,
            judgement=judgement if judgement.outcome else judge_object(facts, self._target, seen_at),
            current_etag=current.etag if current else "",
            current=not noncurrent,
            seen_at=seen_at,
        )

    def _is_noncurrent(self, entry: LotEntry, current: ObjectFacts | None, memory: ObjectFacts | None) -> bool:
        """Whether the entry asks for another version than the current one, and that isn't a lost copy of ours."""
        if not entry.version_id or (current and (current.version_id or NULL) == entry.version_id):
            return False
        lost = current and memory and judge_lost_copy(memory, current, self._target)
        return not (lost and lost.outcome)

    def _head(self, asked: LotEntry, entry: LotEntry) -> Mapping[str, Any] | None:
        """HEAD's answer, None when there is no such object. Raises SettledError for any other refusal."""
        answer = self._ask_head(asked)
        if isinstance(answer, Answer) and answer.http_status in (_BAD_REQUEST, _FORBIDDEN):
            # Without a reason the refusal may have passed: credentials were renewed meanwhile, say.
            answer = self._reason(asked) or self._ask_head_again(asked)
        if not isinstance(answer, Answer):
            return answer
        if answer.code == str(_BAD_REQUEST):
            # A GET is allowed and HEAD is refused each time. So neither credentials nor a passing fault are the cause.
            message = message_of(Outcome.ERROR, answer)
            raise SettledError(
                ResultRow(entry=entry, outcome=Outcome.ERROR, error_code="400", http_status=400, message=message)
            )
        found = self._s3.result(entry, answer)
        if isinstance(found, ResultRow):
            if found.outcome is Outcome.MISSING:
                return None
            if refused_head_is_customer_key(answer):
                found = replace(found, outcome=Outcome.UNSUPPORTED, message=SSE_C)
        raise SettledError(found)

    def _ask_head(self, asked: LotEntry) -> Mapping[str, Any] | Answer:
        """HEAD's answer, or what was wrong with it."""
        try:
            return ask_head(self._s3, object_of(asked), checksums=self._checksums)
        except RefusedError as refused:
            return refused.answer

    def _ask_head_again(self, asked: LotEntry) -> Mapping[str, Any] | Answer:
        """The same, asked up to four times while it is a bare 400, which a fault on the way may be too."""
        for pause_s in UNSAID_PAUSES_S:
            answer = self._ask_head(asked)
            if not isinstance(answer, Answer) or answer.code != str(_BAD_REQUEST):
                return answer
            self._s3.pace.pause(pause_s)
        return self._ask_head(asked)

    def _reason(self, asked: LotEntry) -> Answer | None:
        """
        Why HEAD was refused, in the words of a GET's answer; None when the GET isn't refused.

        HEAD's answer has no body. This costs a request for refused keys only, and tells apart a policy, a customer's
        key, and credentials that have expired or are wrong.
        """
        try:
            self._s3.ask("get_object", **object_of(asked), Range="bytes=0-0")["Body"].close()
        except RefusedError as refused:
            return None if refused.answer.code in _TOLD_TO_READERS else refused.answer
        return None


def _missing(entry: LotEntry) -> ResultRow:
    return ResultRow(entry=entry, outcome=Outcome.MISSING, error_code="404", http_status=404, message="no such object")
