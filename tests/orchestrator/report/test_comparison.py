"""What the copy phase left of each key, and what differs from it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.report.verdict import Basis, Before, compare_head, gather_befores
from tests.orchestrator.estimate.objects import an_object, unseen
from worker.contract import LotEntry, ObjectSnapshot, Outcome, ResultRow

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = LotEntry(bucket="bucket", key="k")
OTHER = LotEntry(bucket="bucket", key="other")
FIRST = ObjectSnapshot(size_bytes=1, etag="a" * 32)
SECOND = ObjectSnapshot(
    size_bytes=2, etag="b" * 32, metadata={"m": "v"}, tag_count=2, lock={"ObjectLockMode": "GOVERNANCE"}
)

LACK = " (or your credentials lack s3:GetObjectRetention and s3:GetObjectLegalHold)"


def row(outcome: Outcome, size_bytes: int | None = 2, new_version_id: str = "") -> ResultRow:
    """A result of KEY."""
    return ResultRow(entry=KEY, outcome=outcome, size_bytes=size_bytes, new_version_id=new_version_id)


def before(*rows: ResultRow, snapshots: tuple[ObjectSnapshot, ...] = ()) -> Before:
    """What these results and pictures of KEY amount to."""
    found: dict[LotEntry, Before] = {}
    assert gather_befores(rows, [(KEY, snapshot) for snapshot in snapshots], found) is bool(snapshots)
    return found.get(KEY, Before())


def seen(snapshot: ObjectSnapshot = SECOND, version_id: str = "") -> ObjectHead:
    """KEY in its new class, as it is now."""
    head = an_object("STANDARD_IA", size_bytes=snapshot.size_bytes, version_id=version_id)
    return replace(head, snapshot=snapshot)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (Basis.SNAPSHOT, before(row(Outcome.COPIED), snapshots=(SECOND,))),
        (Basis.SNAPSHOT, before(row(Outcome.ALREADY), snapshots=(SECOND,))),  # copied, killed before the result
        (Basis.SNAPSHOT, before(snapshots=(SECOND,))),
        (Basis.SNAPSHOT, before(row(Outcome.CHANGED), row(Outcome.COPIED), snapshots=(FIRST, SECOND))),
        (Basis.RESULT, before(row(Outcome.CHANGED), row(Outcome.ALREADY), snapshots=(FIRST,))),
        (Basis.RESULT, before(row(Outcome.COPIED))),
        (Basis.RESULT, before(row(Outcome.ALREADY))),
        (Basis.NOTHING, before(row(Outcome.CHANGED), snapshots=(FIRST,))),
        (Basis.NOTHING, before(row(Outcome.PENDING))),
        (Basis.NOTHING, before(row(Outcome.DENIED, None))),
        (Basis.NOTHING, before(row(Outcome.COPIED, None))),
        (Basis.NOTHING, before()),
    ],
)
def test_what_an_object_is_compared_with(expected: Basis, found: Before) -> None:
    """The picture of the last copy, unless somebody else has written since; else the size of a key that succeeded."""
    assert found.basis is expected


def test_the_last_picture_counts() -> None:
    """An attempt that came to nothing took one of an older object."""
    found = before(row(Outcome.CHANGED), row(Outcome.COPIED), snapshots=(FIRST, SECOND))

    assert list(compare_head(seen(SECOND), found, now=NOW)) == []
    assert "size 2 became 1" in list(compare_head(seen(FIRST), found, now=NOW))


def test_a_success_stands_whoever_comes_later() -> None:
    """A second task on the lot that found the object changed doesn't take back the first one's copy."""
    found = before(row(Outcome.COPIED, new_version_id="v2"), row(Outcome.CHANGED, 7), row(Outcome.ALREADY, 2))

    assert (found.outcome, found.size_bytes, found.new_version_id) == (Outcome.ALREADY, 2, "v2")


@pytest.mark.parametrize(
    ("expected", "head", "found"),
    [
        ([], seen(), before(row(Outcome.COPIED))),
        (["size 2 became 1"], seen(FIRST), before(row(Outcome.COPIED))),
        ([], seen(version_id="v2"), before(row(Outcome.COPIED, new_version_id="v2"))),
        (
            ["its current version is v3, and the copy made v2"],
            seen(version_id="v3"),
            before(row(Outcome.COPIED, new_version_id="v2")),
        ),
        ([], seen(version_id="v3"), before(row(Outcome.ALREADY))),
        ([], seen(version_id="null"), before(row(Outcome.COPIED, new_version_id="null"))),
        (["metadata m: v became w"], seen(replace(SECOND, metadata={"m": "w"})), before(snapshots=(SECOND,))),
        (
            ["2 tags became 0 (or your credentials lack s3:GetObjectTagging)"],
            seen(replace(SECOND, tag_count=0)),
            before(snapshots=(SECOND,)),
        ),
        (
            [f"lock ObjectLockMode: GOVERNANCE became none{LACK}"],
            seen(replace(SECOND, lock={})),
            before(snapshots=(SECOND,)),
        ),
        ([], seen(FIRST), before(row(Outcome.PENDING, 9))),
        ([], unseen(HeadOutcome.MISSING), before(row(Outcome.COPIED), snapshots=(SECOND,))),
    ],
)
def test_differences(expected: list[str], head: ObjectHead, found: Before) -> None:
    """Each in words; a permission that S3 doesn't miss aloud is thought of."""
    assert list(compare_head(head, found, now=NOW)) == expected


def test_only_what_is_wanted_is_kept() -> None:
    """Of a sample's lot the other keys are passed over."""
    rows = [row(Outcome.COPIED), replace(row(Outcome.COPIED), entry=OTHER)]

    some: dict[LotEntry, Before] = {}
    every: dict[LotEntry, Before] = {}
    assert not gather_befores(rows, [(OTHER, FIRST)], some, {KEY})
    assert gather_befores(rows, [(OTHER, FIRST)], every)

    assert set(some) == {KEY}
    assert set(every) == {KEY, OTHER}


@pytest.mark.parametrize("found", [Before(), before(row(Outcome.COPIED, new_version_id="v"), snapshots=(SECOND,))])
def test_what_is_known_of_a_key_survives_json(found: Before) -> None:
    """A large lot's are kept on disk."""
    assert Before.from_dict(json.loads(json.dumps(found.to_dict()))) == found
