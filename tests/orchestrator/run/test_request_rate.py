"""How the request rate is divided among the tasks, and anew as they start and end."""

from pathlib import Path

import pytest

from orchestrator.run.rate_shares import SETTLE_S
from tests.orchestrator.run.worlds import GOOD, JOB, World, lots_of, request_of
from worker.contract import Phase, RateShare


def test_the_rate_is_divided_among_the_tasks_and_anew_as_they_end(tmp_path: Path) -> None:
    """Four tasks have a quarter each; as the lots run out, those that are left have more."""
    told: list[tuple[int, float]] = []
    world = World(tmp_path, lots_of(4), lambda one: GOOD if one.lot != "lot-00000" else None, max_tasks=4)

    def note(now: float) -> None:
        told.append((len(world.place.live), world.share().rate))
        if now > 60:
            world.place.fate = lambda _: GOOD

    world.clock.on_sleep = note
    world.run(rate=900)

    assert (told[0], told[-1]) == ((4, 225), (1, 900))
    assert all(tasks * share <= 900 for tasks, share in told)


def test_a_second_row_of_tasks_has_the_first_ones_share(tmp_path: Path) -> None:
    """While lots wait, an ended task's share is the next one's: nothing new is told."""
    world = World(tmp_path, lots_of(9), lambda _: GOOD, max_tasks=3)
    told: set[float] = set()

    def note(_: float) -> None:
        if len(world.place.started) < 9:
            told.add(world.share().rate)

    world.clock.on_sleep = note
    world.run(rate=900)

    assert told == {300}


def test_tasks_of_an_earlier_launcher_are_told_to_send_less_before_others_start(tmp_path: Path) -> None:
    """One task had all of it; the others start when it has surely read that it has less."""
    world = World(tmp_path, lots_of(3), lambda _: None)
    world.place.start(request_of("lot-00001"))
    world.state.tell_share(Phase.RESTORE, RateShare(rate=900, most=900, tasks=1, at=""))
    started_at: list[float] = []

    def note(now: float) -> None:
        assert world.share().rate == 300 or now > SETTLE_S
        if len(world.place.started) == 3 and not started_at:
            started_at.append(now)
            world.place.fate = lambda _: GOOD

    world.clock.on_sleep = note
    world.run(rate=900)

    assert started_at[0] > SETTLE_S
    assert [line for line in world.ear.remarks if "told to send less" in line] == [
        "the running tasks are told to send less, so that others can start: this takes a minute"
    ]


def test_tasks_that_find_no_room_get_no_share(tmp_path: Path) -> None:
    """The account's quota is two tasks: these have most of the rate, and not a fiftieth each."""
    world = World(tmp_path, lots_of(50), lambda _: None, max_tasks=50)
    world.refuse(lambda _: "the quota is used up" if len(world.place.live) >= 2 else "")

    def note(now: float) -> None:
        if now > 100:
            assert world.share().rate == 300
            raise KeyboardInterrupt

    world.clock.on_sleep = note
    with pytest.raises(KeyboardInterrupt):
        world.run(rate=900)

    assert len(world.place.live) == 2


def test_without_a_rate_nothing_is_told(tmp_path: Path) -> None:
    """No limit, no shares."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)
    world.run()

    assert world.state.share(Phase.RESTORE) is None


def test_a_damaged_share_is_replaced(tmp_path: Path) -> None:
    """Tasks can't read it any better: it is told anew, and until all have read that, one may go by anything."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD if len(world.place.started) == 2 else None)
    world.place.start(request_of("lot-00001"))
    path = tmp_path / JOB / "restore" / "rate.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")

    world.run(rate=900)

    assert world.share()
    assert len(world.place.started) == 2
    assert world.clock.seconds > SETTLE_S
