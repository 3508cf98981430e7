"""Loops over made-up keys, with actions that are made up, into a sink that keeps what comes."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import RetryAction
from worker.errors import WorkerError
from worker.pool.loop import Loop, MoveToLongPool, Retry

SEEN = ObjectFacts(storage_class="GLACIER", size_bytes=1, etag="e", last_modified=datetime(2026, 1, 1, tzinfo=UTC))


class Collected:
    """A sink that keeps the rows in memory."""

    def __init__(self) -> None:
        self.rows: list[ResultRow] = []
        self.fails_at: int | None = None
        self.flushed: dict[int, threading.Event] = defaultdict(threading.Event)

    def add(self, row: ResultRow) -> None:
        """Keep the row."""
        self.rows.append(row)
        if self.fails_at == len(self.rows):
            raise WorkerError("the state can't be written")

    def tick(self) -> None:
        """Nothing is due."""

    def flush(self) -> None:
        """Set the event of this number of rows."""
        self.flushed[len(self.rows)].set()


def entries(count: int) -> Iterator[LotEntry]:
    """This number of different keys."""
    return (LotEntry(bucket="b", key=f"k{number}") for number in range(count))


def copied(entry: LotEntry) -> ResultRow:
    """A good result."""
    return ResultRow(entry=entry, outcome=Outcome.COPIED, http_status=200)


def again(
    entry: LotEntry, retry_action: RetryAction, *, status: int | None = 503, memory: ObjectFacts | None = None
) -> Retry:
    """The wish to try again."""
    row = ResultRow(entry=entry, outcome=Outcome.ERROR, error_code="Odd", http_status=status, message="odd")
    return Retry(row=row, retry_action=retry_action, memory=memory)


def make(
    action: Callable[[LotEntry, ObjectFacts | None], ResultRow | Retry | MoveToLongPool],
    sink: Collected,
    *,
    threads: int = 4,
    stop: threading.Event | None = None,
    clock: Callable[[], float] | None = None,
) -> Loop:
    """A loop whose retries come soon on the fake clock: it leaps ahead each time it is read."""
    ticks = itertools.count(step=5)
    return Loop(
        action,
        sink,
        threads=threads,
        stop=stop or threading.Event(),
        clock=clock or (lambda: float(next(ticks))),
        jitter=lambda: 0.0,
    )
