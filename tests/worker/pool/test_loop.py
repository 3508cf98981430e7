"""Every key -> action -> one result, with actions that are made up."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.worker.clock import FakeClock
from tests.worker.pool.looping import SEEN, Collected, again, copied, entries, make
from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import UNEXPECTED, RetryAction
from worker.errors import StoppingError, WorkerError
from worker.pool.loop import CREDENTIALS_BUDGET_S, RETRY_BUDGET_S, Retry


def test_every_key_gets_one_result() -> None:
    """Of 500 keys each is worked on once and its result handed on once."""
    sink = Collected()

    complete = make(lambda entry, _: copied(entry), sink).run(entries(500))

    assert complete
    assert Counter(row.entry for row in sink.rows) == Counter(entries(500))


def test_an_empty_lot_is_complete() -> None:
    """No keys, no results, nothing left."""
    sink = Collected()

    assert make(lambda entry, _: copied(entry), sink).run(iter(()))
    assert sink.rows == []


def test_few_keys_are_held_at_a_time() -> None:
    """However long the lot is, it is read only a little ahead of the work."""
    read = 0
    ahead = []

    def counted() -> Iterator[LotEntry]:
        nonlocal read
        for entry in entries(2_000):
            read += 1
            yield entry

    sink = Collected()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        ahead.append(read - len(sink.rows))
        return copied(entry)

    make(action, sink, threads=4).run(counted())

    assert len(sink.rows) == 2_000
    assert max(ahead) <= 2 * 4 + 1


def test_a_key_put_back_is_tried_again_with_its_memory() -> None:
    """What an action wants remembered comes back with the key's next try."""
    memories: list[ObjectFacts | None] = []
    sink = Collected()

    def action(entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Retry:
        memories.append(memory)
        return copied(entry) if memory else again(entry, RetryAction.LOOK_AGAIN, memory=SEEN)

    assert make(action, sink).run(entries(1))
    assert memories == [None, SEEN]
    assert [row.outcome for row in sink.rows] == [Outcome.COPIED]


def test_throttled_keys_never_fail_within_the_budget() -> None:
    """Every key is refused several times, and every key ends well."""
    tries: Counter[LotEntry] = Counter()
    sink = Collected()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow | Retry:
        tries[entry] += 1
        return copied(entry) if tries[entry] > 3 else again(entry, RetryAction.SLOW_DOWN)

    assert make(action, sink, clock=_slow()).run(entries(100))
    assert {row.outcome for row in sink.rows} == {Outcome.COPIED}
    assert set(tries.values()) == {4}


def _slow() -> Callable[[], float]:
    """A clock that moves a second at each look: retries come soon, and no budget runs out."""
    ticks = itertools.count()
    return lambda: next(ticks) * 0.3


def test_a_key_that_never_ends_well_gets_its_last_answer() -> None:
    """When the retry budget is spent, the key's result is what S3 said last, and the others aren't touched by it."""
    sink = Collected()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow | Retry:
        return again(entry, RetryAction.LOOK_AGAIN, status=500) if entry.key == "k1" else copied(entry)

    assert make(action, sink).run(entries(3))
    assert {row.entry.key: row.outcome for row in sink.rows} == {
        "k0": Outcome.COPIED,
        "k1": Outcome.ERROR,
        "k2": Outcome.COPIED,
    }


def test_a_refusal_without_a_code_is_soon_believed_to_stay() -> None:
    """A key that another server's page refuses has its error long before the retry budget is spent."""
    sink = Collected()
    tries: Counter[str] = Counter()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow | Retry:
        tries[entry.key] += 1
        wish = again(entry, RetryAction.LOOK_AGAIN, status=404)
        return wish if entry.key == "k0" else replace(wish, row=replace(wish.row, error_code=UNEXPECTED))

    assert make(action, sink).run(entries(2))
    assert {row.entry.key: row.error_code for row in sink.rows} == {"k0": "Odd", "k1": UNEXPECTED}
    assert tries["k1"] < tries["k0"] / 4


@pytest.mark.parametrize(
    ("patience", "retry_action", "status"),
    [(CREDENTIALS_BUDGET_S, RetryAction.CREDENTIALS, 403), (RETRY_BUDGET_S, RetryAction.LOOK_AGAIN, None)],
)
def test_no_key_can_go_on(patience: float, retry_action: RetryAction, status: int | None) -> None:
    """Credentials that stay refused, or an S3 that never answers, stop the task; the keys stay without a result."""
    sink = Collected()
    clock = FakeClock()

    def action(entry: LotEntry, _: ObjectFacts | None) -> Retry:
        clock.wait(patience / 20)
        return again(entry, retry_action, status=status)

    with pytest.raises(WorkerError, match=f"gave up after {patience:.0f} s .*: odd"):
        make(action, sink, clock=clock).run(entries(50))
    assert sink.rows == []


def test_credentials_that_are_renewed_harm_no_key() -> None:
    """Refused credentials are waited for a while, and then the keys go on."""
    tries: Counter[LotEntry] = Counter()
    sink = Collected()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow | Retry:
        tries[entry] += 1
        return copied(entry) if tries[entry] > 1 else again(entry, RetryAction.CREDENTIALS, status=400)

    assert make(action, sink, clock=_slow()).run(entries(10))
    assert {row.outcome for row in sink.rows} == {Outcome.COPIED}


def test_a_fault_in_an_action_is_a_result(caplog: pytest.LogCaptureFixture) -> None:
    """An unforeseen exception fails its key alone, with its text, and is logged."""
    sink = Collected()

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        if entry.key == "k1":
            raise ZeroDivisionError("by chance")
        return copied(entry)

    assert make(action, sink).run(entries(3))
    assert {row.message for row in sink.rows if row.outcome is Outcome.ERROR} == {"ZeroDivisionError: by chance"}
    assert "a fault of the worker" in caplog.text


def test_stopping_lets_keys_in_flight_finish() -> None:
    """Told to stop, the loop begins no more keys, and those begun have their results."""
    stop = threading.Event()
    sink = Collected()
    begun = []

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        begun.append(entry)
        stop.set()
        return copied(entry)

    complete = make(action, sink, stop=stop).run(entries(1_000))

    assert not complete
    assert 1 <= len(begun) <= 4
    assert {row.entry for row in sink.rows} == set(begun)


def test_a_key_given_up_for_the_stop_has_no_result() -> None:
    """A key that its action gave up because the task stops isn't reported as anything."""
    sink = Collected()
    stop = threading.Event()

    def action(_: LotEntry, __: ObjectFacts | None) -> ResultRow:
        stop.set()
        raise StoppingError

    assert not make(action, sink, stop=stop).run(entries(10))
    assert sink.rows == []


def test_an_unreadable_line_stops_the_task_after_what_is_in_flight() -> None:
    """A lot that breaks off is an error, and the keys before that have their results."""
    sink = Collected()

    def broken() -> Iterator[LotEntry]:
        yield from entries(3)
        raise WorkerError("lot, line 4: not a manifest line")

    with pytest.raises(WorkerError, match="line 4"):
        make(lambda entry, _: copied(entry), sink).run(broken())
    assert {row.entry for row in sink.rows} == set(entries(3))


def test_a_state_that_cannot_be_written_stops_the_task() -> None:
    """When results can't be handed on, the loop ends with that error instead of going on for nothing."""
    sink = Collected()
    sink.fails_at = 5

    with pytest.raises(WorkerError, match="can't be written"):
        make(lambda entry, _: copied(entry), sink).run(entries(10_000))
    assert len(sink.rows) < 100


def test_a_key_that_stands_twice_is_not_worked_on_twice_at_once() -> None:
    """Both lines get a result, one after the other."""
    sink = Collected()
    running: Counter[LotEntry] = Counter()
    most = []

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        running[entry] += 1
        most.append(running[entry])
        running[entry] -= 1
        return copied(entry)

    twice = [entry for entry in entries(20) for _ in range(2)]

    assert make(action, sink, clock=time.monotonic).run(iter(twice))
    assert len(sink.rows) == 40
    assert max(most) == 1


def test_a_version_and_its_key_are_not_worked_on_at_once() -> None:
    """Both may be the same object, which would be copied twice; other keys don't wait for it."""
    sink = Collected()
    running: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()
    met = threading.Barrier(2, timeout=60)

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        with lock:
            running[entry.key] += 1
            most[entry.key] = max(most[entry.key], running[entry.key])
        if not entry.version_id:
            met.wait()
        with lock:
            running[entry.key] -= 1
        return copied(entry)

    lines = [LotEntry(bucket="b", key=key, version_id=version) for version in ("", "v1") for key in ("k0", "k1")]

    assert make(action, sink, clock=time.monotonic).run(iter(lines))
    assert len(sink.rows) == 4
    assert most == {"k0": 1, "k1": 1}


@pytest.mark.parametrize("line", [None, "lot, line 4: not a manifest line"])
def test_what_is_finished_is_written_while_a_key_hangs(line: str | None) -> None:
    """After a stop, or what makes the rest pointless: at once, and again for each key that ends meanwhile."""
    sink = Collected()
    stop, begun = threading.Event(), threading.Barrier(3, timeout=60)
    seen_written = []

    def action(entry: LotEntry, _: ObjectFacts | None) -> ResultRow:
        begun.wait()
        number = int(entry.key[1:])
        if number:
            seen_written.append(sink.flushed[number].wait(20))
        elif not line:
            stop.set()
        return copied(entry)

    def lines() -> Iterator[LotEntry]:
        yield from entries(3)
        if line:
            raise WorkerError(line)

    with suppress(WorkerError):
        make(action, sink, stop=stop, clock=time.monotonic).run(lines())

    assert seen_written == [True, True]
    assert len(sink.rows) == 3
