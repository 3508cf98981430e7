"""The steps of a run, in a place whose tasks follow a script."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import TaskRequest
from orchestrator.run.plan import Job, begin, make_plan, plan_calls, see_through
from orchestrator.run.watch_tasks import Limits
from orchestrator.state.lot_status import exit_code_of_phase, totals
from tests.orchestrator.run.worlds import Ear, Fate, ScriptedPlace, WorldClock, job_state, lot_bytes, lots_of
from worker.contract import Outcome, Phase, PhaseSettings

RESTORE = PhaseSettings(phase=Phase.RESTORE)
COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA")


def job_of(root: Path, count: int, fate: Callable[[TaskRequest], Fate], **place: object) -> Job:
    """A job of so many lots of two keys, in a scripted place."""
    lots = lots_of(count)
    scripted = ScriptedPlace(root, fate, **place)  # type: ignore[arg-type]  # each test names a field it knows
    return Job(lots=lots, state=job_state(root, lots), place=scripted, read_lot=lot_bytes)


def run(job: Job, settings: PhaseSettings) -> tuple[int, Ear, WorldClock]:
    """Plan, begin and see through a phase: its exit code, what was told, and the clock."""
    clock, ear = WorldClock(), Ear()
    plan = make_plan(job, settings, None)
    begin(job, plan, clock.clock())
    ending = see_through(job, plan, reporter=ear, clock=clock.clock(), limits=Limits())
    return int(exit_code_of_phase(totals(ending.lot_statuses))), ear, clock


def test_planning_changes_nothing(tmp_path: Path) -> None:
    """A plan and its calls leave the state as it was: a dry run is free of consequences."""
    job = job_of(tmp_path, 2, lambda _: {Outcome.REQUESTED: 2})

    plan = make_plan(job, RESTORE, None)
    calls = list(plan_calls(job, plan, "lots"))

    assert list(tmp_path.iterdir()) == []
    assert [call.operation for call in calls] == ["copy_file", "copy_file", "prepare", "start", "start"]


def test_what_is_planned_is_what_is_started(tmp_path: Path) -> None:
    """The requests of the dry run are those of the run, in the same order."""
    job = job_of(tmp_path, 3, lambda _: {Outcome.REQUESTED: 2})
    planned = [request.command for request in make_plan(job, RESTORE, 300).starts]

    plan = make_plan(job, RESTORE, 300)
    begin(job, plan, WorldClock().clock())
    see_through(job, plan, reporter=Ear(), clock=WorldClock().clock(), limits=Limits())

    assert isinstance(job.place, ScriptedPlace)
    assert [request.command for request in job.place.started] == planned
    assert planned[0] == (
        "restore",
        "--lot",
        f"{tmp_path}/0123456789ab/lots/lot-00000.csv",
        "--lot-digest",
        job.lots.lots[0].sha256,
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
    job = job_of(tmp_path, 2, lambda _: {Outcome.REQUESTED: 2})

    run(job, RESTORE)

    assert (tmp_path / "0123456789ab/lots/lot-00001.csv").read_bytes() == b"bucket,lot-00001/0\nbucket,lot-00001/1\n"
    assert make_plan(job, COPY, None).uploads == ()


def test_a_lot_that_was_cut_off_in_the_state_is_uploaded_again(tmp_path: Path) -> None:
    """Its size in the listing tells; the others stay."""
    good = {Phase.RESTORE: Outcome.REQUESTED, Phase.COPY: Outcome.COPIED}
    job = job_of(tmp_path, 3, lambda request: {good[request.phase]: 2})
    run(job, RESTORE)
    (tmp_path / "0123456789ab/lots/lot-00001.csv").write_bytes(b"bucket,lot-00001/0\n")

    run(job, COPY)

    assert (tmp_path / "0123456789ab/lots/lot-00001.csv").read_bytes() == b"bucket,lot-00001/0\nbucket,lot-00001/1\n"


@pytest.mark.parametrize("phase", [RESTORE, COPY])
def test_a_lot_whose_results_were_moved_away_is_done_again(tmp_path: Path, phase: PhaseSettings) -> None:
    """Its tally stays, and isn't believed: another task starts, and what that leaves is."""
    good = Outcome.REQUESTED if phase is RESTORE else Outcome.COPIED
    job = job_of(tmp_path, 2, lambda _: {good: 2})
    run(job, phase)
    part = tmp_path / f"0123456789ab/{phase.phase}/lot-00001/results-1-00001.csv"
    part.rename(tmp_path / "moved.csv")

    plan = make_plan(job, phase, None)
    code, _, _ = run(job, phase)

    assert [(start.lot, start.attempt) for start in plan.starts] == [("lot-00001", 2)]
    assert code == 0
    assert make_plan(job, phase, None).nothing_to_do


