"""
Every key -> action -> one result, many in flight.

Threads work on keys; one thread, the caller's, feeds them, collects what they found and hands it on, so
results have a single writer. The number of keys held is bounded, however long the lot is: a future for
each key of a large lot would take gigabytes.
"""

import heapq
import itertools
import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import RetryAction
from worker.errors import StoppingError, WorkerError
from worker.pool.thread_pool import ThreadPool

log = logging.getLogger("worker")

RETRY_BUDGET_S = 900.0
"""How long a key is tried again, in seconds from its first refusal: time and not count, as outages have."""

CREDENTIALS_BUDGET_S = 60.0
"""How long credentials that S3 refuses may take to be renewed, in seconds; ECS and botocore do it well ahead."""

LONG_THREADS = 4
"""Keys that take long worked on at once, beside the others: more would share the same threads for their parts."""

LONG_WAITING = 1_000
"""Keys that take long held at most, the waiting ones included; with more of them, the short ones behind wait too."""

MAX_DELAY_S = 20.0
_TICK_S = 0.5
_GATHER_S = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """
    What an action says of a key that must be tried once more.

    row: the key's result should there be no time left for that.
    memory: the object as it was before a copy was sent whose fate is unknown.
    """

    row: ResultRow
    retry_action: RetryAction
    memory: ObjectFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveToLongPool:
    """
    What an action says of a key that takes long: it is to go on with another action, on the few threads for such.

    memory: as in Again.
    """

    action: "Action"
    memory: ObjectFacts | None = None


class Action(Protocol):
    """What a phase does to one key."""

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None, /) -> ResultRow | Retry | MoveToLongPool:
        """
        The key's result, the wish to try again, or to go on elsewhere.

        memory: what the last try's Again remembered.
        Raises StoppingError when the task stops before the key is done, WorkerError when no key can go on.
        """


