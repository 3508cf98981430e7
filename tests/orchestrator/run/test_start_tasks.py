"""What starts when: on Spot or on-demand, with the lease or without."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.model import TaskState, TaskStatus
from orchestrator.run.job import Limits
from orchestrator.state.lease_file import LeaseLostError
from tests.orchestrator.run.worlds import GOOD, RESTORE, LostError, World, lots_of
from worker.contract import Phase

TAKEN_BACK = TaskState(status=TaskStatus.STOPPED, exit_code=75, interrupted=True, reason="AWS took it back")
FULL = "AWS has no Fargate capacity free"


def capacities(world: World) -> list[tuple[int, bool]]:
    """The attempt and the capacity of each start: whether on Spot."""
    return [(request.attempt, request.spot) for request in world.place.started]


@pytest.mark.parametrize(
    ("starts", "limit"),
    [
        ([(1, True), (2, True), (3, True), (4, False), (5, False)], 3),
        ([(1, True), (2, False), (3, False), (4, False), (5, False)], 1),
        ([(1, True), (2, True), (3, True), (4, True), (5, True)], 0),
    ],
)
def test_a_lot_leaves_spot_after_some_interruptions(tmp_path: Path, starts: list[tuple[int, bool]], limit: int) -> None:
    """Interruptions aren't counted against the failure limit, and after `--spot-interruptions` the lot is on-demand."""
    world = World(tmp_path, lots_of(1), lambda one: TAKEN_BACK if one.attempt < 5 else GOOD, spot=True)

    result = world.run(Limits(spot_interruptions=limit, lost_per_lot=1))

    assert capacities(world) == starts
    assert result.given_up == {}
    assert sum("on-demand" in line for line in world.ear.remarks) == sum(not spot for _, spot in starts)


def test_the_next_launcher_knows_how_often_a_lot_was_interrupted(tmp_path: Path) -> None:
    """The count is in the notes of the starts, with the capacity of each."""
    world = World(tmp_path, lots_of(1), lambda one: TAKEN_BACK if one.attempt < 3 else None, spot=True)

    def kill(_: float) -> None:
        if len(world.place.started) == 3:
            raise KeyboardInterrupt

    world.clock.on_sleep = kill
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.clock.on_sleep = lambda _: None
    world.place.fate = lambda one: TAKEN_BACK if one.attempt < 4 else GOOD
    world.run()

    assert capacities(world) == [(1, True), (2, True), (3, True), (4, False)]
    notes = [world.state.started_note(Phase.RESTORE, "lot-00000", attempt) for attempt in (1, 2, 3, 4)]
    assert [(note.spot, note.interruptions) for note in notes if note] == [(True, 0), (True, 1), (True, 2), (False, 3)]


def test_a_start_on_spot_that_may_have_happened_is_asked_for_on_spot(tmp_path: Path) -> None:
    """To the letter, its capacity too: a place that started it would else be asked for something new."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)
    noted = replace(world.job.request(RESTORE, world.lots.lots[0], 2, rate=7), spot=True)
    world.state.note_start(noted, "scripted", interruptions=1)

    world.run()

    assert world.place.started == [noted]
    note = world.state.started_note(Phase.RESTORE, "lot-00000", 2)
    assert note is not None
    assert (note.spot, note.interruptions, note.task) == (True, 1, "restore/lot-00000/2")


def test_without_spot_capacity_tasks_start_on_demand_for_a_while(tmp_path: Path) -> None:
    """After a minute without; what was refused has another number then, and Spot is asked again later."""
    world = World(tmp_path, lots_of(3), lambda _: GOOD, spot=True, max_tasks=1)
    full = [True]

    def capacity_comes_back(_: float) -> None:
        if len(world.place.started) == 2:
            full.clear()
            world.clock.seconds += 600

    world.clock.on_sleep = capacity_comes_back
    world.refuse(lambda one: FULL if full and one.spot else "", no_capacity=True)

    result = world.run()

    assert capacities(world) == [(2, False), (1, False), (1, True)]
    assert result.stopped == ""
    assert f"waiting to start lot-00000: {FULL}" in world.ear.remarks
    (told,) = [line for line in world.ear.remarks if "Spot has had no capacity" in line]
    assert told == (
        "Spot has had no capacity for 1 min 00 s: tasks start on-demand for the next 10 min 00 s, "
        "then Spot is asked again"
    )
    assert world.clock.seconds > 60


def test_a_spot_task_that_came_up_on_no_capacity_is_no_failure(tmp_path: Path) -> None:
    """ECS took it, and then there was none: the lot goes on, and on-demand after a few."""
    none = TaskState(status=TaskStatus.STOPPED, reason="Capacity is unavailable", never_started=True, no_capacity=True)
    world = World(tmp_path, lots_of(1), lambda one: none if one.spot else GOOD, spot=True)

    result = world.run(Limits(lost_per_lot=1))

    assert capacities(world) == [(1, True), (2, True), (3, True), (4, False)]
    assert result.given_up == {}


def test_nothing_starts_while_the_lease_is_in_doubt(tmp_path: Path) -> None:
    """It is said once, and the tasks start when the lease is sure again."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)
    world.lease.answers = [False, False, False]

    result = world.run()

    assert len(world.place.started) == 2
    assert result.stopped == ""
    assert world.ear.remarks == ["the lease on this job couldn't be renewed in time: no task is started until it is"]
    assert world.clock.seconds > 3


def test_a_launcher_without_its_lease_starts_and_stops_nothing(tmp_path: Path) -> None:
    """Another one has the job: its tasks are left alone, and the error comes out."""
    world = World(tmp_path, lots_of(3), lambda _: None, max_tasks=2)

    def lose(_: float) -> None:
        world.lease.lost = True

    world.clock.on_sleep = lose
    with pytest.raises(LostError):
        world.run()

    assert len(world.place.started) == 2
    assert len(world.place.live) == 2
    assert world.place.stopped == []


def test_a_lost_lease_is_an_error_for_people() -> None:
    """The command ends with it in one line."""
    assert LeaseLostError.exit_code == 1
