"""How fast a task may send, in time that passes only when it is waited for."""

import threading

import pytest

from tests.worker.clock import FakeClock
from worker.errors import StoppingError
from worker.pool.pacing import FLOOR, Pace


def make(rate: float, clock: FakeClock) -> Pace:
    """A pace on a clock of its own."""
    return Pace(rate, threading.Event(), clock=clock, wait=clock.wait)


def send(pace: Pace, clock: FakeClock, *, seconds: float, allowed: float, offered: float = 1_000) -> tuple[int, int]:
    """Requests that a server took and refused at its rate, from a client that could send more."""
    taken = refused = 0
    until = clock.now + seconds
    room = 0.0
    last = clock.now
    while clock.now < until:
        clock.wait(1 / offered)
        pace.acquire()
        room = min(max(1.0, allowed / 10), room + (clock.now - last) * allowed)
        last = clock.now
        good = room >= 1
        room -= good
        taken += good
        refused += not good
        pace.answered(refused=not good)
    return taken, refused


def test_a_budget_is_kept() -> None:
    """With a rate of 50 no more than 50 requests a second are sent, but for a short burst."""
    clock = FakeClock()

    taken, refused = send(make(50, clock), clock, seconds=20, allowed=10_000)

    assert 950 <= taken <= 1_010
    assert refused == 0


def test_no_budget_means_no_waiting() -> None:
    """With a rate of 0 a request is never held back while S3 takes them all."""
    clock = FakeClock()
    pace = make(0, clock)

    for _ in range(5_000):
        pace.acquire()
        pace.answered(refused=False)

    assert clock.now == 1_000.0
    assert pace.limit is None
    assert pace.sent == 5_000


@pytest.mark.parametrize("rate", [0, 400])
def test_throttling_is_followed_closely(rate: float) -> None:
    """Against a server of 150 a second nearly all of that is used, and few requests are refused."""
    clock = FakeClock()
    pace = make(rate, clock)
    send(pace, clock, seconds=10, allowed=150)

    taken, refused = send(pace, clock, seconds=60, allowed=150)

    assert taken >= 0.9 * 150 * 60
    assert refused <= 0.05 * taken


def test_an_outage_slows_down_to_a_trickle_and_is_recovered_from() -> None:
    """A minute of refusals costs few requests, and half a minute later the old rate is nearly reached again."""
    clock = FakeClock()
    pace = make(0, clock)
    send(pace, clock, seconds=5, allowed=10_000, offered=400)

    _, refused = send(pace, clock, seconds=60, allowed=0, offered=400)

    assert refused < 1_000
    assert pace.limit == FLOOR
    send(pace, clock, seconds=30, allowed=10_000, offered=400)
    taken, _ = send(pace, clock, seconds=10, allowed=10_000, offered=400)
    assert taken > 3_000


def test_recovery_stops_at_the_budget() -> None:
    """However long S3 takes everything, the rate never grows over the budget."""
    clock = FakeClock()
    pace = make(20, clock)
    send(pace, clock, seconds=10, allowed=5)

    send(pace, clock, seconds=120, allowed=10_000)

    assert pace.limit == 20


@pytest.mark.parametrize(("before", "after"), [(0, 40), (400, 40), (10, 40)])
def test_the_budget_can_change_while_requests_are_sent(before: float, after: float) -> None:
    """From no budget, a larger or a smaller one, the new one holds at once."""
    clock = FakeClock()
    pace = make(before, clock)
    send(pace, clock, seconds=3, allowed=10_000, offered=500)

    pace.set_rate(after)

    taken, _ = send(pace, clock, seconds=20, allowed=10_000)
    assert 0.95 * after * 20 <= taken <= 1.05 * after * 20


def test_a_new_budget_lifts_no_rate_that_s3_brought_down() -> None:
    """What S3 refused counts for more than what is allowed: the rate grows towards the new budget from where it is."""
    clock = FakeClock()
    pace = make(100, clock)
    send(pace, clock, seconds=10, allowed=10)
    held = pace.limit

    pace.set_rate(1_000)

    assert pace.limit == held
    send(pace, clock, seconds=60, allowed=10_000)
    assert pace.limit == 1_000


def test_a_budget_can_be_lifted_altogether() -> None:
    """With rate 0 nothing holds requests back any more."""
    clock = FakeClock()
    pace = make(10, clock)

    pace.set_rate(0)

    for _ in range(1_000):
        pace.acquire()
    assert clock.now == 1_000.0
    assert pace.limit is None


def test_nothing_is_sent_once_the_task_stops() -> None:
    """A request that isn't sent yet is given up when the task is to stop, with a limit and without one."""
    for rate in (0, 10):
        stop = threading.Event()
        pace = Pace(rate, stop)
        stop.set()

        with pytest.raises(StoppingError):
            pace.acquire()
        with pytest.raises(StoppingError):
            pace.pause(60)
        assert pace.sent == 0


def test_threads_waiting_for_their_turn_all_stop() -> None:
    """At one request a second many threads wait; told to stop, each of them gives up at once."""
    stop = threading.Event()
    pace = Pace(0.001, stop)
    pace.acquire()
    given_up = []

    def ask() -> None:
        try:
            pace.acquire()
        except StoppingError:
            given_up.append(True)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    stop.set()
    for thread in threads:
        thread.join(timeout=120)

    assert len(given_up) == 20


@pytest.mark.parametrize("rate", [0, 10])
def test_a_request_is_held_when_its_turn_has_come(rate: float) -> None:
    """However long it waited for that: what holds it is asked last, and what that raises ends it."""
    clock = FakeClock()
    asked_at: list[float] = []

    def hold() -> None:
        asked_at.append(clock())
        if len(asked_at) > 1:
            raise StoppingError

    pace = Pace(rate, threading.Event(), clock=clock, wait=clock.wait, hold=hold)
    began_at = clock()
    pace.acquire()

    with pytest.raises(StoppingError):
        pace.acquire()
    assert asked_at == pytest.approx([began_at, began_at + (1 / rate if rate else 0)])
