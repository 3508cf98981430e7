"""Keys that take long: on threads of their own, beside the others."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

from tests.worker.pool.looping import SEEN, Collected, again, copied, entries, make
from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import RetryAction
from worker.errors import StoppingError
from worker.pool.loop import LONG_THREADS, MoveToLongPool, Retry


def test_keys_that_take_long_do_not_hold_up_the_others() -> None:
    """More of them than there are threads for keys: all the others end while these are still under way."""
    sink = Collected()
    lock, others_done = threading.Lock(), threading.Event()
    others = 0
    long_keys = {f"k{number}" for number in range(10)}

    def take_long(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        assert others_done.wait(120)
        return copied(entry)

    def act(entry: LotEntry, _: ObjectFacts | None) -> ResultRow | MoveToLongPool:
        if entry.key in long_keys:
            return MoveToLongPool(action=take_long)
        nonlocal others
        with lock:
            others += 1
        if others >= 90:
            others_done.set()
        return copied(entry)

    assert make(act, sink, threads=2).run(entries(100))
    assert Counter(row.entry.key for row in sink.rows) == Counter(entry.key for entry in entries(100))
    assert {row.outcome for row in sink.rows} == {Outcome.COPIED}


def test_only_a_few_keys_take_long_at_once() -> None:
    """They share the threads for their parts: the more at once, the slower each."""
    lock = threading.Lock()
    running = most = 0

    def take_long(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return copied(entry)

    sink = Collected()

    assert make(lambda *_: MoveToLongPool(action=take_long), sink).run(entries(20))
    assert len(sink.rows) == 20
    assert most <= LONG_THREADS


def test_a_key_that_takes_long_is_tried_again_as_one() -> None:
    """What it remembers goes with it, and it isn't taken for a short one again."""
    tries: list[str] = []

    def take_long(entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Retry:
        tries.append("long")
        assert memory is (SEEN if len(tries) > 2 else None)
        return copied(entry) if len(tries) > 2 else again(entry, RetryAction.LOOK_AGAIN, memory=SEEN)

    def act(_: LotEntry, memory: ObjectFacts | None) -> MoveToLongPool:
        tries.append("short")
        return MoveToLongPool(action=take_long, memory=memory)

    assert make(act, Collected()).run(entries(1))
    assert tries == ["short", "long", "long"]


def test_keys_that_take_long_end_when_the_task_is_to_stop() -> None:
    """Those that wait aren't begun, and have no result."""
    stop = threading.Event()
    begun: list[str] = []

    def take_long(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        begun.append(entry.key)
        stop.set()
        raise StoppingError

    sink = Collected()

    assert not make(lambda *_: MoveToLongPool(action=take_long), sink, stop=stop).run(entries(50))
    assert sink.rows == []
    assert len(begun) <= LONG_THREADS


def test_a_lot_of_keys_that_all_take_long_is_not_read_ahead_of_them() -> None:
    """Memory is bounded for them too."""
    read = 0

    def counted() -> Iterator[LotEntry]:
        nonlocal read
        for entry in entries(3_000):
            read += 1
            yield entry

    most_ahead = 0

    def take_long(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        nonlocal most_ahead
        most_ahead = max(most_ahead, read - len(sink.rows))
        return copied(entry)

    sink = Collected()

    assert make(lambda *_: MoveToLongPool(action=take_long), sink).run(counted())
    assert most_ahead < 1_100
