"""
A phase seen through: one round of tasks, or with a wait for restores one after the other.

Between rounds the launcher sleeps, and says when it probes the restores again. Nothing of it is kept: after a kill the
state says what is left.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.common.clock import Clock
from orchestrator.common.text import duration
from orchestrator.errors import S3ReclassError
from orchestrator.restores.readiness import Readiness
from orchestrator.run.job import STOPPED, Job, Limits, Reporter, RunResult
from orchestrator.run.plan import Plan
from orchestrator.run.watch_tasks import MayStart, TaskWatcher
from orchestrator.state.lot_status import LotStatus, totals
from worker.contract import Outcome

SLICE_S = 30
"""A long sleep is made of slices of this many seconds, so that `s3reclass stop` is heard soon."""

Round = Callable[[Sequence[LotStatus], MayStart | None], RunResult]
"""Tasks for these lots, until none of them has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """
    How to wait for restores: lots start as theirs become ready.

    limit_s: seconds after which only lots without any result, or ready in part, are begun.
    readiness: says which lots are ready.
    """

    limit_s: float
    readiness: Readiness


def see_through(
    job: Job, plan: Plan, *, reporter: Reporter, clock: Clock, limits: Limits, wait: Wait | None = None
) -> RunResult:
    """
    The phase's result, once every lot has its tally or was given up.

    wait: None to start each lot at once, and leave pending keys pending.
    Interrupted (KeyboardInterrupt), tasks on this machine are stopped first; those elsewhere run on.
    """

    def one_round(lot_statuses: Sequence[LotStatus], may_start: MayStart | None) -> RunResult:
        watcher = TaskWatcher(job, plan, reporter=reporter, clock=clock, limits=limits, may_start=may_start)
        try:
            return watcher.run(lot_statuses)
        except KeyboardInterrupt:
            if job.place.ends_with_launcher:
                watcher.stop_tasks("interrupted")
            raise

    if wait is None:
        return one_round(plan.lot_statuses, None if plan.only is None else _once(plan.only))
    return _wait_through(one_round, job, plan, wait, reporter=reporter, clock=clock)


def _wait_through(one_round: Round, job: Job, plan: Plan, wait: Wait, *, reporter: Reporter, clock: Clock) -> RunResult:
    """The result, once no lot is left to wait for, or the limit has passed, or the user stopped the job."""
    readiness = wait.readiness
    ends_at = clock.monotonic() + wait.limit_s
    result = RunResult(lot_statuses=plan.lot_statuses)
    probed = False

    def may_start(lot_statuses: Sequence[LotStatus]) -> Sequence[str]:
        nonlocal probed
        # However short the limit, restores are probed once: what is ready is copied.
        if probed and clock.monotonic() > ends_at:
            return ()
        probed = True
        return readiness.may_start(_not_given_up(lot_statuses, result))

    while True:
        result = _next(one_round, result, may_start)
        left_s = ends_at - clock.monotonic()
        if result.stopped:
            return result
        if left_s <= 0:
            return _last_round(one_round, result, wait, reporter)
        waiting = readiness.waiting(_not_given_up(result.lot_statuses, result))
        if not waiting:
            if no_use := readiness.no_use(result.lot_statuses):
                reporter.remark(no_use_line(no_use))
            return result
        if readiness.probe_at_once(waiting):
            continue
        delay_s = min(readiness.delay_s, left_s)
        reporter.remark(waiting_line(waiting, readiness.typical, clock.now() + timedelta(seconds=delay_s), delay_s))
        if _slept_until_stopped(job, clock, delay_s):
            return replace(result, stopped=STOPPED)


def _last_round(one_round: Round, result: RunResult, wait: Wait, reporter: Reporter) -> RunResult:
    """
    The end of a wait's limit: one task for each lot that has no results yet, or is known to be ready in part.

    So every key has an outcome, and no restored copy that is there is left to expire.
    """
    last = {
        one.lot.name
        for one in wait.readiness.waiting(_not_given_up(result.lot_statuses, result))
        if one.finished is None or wait.readiness.partly_ready(one)
    }
    looks = f": each key of {len(last):,} lots is looked at once, then it ends" if last else ""
    reporter.remark(f"the wait limit of {duration(wait.limit_s)} has passed{looks}")
    result = _next(one_round, result, _once(last))
    if pending := totals(result.lot_statuses).outcomes.get(Outcome.PENDING, 0):
        reporter.remark(
            f"{pending:,} keys are still pending; nothing is lost: the same command again goes on from here"
        )
    return result


def _next(one_round: Round, before: RunResult, may_start: MayStart) -> RunResult:
    """The result of one round more."""
    result = one_round(before.lot_statuses, may_start)
    return replace(result, given_up={**before.given_up, **result.given_up})


def _once(lots: Iterable[str]) -> MayStart:
    """Lets each of these lots start, once."""
    left = set(lots)

    def may_start(lot_statuses: Sequence[LotStatus]) -> Sequence[str]:
        names = [one.lot.name for one in lot_statuses if one.lot.name in left]
        left.difference_update(names)
        return names

    return may_start


def _not_given_up(lot_statuses: Iterable[LotStatus], result: RunResult) -> list[LotStatus]:
    return [one for one in lot_statuses if one.lot.name not in result.given_up]


def waiting_line(lot_statuses: Sequence[LotStatus], typical: str, probe_at: datetime, delay_s: float) -> str:
    """How many keys wait for what, and when they are probed again."""
    settled = sum(
        count for one in lot_statuses for outcome, count in one.outcomes.items() if outcome is not Outcome.PENDING
    )
    keys = sum(one.lot.keys for one in lot_statuses) - settled
    lots = "1 lot" if len(lot_statuses) == 1 else f"{len(lot_statuses):,} lots"
    times = f" ({typical})" if typical else ""
    return (
        f"{keys:,} keys in {lots} wait for their restores{times}: looking again at {probe_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"in {duration(delay_s)}"
    )


def no_use_line(lot_statuses: Iterable[LotStatus]) -> str:
    """That no wait helps the pending keys of these lots."""
    pending = sum(one.outcomes.get(Outcome.PENDING, 0) for one in lot_statuses)
    return (
        f"{pending:,} keys are pending, but no restore of theirs is under way (never asked for, or the restored copies "
        "have expired): waiting longer is of no use. `s3reclass run --phase restore` asks for them; where it was run "
        "before, with --again"
    )


def _slept_until_stopped(job: Job, clock: Clock, delay_s: float) -> bool:
    """Whether the user stopped the job before this many seconds had passed."""
    ends_at = clock.monotonic() + delay_s
    while (left_s := ends_at - clock.monotonic()) > 0:
        clock.sleep(min(left_s, SLICE_S))
        # A state that can't be read for a moment doesn't end a wait of days.
        with suppress(S3ReclassError):
            if job.asked_to_stop():
                return True
    return False
