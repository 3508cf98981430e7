"""What verify says of an object: its verdict, and how it differs from what the copy phase saw. Pure."""

import csv
import io
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from orchestrator.common.text import printable
from orchestrator.lots.manifest import Table
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.report.report_rows import harmless
from worker.contract import (
    LotEntry,
    ObjectSnapshot,
    Outcome,
    ResultRow,
    TaskStatus,
    differences,
    encode_key,
    supersedes,
)


class Basis(StrEnum):
    """What an object can be compared with, in words."""

    SNAPSHOT = "all that it was before the copy"
    RESULT = "the size in its result"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """
    What the copy phase left of one key.

    outcome: the one that counts; None for a key without a result.
    size_bytes: None when the object wasn't probed.
    new_version_id: the version that the copy made, or "".
    overwritten: another writer replaced the object after the snapshot, and the copy phase saw that.
    snapshot: the object before the copy; None without `--audit`.
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
            return Basis.SNAPSHOT
        # Only a key that succeeded has the size of the object that we left.
        succeeded = self.outcome is not None and self.outcome.status is TaskStatus.SUCCEEDED
        return Basis.RESULT if succeeded and self.size_bytes is not None else Basis.NOTHING

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**told, "snapshot": self.snapshot.to_dict() if self.snapshot else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The value that `to_dict` was called on."""
        outcome, snapshot = data["outcome"], data["snapshot"]
        told = {
            "outcome": None if outcome is None else Outcome(outcome),
            "snapshot": None if snapshot is None else ObjectSnapshot.from_dict(snapshot),
        }
        return cls(**{**data, **told})


def gather_befores(
    rows: Iterable[ResultRow],
    snapshots: Iterable[tuple[LotEntry, ObjectSnapshot]],
    found: Table[Before],
    wanted: Container[LotEntry] | None = None,
) -> bool:
    """
    Gather what one lot's copies left of each of its keys; whether any key has a snapshot.

    rows, snapshots: every attempt's of one lot, in the order of writing.
    found: an empty table, which is filled.
    wanted: the keys to gather; None for all.
    """
    any_snapshot = False
    for entry, snapshot in snapshots:
        if wanted is None or entry in wanted:
            # The last one is of the copy that was made: a copy that succeeds is the last.
            found[entry] = Before(snapshot=snapshot)
            any_snapshot = True
    for row in rows:
        if wanted is None or row.entry in wanted:
            before = found.get(row.entry) or Before()
            if supersedes(row.outcome.status, before.outcome.status if before.outcome else None):
                found[row.entry] = _with(before, row)
    return any_snapshot


def _with(before: Before, row: ResultRow) -> Before:
    """What is known of a key after a result that supersedes those before it."""
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
    Each way, in words, in which the object isn't what the copy phase saw or made.

    head: of the current version, with its snapshot when `before` has one.
    now: the time, in UTC.
    """
    if head.look is not HeadOutcome.FOUND:
        return
    if before.new_version_id and head.version_id and head.version_id != before.new_version_id:
        yield f"its current version is {head.version_id}, and the copy made {before.new_version_id}"
    if before.basis is Basis.SNAPSHOT and before.snapshot and head.snapshot:
        for difference in differences(before.snapshot, head.snapshot, now=now):
            yield difference + _hint(difference)
    elif before.basis is Basis.RESULT and head.size_bytes != before.size_bytes:
        yield f"size {before.size_bytes} became {head.size_bytes}"


def _hint(difference: str) -> str:
    """How a missing permission shows: S3 leaves out what the caller may not read (HeadObject, botocore 1.44.5)."""
    if difference.endswith(" tags became 0"):
        return " (or your credentials lack s3:GetObjectTagging)"
    if difference.startswith("lock ") and difference.endswith(" became none"):
        return " (or your credentials lack s3:GetObjectRetention and s3:GetObjectLegalHold)"
    return ""


class Verdict(StrEnum):
    """What verify found; only `in-class` is good."""

    IN_CLASS = "in-class"
    DIFFERS = "differs"
    OTHER_CLASS = "other-class"
    MISSING = "missing"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """
    One object with its verdict.

    differences: from what the copy phase saw, in words.
    """

    head: ObjectHead
    verdict: Verdict
    differences: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The reason for the verdict; "" when the class says it all."""
        return self.head.message or "; ".join(self.differences)


def judge_head(head: ObjectHead, target: str, differences: tuple[str, ...] = ()) -> Judged:
    """
    The object with its verdict.

    | probe | class | differences | verdict |
    |---|---|---|---|
    | found | the target | none | in-class |
    | found | the target | some | differs |
    | found | any other | any | other-class |
    | missing, denied, error | | | the same word: an object that couldn't be probed is never taken for good |
    """
    if head.look is not HeadOutcome.FOUND:
        verdict = Verdict(head.look.value)
    elif head.storage_class != target:
        verdict = Verdict.OTHER_CLASS
    else:
        verdict = Verdict.DIFFERS if differences else Verdict.IN_CLASS
    return Judged(head=head, verdict=verdict, differences=differences)


def format_verdict_row(judged: Judged) -> str:
    r"""
    The object's row: Bucket, Key (URL-encoded), VersionId, Verdict, StorageClass, ResultMessage, then `\n`.

    No cell is a formula.
    """
    text, head = io.StringIO(), judged.head
    name = (head.entry.bucket, encode_key(head.entry.key), head.version_id)
    cells = (*name, judged.verdict.value, head.storage_class, printable(judged.message))
    csv.writer(text, lineterminator="\n").writerow(map(harmless, cells))
    return text.getvalue()


def verdict_line(judged: Judged) -> str:
    """The object in a line for people; its key URL-encoded, so that it can't steer a terminal."""
    head = judged.head
    said = [head.kind] if judged.verdict is Verdict.OTHER_CLASS else []
    said += [printable(judged.message)] if judged.message else []
    return f"{judged.verdict}: s3://{head.entry.bucket}/{encode_key(head.entry.key)}: {'; '.join(said)}"
