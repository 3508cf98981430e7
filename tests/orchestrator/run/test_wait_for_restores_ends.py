"""The end of a wait for restores: at its limit, when it is of no use, or by somebody's hand; and the run after it."""

from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.run.job import STOPPED
from orchestrator.run.plan import begin, make_plan
from orchestrator.state.lot_status import totals
from tests.orchestrator.restores.restoring import HOUR, NEVER, NOT_ASKED, World, hours_by_lot
from tests.orchestrator.run.worlds import COPY, finish
from worker.contract import Outcome


def test_waiting_has_a_limit(tmp_path: Path) -> None:
    """At its end each lot without results is looked at once, so that every key has an outcome: exit code 4."""
    world = World(tmp_path, 2, hours_by_lot(90, 0))

    code = world.waits(limit_s=HOUR)

    assert code == 4
    assert totals(world.result.lot_statuses).outcomes == {Outcome.COPIED: 2, Outcome.PENDING: 2}
    assert world.ear.remarks[-2:] == [
        "the wait limit of 1 h 00 min has passed: each key of 1 lots is looked at once, then it ends",
        "2 keys are still pending; nothing is lost: the same command again goes on from here",
    ]
    assert HOUR <= world.clock.seconds < HOUR + 60


def test_a_run_after_the_limit_goes_on(tmp_path: Path) -> None:
    """No task for what is copied, and none for what isn't ready; at the limit, none for what has its outcome."""
    world = World(tmp_path, 2, hours_by_lot(90, 0))
    world.waits(limit_s=HOUR)
    before = len(world.place.started)

    assert world.waits(limit_s=HOUR) == 4
    assert world.starts()[before:] == []
    assert world.waits() == 0
    assert world.starts()[before:] == [("lot-00000", 2)]


def test_at_the_limit_no_restored_copy_is_left_to_expire(tmp_path: Path) -> None:
    """A lot that is ready in part is copied in part."""
    world = World(tmp_path, 1, lambda entry: HOUR / 2 if int(entry.key[10:]) < 50 else NEVER, keys=100)
    begin(world.job, plan := make_plan(world.job, COPY, None), world.clock.clock())
    finish(tmp_path, plan.starts[0], {Outcome.PENDING: 100})

    assert world.waits(limit_s=2 * HOUR) == 4
    assert totals(world.result.lot_statuses).outcomes == {Outcome.COPIED: 50, Outcome.PENDING: 50}


def test_keys_without_a_restore_are_not_waited_for(tmp_path: Path) -> None:
    """They get their outcome, pending; then the wait ends and says that it is of no use."""
    world = World(tmp_path, 2, lambda entry: NOT_ASKED if entry.key.startswith("lot-00001") else HOUR)

    assert world.waits() == 4
    assert world.starts() == [("lot-00001", 1), ("lot-00000", 1)]
    assert world.ear.remarks[-1].startswith("2 keys are pending, but no restore of theirs is under way")
    assert world.clock.seconds < 2 * HOUR


def test_what_a_task_left_pending_is_looked_at_at_once(tmp_path: Path) -> None:
    """So that a wait which is of no use ends without a sleep."""
    world = World(tmp_path, 1, lambda entry: NOT_ASKED if entry.key.endswith("1") else 0)

    assert world.waits() == 4
    assert world.clock.seconds < 10


@pytest.mark.parametrize("after_s", [0, 10])
def test_a_look_that_always_fails_ends_the_wait(tmp_path: Path, after_s: float) -> None:
    """The first at once, as something is wrong with the command; later ones after half an hour."""
    world = World(tmp_path, 1, hours_by_lot(6))
    world.restores.failing = 0 if after_s else 99
    world.clock.on_sleep = lambda now: setattr(world.restores, "failing", 99) if now == after_s else None

    with pytest.raises(S3ReclassError, match="no network"):
        world.waits()

    assert world.clock.seconds <= (2_000 if after_s else 0)


def test_stop_ends_a_wait(tmp_path: Path) -> None:
    """`s3reclass stop` is heard within a minute, amid a long sleep."""
    world = World(tmp_path, 1, lambda _: NEVER)

    def stop(now: float) -> None:
        if 5 * HOUR < now < 5 * HOUR + 31:
            world.job.state.ask_to_stop(world.clock.clock().now())

    world.clock.on_sleep = stop

    assert world.waits() == 3
    assert world.result.stopped == STOPPED
    assert world.clock.seconds < 5 * HOUR + 90


def test_a_wait_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    """Nothing of it is kept but the results: the same samples are taken, and nothing runs twice."""
    killed = World(tmp_path, 2, hours_by_lot(0, 12))

    def kill(now: float) -> None:
        if now > HOUR:
            raise KeyboardInterrupt

    killed.clock.on_sleep = kill
    with pytest.raises(KeyboardInterrupt):
        killed.waits()

    again = World(tmp_path, 2, hours_by_lot(0, 12), clock_s=killed.clock.seconds)
    assert again.waits() == 0
    assert killed.starts() + again.starts() == [("lot-00000", 1), ("lot-00001", 1)]
