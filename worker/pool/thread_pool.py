"""Threads that do pieces of work; their number can change at any time."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger("worker")

_Work = TypeVar("_Work")


class ThreadPool(Generic[_Work]):
    """
    Threads, and the queue that they take their work from.

    do: does a piece of work; it must not raise.
    """

    def __init__(self, do: Callable[[_Work], None]) -> None:
        self._do = do
        self._todo: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._most: int | None = None
        self.threads = 0

    def put(self, work: _Work) -> None:
        """Have a piece of work done."""
        self._todo.put(work)

    def resize(self, wanted: int) -> None:
        """
        Change the number of threads; one that is too many ends before its next piece of work.

        When the system gives no more threads, those that there are go on. Raises RuntimeError when there are none.
        """
        while self.threads > wanted:
            self._todo.put(None)
            self.threads -= 1
        while self.threads < min(wanted, self._most or wanted):
            try:
                threading.Thread(target=self._work, daemon=True).start()
            except RuntimeError:
                if not self.threads:
                    raise
                self._most = self.threads
                log.warning("no more than %d threads can be started", self.threads)
            else:
                self.threads += 1

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            self._do(work)
