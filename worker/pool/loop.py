"""
Every key -> action -> one result, many in flight.

Threads work on keys. The caller's thread feeds them, collects what they found and hands it on, so results have a
single writer. The number of keys held is bounded, however long the lot is: a future for each key of a large lot would
take gigabytes.
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
from worker.decide.judge_error import UNEXPECTED, RetryAction
from worker.errors import StoppingError, WorkerError
from worker.pool.thread_pool import ThreadPool

log = logging.getLogger("worker")

RETRY_BUDGET_S = 900.0
"""How long a key is tried again, in seconds from its first refusal: outages last a time, not a number of tries."""

CREDENTIALS_BUDGET_S = 60.0
"""How long S3 may refuse credentials before the task gives up, in seconds. ECS and botocore renew them well ahead."""

REFUSAL_BUDGET_S = 30.0
"""
How long a key is tried again that is refused (4xx) without a code of S3's, in seconds: another server's page, say.

S3 doesn't say so of a key, and one such key must not keep a task waiting for RETRY_BUDGET_S.
"""

LONG_THREADS = 4
"""Threads of the long pool, beside the others. More keys at once would share the same threads for their parts."""

LONG_WAITING = 1_000
"""Keys held for the long pool at most, those waiting too. Beyond that, the keys behind them wait as well."""

MAX_DELAY_S = 20.0
_TICK_S = 0.5
_GATHER_S = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """
    What an action says of a key that must be tried once more.

    row: the key's result when no time is left for another try.
    memory: the object before a copy whose answer was lost.
    """

    row: ResultRow
    retry_action: RetryAction
    memory: ObjectFacts | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveToLongPool:
    """
    What an action says of a key that takes long: go on with another action, in the long pool.

    memory: as in Retry.
    """

    action: "Action"
    memory: ObjectFacts | None = None


class Action(Protocol):
    """What a phase does to one key."""

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None, /) -> ResultRow | Retry | MoveToLongPool:
        """
        The key's result, the wish to try again, or the wish to move to the long pool.

        memory: what the last try's Retry remembered.
        Raises StoppingError when the task stops before the key is done, WorkerError when no key can go on.
        """


class Sink(Protocol):
    """Where results go."""

    def add(self, row: ResultRow) -> None:
        """Take a key's result."""

    def tick(self) -> None:
        """Do what is due; called a few times a second."""

    def flush(self) -> None:
        """Write what there is: the task is about to end, and may be killed before that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Try:
    """
    One key on its way through the loop.

    long_action: what the long pool does with it, None for a key of the other pool. tries: made so far.
    since: when it first had to be tried again.
    credentials_since: when S3 began to refuse our credentials for it; None unless the last try was refused for them.
    """

    entry: LotEntry
    memory: ObjectFacts | None = None
    long_action: Action | None = None
    tries: int = 0
    since: float = 0.0
    credentials_since: float | None = None


_Found = ResultRow | Retry | MoveToLongPool | StoppingError | WorkerError


class Loop:
    """
    Runs an action over the keys of a lot.

    threads: keys worked on at once; a function when the number changes.
    stop: set to end early; no new keys begin then.
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
        self._exhausted = self._fault_logged = False
        self._complete = True
        self._settled_at = clock()

    def wake(self) -> None:
        """Make the loop notice a stop at once; safe to call in a signal handler."""
        self._found.put(None)

    def run(self, entries: Iterator[LotEntry]) -> bool:
        """
        Work on every entry; whether each one has its result (False: stopped before that).

        Raises WorkerError when no key can go on, after the keys in flight have ended and their results are handed on.
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
                # Finished keys are written before one that hangs ends: a kill follows a stop within seconds.
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
        elif isinstance(what, Retry):
            self._put_back(key, what)
        else:
            if what.http_status is not None:
                self._settled_at = self._clock()
            self._sink.add(what)

    @staticmethod
    def _guard(step: Callable[..., None], *arguments: object) -> WorkerError | None:
        """
        Do a step; the error that it raised, None when it raised none.

        A lot or state that fails doesn't concern the keys in flight: they end first.
        """
        try:
            step(*arguments)
        except WorkerError as error:
            return error
        return None

    def _feed(self, entries: Iterator[LotEntry]) -> None:
        """Hand out due retries, then new keys, while there is room."""
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
        Give a key to the threads; later, when they work on its object already.

        A key may stand twice in the lot, with its version's id and without. At the same time, both would be copied.
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
        """What threads found since the last time; nothing when nothing came within a tick."""
        timeout = _TICK_S
        if self._delayed:
            timeout = min(timeout, max(0.0, self._delayed[0][0] - self._clock()) + 0.001)
        with suppress(queue.Empty):
            found = self._found.get(timeout=timeout)
            # More is found meanwhile, so this thread wakes once for many keys and leaves the processor to the others.
            time.sleep(_GATHER_S)
            while True:
                if found is not None:
                    yield found
                found = self._found.get_nowait()

    def _put_back(self, key: _Try, retry: Retry) -> None:
        """Plan the key's next try, or take the result that it has when its time is up."""
        now = self._clock()
        patience_s, since = RETRY_BUDGET_S, key.since if key.tries else now
        key = replace(key, memory=retry.memory, tries=key.tries + 1, since=since)
        credentials = retry.retry_action is RetryAction.CREDENTIALS
        if credentials:
            patience_s, since = CREDENTIALS_BUDGET_S, now if key.credentials_since is None else key.credentials_since
        elif retry.row.error_code == UNEXPECTED and retry.row.http_status:
            patience_s = REFUSAL_BUDGET_S
        key = replace(key, credentials_since=since if credentials else None)
        if now - since < patience_s:
            longest_s = min(MAX_DELAY_S, 0.25 * 2 ** min(key.tries, 10))
            self._delay(key, longest_s * (0.5 + self._jitter() / 2))
            return
        if (credentials or retry.row.http_status is None) and self._settled_at < since:
            # All keys have this trouble: none has been settled since it began.
            raise WorkerError(f"gave up after {patience_s:.0f} s without one key settled: {retry.row.message}")
        self._sink.add(retry.row)

    def _work_on(self, key: _Try) -> None:
        """A thread's work on a key."""
        self._found.put((key, self._try(key)))

    def _try(self, key: _Try) -> _Found:
        if self._stop.is_set():
            return StoppingError()
        try:
            return (key.long_action or self._action)(key.entry, key.memory)
        except (StoppingError, WorkerError) as error:
            return error
        except Exception as error:
            # A fault in our own code fails this key, and the lot goes on. It is logged once, as all keys may have it.
            if not self._fault_logged:
                self._fault_logged = True
                log.exception("a key failed by a fault of the worker; others like it are in the results only")
            return ResultRow(entry=key.entry, outcome=Outcome.ERROR, message=f"{type(error).__name__}: {error}")


def _object(entry: LotEntry) -> tuple[str, str]:
    """What only one thread may work on at a time, whichever version is asked for."""
    return entry.bucket, entry.key
