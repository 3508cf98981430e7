"""
Two workers on one lot, as when a launcher took a task for dead that wasn't: the later attempt's goes on alone.

S3 can't tell them apart: both see the same object, and a copy of it onto itself keeps the ETag that guards it, so
that both would copy it, key for key. So a worker that finds a later attempt's progress gives way, as if it had been
told to stop; and the later one, which said so by its own progress, waits for that before its first key. What each has
recorded counts. One that was killed says nothing any more, and is waited for no longer than it would be silent.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from worker.clock import Clock
from worker.contract import ContractError, StatePaths, Tally
from worker.errors import WorkerError
from worker.store import Store

log = logging.getLogger("worker")

SILENCE_S = 15.0
"""How long a worker that lives may be silent, in seconds: it writes its progress every 5."""

_LOOK_EVERY_S = 1.0


class Turns:
    """
    One worker's place among those that work on its lot.

    give_way: called when a later attempt's worker is there.
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

    def begin(self) -> None:
        """
        Take over from an earlier attempt's worker that may be alive; before this one reads what is left to do.

        Raises WorkerError when the state can't be read or written.
        """
        name = StatePaths.progress_name()
        # Of two that begin in the same instant one gets to write it, and the other finds it there.
        if name not in self._store.names() and self._store.create(name, self._nothing_yet()):
            return
        other = self._read()
        if not other or not self._is_alive(other):
            return
        if other.attempt > self._attempt:
            self._yield_to(other)
            return
        log.info("attempt %d may still be at work on this lot: taking over", other.attempt)
        self._store.replace(name, self._nothing_yet())
        until = self._clock() + SILENCE_S
        while self._clock() < until and not self._stop.is_set():
            self._clock.wait(self._stop, _LOOK_EVERY_S)
            found = self._read()
            if found and found.attempt == other.attempt:
                if found.exit_code is not None:
                    return
                # It was just writing its progress, over ours: it is told again.
                self._store.replace(name, self._nothing_yet())

    def check(self) -> None:
        """Give way if a later attempt's worker is there; before this one's progress is written anew."""
        # A progress that can't be read at the moment is no reason to stop; its next writing will tell.
        with suppress(WorkerError):
            other = self._read()
            if other and other.attempt > self._attempt and other.exit_code is None:
                self._yield_to(other)

    def _yield_to(self, other: Tally) -> None:
        log.warning("attempt %d is at work on this lot: giving way to it", other.attempt)
        self._give_way()

    def _nothing_yet(self) -> bytes:
        """This worker's progress before its first key."""
        at = self._now().isoformat(timespec="seconds")
        tally = Tally(attempt=self._attempt, keys=0, outcomes={}, processed=0, requests=0, started_at=at, at=at)
        return tally.to_json().encode()

    def _is_alive(self, other: Tally) -> bool:
        if other.exit_code is not None or other.attempt == self._attempt:
            return False
        with suppress(ValueError, TypeError):
            return abs((self._now() - datetime.fromisoformat(other.at)).total_seconds()) < SILENCE_S
        return False

    def _read(self) -> Tally | None:
        with suppress(ContractError):
            return Tally.from_json(self._store.read(StatePaths.progress_name()))
        return None
