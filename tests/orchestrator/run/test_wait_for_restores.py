"""The wait for restores: lots start as theirs become ready, and looks are few."""

from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.model import TaskRequest, TaskState, TaskStatus
from orchestrator.restores.judge_readiness import Verdict, judge_sample
from orchestrator.restores.lot_samples import LotSamples
from orchestrator.run.plan import begin, make_plan
from orchestrator.state.job_file import Restore
from orchestrator.state.lot_status import totals
from tests.orchestrator.restores.restoring import HOUR, NEVER, NOT_ASKED, World, hours_by_lot
from tests.orchestrator.run.worlds import BEGAN, COPY, Fate, finish
from worker.contract import Outcome, Phase


def test_lots_start_as_theirs_become_ready(tmp_path: Path) -> None:
    """A lot that is ready is copied while others are still waited for; no task starts in vain."""
    world = World(tmp_path, 3, hours_by_lot(6, 0, 12))
    done: list[tuple[float, int]] = []
    world.clock.on_sleep = lambda now: done.append((now, len(world.place.started)))

    assert world.waits() == 0
    assert world.starts() == [("lot-00001", 1), ("lot-00000", 1), ("lot-00002", 1)]
    assert next(count for now, count in done if now > 5 * HOUR) == 1
    assert next(count for now, count in done if now > 7 * HOUR) == 2
    assert 12 * HOUR <= world.clock.seconds < 12.6 * HOUR


def test_each_sleep_says_when_the_next_look_is(tmp_path: Path) -> None:
    """By the clock and from now, with what S3 says of the tier; ever more rarely, up to a 24th of that."""
    world = World(tmp_path, 2, hours_by_lot(12, 12))

    world.waits(restore=Restore(tier="Bulk", requested_at=BEGAN))

    assert world.ear.remarks[0] == (
        "4 keys in 2 lots wait for their restores (asked for from 2026-01-02 03:04 UTC on, tier Bulk: GLACIER 5 to "
        "12 h): looking again at 2026-01-02 03:04:15 UTC, in 10 s"
    )
    assert [line.rpartition(", in ")[2] for line in world.ear.remarks[:9]] == [
        "10 s",
        "20 s",
        "40 s",
        "1 min 20 s",
        "2 min 40 s",
        "5 min 20 s",
        "10 min 40 s",
        "21 min 20 s",
        "30 min 00 s",
    ]
    assert len(world.restores.heads) < 100


def test_a_lot_that_is_not_ready_costs_a_request_a_look(tmp_path: Path) -> None:
    """In 48 hours of waiting for 20 lots of 100 keys, hardly more requests are sent than the copies need."""
    world = World(tmp_path, 20, lambda _: 48 * HOUR, keys=100)

    assert world.waits() == 0

    looks = len(world.ear.remarks)
    assert looks < 110
    assert len(world.restores.heads) <= looks * 20 * 2 + 20 * 16


def test_a_look_has_room_for_so_many_requests(tmp_path: Path) -> None:
    """With more lots than that, each has its turn."""
    world = World(tmp_path, 12, lambda _: NEVER, keys=1)
    samples = LotSamples(world.restores.sources(world.job), target="STANDARD", clock=world.clock.clock(), requests=5)
    idle = world.job.state.lot_statuses(world.lots, Phase.COPY)

    looks = [samples.look(idle) for _ in range(3)]

    assert [(len(seen.lots), seen.left_out) for seen in looks] == [(5, True)] * 3
    assert len({entry.key for entry in world.restores.heads}) == 12


def test_no_room_for_the_rest_of_a_sample(tmp_path: Path) -> None:
    """It is left for the next look, and no request goes beyond the room."""
    world = World(tmp_path, 3, lambda _: 0, keys=100)
    samples = LotSamples(world.restores.sources(world.job), target="STANDARD", clock=world.clock.clock(), requests=24)
    idle = world.job.state.lot_statuses(world.lots, Phase.COPY)

    assert samples.look(idle).left_out
    assert len(world.restores.heads) == 6 + 14
    assert [judge_sample(samples[one.lot.name]) for one in idle] == [Verdict.START, Verdict.WAIT, Verdict.WAIT]


