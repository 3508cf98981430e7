"""Delete the version that a copy superseded, once it is proven that nothing is lost with it: `--delete-superseded`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from worker.actions.copied import NULL, Copied
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.read_answer import ask_head
from worker.contract import differences, proves_content, snapshot_of
from worker.decide.carry_over import IncompleteAnswerError, retention_until
from worker.decide.judge_error import UNEXPECTED, Answer, RetryAction, judge_answer
from worker.errors import StoppingError
from worker.pool.loop import MAX_DELAY_S
from worker.s3.ask import PATIENT_TRIES, S3, RefusedError, asking_for

_NOT_FOUND = 404

_LOOKS = 4
"""How often a version is looked at after an unclear answer to its deletion, before the deletion is given up."""

UNPROVEN = (
    "nothing that S3 tells proves the copy's content: its ETag is over other parts or under KMS, and not both have a "
    "checksum of the whole object"
)


class DeleteSuperseded:
    """
    Deletes the versions that were copied.

    Right before a deletion both versions are compared in everything that S3 tells: what HEAD shows, with proof of the
    content, then tags, annotations, and the ACL where ACLs matter. The version stays when anything differs, can't be
    asked for, or isn't told.
    """

    def __init__(self, s3: S3, carry_over: CarryOverReader) -> None:
        self._s3 = s3
        self._carry_over = carry_over

    def __call__(self, copied: Copied, after: Mapping[str, Any]) -> str:
        """
        In words, what became of the version that was copied; "" where there are no versions.

        after: HEAD's answer for the copy, which was found to be as the object was.
        """
        old = copied.seen.facts.version_id
        if not old:
            return ""
        try:
            why = _why_never(old, copied.place.get("VersionId", "")) or self._why_not(copied, after)
            return f"its old version {old} " + (f"stays: {why}" if why else self._delete(copied.seen.source))
        except (RefusedError, StoppingError) as error:
            return f"its old version {old} stays: {words_of(error)}"

    def _why_not(self, copied: Copied, after: Mapping[str, Any]) -> str:
        """Why the version stays, or "". Raises RefusedError, StoppingError."""
        seen = copied.seen
        with asking_for("looking at the old version"):
            before = ask_head(self._s3, seen.source, checksums=True, patient=True)
        locked = lock_of(before, seen.seen_at)
        if locked:
            return locked
        then, now = snapshot_of(before), snapshot_of(after)
        differs = list(differences(snapshot_of(seen.head), then, now=seen.seen_at))
        differs = differs or list(differences(then, now, now=seen.seen_at))
        if differs:
            return f"it isn't what was copied any more: {'; '.join(differs)}"
        if not proves_content(then, now):
            return UNPROVEN
        return self._carry_over.changed_meanwhile(seen.source, copied.place, acls=copied.carried.acl is not None)

    def _delete(self, source: Mapping[str, str]) -> str:
        """
        What became of exactly this version. Raises RefusedError, StoppingError when it certainly stays.

        It is called deleted only when S3 answers that it is. After any unclear answer the version is looked at before
        the deletion is asked for again.
        """
        looks, gone, refusal = 0, "", Answer(code="")
        try:
            for tries in range(PATIENT_TRIES):
                asked = self._ask_to_delete(source)
                if asked is None:
                    return "is deleted"
                refusal, verdict = asked, judge_answer(self._s3.phase, asked)
                if verdict is not RetryAction.SLOW_DOWN:
                    if not looks and verdict is not RetryAction.LOOK_AGAIN and refusal.code != UNEXPECTED:
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
        """In words, that a version is gone or can't be seen; "" when it is there. Raises StoppingError."""
        try:
            ask_head(self._s3, source, checksums=True, patient=True)
        except RefusedError as refused:
            return "is gone" if refused.answer.http_status == _NOT_FOUND else f"may be deleted: {words_of(refused)}"
        return ""

    def _ask_to_delete(self, source: Mapping[str, str]) -> Answer | None:
        """None when S3 says that this very version is deleted, else its answer. Raises StoppingError."""
        try:
            answer = self._s3.ask("delete_object", **source)
        except RefusedError as refused:
            return refused.answer
        if answer.get("DeleteMarker") or answer.get("VersionId", source["VersionId"]) != source["VersionId"]:
            # Not lost, so it isn't sent again: the version's id went missing on the way, and each further request
            # would make another delete marker.
            return Answer(code=UNEXPECTED, message="S3's answer is about another version")
        return None


def _why_never(old: str, new: str) -> str:
    """
    Why a version is never one to delete, or "". old, new: the ids of the version that was copied and of its copy.

    Never `null`: such a version may have been replaced since, by a write while versioning was suspended.
    """
    return "only versions with an id of their own are deleted" if old == NULL or new in ("", old) else ""


def lock_of(head: Mapping[str, Any], now: datetime) -> str:
    """In words, what protects an object from deletion, or ""."""
    try:
        until = retention_until(head)
    except IncompleteAnswerError as incomplete:
        return f"S3's answer has {incomplete}"
    if until and until > now:
        return f"{head['ObjectLockMode']} retention until {until:%Y-%m-%d %H:%M} UTC"
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "it is under a legal hold"
    return "it is under an event hold" if head.get("ObjectLockEventHold") == "ON" else ""


def words_of(error: RefusedError | StoppingError) -> str:
    """In words, why a request got no answer that serves."""
    if isinstance(error, RefusedError):
        return f"{error.answer.code} {error.answer.message}".strip()
    return "the task was told to stop"
