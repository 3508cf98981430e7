"""Whether a lot's restores are there: what a look at a key means, when a lot starts, and how to look cheaply."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.restores.judge_readiness import (
    KeyState,
    Means,
    Sampled,
    Verdict,
    cheaper_means,
    copies_go_soon,
    head_state,
    in_bucket_order,
    judge_sample,
    listed_states,
    lots_in_turn,
    next_delay_s,
)
from worker.contract import LotEntry

READY, ONGOING, NONE = KeyState.READY, KeyState.ONGOING, KeyState.NONE
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
UNDER_WAY = 'ongoing-request="true"'
THERE = 'ongoing-request="false", expiry-date="Sun, 11 Jan 2026 00:00:00 GMT"'
GONE = 'ongoing-request="false", expiry-date="Sat, 10 Jan 2026 00:00:00 GMT"'


def entry(key: str, bucket: str = "bucket", version: str = "") -> LotEntry:
    """A lot's line."""
    return LotEntry(bucket=bucket, key=key, version_id=version)


@pytest.mark.parametrize(
    ("expected", "storage_class", "restore", "archive_status"),
    [
        (READY, "STANDARD", "", ""),
        (READY, "GLACIER_IR", "", ""),
        (READY, "STANDARD_IA", "", ""),
        (NONE, "GLACIER", "", ""),
        (ONGOING, "GLACIER", UNDER_WAY, ""),
        (ONGOING, "DEEP_ARCHIVE", UNDER_WAY, ""),
        (READY, "DEEP_ARCHIVE", THERE, ""),
        (READY, "GLACIER", 'ongoing-request="false"', ""),
        (READY, "GLACIER", 'ongoing-request="false", expiry-date="some day"', ""),
        (NONE, "GLACIER", GONE, ""),
        (READY, "INTELLIGENT_TIERING", "", ""),
        (NONE, "INTELLIGENT_TIERING", "", "ARCHIVE_ACCESS"),
        (ONGOING, "INTELLIGENT_TIERING", UNDER_WAY, "DEEP_ARCHIVE_ACCESS"),
        (NONE, "INTELLIGENT_TIERING", THERE, "ARCHIVE_ACCESS"),
    ],
)
def test_what_a_head_means(expected: KeyState, storage_class: str, restore: str, archive_status: str) -> None:
    """Waiting helps only while a restore is under way."""
    head = ObjectHead(
        entry=entry("k"),
        look=HeadOutcome.FOUND,
        storage_class=storage_class,
        restore=restore,
        archive_status=archive_status,
    )

    assert head_state(head, "STANDARD_IA", NOW) is expected


@pytest.mark.parametrize("look", [HeadOutcome.MISSING, HeadOutcome.DENIED, HeadOutcome.ERROR])
def test_a_key_that_cannot_be_seen_holds_nothing_up(look: HeadOutcome) -> None:
    """Its task gives it its outcome."""
    assert head_state(ObjectHead(entry=entry("k"), look=look), "STANDARD_IA", NOW) is READY


def test_an_object_in_its_target_class_needs_no_restore() -> None:
    """Even when that is an archive class, from a listing as from a HEAD."""
    head = ObjectHead(entry=entry("k"), look=HeadOutcome.FOUND, storage_class="GLACIER")

    assert head_state(head, "GLACIER", NOW) is READY
    assert listed_states(["k"], [ListedRestore(key="k", storage_class="GLACIER")], "GLACIER", NOW) == (READY,)


def listed(key: str, ongoing: bool | None, expires_at: datetime | None = None) -> ListedRestore:  # noqa: FBT001 (as S3 tells it)
    """An archived object in a listing."""
    return ListedRestore(key=key, storage_class="GLACIER", ongoing=ongoing, expires_at=expires_at)


def test_what_a_listing_means() -> None:
    """Keys of the lot that are on the page; others, and Intelligent-Tiering's, are passed over."""
    page = [
        listed("a", ongoing=True),
        listed("b", ongoing=False, expires_at=NOW + timedelta(days=1)),
        listed("c", ongoing=False, expires_at=NOW),
        listed("d", ongoing=None),
        ListedRestore(key="e", storage_class="STANDARD"),
        ListedRestore(key="f", storage_class="INTELLIGENT_TIERING"),
        listed("stranger", ongoing=True),
    ]

    assert listed_states("abcdef", page, "STANDARD_IA", NOW) == (ONGOING, READY, NONE, NONE, READY)


def test_a_listing_without_a_word_on_restores_tells_nothing() -> None:
    """An S3 that knows no RestoreStatus isn't taken for one whose objects were never restored."""
    assert listed_states("a", [listed("a", ongoing=None)], "STANDARD_IA", NOW) is None
    assert listed_states("a", [], "STANDARD_IA", NOW) == ()


