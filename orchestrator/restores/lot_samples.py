"""
A few keys of each lot, and looking at them: HEADs first, a page of a listing where that is cheaper.

In memory there is a sample of each lot (some megabytes for thousands of lots), never its keys; and no look
asks for more than `LOOK_REQUESTS`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.lots.sample_keys import choose_indexes, choose_some
from orchestrator.model import Lot
from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.objects.object_head import ObjectHead
from orchestrator.restores.judge_readiness import (
    LIST_COSTS_HEADS,
    PAGE_KEYS,
    SAMPLE_KEYS,
    KeyState,
    Means,
    Sampled,
    cheaper_means,
    head_state,
    in_bucket_order,
    listed_states,
    lots_in_turn,
)
from orchestrator.state.lot_status import LotStatus, last_finished
from worker.contract import LotEntry

LOOK_REQUESTS = 5_000
"""HEAD requests of one look at the most ($0.002), a listing counted as the HEADs that it costs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeSources:
    """
    What a wait needs to see.

    heads: HeadObject of these entries, in any order. page: a page of a bucket's listing after a key.
    entries: a lot's entries at these places, ascending. pending: the entries that an attempt left pending.
    restoring: whether the job's restore phase is still asking.
    """

    heads: Callable[[Iterable[LotEntry]], Iterable[ObjectHead]]
    page: Callable[[str, str], Sequence[ListedRestore]]
    entries: Callable[[Lot, Sequence[int]], Sequence[LotEntry]]
    pending: Callable[[Lot, int], Iterator[LotEntry]]
    restoring: Callable[[], bool]


@dataclass(slots=True)
class ProbeResult:
    """
    What one look saw.

    lots: the lots that were looked at. kinds: of objects whose restores are under way.
    left_out: whether there was no room for some, or for all of one's sample.
    spent: requests, in the price of a HEAD.
    """

    lots: tuple[str, ...] = ()
    kinds: set[str] = field(default_factory=set)
    left_out: bool = False
    spent: float = 0


class LotSamples:
    """
    The samples of a job's lots, each made when it is first asked for.

    target: the class to copy into. requests: HEAD requests of one look at the most.
    """

    def __init__(self, sources: ProbeSources, *, target: str, clock: Clock, requests: int = LOOK_REQUESTS) -> None:
        self._sources, self._target, self._clock, self._requests = sources, target, clock, requests
        self._samples: dict[str, Sampled] = {}
        self._keys_per_page: float | None = None

    def __getitem__(self, lot: str) -> Sampled:
        """The lot's sample, which was looked for before."""
        return self._samples[lot]

    def is_of(self, lot_status: LotStatus) -> bool:
        """Whether there is a sample of what the lot's last attempt left."""
        sample = self._samples.get(lot_status.lot.name)
        return sample is not None and sample.attempt == _attempt_of(lot_status)

    def knows(self, lot: str, state: KeyState) -> bool:
        """Whether a key of the lot is known to be in this state."""
        sample = self._samples.get(lot)
        return sample is not None and state in sample.states

    def look(self, lot_statuses: Sequence[LotStatus]) -> ProbeResult:
        """
        Look at as many of these lots as there is room for, each no further than it takes to know.

        Raises S3ReclassError when objects can't be looked at, or a lot or its results can't be read.
        """
        lots = {lot_status.lot.name: lot_status.lot for lot_status in lot_statuses}
        names = lots_in_turn(((one.lot.name, self._sample(one)) for one in lot_statuses), self._requests)
        result = ProbeResult(lots=names, left_out=len(names) < len(lots))
        for name in names:
            # What a listing showed was true then; a sample's own keys are followed one by one.
            self._samples[name] = replace(self._samples[name], listed=(), looks=self._samples[name].looks + 1)
        self._head({name: self._samples[name].probes for name in names}, result)
        for name in sorted(names, key=lambda name: len(self._samples[name].open)):
            self._look_on(lots[name], result)
        return result

    def _sample(self, lot_status: LotStatus) -> Sampled:
        """The lot's sample: of the keys that its last attempt left pending, or else of them all."""
        lot = lot_status.lot
        attempt = _attempt_of(lot_status)
        known = self._samples.get(lot.name)
        if known is None or known.attempt != attempt:
            random = Random(f"{lot.sha256}/{attempt}")  # noqa: S311 (no secret)
            entries = (
                choose_some(self._sources.pending(lot, attempt), SAMPLE_KEYS, random)
                if attempt
                else tuple(self._sources.entries(lot, choose_indexes(lot.keys, SAMPLE_KEYS, random)))
            )
            known = self._samples[lot.name] = Sampled(entries=entries, attempt=attempt)
        return known

    def _head(self, wanted: Mapping[str, Sequence[int]], result: ProbeResult) -> None:
        """Look at these places of these lots' samples."""
        asked: dict[int, tuple[str, int]] = {}
        entries = []
        for name, places in wanted.items():
            for place in places:
                # A new object for each: an entry's identity tells where its answer belongs.
                entry = replace(self._samples[name].entries[place])
                asked[id(entry)] = (name, place)
                entries.append(entry)
        now = self._clock.now()
        states: dict[str, list[tuple[int, KeyState]]] = {}
        for head in self._sources.heads(entries) if entries else ():
            name, place = asked[id(head.entry)]
            state = head_state(head, self._target, now)
            states.setdefault(name, []).append((place, state))
            if state is KeyState.ONGOING:
                result.kinds.add(head.kind)
        for name, found in states.items():
            self._samples[name] = self._samples[name].with_states(found)
        result.spent += len(entries)

    def _look_on(self, lot: Lot, result: ProbeResult) -> None:
        """Look at the rest of a sample whose probes leave it open whether the lot is ready."""
        sample = self._samples[lot.name]
        rest = [place for place in sample.open if not sample.states or sample.states[place] is None]
        if not rest or sum(state is KeyState.ONGOING for state in sample.states) > sample.stragglers:
            return
        if result.spent + len(rest) > self._requests:
            result.left_out = True
            return
        means = cheaper_means(len(rest), self._keys_per_page)
        if means is Means.LIST and sample.attempt == 0 and in_bucket_order(sample.entries):
            result.spent += LIST_COSTS_HEADS
            if self._list(lot, len(rest)):
                return
        self._head({lot.name: rest}, result)

    def _list(self, lot: Lot, enough: int) -> bool:
        """Look at the lot's keys in one page of the bucket's listing; whether it held enough of them."""
        first = Random(lot.sha256).randrange(max(1, lot.keys - PAGE_KEYS))  # noqa: S311 (no secret)
        entries = self._sources.entries(lot, range(first, min(lot.keys, first + PAGE_KEYS + 1)))
        try:
            page = self._sources.page(entries[0].bucket, entries[0].key)
        except S3ReclassError:
            page = ()  # permission to HEAD objects need not include listing them
        states = listed_states((entry.key for entry in entries[1:]), page, self._target, self._clock.now())
        self._keys_per_page = len(states or ())
        if states is None or len(states) < enough:
            return False
        self._samples[lot.name] = replace(self._samples[lot.name], listed=states)
        return True


def _attempt_of(lot_status: LotStatus) -> int:
    """The attempt whose pending keys a sample is of; 0 for one of all keys."""
    return lot_status.files.attempt if last_finished(lot_status) else 0
