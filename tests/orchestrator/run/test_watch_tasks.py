"""The watch over a phase's tasks, in a place whose tasks follow a script."""

from pathlib import Path

import pytest

from orchestrator.model import Refused, TaskState, TaskStatus
from orchestrator.run.job import Limits
from orchestrator.state.lot_status import totals
from tests.orchestrator.run.worlds import GOOD, World, finish, lots_of, request_of
from worker.contract import Outcome


def test_every_lot_gets_one_task_and_is_seen_to_its_tally(tmp_path: Path) -> None:
    """A round starts a task for each lot and ends when each has a tally."""
    world = World(tmp_path, lots_of(3), lambda _: GOOD)

    result = world.run()

    assert world.starts() == [("lot-00000", 1), ("lot-00001", 1), ("lot-00002", 1)]
    assert totals(result.lot_statuses).outcomes == {Outcome.REQUESTED: 6}
    assert (result.given_up, result.stopped) == ({}, "")


def test_a_finished_phase_starts_nothing(tmp_path: Path) -> None:
    """A second run over complete lots starts no task."""
    World(tmp_path, lots_of(2), lambda _: GOOD).run()
    again = World(tmp_path, lots_of(2), lambda _: GOOD)

    result = again.run()

    assert again.starts() == []
    assert totals(result.lot_statuses).complete == 2


def test_never_more_tasks_than_the_place_takes(tmp_path: Path) -> None:
    """`max_tasks` is a sliding window: the next lot starts when another ends."""
    world = World(tmp_path, lots_of(7), lambda _: GOOD, max_tasks=2)

    world.run()

    assert world.place.most_at_once == 2
    assert len(world.starts()) == 7


def test_a_lost_task_is_started_again_as_the_next_attempt(tmp_path: Path) -> None:
    """A task that stops without a tally is lost, and its lot gets another, up to the limit."""
    lost = TaskState(status=TaskStatus.STOPPED, exit_code=137, reason="out of memory")
    world = World(tmp_path, lots_of(1), lambda request: lost if request.attempt < 3 else GOOD)

    result = world.run()

    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2), ("lot-00000", 3)]
    assert result.given_up == {}
    assert world.ear.remarks[0] == ("lot-00000: attempt 1 was lost (out of memory, exit code 137): starting attempt 2")


def test_a_lot_is_given_up_after_three_lost_tasks(tmp_path: Path) -> None:
    """After the third lost task the lot is left unprocessed, with the reason; the others go on."""
    lost = TaskState(status=TaskStatus.STOPPED, reason="never came up", never_started=True)
    world = World(tmp_path, lots_of(2), lambda request: lost if request.lot == "lot-00000" else GOOD)

    result = world.run()

    assert result.given_up == {"lot-00000": "never came up"}
    assert totals(result.lot_statuses).unprocessed == 2
    assert totals(result.lot_statuses).complete == 1


def test_exit_code_0_without_a_tally_is_a_lost_task(tmp_path: Path) -> None:
    """A place's word alone never finishes a lot: the state has to hold the tally."""
    empty_success = TaskState(status=TaskStatus.STOPPED, exit_code=0)
    world = World(tmp_path, lots_of(1), lambda _: empty_success)

    result = world.run()

    assert result.given_up == {"lot-00000": "exit code 0"}
    assert totals(result.lot_statuses).complete == 0


def test_many_lost_tasks_in_a_row_stop_the_starting(tmp_path: Path) -> None:
    """What fails for every lot isn't started a thousand times."""
    lost = TaskState(status=TaskStatus.STOPPED, reason="the image can't be pulled", never_started=True)
    world = World(tmp_path, lots_of(500), lambda _: lost, max_tasks=4)

    result = world.run()

    assert "10 tasks in a row were lost" in result.stopped
    assert "the image can't be pulled" in result.stopped
    assert len(world.starts()) < 20


