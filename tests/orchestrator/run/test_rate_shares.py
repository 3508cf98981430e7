"""Shares: what each running task may send, told so that all of them together never send more than the job may."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.run.rate_shares import SETTLE_S, Shares

NONE = Shares(rate=900)
TOLD = Shares(rate=900, told=90)


@pytest.mark.parametrize(
    ("expected", "shares", "tasks", "running"),
    [
        (Shares(rate=900, told=90), NONE, 10, 0),
        (TOLD, TOLD, 10, 10),
        (TOLD, TOLD, 10, 0),
        (Shares(rate=900, told=100), TOLD, 9, 9),
        (replace(TOLD, told=90), replace(TOLD, rate=890), 9, 9),
        (Shares(rate=900, told=900), TOLD, 1, 1),
        (Shares(rate=900, told=900), TOLD, 0, 0),
        (Shares(rate=900, told=45, before=90, settled_at=100 + SETTLE_S), TOLD, 20, 10),
        (Shares(rate=900, told=45), TOLD, 20, 0),
        (Shares(rate=900, told=45, before=90, settled_at=100 + SETTLE_S), TOLD, 5, 20),
    ],
)
def test_what_is_told(expected: Shares, shares: Shares, tasks: int, running: int) -> None:
    """A share shrinks at once, grows by what is worth telling, and nobody goes by an old one where nobody runs."""
    told = shares.divided(tasks, running=running, now=100)

    assert replace(told, rate=900) == expected


def test_a_share_that_stays_is_the_same_object() -> None:
    """So that the caller sees at a glance that there is nothing to write."""
    assert TOLD.divided(10, running=9, now=0) is TOLD


@pytest.mark.parametrize(
    ("room", "running", "now"),
    [(True, 9, 0), (False, 10, 0), (True, 0, 0)],
)
def test_room_is_what_running_tasks_leave(*, room: bool, running: int, now: float) -> None:
    """One more task needs a share of its own."""
    assert TOLD.has_room(running=running, now=now) is room


def test_what_tasks_give_up_is_free_once_all_have_read_it() -> None:
    """Running tasks that are to go slower may not know it yet: nothing is started until they do."""
    smaller = TOLD.divided(20, running=10, now=0)

    assert not smaller.has_room(running=10, now=SETTLE_S - 1)
    assert smaller.has_room(running=10, now=SETTLE_S)


def test_what_another_launcher_told_counts_until_all_have_read_what_this_one_tells() -> None:
    """Its tasks may go by more than its newest share."""
    found = Shares.found(900, told=45, most=300, now=0)

    assert not found.has_room(running=3, now=SETTLE_S - 1)
    assert found.has_room(running=3, now=SETTLE_S)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.integers(0, 30)),
        st.tuples(st.just("end"), st.integers(0, 30)),
        st.tuples(st.just("divide"), st.integers(0, 30)),
        st.tuples(st.just("read"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.integers(1, 60)),
        st.tuples(st.just("launcher"), st.just(0)),
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.floats(0.1, 5_000), st.integers(1, 30))
def test_the_tasks_never_send_more_than_the_job_may(events: list[tuple[str, int]], rate: float, at_first: int) -> None:
    """
    Whatever starts and ends, reads its share early or late (but in time), and whichever launcher divides.

    tasks: the share that each goes by, and when it last read it.
    """
    now, tasks = 0.0, [(0.0, 0.0)] * 0
    shares = Shares(rate=rate).divided(at_first, running=0, now=now)
    for event, number in events:
        if event == "wait":
            now += number
            # Whoever hasn't looked for this long has by now, at the latest just before.
            tasks = [(shares.told, now) if now - at >= SETTLE_S else (share, at) for share, at in tasks]
        elif event == "start":
            shares = shares.divided(len(tasks) + number, running=len(tasks), now=now)
            if shares.has_room(running=len(tasks), now=now):
                tasks.append((shares.told, now))
        elif event == "end" and tasks:
            tasks.pop(number % len(tasks))
        elif event == "divide":
            shares = shares.divided(number, running=len(tasks), now=now)
        elif event == "read" and tasks:
            tasks[number % len(tasks)] = (shares.told, now)
        elif event == "launcher":
            shares = Shares.found(rate, told=shares.told, most=shares.in_force(now), now=now)

        assert sum(share for share, _ in tasks) <= rate * (1 + 1e-6)
