"""
The steps of a run, in order.

    lots/ + settings -> plan -> begin -> watch -> ending

`make_plan` reads (the state, the place's running tasks) and decides; nothing has changed when it
returns. `plan_calls` is the plan as the requests that it amounts to: what a dry run prints. `begin`
notes the phase in the state, uploads the lots that aren't there and makes the place ready. `see_through`
watches until every lot has a tally; with a `Wait`, lots start as their restores become ready.

Each step can be repeated after a kill at any line: what is done already is seen in the state.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.model import Call, Lot, Lots, Task, TaskRequest
from orchestrator.places.base import Place
from orchestrator.places.worker_command import rate_per_task, worker_command
from orchestrator.run.wait_for_restores import MayStart, Wait, once, wait_through
from orchestrator.run.watch_tasks import Limits, Reporter, RunResult, TaskWatcher
from orchestrator.run.watch_values import NO_LEASE, Lease, StopSign, never_stopped
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus, Totals, totals
from worker.contract import PhaseSettings

UPLOADS_IN_FLIGHT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """
    A job, where its state is, and where its tasks run.

    lots_in_image: the folder of lots inside the worker's image, or "" when lots travel through the state.
    read_lot: a lot's file, which is never in memory as a whole, or its bytes.
    right: to start the job's tasks: the launcher's lease.
    asked_to_stop: whether somebody has asked for the job to be stopped since this launcher began.
    """

    lots: Lots
    state: JobState
    place: Place
    read_lot: Callable[[Lot], bytes | Path]
    lots_in_image: str = ""
    right: Lease = NO_LEASE
    asked_to_stop: StopSign = never_stopped

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """
    What a run of a phase will do.

    standings: where each lot stands before it.
    starts: the tasks to start, in order; more than the place's `max_tasks` start as others end.
    running: tasks of an earlier launcher that still run: they are watched, not started again.
    uploads: lots that the state has no copy of, or one of another size.
    rate: requests a second that each task may send when as many run as can; 0 for no limit.
    budget: requests a second of all tasks together; 0 for no limit.
    only: the lots to work on; None: all that aren't complete.
    """

    settings: PhaseSettings
    lot_statuses: tuple[LotStatus, ...]
    starts: tuple[TaskRequest, ...]
    running: tuple[Task, ...]
    uploads: tuple[Lot, ...]
    rate: float
    budget: float
    only: frozenset[str] | None = None

    @property
    def totals(self) -> Totals:
        """The phase in numbers, as it stands before the run."""
        return totals(self.lot_statuses)

    @property
    def nothing_to_do(self) -> bool:
        """Whether every key has succeeded in this phase already."""
        return not self.starts and not self.running


def make_plan(job: Job, settings: PhaseSettings, rate: float | None, only: Collection[str] | None = None) -> Plan:
    """
    What to run: one task for each lot that isn't complete and has none running.

    rate: requests a second for the whole job; None for the phase's default, 0 for no limit.
    only: the lots to work on; None for all.
    """
    lot_statuses = job.state.lot_statuses(job.lots, settings.phase)
    running = tuple(job.place.running(job.lots.job, settings.phase))
    taken = {task.lot for task in running}
    open_lots = [
        one
        for one in lot_statuses
        if not one.complete and one.lot.name not in taken and (only is None or one.lot.name in only)
    ]
    share = rate_per_task(settings.phase, rate, min(job.place.max_tasks, len(open_lots) + len(running)))
    return Plan(
        settings=settings,
        lot_statuses=lot_statuses,
        starts=tuple(_request(job, settings, share, one.lot, one.files.next_attempt) for one in open_lots),
        running=running,
        uploads=() if job.lots_in_image or not open_lots else job.state.missing_lots(job.lots, job.lot_size),
        rate=share,
        budget=rate_per_task(settings.phase, rate, 1),
        only=None if only is None else frozenset(only),
    )


def _request(job: Job, settings: PhaseSettings, rate: float, lot: Lot, attempt: int) -> TaskRequest:
    command = worker_command(
        settings,
        lot=lot,
        lot_uri=job.lot_uri(lot),
        results_uri=job.state.results_uri(settings.phase, lot),
        attempt=attempt,
        rate=rate,
        rate_from=job.state.share_uri(settings.phase),
    )
    return TaskRequest(
        job=job.lots.job,
        phase=settings.phase,
        lot=lot.name,
        attempt=attempt,
        command=command,
        spot=job.place.spot,
    )


def plan_calls(job: Job, plan: Plan, lots_dir: str) -> Iterator[Call]:
    """Every request that carries out the plan and isn't a mere note of ours, in order."""
    for lot in plan.uploads:
        yield from job.state.upload_calls(lot, f"{lots_dir}/{lot.name}.csv")
    yield from job.place.plan(plan.settings.phase)
    for request in plan.starts:
        yield from job.place.calls(request)


def begin(job: Job, plan: Plan, clock: Clock) -> None:
    """
    Make all ready for the first task: the phase noted, the lots in the state, the place prepared.

    Raises S3ReclassError when the state can't be written, or the phase was begun with another class.
    """
    job.state.begin_phase(job.lots, plan.settings, clock.now())
    with ThreadPoolExecutor(UPLOADS_IN_FLIGHT) as pool:
        for _ in pool.map(lambda lot: job.state.upload_lot(lot, job.read_lot(lot)), plan.uploads):
            pass
    job.place.prepare(plan.settings.phase)


def see_through(
    job: Job, plan: Plan, *, reporter: Reporter, clock: Clock, limits: Limits, wait: Wait | None = None
) -> RunResult:
    """
    The phase's ending, once every lot has its tally or was given up.

    wait: None to start each lot at once, and leave pending keys pending.
    Interrupted (KeyboardInterrupt), tasks on this machine are stopped first; those elsewhere run on.
    """

    def one_round(lot_statuses: Sequence[LotStatus], may_start: MayStart | None) -> RunResult:
        watch = TaskWatcher(
            state=job.state,
            place=job.place,
            phase=plan.settings.phase,
            request_for=lambda lot, attempt: _request(job, plan.settings, plan.rate, lot, attempt),
            reporter=reporter,
            clock=clock,
            limits=limits,
            may_start=may_start,
            right=job.right,
            asked_to_stop=job.asked_to_stop,
            rate=plan.budget,
        )
        try:
            return watch.run(lot_statuses, job.lots.job)
        except KeyboardInterrupt:
            if job.place.ends_with_launcher:
                watch.stop_tasks("interrupted")
            raise

    if wait is None:
        return one_round(plan.lot_statuses, None if plan.only is None else once(plan.only))
    return wait_through(
        one_round, plan.lot_statuses, wait, asked_to_stop=job.asked_to_stop, reporter=reporter, clock=clock
    )
