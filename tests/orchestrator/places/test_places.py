"""The suite that every place passes: each sentence of the protocol's docstrings, once for each place."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.model import Refused, Task, TaskStatus
from tests.orchestrator.places.kits import FargateKit, Kit, LocalKit, request_for, started
from worker.contract import Phase


@pytest.fixture(params=["fargate", "local"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kit]:
    """Each place with power over its tasks."""
    kit: Kit = FargateKit() if request.param == "fargate" else LocalKit(tmp_path)
    yield kit
    kit.close()


def test_a_prepared_place_plans_nothing_more(kit: Kit) -> None:
    """Preparing again changes nothing: there is nothing left to send, for this launcher and the next."""
    place = kit.place()
    place.prepare(Phase.RESTORE)

    assert place.plan(Phase.RESTORE) == ()
    assert kit.place().plan(Phase.RESTORE) == ()


def test_planning_changes_nothing(kit: Kit) -> None:
    """Whoever asks what would be sent gets the same answer again: nothing was sent."""
    place = kit.place()

    assert place.plan(Phase.COPY) == place.plan(Phase.COPY)


def test_calls_start_nothing(kit: Kit) -> None:
    """Asking what a start would send starts no task."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    place.calls(request_for())

    assert place.running(request_for().job, Phase.RESTORE) == []
    assert kit.count("lot-00000") == 0


def test_a_started_task_is_of_its_request(kit: Kit) -> None:
    """A task carries the phase, lot and attempt that were asked for."""
    place = kit.place()
    place.prepare(Phase.COPY)
    task = started(place.start(request_for("lot-00007", attempt=3, phase=Phase.COPY)))

    assert (task.phase, task.lot, task.attempt) == (Phase.COPY, "lot-00007", 3)


def test_a_running_task_has_no_exit_code(kit: Kit) -> None:
    """Only a stopped task tells an exit code."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    state = place.states([task])[task.id]

    assert state.status is TaskStatus.RUNNING
    assert state.exit_code is None


@pytest.mark.parametrize("exit_code", [0, 1, 2, 3, 4, 75, 137])
def test_a_stopped_task_tells_its_exit_code(exit_code: int, kit: Kit) -> None:
    """The worker's exit code comes through as it is, and 75 is an interruption."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    kit.ends(task, exit_code)
    state = place.states([task])[task.id]

    assert state.status is TaskStatus.STOPPED
    assert state.exit_code == exit_code
    assert state.interrupted is (exit_code == 75)
    assert not state.never_started
    assert bool(state.reason) is (exit_code not in (0, 3, 4))


def test_a_stopped_task_stays_stopped(kit: Kit) -> None:
    """Asked again, a stopped task says the same."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    kit.ends(task, 3)

    assert place.states([task]) == place.states([task])
    assert place.running(request_for().job, Phase.RESTORE) == []


def test_the_same_request_twice_is_one_task(kit: Kit) -> None:
    """A start repeated, by the same launcher or the next, answers with the task that there is."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    first = started(place.start(request_for()))
    kit.runs(first)
    second = kit.place()
    second.prepare(Phase.RESTORE)

    assert place.start(request_for()) == first
    assert second.start(request_for()) == first
    assert kit.count("lot-00000") == 1


def test_a_request_whose_task_has_stopped_starts_no_other(kit: Kit) -> None:
    """A start repeated after its task has stopped answers with that task, stopped."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    first = started(place.start(request_for()))
    kit.runs(first)
    kit.ends(first, 3)
    second = kit.place()
    second.prepare(Phase.RESTORE)
    again = started(second.start(request_for()))

    assert again == first
    assert second.states([again])[again.id].status is TaskStatus.STOPPED
    assert kit.count("lot-00000") == 1


def test_the_next_attempt_is_another_task(kit: Kit) -> None:
    """A lot whose task has stopped gets a new task under the next attempt."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    first = started(place.start(request_for()))
    kit.runs(first)
    kit.ends(first, 1)
    second = started(place.start(request_for(attempt=2)))
    kit.runs(second)
    states = place.states([first, second])

    assert second.id != first.id
    assert [states[one.id].status for one in (first, second)] == [TaskStatus.STOPPED, TaskStatus.RUNNING]


