"""The parts of large objects: their ranges, and the threads that copy them, beside those that work on keys."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

_T = TypeVar("_T")

MAX_PARTS = 10_000
"""Parts of one upload, at most (S3 User Guide, "Amazon S3 multipart upload limits", 2026-11)."""

MAX_PART_BYTES = 5 * 1024**3
"""The largest part: 5 GB (the same page). 50 TB, S3's largest object, just fits."""

PARTS_IN_FLIGHT = 32
"""
Parts of all large objects together that are copied at once, at most.

S3 does the copying, so a part in flight costs a thread that waits and a connection: a few KB here.
"""

GRACE_S = 10.0
"""How long parts in flight are waited for when their copy is given up, in seconds; ECS gives a stopped task 30."""

IDLE_S = 1.0
"""How long a thread waits for another part before it ends, in seconds."""

_TICK_S = 0.5
_MIB = 1024**2


def part_ranges(size_bytes: int, part_bytes: int) -> Iterator[tuple[int, int]]:
    """
    First and last byte of each part.

    part_bytes: how large each is to be; they are larger when the object would have more parts than S3 allows.
    """
    least = -(-size_bytes // MAX_PARTS)
    if least > part_bytes:
        # Rounded up to whole MiB, but never above S3's limit, as a part of the largest object would be.
        part_bytes = min(-(-least // _MIB) * _MIB, MAX_PART_BYTES)
    for start in range(0, size_bytes, part_bytes):
        yield start, min(start + part_bytes, size_bytes) - 1


class PartThreads:
    """
    A bounded number of threads for the parts of all large objects. They start as parts come, and end when none do.

    They are daemons: a part in flight must not keep a task alive that was told to stop.
    """

    def __init__(self, threads: int) -> None:
        self.count = threads
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._alive = 0

    def put(self, job: Callable[[], None]) -> None:
        """Have a job done. It must not raise."""
        with self._lock:
            self._jobs.put(job)
            if self._alive < self.count:
                self._alive += 1
                threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    # `put` may have counted on this thread for a job that came since then.
                    if self._jobs.empty():
                        self._alive -= 1
                        return
                continue
            job()


class Batch(Generic[_T]):
    """
    The parts of one object on the shared threads, no more at once than there are threads.

    check_stop: raises when the task is to stop; called a few times a second.
    """

    def __init__(self, threads: PartThreads, check_stop: Callable[[], None]) -> None:
        self._threads = threads
        self._check_stop = check_stop
        self._done: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()
        self._given_up = threading.Event()
        self._in_flight = 0

    @property
    def idle(self) -> bool:
        """Whether no job is in flight."""
        return not self._in_flight

    def run(self, jobs: Iterable[Callable[[], _T]]) -> Iterator[_T]:
        """What each job returned, as they end. Raises what the first one to fail raised, or what check_stop did."""
        waiting = iter(jobs)
        while True:
            for job in islice(waiting, self._threads.count - self._in_flight):
                self._in_flight += 1
                self._threads.put(lambda job=job: self._do(job))  # type: ignore[misc]  # the default only binds the name
            if not self._in_flight:
                return
            found = self._next(_TICK_S)
            self._check_stop()
            if found is not None:
                result, error = found
                if error is not None:
                    raise error
                yield result  # type: ignore[misc]  # without an error there is a result

    def give_up(self, grace_s: float = GRACE_S) -> bool:
        """Begin no more jobs, and wait for those in flight; whether all ended within the grace period."""
        self._given_up.set()
        ticks = max(1, round(grace_s / _TICK_S))
        while self._in_flight and ticks:
            ticks -= self._next(_TICK_S) is None
        return not self._in_flight

    def _next(self, timeout_s: float) -> tuple[_T | None, BaseException | None] | None:
        try:
            found = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._in_flight -= 1
        return found

    def _do(self, job: Callable[[], _T]) -> None:
        if self._given_up.is_set():
            self._done.put((None, None))
            return
        try:
            self._done.put((job(), None))
        except BaseException as error:  # noqa: BLE001 (it is raised again where the batch is run)
            self._done.put((None, error))
