"""
Whether a lot's restores are ready, from a few of its keys; which lots to look at, and how. Pure.

A look must cost next to nothing, as a wait takes hours and a job has thousands of lots. So each lot has a
small sample of its keys, the same at each look; a key that was found ready isn't looked at again; and a lot is
left alone for this look as soon as more of its keys are still being restored than it may start with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from worker.contract import ARCHIVE_CLASSES, LotEntry, parse_restore

SAMPLE_KEYS = 16
"""Keys of a lot that are looked at: if 30% of it weren't ready, two of them or more would show it, 39 times in 40."""

KEYS_PER_STRAGGLER = 10
"""A lot starts when at most one in this many keys of its sample isn't ready: a later attempt copies the few left."""

LIST_COSTS_HEADS = 12.5
"""HEAD requests for the price of a LIST: $0.005 against $0.0004 for 1,000 (S3 pricing, us-east-1, 2026-11)."""

PAGE_KEYS = 1_000
"""Keys in a page of ListObjectsV2, at most (botocore 1.44.5)."""


class KeyState(StrEnum):
    """What waiting can do for a key."""

    READY = "ready"  # nothing: it can be copied now, or can't be for another reason
    ONGOING = "ongoing"  # its restore is under way
    NONE = "none"  # nothing: archived, and no restore is under way


class Verdict(StrEnum):
    """What to do about a lot."""

    START = "start"
    WAIT = "wait"
    NO_USE = "no-use"  # none of its keys is ready, and no restore is under way: nothing comes of waiting


class Means(StrEnum):
    """How to look at a lot's keys."""

    HEAD = "head"
    LIST = "list"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """
    A lot's sample, and what is known of it.

    attempt: the one that left the keys pending; 0 when they are of the whole lot.
    states: of each entry, None while nothing is known.
    looks: how often the lot was looked at.
    listed: keys that were seen in a listing beside the sample, by what they showed.
    """

    entries: tuple[LotEntry, ...]
    attempt: int = 0
    states: tuple[KeyState | None, ...] = ()
    looks: int = 0
    listed: tuple[KeyState, ...] = field(default=(), repr=False)

    @property
    def stragglers(self) -> int:
        """Keys of the sample that may still be in progress when the lot starts."""
        return len(self.entries) // KEYS_PER_STRAGGLER

    @property
    def open(self) -> tuple[int, ...]:
        """The places of the entries to look at, those first that held the lot up before."""
        known = self.states or (None,) * len(self.entries)
        order = (KeyState.ONGOING, KeyState.NONE, None)
        unsettled = [place for place, state in enumerate(known) if state is not KeyState.READY]
        return tuple(sorted(unsettled, key=lambda place: order.index(known[place])))

    @property
    def probes(self) -> tuple[int, ...]:
        """As many of them as can show that the lot isn't ready."""
        return self.open[: self.stragglers + 1]

    def with_states(self, seen: Iterable[tuple[int, KeyState]]) -> "Sampled":
        """The sample with what these places showed."""
        states = list(self.states or (None,) * len(self.entries))
        for place, state in seen:
            states[place] = state
        return replace(self, states=tuple(states))


def head_state(head: ObjectHead, target: str, now: datetime) -> KeyState:
    """
    What waiting can do for a key, from its HEAD.

    | look | class | restore | state |
    |---|---|---|---|
    | not found | | | ready: a task gives it its outcome |
    | found | the target, or not archived | | ready |
    | found | archived | under way | ongoing |
    | found | archived | a restored copy that hasn't expired | ready |
    | found | archived | anything else | none |

    A restored object of Intelligent-Tiering has left its archive tier (HeadObject, `ArchiveStatus`; botocore 1.44.5).
    """
    if head.look is not HeadOutcome.FOUND or head.storage_class == target or not head.archived:
        return KeyState.READY
    restore = parse_restore(head.restore)
    if not restore:
        return KeyState.NONE
    if restore.ongoing:
        return KeyState.ONGOING
    if head.storage_class not in ARCHIVE_CLASSES:
        return KeyState.NONE
    return KeyState.NONE if restore.expires_at and restore.expires_at <= now else KeyState.READY


