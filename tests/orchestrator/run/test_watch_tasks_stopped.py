"""A watch whose job somebody stops: `s3reclass stop`, typed anywhere."""

from pathlib import Path

import pytest

from orchestrator.model import Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.run.job import STOPPED
from tests.orchestrator.run.worlds import GOOD, World, lots_of

INTERRUPTED = TaskState(status=TaskStatus.STOPPED, exit_code=75, interrupted=True)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three lots, and room for all of them."""
    return World(tmp_path, lots_of(3), lambda _: GOOD)


def ask(world: World) -> None:
    """What `s3reclass stop` writes."""
    world.state.ask_to_stop(world.clock.clock().now())


def ask_at_start(world: World, number: int) -> None:
    """Have somebody ask while the task of this number is being started."""
    start = world.place.start

    def start_and_ask(request: TaskRequest) -> Task | Refused:
        if len(world.place.started) == number - 1:
            ask(world)
        return start(request)

    world.place.start = start_and_ask  # type: ignore[method-assign]  # a place where that takes a while


def test_an_interrupted_task_is_not_started_again(tmp_path: Path) -> None:
    """Of a stopped job, an interruption is the end."""
    world = World(tmp_path, lots_of(3), lambda _: INTERRUPTED, max_tasks=1)
    ask_at_start(world, 1)

    result = world.run()

    assert world.starts() == [("lot-00000", 1)]
    assert result.stopped == STOPPED


def test_nothing_is_started_of_a_job_that_was_stopped_meanwhile(world: World) -> None:
    """While the lots were uploaded, say."""
    watch = world.watcher()
    ask(world)

    result = watch.run(world.statuses())

    assert (world.starts(), result.stopped) == ([], STOPPED)


def test_an_earlier_request_to_stop_is_over(world: World) -> None:
    """The next run goes on, whatever its clock says."""
    world.clock.seconds = 1_000
    ask(world)
    world.clock.seconds = 0

    assert world.run().stopped == ""
    assert len(world.starts()) == 3


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_start_that_nobody_saw_is_stopped(number: int, world: World) -> None:
    """No task begins after it, and those that began are stopped by whoever started them."""
    ask_at_start(world, number)

    result = world.run()

    assert world.starts() == [(f"lot-{lot:05}", 1) for lot in range(number)]
    assert world.place.stopped == [f"restore/lot-{lot:05}/1: {STOPPED}" for lot in range(number)]
    assert (result.stopped, result.given_up) == (STOPPED, {})
