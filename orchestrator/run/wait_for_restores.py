"""
A wait for restores, from its first round of tasks to its end or its limit.

Rounds of tasks for the lots that are ready, with sleeps in between that say when the next look is. Nothing
of it is kept: a wait that was killed is begun anew, and the state says what is left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.common.clock import Clock
from orchestrator.common.text import duration
from orchestrator.errors import S3ReclassError
from orchestrator.restores.readiness import Readiness
from orchestrator.run.watch_values import STOPPED, Reporter, RunResult, StopSign
from orchestrator.state.lot_status import LotStatus, totals
from worker.contract import Outcome

SLICE_S = 30
"""A long sleep is slept in slices of so many seconds; between them `s3reclass stop` is heard."""

MayStart = Callable[[Sequence[LotStatus]], Sequence[str]]
"""Of the lots without a task, the names of those that may start now."""

Round = Callable[[Sequence[LotStatus], MayStart | None], RunResult]
"""A watch over these lots until none of them has a task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """
    How to wait for restores: lots start as theirs become ready.

    limit_s: begin no more lots after so many seconds, but for those without any result.
    readiness: says which lots are ready.
    """

    limit_s: float
    readiness: Readiness


def once(lots: Iterable[str]) -> MayStart:
    """Lets each of these lots start, once."""
    left = set(lots)

    def may_start(idle: Sequence[LotStatus]) -> Sequence[str]:
        names = [one.lot.name for one in idle if one.lot.name in left]
        left.difference_update(names)
        return names

    return may_start


def wait_through(
    one_round: Round,
    lot_statuses: Sequence[LotStatus],
    wait: Wait,
    *,
    asked_to_stop: StopSign,
    reporter: Reporter,
    clock: Clock,
) -> RunResult:
    """The ending, once no lot is left to wait for, or the limit has passed, or somebody stopped the job."""
    readiness = wait.readiness
    ends_at = clock.monotonic() + wait.limit_s
    given_up: dict[str, str] = {}
    looked = False

    def may_start(idle: Sequence[LotStatus]) -> Sequence[str]:
        nonlocal looked
        # However short the limit, there is one look: what is ready is copied.
        if looked and clock.monotonic() > ends_at:
            return ()
        looked = True
        return readiness.may_start([one for one in idle if one.lot.name not in given_up])

    while True:
        ending = one_round(lot_statuses, may_start)
        given_up.update(ending.given_up)
        ending, lot_statuses = replace(ending, given_up=given_up), ending.lot_statuses
        left_s = ends_at - clock.monotonic()
        if ending.halted:
            return ending
        if left_s <= 0:
            return _last_round(one_round, ending, wait, reporter)
        held = readiness.waiting(one for one in lot_statuses if one.lot.name not in given_up)
        if not held:
            if no_use := readiness.no_use(lot_statuses):
                reporter.remark(no_use_line(no_use))
            return ending
        if readiness.look_at_once(held):
            continue
        delay_s = min(readiness.delay_s, left_s)
        reporter.remark(waiting_line(held, readiness.typical, clock.now() + timedelta(seconds=delay_s), delay_s))
        if _slept_until_stopped(asked_to_stop, clock, delay_s):
            return replace(ending, halted=STOPPED)


def waiting_line(held: Sequence[LotStatus], typical: str, look_at: datetime, delay_s: float) -> str:
    """How many keys wait for what, and when the next look is."""
    keys = sum(one.lot.keys - _settled_keys(one) for one in held)
    lots = "1 lot" if len(held) == 1 else f"{len(held):,} lots"
    times = f" ({typical})" if typical else ""
    return (
        f"{keys:,} keys in {lots} wait for their restores{times}: looking again at {look_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"in {duration(delay_s)}"
    )


def _settled_keys(lot_status: LotStatus) -> int:
    return sum(count for outcome, count in lot_status.outcomes.items() if outcome is not Outcome.PENDING)


def no_use_line(no_use: Sequence[LotStatus]) -> str:
    """That no wait helps the pending keys of these lots."""
    pending = sum(one.outcomes.get(Outcome.PENDING, 0) for one in no_use)
    return (
        f"{pending:,} keys are pending, but no restore of theirs is under way (never asked for, or the restored copies "
        "have expired): waiting longer is of no use. `s3reclass run --phase restore` asks for them; where it was run "
        "before, with --again"
    )


def _last_round(one_round: Round, ending: RunResult, wait: Wait, reporter: Reporter) -> RunResult:
    """
    The end of a wait's limit: one task for each lot that has no results yet, or is known to be ready in part.

    So every key has an outcome, and no restored copy that is there is left to expire.
    """
    given_up: Mapping[str, str] = ending.given_up
    last = {
        one.lot.name
        for one in wait.readiness.waiting(ending.lot_statuses)
        if one.lot.name not in given_up and (one.finished is None or wait.readiness.partly_ready(one))
    }
    looks = f": each key of {len(last):,} lots is looked at once, then it ends" if last else ""
    reporter.remark(f"the wait limit of {duration(wait.limit_s)} has passed{looks}")
    ending = one_round(ending.lot_statuses, once(last))
    pending = totals(ending.lot_statuses).outcomes.get(Outcome.PENDING, 0)
    if pending:
        reporter.remark(
            f"{pending:,} keys are still pending; nothing is lost: the same command again goes on from here"
        )
    return replace(ending, given_up={**given_up, **ending.given_up})


def _slept_until_stopped(asked_to_stop: StopSign, clock: Clock, delay_s: float) -> bool:
    """Whether somebody asked for the job to be stopped before so many seconds had passed."""
    ends_at = clock.monotonic() + delay_s
    while (left_s := ends_at - clock.monotonic()) > 0:
        clock.sleep(min(left_s, SLICE_S))
        # A state that can't be read for a moment doesn't end a wait of days.
        with suppress(S3ReclassError):
            if asked_to_stop():
                return True
    return False
