"""The watch of a launcher that comes second: it adopts what runs, and repeats a start that may have happened."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.model import TaskRequest
from orchestrator.state.lot_status import totals
from tests.orchestrator.run.worlds import GOOD, JOB, RESTORE, Fate, World, finish, lots_of, request_of
from worker.contract import Outcome, Phase


def test_running_tasks_of_an_earlier_launcher_are_adopted(tmp_path: Path) -> None:
    """A launcher that comes second watches the tasks that run and starts none for their lots."""
    first = World(tmp_path, lots_of(2), lambda _: GOOD)
    first.place.start(request_of("lot-00001"))
    first.place.started.clear()

    result = first.run()

    assert first.starts() == [("lot-00000", 1)]
    assert totals(result.lot_statuses).complete == 2


def test_a_start_that_may_have_happened_is_asked_for_to_the_letter(tmp_path: Path) -> None:
    """A launcher killed between its note and the answer: the next one repeats the same request, attempt and all."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)
    noted = world.job.request(RESTORE, world.lots.lots[0], 4, rate=7)
    world.state.note_start(noted, "scripted")

    world.run()

    assert world.place.started == [noted]


@pytest.mark.parametrize(
    ("started", "flag"),
    [([("lot-00000", 5)], "--delete-superseded"), ([("lot-00000", 5)], "--allow-noncurrent")],
)
def test_a_start_whose_flag_was_taken_back_is_not_repeated(
    tmp_path: Path, started: list[tuple[str, int]], flag: str
) -> None:
    """What changes more than the user wants by now isn't asked for again, under its number or another."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)
    wanted = world.job.request(RESTORE, world.lots.lots[0], 4, rate=0)
    noted = replace(wanted, command=(*wanted.command, flag))
    world.state.note_start(noted, "scripted")

    world.run()

    assert world.starts() == started
    assert flag not in world.place.started[0].command


def test_an_attempt_that_left_results_is_followed_by_the_next(tmp_path: Path) -> None:
    """A dead task that had begun is not asked for again under its number."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)
    dead = request_of("lot-00000")
    world.state.note_start(dead, "scripted")
    finish(tmp_path, dead, {Outcome.REQUESTED: 1})
    (tmp_path / JOB / "restore" / "lot-00000" / "done-1.json").unlink()

    world.run()

    assert world.starts() == [("lot-00000", 2)]


def test_each_start_is_noted_before_the_place_is_asked(tmp_path: Path) -> None:
    """The note is in the state when the place hears of the task."""
    seen: list[bool] = []

    def fate(request: TaskRequest) -> Fate:
        seen.append(world.state.started_note(request.phase, request.lot, request.attempt) is not None)
        return GOOD

    world = World(tmp_path, lots_of(2), fate)
    world.run()
    note = world.state.started_note(Phase.RESTORE, "lot-00000", 1)

    assert seen
    assert all(seen)
    assert note is not None
    assert note.task == "restore/lot-00000/1"
