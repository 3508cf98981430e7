"""What a watch over tasks is told and tells: how patient it is, how things are, how it ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.state.lot_status import LotStatus, Totals
from worker.contract import Phase

STOPPED = "stopped by `s3reclass stop`"
"""Why no more tasks are started when somebody asked for that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """
    How patient a watch is.

    lost_per_lot: tasks of one lot that may be lost before it is given up, in one run.
    lost_in_a_row: lost tasks, of all lots, with none finishing in between, after which no more are
        started: what fails for every lot isn't worth paying for a thousand times.
    start_timeout_s: how long a task may be pending. About 1% of Fargate tasks never start
        (https://github.com/dagster-io/dagster/pull/26183).
    unknown_grace_s: how long a place may not know a task that it started; DescribeTasks is eventually
        consistent (ECS API Reference).
    refused_s: how long starts may be refused, with no task running, before the run gives up.
    spot_interruptions: tasks of one lot that may be interrupted on Spot before the next is started
        on-demand; 0 for any number.
    spot_refused_s: how long Spot may have no capacity before tasks are started on-demand.
    spot_again_s: for how long they are, before Spot is asked again.
    poll_s, poll_max_s: the delay between two looks, growing while nothing changes.
    """

    lost_per_lot: int = 3
    lost_in_a_row: int = 10
    start_timeout_s: float = 900
    unknown_grace_s: float = 120
    refused_s: float = 1_800
    spot_interruptions: int = 3
    spot_refused_s: float = 60
    spot_again_s: float = 600
    poll_s: float = 1
    poll_max_s: float = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseProgress:
    """
    A phase at one moment, for showing.

    running, pending: tasks. waiting: lots without a task yet. held: lots that may not start yet.
    """

    phase: Phase
    totals: Totals
    running: int
    pending: int
    waiting: int
    held: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """
    How a watch ended.

    given_up: lots whose tasks were lost too often, with the last reason.
    halted: why no more tasks were started, or "".
    """

    lot_statuses: tuple[LotStatus, ...]
    given_up: Mapping[str, str]
    halted: str


class Reporter(Protocol):
    """Whoever is told how a phase goes."""

    def show(self, snapshot: PhaseProgress) -> None:
        """Take in how things are; called at each look."""

    def remark(self, line: str) -> None:
        """Take in a line for people."""


StopSign = Callable[[], bool]
"""Whether somebody has asked for the job to be stopped. May raise S3ReclassError when the state can't be read."""


class Lease(Protocol):
    """The right to start a job's tasks, which one launcher has at a time."""

    def check(self) -> bool:
        """
        Whether tasks may be started now; not while nobody can say.

        Raises S3ReclassError when another launcher has the right by now.
        """


class NoLease:
    """The right of a launcher that is alone."""

    def check(self) -> bool:
        """It may."""
        return True


NO_LEASE = NoLease()


def never_stopped() -> bool:
    """The stop sign of a job that nobody else knows of."""
    return False
