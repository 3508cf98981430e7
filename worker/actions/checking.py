"""After a copy: is it what the object was? And, if asked for, delete the version that it superseded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from worker.actions.asking import S3, RefusedError, asking_for
from worker.actions.carrying import Carried, Carrying
from worker.carry import checksum_algorithm
from worker.contract import COPY_DIFFERS, Outcome, ResultRow, differences, picture_of
from worker.errors import StoppingError
from worker.facts import facts_of

_NULL = "null"


@dataclass(frozen=True, kw_only=True, slots=True)
class Copied:
    """
    A copy that S3 says it made.

    row: the key's result as far as it is known. source: the object that was copied. head: HEAD's answer for it.
    answer: S3's to the copy. etag: of the copy. carried: what the copy was given. seen_at: when head was asked for.
    tells_checksum: False where the server didn't tell any checksum of a copy that was to have one.
    """

    row: ResultRow
    source: Mapping[str, str]
    head: Mapping[str, Any]
    answer: Mapping[str, Any]
    etag: str
    carried: Carried
    seen_at: datetime
    tells_checksum: bool = True

    @property
    def place(self) -> dict[str, str]:
        """What names the copy, and its version on a versioned bucket."""
        named = {"Bucket": self.source["Bucket"], "Key": self.source["Key"]}
        version = self.answer.get("VersionId", "")
        return named | {"VersionId": version} if version and version != _NULL else named


class Checks:
    """
    Compares copies with what they were made of.

    A key's result is recorded after all of this. So a task killed between a copy and its checks leaves no result;
    the next attempt finds the object in its class, says `already`, and deletes nothing: the superseded version stays,
    as it isn't certain whose copy superseded it. A copy that was found to differ has the error code CopyDiffers, by
    which the next attempt, too, tells what it differs in (results.Earlier).

    target: the class they must be in. delete_superseded: whether to delete the versions that were copied.
    """

    def __init__(self, s3: S3, carrying: Carrying, *, target: str, delete_superseded: bool) -> None:
        self._s3 = s3
        self._carrying = carrying
        self._target = target
        self._delete_superseded = delete_superseded

    def __call__(self, copied: Copied, *, thorough: bool) -> ResultRow:
        """
        The key's result: `error`, with each difference, when the copy isn't what the object was.

        A check that can't be made is told in the message: the copy itself was made.
        thorough: whether to look at the copy, as every property of one in parts was given by hand.
        """
        row = copied.row
        content = (
            []
            if same_content(copied.head, copied.answer, copied.etag)
            else [f"its ETag {copied.head['ETag']} became {copied.etag}, which is of other content"]
        )
        wrong = content
        try:
            wrong = content + self._wrong_by_asking(copied)
            if wrong != content or thorough or self._delete_superseded:
                after = self._look(copied)
                # Where there are no versions, somebody's newer object may be there by now: none of our business.
                ours = after["ETag"] == copied.etag
                wrong = wrong + self._differences(copied, after) if ours else content
                if not wrong and _forgets_checksums(copied, after):
                    row = _with(row, "its checksum is gone: this server, unlike S3, keeps none for a copy in parts")
        except (RefusedError, StoppingError) as error:
            if not wrong:
                return _with(row, f"not checked: {_words(error)}{self._stays(copied)}")
        if wrong:
            row = replace(row, outcome=Outcome.ERROR, error_code=COPY_DIFFERS)
            return _with(row, f"but it isn't as it was: {'; '.join(wrong)}{self._stays(copied)}")
        return _with(row, self._delete(copied)) if self._delete_superseded else row

    def _wrong_by_asking(self, copied: Copied) -> list[str]:
        """What is wrong with the copy's ACL and tags, which HEAD doesn't tell. Raises RefusedError, StoppingError."""
        found = [self._carrying.lost_tags(copied.place, copied.carried.tags)]
        if copied.carried.acl:
            found.append(self._carrying.wrong_acl(copied.place, copied.carried.acl))
        return [words for words in found if words]

    def _look(self, copied: Copied) -> Mapping[str, Any]:
        with asking_for("looking at the copy"):
            return self._s3.ask_patiently("head_object", **copied.place, ChecksumMode="ENABLED")

    def _differences(self, copied: Copied, after: Mapping[str, Any]) -> list[str]:
        facts = facts_of(after)
        before = picture_of(copied.head)
        if _forgets_checksums(copied, after):
            before = replace(before, checksums={}, checksum_type="")
        found = list(differences(before, picture_of(after), now=copied.seen_at))
        if facts.storage_class != self._target:
            found.append(f"it is in {facts.storage_class}")
        return found

    def _stays(self, copied: Copied) -> str:
        """What to say of the superseded version when it isn't deleted."""
        old = copied.source.get("VersionId", "")
        return f"; its old version {old} stays" if self._delete_superseded and old else ""

    def _delete(self, copied: Copied) -> str:
        """
        Delete exactly the version that was copied; in words, what became of it.

        Never `null`: such a version may have been replaced since, by a write while versioning was suspended. Never
        one under Object Lock, even where we could: S3 refuses it too, but for governance mode with a permission
        that the task role hasn't (DeleteObject, BypassGovernanceRetention).
        """
        old, new = copied.source.get("VersionId", ""), copied.place.get("VersionId", "")
        if not old:
            return ""
        if old == _NULL or not new or new == old:
            return f"its old version {old} stays: only versions with an id of their own are deleted"
        locked = lock_of(copied.head, copied.seen_at)
        if locked:
            return f"its old version {old} stays: {locked}"
        try:
            self._s3.ask_patiently("delete_object", **copied.source)
        except (RefusedError, StoppingError) as error:
            return f"its old version {old} stays: {_words(error)}"
        return f"its old version {old} is deleted"


def _forgets_checksums(copied: Copied, after: Mapping[str, Any]) -> bool:
    """Whether the object's checksum is gone because the server has none for uploads in parts."""
    return not copied.tells_checksum and bool(checksum_algorithm(copied.head)) and not checksum_algorithm(after)


def same_content(head: Mapping[str, Any], answer: Mapping[str, Any], etag: str) -> bool:
    """
    Whether a copy's ETag says that its content is the object's; True where ETags don't tell.

    They are MD5s of the content, and so must be the same, of objects in one part and not under KMS or a
    customer's key (botocore 1.44.5, Object, ETag).
    """
    tells = all("-" not in one for one in (head["ETag"], etag)) and all(
        one.get("ServerSideEncryption", "AES256") == "AES256" and "SSECustomerAlgorithm" not in one
        for one in (head, answer)
    )
    return not tells or head["ETag"].strip('"') == etag.strip('"')


def lock_of(head: Mapping[str, Any], now: datetime) -> str:
    """In words, what protects an object from deletion, or ""."""
    if head.get("ObjectLockMode") and head["ObjectLockRetainUntilDate"] > now:
        return f"{head['ObjectLockMode']} retention until {head['ObjectLockRetainUntilDate']:%Y-%m-%d %H:%M} UTC"
    if head.get("ObjectLockLegalHoldStatus") == "ON":
        return "it is under a legal hold"
    return "it is under an event hold" if head.get("ObjectLockEventHold") == "ON" else ""


def _with(row: ResultRow, words: str) -> ResultRow:
    return replace(row, message=f"{row.message}; {words}") if words else row


def _words(error: RefusedError | StoppingError) -> str:
    if isinstance(error, RefusedError):
        return f"{error.answer.code} {error.answer.message}".strip()
    return "the task was told to stop"
