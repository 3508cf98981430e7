"""What a run works on and what it reports: the job, how patient the launcher is, a phase's progress and result."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots, TaskRequest
from orchestrator.places.base import Place
from orchestrator.places.worker_command import worker_command
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus, Totals
from worker.contract import LotEntry, Outcome, Phase, PhaseSettings

STOPPED = "stopped by `s3reclass stop`"
"""Why no more tasks are started once the user has asked for that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """
    A job, where its state is, and where its tasks run.

    lots_in_image: the folder of lots inside the worker's image, or "" when lots travel through the state.
    read_lot: a lot's file, which is never in memory as a whole, or its bytes.
    has_lease: whether this launcher may start tasks now; raises S3ReclassError when another one took the lease.
    asked_to_stop: whether the user has stopped the job since this launcher began; raises S3ReclassError when the
        state can't be read.
    """

    lots: Lots
    state: JobState
    place: Place
    read_lot: Callable[[Lot], bytes | Path]
    lots_in_image: str = ""
    has_lease: Callable[[], bool] = lambda: True
    asked_to_stop: Callable[[], bool] = lambda: False

    def lot_size(self, lot: Lot) -> int:
        """The size of the lot's file in bytes. Raises S3ReclassError when it can't be read."""
        content = self.read_lot(lot)
        try:
            return content.stat().st_size if isinstance(content, Path) else len(content)
        except OSError as error:
            raise S3ReclassError(f"{content!s} can't be read: {error.strerror}") from error

    def lot_uri(self, lot: Lot) -> str:
        """Where a worker finds the lot."""
        return f"{self.lots_in_image}/{lot.name}.csv" if self.lots_in_image else self.state.lot_uri(lot)

    def pending(self, lot: str, attempt: int) -> Iterator[LotEntry]:
        """The keys of a lot that this attempt of its copy left pending."""
        rows = self.state.result_rows(Phase.COPY, lot, attempt)
        return (row.entry for row in rows if row.outcome is Outcome.PENDING)

    def request(self, settings: PhaseSettings, lot: Lot, attempt: int, rate: float) -> TaskRequest:
        """The request for a task, on Spot where the place has it. rate: its requests a second; 0 for no limit."""
        command = worker_command(
            settings,
            lot=lot,
            lot_uri=self.lot_uri(lot),
            results_uri=self.state.results_uri(settings.phase, lot),
            attempt=attempt,
            rate=rate,
            rate_from=self.state.share_uri(settings.phase),
        )
        return TaskRequest(
            job=self.lots.job,
            phase=settings.phase,
            lot=lot.name,
            attempt=attempt,
            command=command,
            spot=self.place.spot,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """
    How patient a launcher is.

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
    poll_s, poll_max_s: the delay between two polls, growing while nothing changes.
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

    running, pending: tasks. queued: lots that wait for a task. waiting_for_restore: lots that may not start yet.
    """

    phase: Phase
    totals: Totals
    running: int
    pending: int
    queued: int
    waiting_for_restore: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """
    How a phase ended.

    given_up: lots whose tasks were lost too often, with the last reason.
    stopped: why no more tasks were started, or "".
    """

    lot_statuses: tuple[LotStatus, ...]
    given_up: Mapping[str, str] = field(default_factory=dict)
    stopped: str = ""


class Reporter(Protocol):
    """What shows people how a phase goes."""

    def show(self, progress: PhaseProgress) -> None:
        """Show the progress; called at each poll."""

    def remark(self, line: str) -> None:
        """Show a line."""
