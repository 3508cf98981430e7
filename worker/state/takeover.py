"""
Two workers on one lot, as when a launcher took a task for dead that wasn't: the later attempt's goes on alone.

S3 can't tell them apart: both see the same object, and a copy of it onto itself keeps the ETag that guards it, so
that both would copy it, key for key. So the later one claims the lot in a file that no earlier one writes, and waits
until the earlier one has ended, or its progress hasn't changed for long enough. A worker looks for such a claim now
and then, and gives way to it as if it had been told to stop. What each has recorded counts.

No two machines' clocks are compared: each worker measures by its own how long it sees no change, and how long ago it
last found no claim. One that was away (stopped, suspended, cut off) finds that this was too long ago, and looks before
it sends another request.
"""

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from worker.clock import Clock
from worker.contract import ContractError, StatePaths, Tally, parse_object, whole_number
from worker.errors import StoppingError, WorkerError
from worker.state.results_store import Store

log = logging.getLogger("worker")

SILENCE_S = 15.0
"""How long a worker that lives may leave its progress unchanged, in seconds: it writes it every 5."""

HOLDS_S = 8.0
"""
How long a worker may go on without looking for a claim, in seconds.

The worker that claims the lot waits for SILENCE_S: what is left of it is for a request on its way to S3.
"""

_LOOK_EVERY_S = 1.0


class Takeover:
    """
    One worker's place among those that work on its lot.

    give_way: called when a later attempt's worker is there, from any thread.
    stop: set when the task is to stop. now: the time in UTC.
    """

    def __init__(
        self,
        store: Store,
        attempt: int,
        *,
        give_way: Callable[[], None],
        stop: threading.Event,
        clock: Clock,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._attempt = attempt
        self._give_way = give_way
        self._stop = stop
        self._clock = clock
        self._now = now
        self._looking = threading.Lock()
        self._sure_at = clock()
        self._claims = self._lost = False

    def begin(self) -> None:
        """
        Take over from an earlier attempt's worker that may be alive; before this one reads what is left to do.

        Raises WorkerError when the state can't be read or written.
        """
        name, mine = StatePaths.progress_name(), self._nothing_yet()
        self._sure_at = self._clock()
        # Of two that begin in the same instant one gets to write it, and the other finds it there.
        if name not in self._store.names() and self._store.create(name, mine):
            return
        claimed, other = self._claimed(), self._progress()
        working = other.attempt if other and other.exit_code is None else 0
        if max(claimed, working) > self._attempt:
            self._yield_to(max(claimed, working))
        elif working or claimed > (other.attempt if other else 0):
            self._take_over(max(claimed, working), mine)
        else:
            self._look()

    def check(self) -> None:
        """Give way if a later attempt's worker is there; before this one's progress is written again."""
        # A state that can't be read at the moment is no reason to stop: before long, `hold` will insist.
        with suppress(WorkerError):
            self._look()

    def hold(self) -> None:
        """
        Return if a request may be sent: it is known that no later attempt had the lot a moment ago.

        Raises StoppingError when one has it by now, WorkerError when the state can't be read.
        """
        if not self._lost and self._clock() - self._sure_at >= HOLDS_S:
            with self._looking:
                if self._clock() - self._sure_at >= HOLDS_S:
                    self._look()
        if self._lost:
            raise StoppingError

    def _take_over(self, before: int, mine: bytes) -> None:
        """Claim the lot and wait until the attempt `before` has ended or is silent; a twin of ours that isn't is it."""
        name, twin = StatePaths.progress_name(), before == self._attempt
        log.info("attempt %d may still be at work on this lot: %s", before, "watching" if twin else "taking over")
        self._claims = not twin
        self._look()
        if not twin:
            # Whatever is there next is news; and workers of older versions look for a later attempt's progress.
            self._store.replace(name, mine)
        seen = self._store.find(name) if twin else mine
        silent_at = self._clock() + SILENCE_S
        while self._clock() < silent_at and not self._stop.is_set():
            self._clock.wait(self._stop, _LOOK_EVERY_S)
            self._look()
            found = self._store.find(name)
            if self._lost:
                return
            if found in (None, seen):
                continue
            told = _tally_in(found)
            if told and told.exit_code is not None and told.attempt >= before:
                return
            if twin:
                self._yield_to(before)
                return
            self._store.replace(name, mine)
            silent_at = self._clock() + SILENCE_S

    def _look(self) -> None:
        """Look whether a later attempt has claimed the lot. Raises WorkerError when the state can't be read."""
        looked_at, claimed = self._clock(), self._claimed()
        if claimed > self._attempt:
            self._yield_to(claimed)
            return
        if self._claims and claimed < self._attempt:
            content = json.dumps({"attempt": self._attempt, "at": _iso(self._now())}, indent=1)
            self._store.replace(StatePaths.takeover_name(), content.encode())
        self._sure_at = looked_at

    def _claimed(self) -> int:
        """The last attempt that took over from another, 0 for none."""
        content = self._store.find(StatePaths.takeover_name())
        with suppress(ContractError):
            return 0 if content is None else whole_number(parse_object(content).get("attempt"))
        return 0

    def _progress(self) -> Tally | None:
        content = self._store.find(StatePaths.progress_name())
        return None if content is None else _tally_in(content)

    def _yield_to(self, attempt: int) -> None:
        if not self._lost:
            log.warning("attempt %d has taken this lot: giving way to it", attempt)
        self._lost = True
        self._give_way()

    def _nothing_yet(self) -> bytes:
        """This worker's progress before its first key."""
        at = _iso(self._now())
        tally = Tally(attempt=self._attempt, keys=0, outcomes={}, processed=0, requests=0, started_at=at, at=at)
        return tally.to_json().encode()


def _iso(time_utc: datetime) -> str:
    return time_utc.isoformat(timespec="seconds")


def _tally_in(content: bytes) -> Tally | None:
    """The tally, or None: what can't be read says that it was written, and no more."""
    with suppress(ContractError):
        return Tally.from_json(content)
    return None
