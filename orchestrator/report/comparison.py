"""What the copy phase saw of each object, and how the object differs from that now. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from orchestrator.lots.table import Table
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from worker.contract import LotEntry, ObjectSnapshot, Outcome, ResultRow, TaskStatus, differences, supersedes


class Basis(StrEnum):
    """What an object can be compared with, in words."""

    PICTURE = "all that it was before the copy"
    RESULT = "the size in its result"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """
    What the copy phase left of one key.

    outcome: the one that stands; None for a key without a result.
    size_bytes: None when the object wasn't looked at.
    new_version_id: the version that the copy made, or "".
    overwritten: somebody else wrote the object since the picture was taken, and the copy phase saw that.
    picture: the object before the copy; None without `--audit`.
    """

    outcome: Outcome | None = None
    size_bytes: int | None = None
    new_version_id: str = ""
    overwritten: bool = False
    snapshot: ObjectSnapshot | None = None

    @property
    def basis(self) -> Basis:
        """What there is to compare with."""
        if self.snapshot and not self.overwritten:
            return Basis.PICTURE
        return Basis.RESULT if _tells_size(self) else Basis.NOTHING

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**told, "picture": self.snapshot.to_dict() if self.snapshot else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` made these values of."""
        outcome, snapshot = data["outcome"], data["picture"]
        told = {
            "outcome": None if outcome is None else Outcome(outcome),
            "picture": None if snapshot is None else ObjectSnapshot.from_dict(snapshot),
        }
        return cls(**{**data, **told})


def _tells_size(before: Before) -> bool:
    """Only the size of a key that succeeded is that of the object we left."""
    succeeded = before.outcome is not None and before.outcome.status is TaskStatus.SUCCEEDED
    return succeeded and before.size_bytes is not None


def gather_befores(
    rows: Iterable[ResultRow],
    snapshots: Iterable[tuple[LotEntry, ObjectSnapshot]],
    found: Table[Before],
    wanted: Container[LotEntry] | None = None,
) -> bool:
    """
    Gather what one lot's copies left of each of its keys; whether there is a picture of any.

    rows, pictures: of one lot, in the order of writing, all attempts'.
    found: an empty table, which is filled.
    wanted: the keys to take down; None for all.
    """
    pictured = False
    for entry, snapshot in snapshots:
        if wanted is None or entry in wanted:
            # The last is of the copy that was made: those before it came to nothing, or there would be none after them.
            found[entry] = Before(snapshot=snapshot)
            pictured = True
    for row in rows:
        if wanted is None or row.entry in wanted:
            before = found.get(row.entry) or Before()
            if supersedes(row.outcome.status, before.outcome.status if before.outcome else None):
                found[row.entry] = _with(before, row)
    return pictured


def _with(before: Before, row: ResultRow) -> Before:
    """What is known of a key after one more of its results that supersedes those before."""
    return Before(
        outcome=row.outcome,
        size_bytes=row.size_bytes,
        # A second task on the lot finds the copy made: `already`, with no version of its own.
        new_version_id=row.new_version_id or before.new_version_id,
        overwritten=row.outcome is Outcome.CHANGED or (before.overwritten and row.outcome is not Outcome.COPIED),
        snapshot=before.snapshot,
    )


def compare_head(head: ObjectHead, before: Before, *, now: datetime) -> Iterator[str]:
    """
    In words, each way in which the object isn't what the copy phase saw or made.

    head: of the current version; with its picture when `before` has one.
    now: the time, in UTC.
    """
    if head.look is not HeadOutcome.FOUND:
        return
    if before.new_version_id and head.version_id and head.version_id != before.new_version_id:
        yield f"its current version is {head.version_id}, and the copy made {before.new_version_id}"
    if before.basis is Basis.PICTURE and before.snapshot and head.snapshot:
        for difference in differences(before.snapshot, head.snapshot, now=now):
            yield difference + _hint(difference)
    elif before.basis is Basis.RESULT and head.size_bytes != before.size_bytes:
        yield f"size {before.size_bytes} became {head.size_bytes}"


def _hint(difference: str) -> str:
    """
    What a missing permission looks like: S3 leaves out what the caller may not read (botocore 1.44.5, HeadObject).
    """
    if difference.endswith(" tags became 0"):
        return " (or your credentials lack s3:GetObjectTagging)"
    if difference.startswith("lock ") and difference.endswith(" became none"):
        return " (or your credentials lack s3:GetObjectRetention and s3:GetObjectLegalHold)"
    return ""