def sampled(states: str, listed_states: str = "") -> Sampled:
    """A sample of so many keys: r(eady), o(ngoing), n(one), ? unknown."""
    words = {"r": READY, "o": ONGOING, "n": NONE}
    return Sampled(
        entries=tuple(entry(f"{number:02d}") for number in range(len(states))),
        states=tuple(words.get(letter) for letter in states),
        listed=tuple(words[letter] for letter in listed_states),
    )


@pytest.mark.parametrize(
    ("expected", "states", "listing"),
    [
        (Verdict.START, "r" * 16, ""),
        (Verdict.START, "o" + "r" * 15, ""),
        (Verdict.WAIT, "oo" + "r" * 14, ""),
        (Verdict.WAIT, "oo" + "?" * 14, ""),
        (Verdict.WAIT, "rr" + "?" * 14, ""),
        (Verdict.START, "rr" + "?" * 14, "r" * 90 + "o" * 9),
        (Verdict.WAIT, "rr" + "?" * 14, "r" * 80 + "o" * 20),
        (Verdict.START, "r", ""),
        (Verdict.WAIT, "o", ""),
        (Verdict.WAIT, "or", ""),
        (Verdict.START, "n" * 15 + "r", ""),
        (Verdict.NO_USE, "n" * 16, ""),
        (Verdict.WAIT, "n" * 15 + "o", ""),
        (Verdict.WAIT, "", ""),
    ],
)
def test_when_a_lot_starts(expected: Verdict, states: str, listing: str) -> None:
    """When one in ten, at most, is still being restored."""
    assert judge_sample(sampled(states, listing)) is expected


def test_what_held_a_lot_up_is_looked_at_first() -> None:
    """Keys that were ready aren't looked at again, and no more than it takes to know that the lot isn't ready."""
    sample = sampled("r?nor?o?rrrrrrrr")

    assert sample.open == (3, 6, 2, 1, 5, 7)
    assert sample.probes == (3, 6)
    assert sample.with_states([(3, READY)]).probes == (6, 2)


@pytest.mark.parametrize(
    ("expected", "heads", "keys_per_page"),
    [
        (Means.HEAD, 2, None),
        (Means.HEAD, 12, 1_000),
        (Means.LIST, 13, 1_000),
        (Means.LIST, 14, 14),
        (Means.HEAD, 14, 13),
        (Means.HEAD, 14, 0),
        (Means.LIST, 14, None),
    ],
)
def test_the_cheaper_means(expected: Means, heads: int, keys_per_page: float | None) -> None:
    """A page costs as much as 12.5 HEADs, and is worth it only if it holds the keys."""
    assert cheaper_means(heads, keys_per_page) is expected


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        (True, [entry("a"), entry("b")]),
        (True, [entry("a\uffff"), entry("a\U0001f4a9")]),
        (False, [entry("b"), entry("a")]),
        (False, [entry("a"), entry("b", bucket="other")]),
        (False, [entry("a"), entry("b", version="v")]),
    ],
)
def test_the_order_of_a_listing(expected: bool, entries: list[LotEntry]) -> None:  # noqa: FBT001 (a table's column)
    """One bucket's keys by their UTF-8 bytes, and current versions only."""
    assert in_bucket_order(entries) is expected


def test_every_lot_has_its_turn() -> None:
    """Those looked at least go first, of these the cheapest; what is too much for one look is left for the next."""
    fresh = sampled("?" * 16)
    once = Sampled(entries=fresh.entries, states=fresh.states, looks=1)
    small = sampled("???")

    turn = lots_in_turn([("seen", once), ("dear", fresh), ("cheap", small), ("dear-2", fresh)], 5)

    assert turn == ("cheap", "dear", "dear-2")
    assert lots_in_turn([("seen", once), ("dear", fresh)], 1) == ()


@pytest.mark.parametrize(
    ("expected", "last_s", "started", "left_out"),
    [
        (10, 0, False, False),
        (20, 10, False, False),
        (10, 10, True, False),
        (600, 590, False, False),
        (10, 600, True, True),
    ],
)
def test_the_next_look(expected: float, last_s: float, started: bool, left_out: bool) -> None:  # noqa: FBT001 (a table)
    """Ever more rarely while nothing happens; soon when some lots had no turn."""
    assert next_delay_s(last_s, first_s=10, most_s=600, started=started, left_out=left_out) == expected


@pytest.mark.parametrize(
    ("expected", "days", "hours_ago"),
    [(False, 7, 0), (False, 7, 143), (True, 7, 144), (False, 1, 17), (True, 1, 18)],
)
def test_restored_copies_that_go_soon(expected: bool, days: int, hours_ago: int) -> None:  # noqa: FBT001 (a table)
    """A day before they go, or a quarter of their days, what is ready is copied though the rest isn't."""
    assert copies_go_soon(NOW - timedelta(hours=hours_ago), days, NOW) is expected
    assert copies_go_soon(None, days, NOW) is False