def test_an_interrupted_task_goes_on_and_is_not_counted_as_lost(tmp_path: Path) -> None:
    """Spot's interruptions (exit code 75) start new attempts, more than the limit of lost tasks."""
    spot = TaskState(status=TaskStatus.STOPPED, exit_code=75, reason="Spot interruption", interrupted=True)
    world = World(tmp_path, lots_of(1), lambda request: spot if request.attempt < 6 else GOOD)

    result = world.run()

    assert [attempt for _, attempt in world.starts()] == [1, 2, 3, 4, 5, 6]
    assert (result.given_up, result.stopped) == ({}, "")


def test_a_refusal_that_may_pass_is_tried_again_later(tmp_path: Path) -> None:
    """No capacity now: the same request is made again after a while, and said once."""
    refused = Refused(
        request=request_of("lot-00000"),
        reason="no capacity",
        retry=True,
    )
    world = World(tmp_path, lots_of(1), lambda _: GOOD, refusals=[refused] * 3)

    result = world.run()

    assert world.starts() == [("lot-00000", 1)]
    assert result.stopped == ""
    assert world.ear.remarks == ["waiting to start lot-00000: no capacity"]


def test_refusals_without_end_end_the_run(tmp_path: Path) -> None:
    """Nothing runs and nothing is taken for half an hour: the run says why and ends."""
    refused = Refused(
        request=request_of("lot-00000"),
        reason="the quota is 0 vCPU",
        retry=True,
    )
    world = World(tmp_path, lots_of(1), lambda _: GOOD, refusals=[refused] * 10_000)

    result = world.run()

    assert result.stopped == "the quota is 0 vCPU"


def test_a_refusal_for_good_starts_no_more(tmp_path: Path) -> None:
    """A wrong ARN is wrong for every lot: nothing more is started, what runs is seen to its end."""
    refused = Refused(
        request=request_of("lot-00000"),
        reason="no such cluster",
        retry=False,
    )
    world = World(tmp_path, lots_of(3), lambda _: GOOD, refusals=[refused])

    result = world.run()

    assert result.stopped == "no such cluster"
    assert world.starts() == []


def test_a_task_that_never_starts_is_stopped_and_started_again(tmp_path: Path) -> None:
    """About one Fargate task in a hundred stays pending for good."""
    stuck = TaskState(status=TaskStatus.PENDING)
    world = World(tmp_path, lots_of(1), lambda request: stuck if request.attempt == 1 else GOOD)

    result = world.run()

    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2)]
    assert world.place.stopped == ["restore/lot-00000/1: start timeout"]
    assert totals(result.lot_statuses).complete == 1


def test_a_place_that_forgets_its_tasks_is_not_believed_at_once(tmp_path: Path) -> None:
    """An unknown task is given time; then the state decides, and it says finished."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD, forgets=True)
    request = request_of("lot-00000")

    def finish_after_a_minute(now: float) -> None:
        if now > 60:
            finish(tmp_path, request, {Outcome.REQUESTED: 2})

    world.clock.on_sleep = finish_after_a_minute

    result = world.run()

    assert world.starts() == [("lot-00000", 1)]
    assert totals(result.lot_statuses).complete == 1


def test_ctrl_c_stops_the_tasks_and_waits_for_them(tmp_path: Path) -> None:
    """Stopping asks every task once and returns when all have stopped."""
    world = World(tmp_path, lots_of(2), lambda _: None)
    watch = world.watcher(Limits(unknown_grace_s=1))

    def interrupt(_: float) -> None:
        world.clock.on_sleep = lambda _: None
        raise KeyboardInterrupt

    world.clock.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        watch.run(world.statuses())
    watch.stop_tasks("interrupted")

    assert world.place.stopped == ["restore/lot-00000/1: interrupted", "restore/lot-00001/1: interrupted"]


def test_progress_is_shown_while_tasks_run(tmp_path: Path) -> None:
    """A running task's own tally counts in the snapshots before it is done."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)

    world.run()

    assert [snapshot.totals.done for snapshot in world.ear.snapshots][-1] == 2
    assert world.ear.snapshots[-1].running == 0
