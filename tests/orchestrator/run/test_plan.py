"""The steps of a run, in a place whose tasks follow a script."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.run.plan import make_plan, plan_calls
from orchestrator.state.lot_status import exit_code_of_phase, totals
from tests.orchestrator.run.worlds import COPY, GOOD, RESTORE, Fate, World, lots_of
from worker.contract import Outcome, Phase, PhaseSettings


def run(world: World, settings: PhaseSettings) -> int:
    """Plan, begin and see through a phase: its exit code."""
    return int(exit_code_of_phase(totals(world.run(rate=None, settings=settings).lot_statuses)))


def test_planning_changes_nothing(tmp_path: Path) -> None:
    """A plan and its calls leave the state as it was: a dry run is free of consequences."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)

    plan = make_plan(world.job, RESTORE, None)
    calls = list(plan_calls(world.job, plan, "lots"))

    assert list(tmp_path.iterdir()) == []
    assert [call.operation for call in calls] == ["copy_file", "copy_file", "prepare", "start", "start"]


def test_what_is_planned_is_what_is_started(tmp_path: Path) -> None:
    """The requests of the dry run are those of the run, in the same order."""
    world = World(tmp_path, lots_of(3), lambda _: GOOD)
    planned = [request.command for request in make_plan(world.job, RESTORE, 300).starts]

    world.carry_out(make_plan(world.job, RESTORE, 300))

    assert [request.command for request in world.place.started] == planned
    assert planned[0] == (
        "restore",
        "--lot",
        f"{tmp_path}/0123456789ab/lots/lot-00000.csv",
        "--lot-digest",
        world.lots.lots[0].sha256,
        "--lot-keys",
        "2",
        "--results",
        f"{tmp_path}/0123456789ab/restore/lot-00000/",
        "--attempt",
        "1",
        "--days",
        "7",
        "--tier",
        "Bulk",
        "--rate",
        "100",
        "--rate-from",
        f"{tmp_path}/0123456789ab/restore/rate.json",
    )


def test_the_lots_are_in_the_state_before_the_first_task(tmp_path: Path) -> None:
    """`begin` uploads each lot once; a second run uploads none."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)

    run(world, RESTORE)

    assert (tmp_path / "0123456789ab/lots/lot-00001.csv").read_bytes() == b"bucket,lot-00001/0\nbucket,lot-00001/1\n"
    assert make_plan(world.job, COPY, None).uploads == ()


def test_a_lot_that_was_cut_off_in_the_state_is_uploaded_again(tmp_path: Path) -> None:
    """Its size in the listing tells; the others stay."""
    good = {Phase.RESTORE: Outcome.REQUESTED, Phase.COPY: Outcome.COPIED}
    world = World(tmp_path, lots_of(3), lambda request: {good[request.phase]: 2})
    run(world, RESTORE)
    (tmp_path / "0123456789ab/lots/lot-00001.csv").write_bytes(b"bucket,lot-00001/0\n")

    run(world, COPY)

    assert (tmp_path / "0123456789ab/lots/lot-00001.csv").read_bytes() == b"bucket,lot-00001/0\nbucket,lot-00001/1\n"


@pytest.mark.parametrize("phase", [RESTORE, COPY])
def test_a_lot_whose_results_were_moved_away_is_done_again(tmp_path: Path, phase: PhaseSettings) -> None:
    """Its tally stays, and isn't believed: another task starts, and what that leaves is."""
    good = Outcome.REQUESTED if phase is RESTORE else Outcome.COPIED
    world = World(tmp_path, lots_of(2), lambda _: {good: 2})
    run(world, phase)
    part = tmp_path / f"0123456789ab/{phase.phase}/lot-00001/results-1-00001.csv"
    part.rename(tmp_path / "moved.csv")

    plan = make_plan(world.job, phase, None)
    code = run(world, phase)

    assert [(start.lot, start.attempt) for start in plan.starts] == [("lot-00001", 2)]
    assert code == 0
    assert make_plan(world.job, phase, None).nothing_to_do


def test_lots_in_the_image_are_not_uploaded(tmp_path: Path) -> None:
    """The seed's way: the worker finds its lot in the image."""
    job = replace(World(tmp_path, lots_of(1), lambda _: GOOD).job, lots_in_image="/lots")

    plan = make_plan(job, RESTORE, None)

    assert plan.uploads == ()
    assert plan.starts[0].command[:3] == ("restore", "--lot", "/lots/lot-00000.csv")


def test_a_finished_phase_leaves_nothing_to_do(tmp_path: Path) -> None:
    """The second run of a finished phase has an empty plan."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)
    run(world, RESTORE)

    assert make_plan(world.job, RESTORE, None).nothing_to_do
    assert not make_plan(world.job, COPY, None).nothing_to_do


def test_lots_with_failed_keys_are_tried_again(tmp_path: Path) -> None:
    """Only the lot that has failed or pending keys gets a new attempt."""
    bad: Fate = {Outcome.COPIED: 1, Outcome.DENIED: 1}
    good: Fate = {Outcome.COPIED: 2}
    world = World(
        tmp_path, lots_of(2), lambda request: bad if (request.lot, request.attempt) == ("lot-00001", 1) else good
    )

    assert run(world, COPY) == 3
    assert [(one.lot, one.attempt) for one in make_plan(world.job, COPY, None).starts] == [("lot-00001", 2)]
    assert run(world, COPY) == 0


def test_pending_keys_without_a_wait_are_exit_code_4(tmp_path: Path) -> None:
    """One round, and the truth."""
    world = World(tmp_path, lots_of(1), lambda _: {Outcome.PENDING: 2})

    assert run(world, COPY) == 4


def test_a_plan_may_be_for_some_lots_alone(tmp_path: Path) -> None:
    """Others aren't started, though they aren't complete."""
    world = World(tmp_path, lots_of(3), lambda _: GOOD)

    plan = make_plan(world.job, RESTORE, None, {"lot-00002"})
    result = world.carry_out(plan)

    assert [request.lot for request in plan.starts] == ["lot-00002"]
    assert [one.complete for one in result.lot_statuses] == [False, False, True]


def test_another_target_class_in_the_middle_is_refused(tmp_path: Path) -> None:
    """A job's copy phase keeps the class it was begun with."""
    world = World(tmp_path, lots_of(1), lambda _: {Outcome.PENDING: 2})
    run(world, COPY)
    other = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD")

    with pytest.raises(S3ReclassError, match="begun with storage class STANDARD_IA, not STANDARD"):
        run(world, other)


@pytest.mark.parametrize(("ends_with_launcher", "stopped"), [(True, 1), (False, 0)])
def test_ctrl_c_stops_tasks_only_on_the_users_own_machine(
    tmp_path: Path, stopped: int, *, ends_with_launcher: bool
) -> None:
    """Fargate's tasks run on; local ones are stopped and seen to their end."""
    world = World(tmp_path, lots_of(1), lambda _: None, ends_with_launcher=ends_with_launcher)

    def interrupt(_: float) -> None:
        world.clock.on_sleep = lambda _: None
        raise KeyboardInterrupt

    world.clock.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.run()

    assert len(world.place.stopped) == stopped


def test_a_launcher_that_comes_again_reattaches(tmp_path: Path) -> None:
    """The tasks of an interrupted run are in the next plan as running, not as starts."""
    world = World(tmp_path, lots_of(2), lambda _: None)
    world.place.start(make_plan(world.job, RESTORE, None).starts[0])

    plan = make_plan(world.job, RESTORE, None)

    assert [task.lot for task in plan.running] == ["lot-00000"]
    assert [request.lot for request in plan.starts] == ["lot-00001"]