def test_stragglers_are_for_a_later_attempt(tmp_path: Path) -> None:
    """A lot starts though a few of its keys aren't ready; when those are, another task copies them."""
    world = World(tmp_path, 1, lambda entry: 20 * HOUR if entry.key.endswith("99") else HOUR, keys=100)

    assert world.waits() == 0
    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2)]
    assert world.clock.seconds < 20.6 * HOUR


def test_pending_keys_of_an_earlier_run_are_looked_at_alone(tmp_path: Path) -> None:
    """The sample is of the keys that the last attempt left pending, not of those that it copied."""
    world = World(tmp_path, 1, lambda entry: 20 * HOUR if entry.key.endswith("99") else 0, keys=100)
    begin(world.job, plan := make_plan(world.job, COPY, None), world.clock.clock())
    finish(tmp_path, plan.starts[0], {Outcome.COPIED: 99, Outcome.PENDING: 1})

    assert world.waits() == 0
    assert {entry.key for entry in world.restores.heads} == {"lot-00000/99"}
    assert world.starts() == [("lot-00000", 2)]


def test_failed_keys_are_tried_again_once(tmp_path: Path) -> None:
    """A lot with failed keys and no pending ones starts at once, and isn't waited for."""
    world = World(tmp_path, 2, hours_by_lot(0, 6))
    world.place.fate = lambda request: (
        {Outcome.COPIED: 1, Outcome.DENIED: 1} if request.lot == "lot-00000" else world.restores.fate(request)
    )

    assert world.waits() == 3
    assert world.starts() == [("lot-00000", 1), ("lot-00001", 1)]
    assert world.waits() == 3
    assert world.starts()[2:] == [("lot-00000", 2)]


def test_what_is_ready_is_copied_before_it_expires(tmp_path: Path) -> None:
    """A day before restored copies go, a lot starts though not enough of it is ready; once in a run."""
    world = World(tmp_path, 1, lambda entry: 5 * HOUR if int(entry.key[10:]) < 50 else NEVER, keys=100)

    assert world.waits(limit_s=80 * HOUR, restore=Restore(tier="Bulk", days=3, requested_at=BEGAN)) == 4
    assert world.starts()[0] == ("lot-00000", 1)
    assert totals(world.result.lot_statuses).outcomes == {Outcome.COPIED: 50, Outcome.PENDING: 50}
    assert len(world.starts()) == 1


def test_while_restores_are_being_asked_for_it_waits(tmp_path: Path) -> None:
    """Another launcher's restore phase may get to these keys yet."""
    asked = {"at": NOT_ASKED}
    world = World(tmp_path, 1, lambda _: asked["at"])
    world.restores.restoring = True

    def ask(now: float) -> None:
        if now > HOUR:
            asked["at"], world.restores.restoring = 2 * HOUR, False

    world.clock.on_sleep = ask

    assert world.waits() == 0


def test_a_start_that_got_nowhere_is_tried_again_within_seconds(tmp_path: Path) -> None:
    """All 63 keys look restored, S3 refuses to copy them a moment later, then it does: seconds, not half an hour."""
    world = World(tmp_path, 1, lambda _: 0, keys=63)
    world.place.fate = lambda request: {Outcome.PENDING: 63} if request.attempt == 1 else world.restores.fate(request)

    assert world.waits() == 0
    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2)]
    assert world.clock.seconds < 60


