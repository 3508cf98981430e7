"""
The plan of a phase, and its beginning.

`make_plan` reads (the state, the place's running tasks) and decides; nothing has changed when it returns.
`plan_calls` is the plan as requests: what a dry run prints. `begin` notes the phase in the state, uploads the lots
that aren't there and makes the place ready. Each step can be repeated after a kill at any line: the state shows
what is done already.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.common.clock import Clock
from orchestrator.model import Call, Lot, Task, TaskRequest
from orchestrator.places.worker_command import rate_per_task
from orchestrator.run.job import Job
from orchestrator.state.lot_status import LotStatus
from worker.contract import PhaseSettings

UPLOADS_IN_FLIGHT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """
    What a run of a phase will do.

    lot_statuses: where each lot stands before it.
    starts: the tasks to start, in order; more than the place's `max_tasks` start as others end.
    running: tasks of an earlier launcher that still run: they are watched, not started again.
    uploads: lots that the state has no copy of, or one of another size.
    rate: requests a second that each task may send when the most tasks run at once; 0 for no limit.
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
    rate_share = rate_per_task(settings.phase, rate, min(job.place.max_tasks, len(open_lots) + len(running)))
    return Plan(
        settings=settings,
        lot_statuses=lot_statuses,
        starts=tuple(job.request(settings, one.lot, one.files.next_attempt, rate_share) for one in open_lots),
        running=running,
        uploads=() if job.lots_in_image or not open_lots else job.state.missing_lots(job.lots, job.lot_size),
        rate=rate_share,
        budget=rate_per_task(settings.phase, rate, 1),
        only=None if only is None else frozenset(only),
    )


def plan_calls(job: Job, plan: Plan, lots_dir: str) -> Iterator[Call]:
    """Every request that carries out the plan, in order; without those that only note something in the state."""
    for lot in plan.uploads:
        yield from job.state.upload_calls(lot, f"{lots_dir}/{lot.name}.csv")
    yield from job.place.plan(plan.settings.phase)
    for request in plan.starts:
        yield from job.place.calls(request)


def begin(job: Job, plan: Plan, clock: Clock) -> None:
    """
    Prepare for the first task: the phase noted, the lots in the state, the place ready.

    Raises S3ReclassError when the state can't be written, or the phase was begun with another class.
    """
    job.state.begin_phase(job.lots, plan.settings, clock.now())
    with ThreadPoolExecutor(UPLOADS_IN_FLIGHT) as pool:
        for _ in pool.map(lambda lot: job.state.upload_lot(lot, job.read_lot(lot)), plan.uploads):
            pass
    job.place.prepare(plan.settings.phase)