def listed_states(
    keys: Iterable[str], page: Sequence[ListedRestore], target: str, now: datetime
) -> tuple[KeyState, ...] | None:
    """
    The states of those of the keys that are on the page.

    None when the page tells nothing of restores: there are archived objects on it, and of none is anything said.
    Objects of Intelligent-Tiering are left out: a listing doesn't show their archive tiers.
    """
    archived = [one for one in page if one.storage_class in ARCHIVE_CLASSES and one.storage_class != target]
    if archived and all(one.ongoing is None for one in archived):
        return None
    wanted = set(keys)
    return tuple(
        _listed_state(one, target, now)
        for one in page
        if one.key in wanted and one.storage_class != "INTELLIGENT_TIERING"
    )


def _listed_state(one: ListedRestore, target: str, now: datetime) -> KeyState:
    if one.storage_class == target or one.storage_class not in ARCHIVE_CLASSES:
        return KeyState.READY
    if one.ongoing is None:
        return KeyState.NONE
    if one.ongoing:
        return KeyState.ONGOING
    return KeyState.NONE if one.expires_at and one.expires_at <= now else KeyState.READY


def judge_sample(sample: Sampled) -> Verdict:
    """
    What to do about the lot.

    | in progress | ready | not looked at | then |
    |---|---|---|---|
    | more than may be | any | any | wait |
    | few or none | any | some | wait: until they have been looked at |
    | few or none | some | none | start |
    | some | none | none | wait |
    | none | none | none | no-use |

    Keys that a listing showed beside the sample count as it does: of those, too, one in ten may be in progress.
    """
    ongoing = sum(state is KeyState.ONGOING for state in sample.states)
    listed = sum(state is KeyState.ONGOING for state in sample.listed)
    if ongoing > sample.stragglers or listed > len(sample.listed) // KEYS_PER_STRAGGLER:
        return Verdict.WAIT
    unknown = not sample.listed and (not sample.states or None in sample.states)
    if unknown:
        return Verdict.WAIT
    if KeyState.READY in sample.states or KeyState.READY in sample.listed:
        return Verdict.START
    return Verdict.WAIT if ongoing or listed else Verdict.NO_USE


def cheaper_means(heads: int, keys_per_page: float | None) -> Means:
    """
    How to look at the rest of a lot's sample, by price.

    heads: keys left to look at. keys_per_page: of the lot's keys, how many one page of a listing holds, as
    far as known: few when the lot isn't in the bucket's order or is a small part of it. While nothing
    is known, a listing is worth trying.

    | HEADs cost more than a page | and the page holds as many keys | then |
    |---|---|---|
    | yes | yes, or unknown | list |
    | yes | no | head |
    | no | | head |
    """
    dearer = heads > LIST_COSTS_HEADS
    return Means.LIST if dearer and (keys_per_page is None or keys_per_page >= heads) else Means.HEAD


def in_bucket_order(entries: Sequence[LotEntry]) -> bool:
    """Whether a listing shows these keys in this order: of one bucket, their bytes ascending, no versions named."""
    keys = [entry.key.encode() for entry in entries]
    return (
        keys == sorted(keys)
        and len({entry.bucket for entry in entries}) == 1
        and not any(entry.version_id for entry in entries)
    )


def lots_in_turn(samples: Iterable[tuple[str, Sampled]], requests: int) -> tuple[str, ...]:
    """
    The lots to look at now, within this many requests: those looked at least often first, of these the cheapest.

    So with more lots than a look may ask for, each has its turn.
    """
    chosen = []
    for name, sample in sorted(samples, key=lambda one: (one[1].looks, len(one[1].open), one[0])):
        if (requests := requests - len(sample.probes)) < 0:
            break
        chosen.append(name)
    return tuple(chosen)


MARGIN_MOST = timedelta(hours=24)
"""How long before restored copies may go their lots start in any case: a task takes hours at the most."""


def copies_go_soon(requested_at: datetime | None, days: int, now: datetime) -> bool:
    """
    Whether restored copies that are there may soon be gone, so that what is ready should be copied now.

    They go this many days after the request, at the next midnight UTC (S3 User Guide, "Restoring an archived object").
    """
    if requested_at is None:
        return False
    stay = timedelta(days=days)
    return now >= requested_at + stay - min(MARGIN_MOST, stay / 4)


def next_delay_s(last_s: float, *, first_s: float, most_s: float, started: bool, left_out: bool) -> float:
    """
    Seconds until the next look.

    | the look | then |
    |---|---|
    | had no room for some lots | soon: the first delay |
    | started lots | as before: others will follow |
    | started none | twice as long, up to the most |
    """
    if left_out:
        return first_s
    if not last_s:
        return min(first_s, most_s)
    return min(last_s if started else last_s * 2, most_s)