def test_another_launcher_finds_what_runs(kit: Kit) -> None:
    """The phase's running tasks are found, with lot and attempt; stopped ones, other phases' and other jobs' aren't."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    place.prepare(Phase.COPY)
    tasks = [started(place.start(request_for(f"lot-{number:05d}", attempt=2))) for number in range(5)]
    for task in tasks:
        kit.runs(task)
    others = [
        started(place.start(request_for("lot-00008", phase=Phase.COPY))),
        started(place.start(request_for("lot-00009", job="ba9876543210"))),
    ]
    kit.ends(tasks[0], 0)

    assert sorted(kit.place().running(request_for().job, Phase.RESTORE), key=lambda one: one.lot) == tasks[1:]
    assert kit.place().running(request_for().job, Phase.COPY) == others[:1]


def test_another_launcher_sees_a_task_through(kit: Kit) -> None:
    """A launcher that found a task sees it run and stop, and doesn't invent an exit code."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    kit.runs(started(place.start(request_for())))
    second = kit.place()
    (task,) = second.running(request_for().job, Phase.RESTORE)
    before = second.states([task])[task.id]
    kit.ends(task, 3)
    after = second.states([task])[task.id]

    assert before.status is TaskStatus.RUNNING
    assert after.status is TaskStatus.STOPPED
    assert after.exit_code in (3, None)
    assert not after.interrupted


def test_no_task_of_a_job_that_never_was(kit: Kit) -> None:
    """A job that nobody started has no tasks."""
    place = kit.place()
    place.prepare(Phase.RESTORE)

    assert place.running("ffffffffffff", Phase.RESTORE) == []


def test_an_unknown_task_is_unknown(kit: Kit) -> None:
    """A task that the place has no memory of is neither running nor stopped."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    known = started(place.start(request_for()))
    stranger = Task(id="ffffffffffff/restore/lot-00001-1", phase=Phase.RESTORE, lot="lot-00001", attempt=1)
    states = place.states([known, stranger])

    assert states[stranger.id].status is TaskStatus.UNKNOWN
    assert states[known.id].status is not TaskStatus.UNKNOWN
    assert place.states([]) == {}


def test_a_task_asked_to_stop_stops_as_interrupted(kit: Kit) -> None:
    """A stopped task's end is an interruption, not a failure, and its lot isn't running any more."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    place.stop([task], "enough")
    kit.stops(task)
    state = place.states([task])[task.id]

    assert state.status is TaskStatus.STOPPED
    assert state.interrupted
    assert place.running(request_for().job, Phase.RESTORE) == []


def test_another_launcher_stops_a_task(kit: Kit) -> None:
    """`stop` works on tasks that another launcher started."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    second = kit.place()
    second.stop(second.running(request_for().job, Phase.RESTORE), "enough")
    kit.stops(task)

    assert place.states([task])[task.id].status is TaskStatus.STOPPED


def test_stopping_what_has_stopped_or_never_was_does_nothing(kit: Kit) -> None:
    """Stopping twice, or a stranger, is harmless, and a stopped task's end stays what it was."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    task = started(place.start(request_for()))
    kit.runs(task)
    kit.ends(task, 3)
    before = place.states([task])
    stranger = Task(id="ffffffffffff/restore/lot-00001-1", phase=Phase.RESTORE, lot="lot-00001", attempt=1)
    place.stop([task, stranger], "enough")
    place.stop([task, stranger], "enough")

    assert place.states([task]) == before


def test_starts_from_several_threads_are_several_tasks(kit: Kit) -> None:
    """Eight starts at once are eight tasks, each running once."""
    place = kit.place()
    place.prepare(Phase.RESTORE)
    requests = [request_for(f"lot-{number:05d}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tasks = [started(answer) for answer in pool.map(place.start, requests)]
    for task in tasks:
        kit.runs(task)

    assert len({task.id for task in tasks}) == 8
    assert [kit.count(task.lot) for task in tasks] == [1] * 8


def test_an_older_attempt_that_still_runs_is_not_doubled_locally(tmp_path: Path) -> None:
    """The local place refuses a second worker on a lot, for now; ECS has no such memory and the state decides."""
    kit = LocalKit(tmp_path)
    place = kit.place()
    kit.runs(started(place.start(request_for())))
    answer = kit.place().start(request_for(attempt=2))
    kit.close()

    assert isinstance(answer, Refused)
    assert answer.retry
    assert "attempt 1 at lot-00000 is still running" in answer.reason
