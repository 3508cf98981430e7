"""Delete the version that a copy superseded, once it is proven that nothing is lost with it: `--delete-superseded`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from worker.actions.copied import NULL, Copied
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.read_answer import odd_answer
from worker.contract import differences, proves_content, snapshot_of
from worker.decide.carry_over import OddAnswerError, retention_until
from worker.decide.judge_error import Answer, RetryAction, judge_answer
from worker.errors import StoppingError
from worker.pool.loop import MAX_DELAY_S
from worker.s3.ask import PATIENT_TRIES, S3, STRANGE, RefusedError, asking_for

_NOT_FOUND = 404

_LOOKS = 4
"""How often the deletion of a version is asked for whose answer doesn't tell, while the version is still there."""

UNPROVEN = (
    "nothing that S3 tells proves the copy's content: its ETag is over other parts or under KMS, and not both have a "
    "checksum of the whole object"
)


class Superseded:
    """
    Deletes the versions that were copied.

    A version is deleted after a comparison, right before, of both versions as they are then, in everything that S3
    tells: what HEAD shows, with proof of the content, then tags, annotations, and the ACL where ACLs matter.
    Whatever isn't the same, can't be asked for, or isn't told, lets it stay.
    """

    def __init__(self, s3: S3, carrying: CarryOverReader) -> None:
        self._s3 = s3
        self._carrying = carrying

    def __call__(self, copied: Copied, after: Mapping[str, Any]) -> str:
        """
        In words, what became of the version that was copied; "" where there are no versions.

        after: HEAD's answer for the copy, which was found to be as the object was.
        """
        old = copied.source.get("VersionId", "")
        if not old:
            return ""
        try:
            why = _why_never(copied) or self._why_not(copied, after)
            return f"its old version {old} " + (f"stays: {why}" if why else self._delete(copied.source))
        except (RefusedError, StoppingError) as error:
            return f"its old version {old} stays: {words_of(error)}"

    def _why_not(self, copied: Copied, after: Mapping[str, Any]) -> str:
        """Why the version stays, or "". Raises RefusedError, StoppingError."""
        with asking_for("looking at the old version"):
            before = look_at(self._s3, copied.source)
            locked = lock_of(before, copied.seen_at)
        if locked:
            return locked
        then, now = snapshot_of(before), snapshot_of(after)
        differs = [*differences(snapshot_of(copied.head), then, now=copied.seen_at)]
        differs = differs or [*differences(then, now, now=copied.seen_at)]
        if differs:
            return f"it isn't what was copied any more: {'; '.join(differs)}"
        if not proves_content(then, now):
            return UNPROVEN
        return self._carrying.changed_meanwhile(copied.source, copied.place, acls=copied.carried.acl is not None)

    def _delete(self, source: Mapping[str, str]) -> str:
        """
        What became of exactly this version. Raises RefusedError, StoppingError when it certainly stays.

        It is said to be deleted when S3 answered as it does then. After any other answer the version is looked at
        before it is asked for once more, or anything is said of it.
        """
        looks, gone, refusal = 0, "", Answer(code="")
        try:
            for tries in range(PATIENT_TRIES):
                asked = self._ask_to_delete(source)
                if asked is None:
                    return "is deleted"
                refusal, verdict = asked, judge_answer(self._s3.phase, asked)
                if verdict is not RetryAction.SLOW_DOWN:
                    if not looks and verdict is not RetryAction.LOOK_AGAIN and refusal.code != STRANGE:
                        raise RefusedError(refusal)
                    looks += 1
                    gone = self._look_for(source)
                    if gone or looks == _LOOKS or verdict is not RetryAction.LOOK_AGAIN:
                        break
                self._s3.pace.pause(min(MAX_DELAY_S, 0.5 * 2**tries))
        except StoppingError as stopping:
            if not looks:
                raise
            return f"may be deleted: {words_of(stopping)}"
        if not looks:
            raise RefusedError(refusal)
        return gone or f"is still there, and S3 didn't answer that it is deleted ({words_of(RefusedError(refusal))})"

    def _look_for(self, source: Mapping[str, str]) -> str:
        """In words, where a version is that isn't there any more, or "". Raises StoppingError."""
        try:
            look_at(self._s3, source)
        except RefusedError as refused:
            return "is gone" if refused.answer.http_status == _NOT_FOUND else f"may be deleted: {words_of(refused)}"
        return ""

    def _ask_to_delete(self, source: Mapping[str, str]) -> Answer | None:
        """What S3 answered instead of that (proof.py) this very version is deleted. Raises StoppingError."""
        try:
            answer = self._s3.ask("delete_object", **source)
        except RefusedError as refused:
            return refused.answer
        if answer.get("DeleteMarker") or answer.get("VersionId", source["VersionId"]) != source["VersionId"]:
            # Not once more: what took the version's id out of the request would make one delete marker after another.
            return Answer(code=STRANGE, message="S3's answer is about another version")
        return None


def _why_never(copied: Copied) -> str:
    """
    Why the version that was copied isn't one to delete, whatever the copy is like, or "".

    Never `null`: such a version may have been replaced since, by a write while versioning was suspended.
    """
    old, new = copied.source.get("VersionId", ""), copied.place.get("VersionId", "")
    return "only versions with an id of their own are deleted" if old == NULL or not new or new == old else ""


def look_at(s3: S3, place: Mapping[str, str]) -> Mapping[str, Any]:
    """
    HEAD's answer for an object or, when `place` names one, a version: of that very version, or RefusedError.

    Raises RefusedError, StoppingError.
    """
    head = s3.ask_patiently("head_object", **place, ChecksumMode="ENABLED")
    asked, shown = place.get("VersionId", ""), head.get("VersionId", "")
    if asked and shown != asked:
        raise odd_answer(f"version {shown or 'none'}, and {asked} was asked for")
    return head


def lock_of(head: Mapping[str, Any], now: datetime) -> str:
    """In words, what protects an object from deletion, or ""."""
    try:
        until = retention_until(head)
    except OddAnswerError as odd:
        return f"S3's answer has {odd}"
    if until and until > now:
        return f"{head['ObjectLockMode']} retention until {until:%Y-%m-%d %H:%M} UTC"
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "it is under a legal hold"
    return "it is under an event hold" if head.get("ObjectLockEventHold") == "ON" else ""


def words_of(error: RefusedError | StoppingError) -> str:
    """What kept something from being asked."""
    if isinstance(error, RefusedError):
        return f"{error.answer.code} {error.answer.message}".strip()
    return "the task was told to stop"