def test_lots_in_the_image_are_not_uploaded(tmp_path: Path) -> None:
    """The seed's way: the worker finds its lot in the image."""
    lots = lots_of(1)
    place = ScriptedPlace(tmp_path, lambda _: {Outcome.REQUESTED: 2})
    job = Job(lots=lots, state=job_state(tmp_path, lots), place=place, read_lot=lot_bytes, lots_in_image="/lots")

    plan = make_plan(job, RESTORE, None)

    assert plan.uploads == ()
    assert plan.starts[0].command[:3] == ("restore", "--lot", "/lots/lot-00000.csv")


def test_a_finished_phase_leaves_nothing_to_do(tmp_path: Path) -> None:
    """The second run of a finished phase has an empty plan."""
    job = job_of(tmp_path, 2, lambda _: {Outcome.REQUESTED: 2})
    run(job, RESTORE)

    assert make_plan(job, RESTORE, None).nothing_to_do
    assert not make_plan(job, COPY, None).nothing_to_do


def test_lots_with_failed_keys_are_tried_again(tmp_path: Path) -> None:
    """Only the lot that has failed or pending keys gets a new attempt."""
    bad: Fate = {Outcome.COPIED: 1, Outcome.DENIED: 1}
    good: Fate = {Outcome.COPIED: 2}
    job = job_of(tmp_path, 2, lambda request: bad if (request.lot, request.attempt) == ("lot-00001", 1) else good)

    assert run(job, COPY)[0] == 3
    assert [(one.lot, one.attempt) for one in make_plan(job, COPY, None).starts] == [("lot-00001", 2)]
    assert run(job, COPY)[0] == 0


def test_pending_keys_without_a_wait_are_exit_code_4(tmp_path: Path) -> None:
    """One round, and the truth."""
    job = job_of(tmp_path, 1, lambda _: {Outcome.PENDING: 2})

    assert run(job, COPY)[0] == 4


def test_a_plan_may_be_for_some_lots_alone(tmp_path: Path) -> None:
    """Others aren't started, though they aren't complete."""
    job = job_of(tmp_path, 3, lambda _: {Outcome.REQUESTED: 2})

    plan = make_plan(job, RESTORE, None, {"lot-00002"})
    ending = see_through(job, plan, reporter=Ear(), clock=WorldClock().clock(), limits=Limits())

    assert [request.lot for request in plan.starts] == ["lot-00002"]
    assert [one.complete for one in ending.lot_statuses] == [False, False, True]


def test_another_target_class_in_the_middle_is_refused(tmp_path: Path) -> None:
    """A job's copy phase keeps the class it was begun with."""
    job = job_of(tmp_path, 1, lambda _: {Outcome.PENDING: 2})
    run(job, COPY)
    other = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD")

    with pytest.raises(S3ReclassError, match="begun with storage class STANDARD_IA, not STANDARD"):
        run(job, other)


@pytest.mark.parametrize(("ends_with_launcher", "stopped"), [(True, 1), (False, 0)])
def test_ctrl_c_stops_tasks_only_on_the_users_own_machine(
    tmp_path: Path, stopped: int, *, ends_with_launcher: bool
) -> None:
    """Fargate's tasks run on; local ones are stopped and seen to their end."""
    job = job_of(tmp_path, 1, lambda _: None, ends_with_launcher=ends_with_launcher)
    clock = WorldClock()
    plan = make_plan(job, RESTORE, None)

    def interrupt(_: float) -> None:
        clock.on_sleep = lambda _: None
        raise KeyboardInterrupt

    clock.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        see_through(job, plan, reporter=Ear(), clock=clock.clock(), limits=Limits())

    assert isinstance(job.place, ScriptedPlace)
    assert len(job.place.stopped) == stopped


def test_a_launcher_that_comes_again_reattaches(tmp_path: Path) -> None:
    """The tasks of an interrupted run are in the next plan as running, not as starts."""
    job = job_of(tmp_path, 2, lambda _: None)
    job.place.start(make_plan(job, RESTORE, None).starts[0])

    plan = make_plan(job, RESTORE, None)

    assert [task.lot for task in plan.running] == ["lot-00000"]
    assert [request.lot for request in plan.starts] == ["lot-00001"]