def test_a_start_that_got_nowhere_is_tried_again_while_others_run(tmp_path: Path) -> None:
    """Another lot's task of hours doesn't hold it up, nor do looks that have become rare."""
    world = World(tmp_path, 2, hours_by_lot(5, 5), keys=63)
    ended = 0.0

    def fate(request: TaskRequest) -> Fate:
        nonlocal ended
        if request.lot == "lot-00001":
            return TaskState(status=TaskStatus.RUNNING) if world.clock.seconds < 9 * HOUR else {Outcome.COPIED: 63}
        ended = ended or world.clock.seconds
        return {Outcome.PENDING: 63} if request.attempt == 1 else world.restores.fate(request)

    world.place.fate = fate
    again_at: list[float] = []
    world.clock.on_sleep = lambda now: again_at.append(now) if ("lot-00000", 2) in world.starts() else None

    assert world.waits() == 0
    assert again_at[0] - ended < 120


def test_what_looks_in_progress_again_is_looked_at_soon(tmp_path: Path) -> None:
    """Ready, then refused, then in progress for another minute: looks come soon again, however rare they were."""
    world = World(tmp_path, 1, lambda _: 0 if "until" not in told or world.clock.seconds > told["until"] else NEVER)
    told: dict[str, float] = {}

    def fate(request: TaskRequest) -> Fate:
        if request.attempt == 1:
            told.setdefault("until", world.clock.seconds + 60)
            return {Outcome.PENDING: 2}
        return world.restores.fate(request)

    world.place.fate = fate

    assert world.waits() == 0
    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2)]
    assert world.clock.seconds < told["until"] + 90


@pytest.mark.parametrize("copied", [0, 1])
def test_a_task_that_gets_no_further_is_not_started_over_and_over(copied: int, tmp_path: Path) -> None:
    """Each pause before the next is twice as long, up to half an hour: a task that does next to nothing costs, too."""
    world = World(tmp_path, 1, lambda _: 0, keys=63)
    world.place.fate = lambda request: {
        Outcome.COPIED: copied * request.attempt,
        Outcome.PENDING: 63 - copied * request.attempt,
    }
    seen: dict[int, float] = {}

    def remember(now: float) -> None:
        seen.setdefault(len(world.place.started), now)

    world.clock.on_sleep = remember

    assert world.waits(limit_s=5 * HOUR) == 4
    pauses = [later - earlier for earlier, later in pairwise(seen.values())][:-1]
    least = [10, 20, 40, 80, 160, 320, 640, 1_280] + [1_800] * 8
    assert [(pause, one) for pause, one in zip(pauses, least, strict=True) if not one <= pause <= one + 30] == []


def test_a_lot_that_was_given_up_is_left_alone(tmp_path: Path) -> None:
    """As in a run without a wait: three tasks lost, then the other lots go on."""
    world = World(tmp_path, 2, hours_by_lot(0, 6))
    lost = TaskState(status=TaskStatus.STOPPED, reason="out of memory")
    world.place.fate = lambda request: lost if request.lot == "lot-00000" else world.restores.fate(request)

    assert world.waits() == 3
    assert world.starts() == [("lot-00000", 1), ("lot-00000", 2), ("lot-00000", 3), ("lot-00001", 1)]
    assert dict(world.result.given_up) == {"lot-00000": "out of memory"}


def test_a_network_that_fails_for_a_while_does_not_end_the_wait(tmp_path: Path) -> None:
    """The look is taken again, ever later; the reason and the time are told."""
    world = World(tmp_path, 1, hours_by_lot(6))
    world.clock.on_sleep = lambda now: setattr(world.restores, "failing", 4) if now == 10 else None

    assert world.waits() == 0
    assert [line.partition(":")[0] for line in world.restores.said] == [
        "couldn't look at the restores (no network)"
    ] * 4
    assert world.restores.said[0].endswith("looking again at 2026-01-02 03:05:15 UTC")


def test_snapshots_tell_of_lots_that_wait_for_their_restores(tmp_path: Path) -> None:
    """While a task runs, the others are told as not restored yet."""
    world = World(tmp_path, 3, hours_by_lot(0, 6, 6))

    world.waits()

    assert world.ear.snapshots[0].waiting_for_restore == 2
    assert world.ear.snapshots[-1].waiting_for_restore == 0
