"""Look at one key before it is copied: what stands there, what to do with it, and what must still hold then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from worker.actions.read_answer import odd_answer
from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts, facts_of
from worker.decide.judge_error import Answer, message_of, refused_head_is_customer_key
from worker.decide.judge_object import SSE_C, Judgement, judge_lost_copy, judge_object, judge_version
from worker.pool.loop import Retry
from worker.s3.ask import S3, UNSAID_PAUSES_S, RefusedError, object_of

_BAD_REQUEST = 400
_FORBIDDEN = 403

_TOLD_TO_READERS = frozenset({"InvalidObjectState", "InvalidRange"})
"""Refusals of a GET for the object's class, and for its being empty: who may not read it isn't told."""


class SettledError(Exception):
    """The key's result is known before it was copied."""

    def __init__(self, found: ResultRow | Retry) -> None:
        super().__init__()
        self.found = found


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """
    What was seen of a key.

    head: HeadObject's answer for the version to copy. facts: what is in it. judgement: what to do with it.
    current_etag: of what stands at the key, "" for nothing or a delete marker.
    current: whether the version to copy is what stands there.
    seen_at: when, in UTC.
    """

    head: Mapping[str, Any]
    facts: ObjectFacts
    judgement: Judgement
    current_etag: str
    current: bool
    seen_at: datetime

    @property
    def guard(self) -> dict[str, str]:
        """What must hold at the destination when the copy is made."""
        return {"IfMatch": self.current_etag} if self.current_etag else {"IfNoneMatch": "*"}

    def source(self, entry: LotEntry) -> dict[str, str]:
        """What names the object to copy, and its version on a versioned bucket."""
        named = {"Bucket": entry.bucket, "Key": entry.key}
        return named | {"VersionId": self.facts.version_id} if self.facts.version_id else named


class LookAtObject:
    """
    Looks at keys.

    target: the class to copy into. allow_noncurrent: whether noncurrent versions are to be copied too.
    checksums: whether to ask for checksums with each HEAD. It is one request either way, but for an object under
        KMS it costs a call of S3's to KMS (HeadObject, ChecksumMode): so only where they are used.
    now: the time in UTC.
    """

    def __init__(
        self, s3: S3, *, target: str, allow_noncurrent: bool, checksums: bool, now: Callable[[], datetime]
    ) -> None:
        self._s3 = s3
        self._target = target
        self._allow_noncurrent = allow_noncurrent
        self._how = {"ChecksumMode": "ENABLED"} if checksums else {}
        self._now = now

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None) -> Observed:
        """
        What is seen of the key. Raises SettledError when there is nothing to copy.

        memory: the object before a copy whose answer was lost.
        """
        # Always the current version: a copy can only become the current one, and this HEAD tells which that is.
        head = self._head(replace(entry, version_id="") if entry.version_id else entry, entry)
        facts = facts_of(head) if head else None
        seen_at = self._now()
        if entry.version_id and (facts is None or (facts.version_id or "null") != entry.version_id):
            lost = facts and memory and judge_lost_copy(memory, facts, self._target)
            if not (lost and lost.outcome):
                return self._noncurrent(entry, facts, seen_at)
        if not head or not facts:
            raise SettledError(_missing(entry))
        judgement = judge_lost_copy(memory, facts, self._target) if memory else Judgement()
        if not judgement.outcome:
            judgement = judge_object(facts, self._target, seen_at)
        return Observed(
            head=head, facts=facts, judgement=judgement, current_etag=facts.etag, current=True, seen_at=seen_at
        )

    def _noncurrent(self, entry: LotEntry, current: ObjectFacts | None, seen_at: datetime) -> Observed:
        """What is seen of a version that isn't the current one."""
        head = self._head(entry, entry)
        if not head:
            raise SettledError(_missing(entry))
        facts = facts_of(head)
        judgement = judge_version(facts, current, self._target, allowed=self._allow_noncurrent)
        if not judgement.outcome:
            judgement = judge_object(facts, self._target, seen_at)
        etag = current.etag if current else ""
        return Observed(head=head, facts=facts, judgement=judgement, current_etag=etag, current=False, seen_at=seen_at)

    def _head(self, asked: LotEntry, entry: LotEntry) -> Mapping[str, Any] | None:
        """HEAD's answer, None when there is no such object. Raises SettledError for any other refusal."""
        head, answer = self._ask_head(asked)
        if answer and answer.http_status in (_BAD_REQUEST, _FORBIDDEN):
            reason = self._reason(asked)
            # Without a reason there is none any more: credentials were renewed meanwhile, say.
            head, answer = (None, reason) if reason else self._ask_head_again(asked)
        if not answer:
            return head
        if answer.code == str(_BAD_REQUEST):
            # Who may read it isn't shown it, however often: not for credentials, and not in passing.
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

    def _ask_head(self, asked: LotEntry) -> tuple[Mapping[str, Any] | None, Answer | None]:
        """HEAD's answer, or what was wrong with it."""
        try:
            head = self._s3.ask("head_object", **object_of(asked), **self._how)
        except RefusedError as refused:
            return None, refused.answer
        shown = head.get("VersionId", "")
        if asked.version_id not in ("", "null", shown):
            return None, odd_answer(f"version {shown or 'none'}, and {asked.version_id} was asked for").answer
        return head, None

    def _ask_head_again(self, asked: LotEntry) -> tuple[Mapping[str, Any] | None, Answer | None]:
        """The same, asked some times more while it is a bare 400, which a fault on the way may be too."""
        for pause_s in (*UNSAID_PAUSES_S, None):
            head, answer = self._ask_head(asked)
            if not answer or answer.code != str(_BAD_REQUEST) or pause_s is None:
                break
            self._s3.pace.pause(pause_s)
        return head, answer

    def _reason(self, asked: LotEntry) -> Answer | None:
        """
        Why HEAD was refused, as its answer has no body and that of a GET has; None when the GET isn't.

        It costs a request for refused keys only, and tells apart what must not be confused: a policy, a
        customer's key, and credentials that have expired or are wrong.
        """
        try:
            self._s3.ask("get_object", **object_of(asked), Range="bytes=0-0")["Body"].close()
        except RefusedError as refused:
            told = refused.answer
            return None if told.code in _TOLD_TO_READERS else told
        return None


def _missing(entry: LotEntry) -> ResultRow:
    return ResultRow(entry=entry, outcome=Outcome.MISSING, error_code="404", http_status=404, message="no such object")
