"""What S3 said -> what to do: the truth tables of worker/decide/judge_object.py, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.contract import Outcome, RestoreStatus
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_object import COPY, copy_takes, judge_lost_copy, judge_object, judge_version

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAIN = ObjectFacts(storage_class="STANDARD", size_bytes=3, etag='"e"', last_modified=NOW - HOUR)
READY = RestoreStatus(ongoing=False, expires_at=NOW + HOUR)
UNDER_WAY = RestoreStatus(ongoing=True)
EXPIRED = RestoreStatus(ongoing=False, expires_at=NOW - HOUR)


def facts(storage_class: str = "STANDARD", **more: Any) -> ObjectFacts:
    """A plain object's facts, but for these."""
    return replace(PLAIN, storage_class=storage_class, **more)


@pytest.mark.parametrize(
    ("outcome", "says", "seen"),
    [
        ("already", "STANDARD_IA", facts("STANDARD_IA")),
        ("already", "", facts("STANDARD_IA", customer_key=True)),
        ("unsupported", "SSE-C", facts(customer_key=True)),
        ("unsupported", "SSE-C", facts("GLACIER", customer_key=True)),
        ("unsupported", "2 metadata entries", facts(missing_metadata=2)),
        ("pending", "never asked for", facts("GLACIER")),
        ("pending", "never asked for", facts("DEEP_ARCHIVE")),
        ("pending", "in progress", facts("GLACIER", restore=UNDER_WAY)),
        ("pending", "in progress", facts("DEEP_ARCHIVE", restore=UNDER_WAY)),
        ("pending", "expired on 2026-11-22 09:00 UTC", facts("GLACIER", restore=EXPIRED)),
        ("pending", "expired", facts("GLACIER", restore=RestoreStatus(ongoing=False, expires_at=NOW))),
        (
            "pending",
            "expires on 2026-11-22 10:04 UTC, too soon",
            facts("GLACIER", restore=RestoreStatus(ongoing=False, expires_at=NOW + timedelta(minutes=4))),
        ),
        ("pending", "too soon", facts("GLACIER", restore=READY, size_bytes=5 * 10**12)),
        ("unsupported", "another kind of store", facts("EXPRESS_ONEZONE")),
        ("pending", "ARCHIVE_ACCESS: no restored copy", facts("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS")),
        (
            "pending",
            "in progress",
            facts("INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS", restore=UNDER_WAY),
        ),
        ("pending", "no restore", facts("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS", restore=READY)),
    ],
)
def test_objects_that_are_not_copied(outcome: str, says: str, seen: ObjectFacts) -> None:
    """Each row of the table that ends without a copy, and its reason."""
    judgement = judge_object(seen, "STANDARD_IA", NOW)

    assert judgement.outcome == outcome
    assert says in judgement.message


@pytest.mark.parametrize(
    "seen",
    [
        facts(),
        facts("GLACIER_IR"),
        facts("REDUCED_REDUNDANCY"),
        facts("INTELLIGENT_TIERING"),
        facts("GLACIER", restore=READY),
        facts("DEEP_ARCHIVE", restore=READY),
        facts("GLACIER", restore=RestoreStatus(ongoing=False)),
    ],
)
def test_objects_that_are_copied(seen: ObjectFacts) -> None:
    """What can be read, and isn't in the class yet, is copied."""
    assert judge_object(seen, "STANDARD_IA", NOW) == COPY


@pytest.mark.parametrize(
    ("expected", "size"), [(timedelta(minutes=5), 0), (timedelta(minutes=5, seconds=32), 6_400_000_000)]
)
def test_how_long_a_restored_copy_must_still_be_there(expected: timedelta, size: int) -> None:
    """Minutes for a small object, more by its size for a large one."""
    assert expected == copy_takes(size)


CLASSES = ("STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")


@pytest.mark.parametrize("target", CLASSES)
@pytest.mark.parametrize("source", [*CLASSES, "REDUCED_REDUNDANCY"])
def test_any_class_goes_into_any_other(source: str, target: str) -> None:
    """What can be read is copied, whatever the classes; the same class needs nothing."""
    restore = READY if source in ("GLACIER", "DEEP_ARCHIVE") else None

    outcome = judge_object(facts(source, restore=restore), target, NOW).outcome

    assert outcome is (Outcome.ALREADY if source == target else None)