class Sink(Protocol):
    """Where results go."""

    def add(self, row: ResultRow) -> None:
        """Take a key's result."""

    def tick(self) -> None:
        """Do what is due by time; called a few times a second."""

    def flush(self) -> None:
        """Write what there is; the task is about to end, and may be killed before it has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Try:
    """
    One key's way through the loop.

    long_action: what it goes on with when it takes long. tries: made so far.
    since: when it was first refused. refused_since: when its credentials were, in a row.
    """

    entry: LotEntry
    memory: ObjectFacts | None = None
    long_action: Action | None = None
    tries: int = 0
    since: float = 0.0
    refused_since: float | None = None


_Found = ResultRow | Retry | MoveToLongPool | StoppingError | WorkerError


class Loop:
    """
    Runs an action over the keys of a lot.

    threads: keys worked on at once; a function when that changes while they are.
    stop: set to end early; no new keys are begun then.
    clock: seconds, monotonic. jitter: a number from 0 to 1, to spread retries.
    """

    def __init__(
        self,
        action: Action,
        sink: Sink,
        *,
        threads: int | Callable[[], int],
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._action = action
        self._sink = sink
        self._threads = threads if callable(threads) else lambda: threads
        self._stop = stop
        self._clock = clock
        self._jitter = jitter
        self._pool, self._long_pool = ThreadPool(self._work_on), ThreadPool(self._work_on)
        self._long = 0
        self._found: queue.SimpleQueue[tuple[_Try, _Found] | None] = queue.SimpleQueue()
        self._delayed: list[tuple[float, int, _Try]] = []
        self._numbers = itertools.count()
        self._busy: set[tuple[str, str]] = set()
        self._exhausted = self._surprised = False
        self._complete = True
        self._settled_at = clock()

    def wake(self) -> None:
        """Make the loop notice at once that it is to stop; safe to call in a signal handler."""
        self._found.put(None)

    def run(self, entries: Iterator[LotEntry]) -> bool:
        """
        Work on every entry; whether each one has its result (False: stopped before that).

        Raises WorkerError when no key can go on, after what was in flight has ended and its results are handed on.
        """
        self._long_pool.resize(LONG_THREADS)
        try:
            return self._run(entries)
        finally:
            self._long_pool.resize(0)
            self._pool.resize(0)

    def _run(self, entries: Iterator[LotEntry]) -> bool:
        failure = unwritten = None
        while True:
            over = failure is not None or self._stop.is_set()
            if over and not unwritten:
                # What is finished waits for no key that hangs: a kill follows a stop within seconds.
                unwritten = self._guard(self._sink.flush) or self._guard(self._sink.tick)
                failure = failure or unwritten
            elif not over:
                self._pool.resize(self._threads())
                failure = self._guard(self._feed, entries) or self._guard(self._sink.tick)
            if not self._busy and (over or failure or (self._exhausted and not self._delayed)):
                break
            for key, what in self._collect():
                fault = self._guard(self._take, key, what)
                failure = failure or fault
        if failure:
            raise failure
        return self._complete and self._exhausted and not self._delayed

    def _take(self, key: _Try, what: _Found) -> None:
        """Deal with what a thread found. Raises WorkerError when no key can go on."""
        self._busy.discard(_object(key.entry))
        self._long -= key.long_action is not None
        if isinstance(what, WorkerError):
            raise what
        if isinstance(what, StoppingError):
            self._complete = False
        elif isinstance(what, MoveToLongPool):
            self._hand_out(replace(key, memory=what.memory, long_action=what.action))
        else:
            self._settle(key, what)

    @staticmethod
    def _guard(step: Callable[..., None], *arguments: object) -> WorkerError | None:
        """
        Do a step; what went wrong with it, if anything did.

        The lot's next line and the state are no concern of the keys in flight: those end first.
        """
        try:
            step(*arguments)
        except WorkerError as error:
            return error
        return None

    def _feed(self, entries: Iterator[LotEntry]) -> None:
        """Hand out due retries, then new keys, as far as there is room."""
        while len(self._busy) - self._long < 2 * self._pool.threads and self._long < LONG_WAITING:
            if self._delayed and self._delayed[0][0] <= self._clock():
                self._hand_out(heapq.heappop(self._delayed)[2])
                continue
            if self._exhausted or len(self._delayed) >= max(1_000, 8 * self._pool.threads):
                return
            entry = next(entries, None)
            if entry is None:
                self._exhausted = True
            else:
                self._hand_out(_Try(entry=entry))

    def _hand_out(self, key: _Try) -> None:
        """
        Give a key to the threads, or later, when its object is in their hands already.

        It may stand twice in the lot, with its version's id and without: at once, both would be copied.
        """
        if _object(key.entry) in self._busy:
            self._delay(key, _TICK_S)
            return
        self._busy.add(_object(key.entry))
        self._long += key.long_action is not None
        (self._long_pool if key.long_action else self._pool).put(key)

    def _delay(self, key: _Try, seconds: float) -> None:
        heapq.heappush(self._delayed, (self._clock() + seconds, next(self._numbers), key))

    def _collect(self) -> Iterator[tuple[_Try, _Found]]:
        """What threads found since; nothing when nothing came within a tick."""
        timeout = _TICK_S
        if self._delayed:
            timeout = min(timeout, max(0.0, self._delayed[0][0] - self._clock()) + 0.001)
        with suppress(queue.Empty):
            found = self._found.get(timeout=timeout)
            # Meanwhile more is found, and this thread is woken once for many keys; the others have more to do.
            time.sleep(_GATHER_S)
            while True:
                if found is not None:
                    yield found
                found = self._found.get_nowait()

    def _settle(self, key: _Try, found: ResultRow | Retry) -> None:
        """Hand a result on, or put its key back."""
        if isinstance(found, Retry):
            self._put_back(key, found)
            return
        if found.http_status is not None:
            self._settled_at = self._clock()
        self._sink.add(found)

    def _put_back(self, key: _Try, again: Retry) -> None:
        """Plan the key's next try, or settle for the result it has when its time is up."""
        now = self._clock()
        refused = again.retry_action is RetryAction.CREDENTIALS
        key = replace(
            key,
            memory=again.memory,
            tries=key.tries + 1,
            since=key.since if key.tries else now,
            refused_since=(now if key.refused_since is None else key.refused_since) if refused else None,
        )
        patience, since = RETRY_BUDGET_S, key.since
        if key.refused_since is not None:
            patience, since = CREDENTIALS_BUDGET_S, key.refused_since
        if now - since < patience:
            longest = min(MAX_DELAY_S, 0.25 * 2 ** min(key.tries, 10))
            self._delay(key, longest * (0.5 + self._jitter() / 2))
            return
        if (refused or again.row.http_status is None) and self._settled_at < since:
            # Not this key's trouble alone: nothing has been settled since it began.
            raise WorkerError(f"gave up after {patience:.0f} s without one key settled: {again.row.message}")
        self._sink.add(again.row)

    def _work_on(self, key: _Try) -> None:
        """What a thread does with a key."""
        self._found.put((key, self._try(key)))

    def _try(self, key: _Try) -> _Found:
        if self._stop.is_set():
            return StoppingError()
        try:
            return (key.long_action or self._action)(key.entry, key.memory)
        except (StoppingError, WorkerError) as error:
            return error
        except Exception as error:
            # A fault in our own code concerns this key only; the rest of the lot goes on. Told once: all may have it.
            if not self._surprised:
                self._surprised = True
                log.exception("a key failed in a way not foreseen; others like it are in the results only")
            return ResultRow(entry=key.entry, outcome=Outcome.ERROR, message=f"{type(error).__name__}: {error}")


def _object(entry: LotEntry) -> tuple[str, str]:
    """What only one thread may work on at a time, by any of its versions."""
    return entry.bucket, entry.key
