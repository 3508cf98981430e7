"""After a copy: whether it is what the object was."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from worker.actions.copied import Copied, told_by_answer
from worker.actions.delete_superseded import Superseded, look_at, words_of
from worker.actions.gather_carry_over import CarryOverReader
from worker.contract import COPY_DIFFERS, Outcome, ResultRow, bare_etag, differences, snapshot_of
from worker.decide.carry_over import checksum_algorithm
from worker.decide.head_facts import facts_of
from worker.errors import StoppingError
from worker.s3.ask import S3, RefusedError, asking_for


class CopyCheck:
    """
    Compares copies with what they were made of.

    A key's result is recorded after all of this. So a task killed between a copy and its checks leaves no result;
    the next attempt finds the object in its class, says `already`, and deletes nothing: the superseded version stays,
    as it isn't certain whose copy superseded it. A copy that was found to differ has the error code CopyDiffers, by
    which the next attempt, too, tells what it differs in (results.Earlier).

    target: the class they must be in. superseded: deletes the versions that were copied, None to let them stay.
    """

    def __init__(self, s3: S3, carrying: CarryOverReader, *, target: str, superseded: Superseded | None = None) -> None:
        self._s3 = s3
        self._carrying = carrying
        self._target = target
        self._superseded = superseded

    def __call__(self, copied: Copied, *, thorough: bool) -> ResultRow:
        """
        The key's result: `error`, with each difference, when the copy isn't what the object was.

        A check that can't be made is told in the message: the copy itself was made.
        thorough: whether to look at the copy, as every property of one in parts was given by hand.
        """
        row, after = copied.row, None
        wrong = told = told_by_answer(copied)
        try:
            wrong = told + self._wrong_by_asking(copied)
            if wrong or thorough or self._superseded:
                after = self._look(copied)
                if _is_anothers(copied, after):
                    # None of our business, and what was asked above may have been about that one.
                    wrong, after = told, None
                    if not told:
                        return _with(row, "not checked: by now the object there is another one than the copy")
                else:
                    wrong = wrong + self._differences(copied, after)
                    if not wrong and _forgets_checksums(copied, after):
                        row = _with(row, "its checksum is gone: this server, unlike S3, keeps none for a copy in parts")
        except (RefusedError, StoppingError) as error:
            if not wrong:
                return _with(row, f"not checked: {words_of(error)}{self._stays(copied)}")
        if wrong:
            row = replace(row, outcome=Outcome.ERROR, error_code=COPY_DIFFERS)
            return _with(row, f"but it isn't as it was: {'; '.join(wrong)}{self._stays(copied)}")
        return _with(row, self._superseded(copied, after)) if self._superseded and after else row

    def _wrong_by_asking(self, copied: Copied) -> list[str]:
        """What is wrong with the copy's ACL and tags, which HEAD doesn't tell. Raises RefusedError, StoppingError."""
        found = [self._carrying.lost_tags(copied.place, copied.carried.tags)]
        if copied.carried.acl:
            found.append(self._carrying.wrong_acl(copied.place, copied.carried.acl))
        return [words for words in found if words]

    def _look(self, copied: Copied) -> Mapping[str, Any]:
        """HEAD's answer for the copy: for its version, where it has one. Raises RefusedError, StoppingError."""
        with asking_for("looking at the copy"):
            return look_at(self._s3, copied.place)

    def _differences(self, copied: Copied, after: Mapping[str, Any]) -> list[str]:
        facts = facts_of(after)
        before, now = snapshot_of(copied.head), snapshot_of(after)
        if _forgets_checksums(copied, after):
            before = replace(before, checksums={}, checksum_type="")
        found = list(differences(before, now, now=copied.seen_at))
        if now.etag != bare_etag(copied.etag):
            found.append(f"its ETag is {now.etag}, and S3 had said {bare_etag(copied.etag)}")
        if facts.storage_class != self._target:
            found.append(f"it is in {facts.storage_class}")
        if facts.customer_key or facts.missing_metadata:
            found.append("it has a customer's key, or metadata that headers can't show")
        return found

    def _stays(self, copied: Copied) -> str:
        """What to say of the superseded version when it isn't deleted."""
        old = copied.source.get("VersionId", "")
        return f"; its old version {old} stays" if self._superseded and old else ""


def _is_anothers(copied: Copied, after: Mapping[str, Any]) -> bool:
    """
    Whether what stands at the key may be a newer object than the copy, which is only where no version names the copy.

    An object that is still the one which was to be copied is no newer one.
    """
    if "VersionId" in copied.place:
        return False
    return bare_etag(after["ETag"]) not in (bare_etag(copied.etag), bare_etag(copied.head["ETag"]))


def _forgets_checksums(copied: Copied, after: Mapping[str, Any]) -> bool:
    """Whether the object's checksum is gone because the server has none for uploads in parts."""
    return not copied.tells_checksum and bool(checksum_algorithm(copied.head)) and not checksum_algorithm(after)


def _with(row: ResultRow, words: str) -> ResultRow:
    return replace(row, message=f"{row.message}; {words}") if words else row