def test_archiving_needs_no_restore_but_a_change_of_archive_does() -> None:
    """STANDARD goes into DEEP_ARCHIVE at once; GLACIER must be restored first; DEEP_ARCHIVE is there."""
    assert judge_object(facts(), "DEEP_ARCHIVE", NOW) == COPY
    assert judge_object(facts("GLACIER"), "DEEP_ARCHIVE", NOW).outcome is Outcome.PENDING
    assert judge_object(facts("DEEP_ARCHIVE"), "DEEP_ARCHIVE", NOW).outcome is Outcome.ALREADY


@pytest.mark.parametrize(
    ("expected", "current"),
    [
        (Outcome.UNSUPPORTED, None),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v2", etag='"other"', last_modified=NOW)),
        (Outcome.UNSUPPORTED, facts("STANDARD", version_id="v2", last_modified=NOW)),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v0", last_modified=NOW - 2 * HOUR)),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v2", last_modified=NOW, size_bytes=4)),
        (Outcome.ALREADY, facts("STANDARD_IA", version_id="v2", last_modified=NOW)),
    ],
)
def test_a_noncurrent_version_is_not_made_current(expected: Outcome, current: ObjectFacts | None) -> None:
    """It is refused, unless the current one is its newer copy in the target class or the user allowed it."""
    asked = facts(version_id="v1")

    assert expected is judge_version(asked, current, "STANDARD_IA", allowed=False).outcome
    allowed = judge_version(asked, current, "STANDARD_IA", allowed=True).outcome
    assert allowed is (expected if expected is Outcome.ALREADY else None)


@pytest.mark.parametrize(
    ("expected", "after"),
    [
        (None, facts("GLACIER")),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW)),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW, version_id="v2")),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW, etag="e")),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW, etag='"in parts now-2"')),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW, etag='"no MD5"', encryption="aws:kms")),
        (Outcome.CHANGED, facts("STANDARD_IA", last_modified=NOW, etag='"of other content"')),
        (None, facts("GLACIER", etag='W/"e"')),
        (Outcome.COPIED, facts("STANDARD_IA")),
        (Outcome.CHANGED, facts("STANDARD_IA", last_modified=NOW, size_bytes=4)),
        (Outcome.CHANGED, facts("STANDARD_IA", last_modified=NOW - 2 * HOUR)),
        (Outcome.CHANGED, facts("STANDARD", last_modified=NOW)),
        (Outcome.CHANGED, facts("GLACIER", last_modified=NOW)),
        (Outcome.CHANGED, facts("GLACIER", etag='"other"')),
        (Outcome.CHANGED, facts("GLACIER", version_id="v2")),
    ],
)
def test_a_copy_whose_answer_was_lost_is_looked_for(expected: Outcome | None, after: ObjectFacts) -> None:
    """An unchanged object is copied again, one in the class was copied, any other was changed by another."""
    assert expected is judge_lost_copy(facts("GLACIER"), after, "STANDARD_IA").outcome


@pytest.mark.parametrize(
    ("expected", "after"), [(Outcome.ALREADY, "v1"), (Outcome.COPIED, "v2"), (Outcome.COPIED, "null")]
)
def test_a_version_that_a_lifecycle_rule_moved_is_no_copy_of_ours(expected: Outcome, after: str) -> None:
    """A copy is a new version; the same one in the class got there otherwise. `null` may be another each time."""
    before = "v1" if after != "null" else "null"

    judgement = judge_lost_copy(
        facts("GLACIER", version_id=before), facts("STANDARD_IA", version_id=after), "STANDARD_IA"
    )

    assert expected is judgement.outcome


def test_a_newer_version_of_the_same_content_is_known_with_or_without_quotes() -> None:
    """Some servers send ETags without them."""
    current = facts("STANDARD_IA", version_id="v2", last_modified=NOW, etag="e")

    assert judge_version(facts(version_id="v1"), current, "STANDARD_IA", allowed=False).outcome is Outcome.ALREADY
