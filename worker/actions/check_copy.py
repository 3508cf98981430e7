"""After a copy: whether it is what the object was."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.actions.copied import Copied, told_by_answer
from worker.actions.delete_superseded import DeleteSuperseded, words_of
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.read_answer import ask_head
from worker.contract import COPY_DIFFERS, Outcome, ResultRow, bare_etag, differences, snapshot_of
from worker.decide.carry_over import checksum_algorithm
from worker.decide.head_facts import facts_of
from worker.errors import StoppingError
from worker.s3.ask import S3, RefusedError, asking_for

_OK = 200


class CopyCheck:
    """
    Compares copies with the objects that they were made of.

    A key's result is recorded after its checks. So a task that is killed between a copy and its checks leaves no
    result. The next attempt finds the object in its class, says `already`, and deletes nothing: it isn't certain whose
    copy superseded the old version. A copy that differs has the error code CopyDiffers. By that the next attempt, too,
    tells what differs (results.Earlier).

    target: the class that copies must be in. delete: deletes the versions that were copied, None to let them stay.
    """

    def __init__(
        self, s3: S3, carry_over: CarryOverReader, *, target: str, delete: DeleteSuperseded | None = None
    ) -> None:
        self._s3 = s3
        self._carry_over = carry_over
        self._target = target
        self._delete = delete

    def __call__(self, copied: Copied, *, thorough: bool) -> ResultRow:
        """
        The key's result: `error`, with each difference, when the copy isn't what the object was.

        When a check can't be made the message says so; the outcome stays, as the copy was made.
        thorough: whether to HEAD the copy. One in parts needs it, as every property was given by hand.
        """
        row, after = self._row(copied), None
        wrong = told = told_by_answer(copied)
        try:
            # HEAD tells neither tags nor ACL.
            lost_tags = self._carry_over.lost_tags(copied.place, copied.carried.tags)
            wrong_acl = self._carry_over.wrong_acl(copied.place, copied.carried.acl)
            wrong = told + [words for words in (lost_tags, wrong_acl) if words]
            if wrong or thorough or self._delete:
                with asking_for("looking at the copy"):
                    after = ask_head(self._s3, copied.place, checksums=True, patient=True)
                if not _is_anothers(copied, after):
                    wrong = wrong + self._differences(copied, after)
                elif told:
                    # The other object is none of our business, and its tags or ACL may be what was found wrong above.
                    wrong = told
                else:
                    return _with(row, "not checked: by now the object there is another one than the copy")
        except (RefusedError, StoppingError) as error:
            if not wrong:
                return _with(row, f"not checked: {words_of(error)}{self._stays(copied)}")
        if wrong:
            row = replace(row, outcome=Outcome.ERROR, error_code=COPY_DIFFERS)
            return _with(row, f"but it isn't as it was: {'; '.join(wrong)}{self._stays(copied)}")
        if after and _forgets_checksums(copied, after):
            row = _with(row, "its checksum is gone: this server, unlike S3, keeps none for a copy in parts")
        return _with(row, self._delete(copied, after)) if self._delete and after else row

    def _row(self, copied: Copied) -> ResultRow:
        """The result before the checks."""
        seen = copied.seen
        was = "" if seen.current else "; it was not the current version, and its copy is"
        return ResultRow(
            entry=seen.entry,
            outcome=Outcome.COPIED,
            http_status=_OK,
            message=f"copied from {seen.facts.storage_class} to {self._target}{was}",
            size_bytes=seen.facts.size_bytes,
            new_version_id=copied.answer.get("VersionId", ""),
        )

    def _differences(self, copied: Copied, after: Mapping[str, Any]) -> list[str]:
        facts = facts_of(after)
        before, now = snapshot_of(copied.seen.head), snapshot_of(after)
        if _forgets_checksums(copied, after):
            before = replace(before, checksums={}, checksum_type="")
        found = list(differences(before, now, now=copied.seen.seen_at))
        if now.etag != bare_etag(copied.etag):
            found.append(f"its ETag is {now.etag}, and S3 had said {bare_etag(copied.etag)}")
        if facts.storage_class != self._target:
            found.append(f"it is in {facts.storage_class}")
        if facts.customer_key or facts.missing_metadata:
            found.append("it has a customer's key, or metadata that headers can't show")
        return found

    def _stays(self, copied: Copied) -> str:
        """What to say of the superseded version when it isn't deleted."""
        old = copied.seen.facts.version_id
        return f"; its old version {old} stays" if self._delete and old else ""


def _is_anothers(copied: Copied, after: Mapping[str, Any]) -> bool:
    """
    Whether the object at the key may be a newer one than the copy. Only a copy without a version id can't be told.

    An object with the ETag of the copy, or of what was copied, is no newer one.
    """
    if "VersionId" in copied.place:
        return False
    return bare_etag(after["ETag"]) not in (bare_etag(copied.etag), bare_etag(copied.seen.head["ETag"]))


def _forgets_checksums(copied: Copied, after: Mapping[str, Any]) -> bool:
    """Whether the object's checksum is gone because the server has none for uploads in parts."""
    return not copied.tells_checksum and bool(checksum_algorithm(copied.seen.head)) and not checksum_algorithm(after)


def _with(row: ResultRow, words: str) -> ResultRow:
    return replace(row, message=f"{row.message}; {words}") if words else row
