"""
The watch over a phase's tasks: start them, see each lot to its tally, start lost tasks again.

A lot is finished only when its place says that the task stopped **and** the state holds that attempt's
tally. Nothing here has to survive the launcher: the next one reads it from the state and the place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.common.clock import Clock
from orchestrator.model import Lot, Task, TaskState, TaskStatus
from orchestrator.run.job import STOPPED, Job, Limits, PhaseProgress, Reporter, RunResult
from orchestrator.run.plan import Plan
from orchestrator.run.start_tasks import TaskStarter
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus, totals
from worker.contract import ExitCode, Phase, Tally

READS_A_SECOND = 5.0
"""So each of 50 tasks is read every 10 seconds, each of 1,000 every 200; a day of it is 432,000 GETs, 0.17 USD."""

MOST_AT_ONCE = 50

MayStart = Callable[[Sequence[LotStatus]], Sequence[str]]
"""Of these lots without a task, the names of those that may start now."""


@dataclass(slots=True)
class _Active:
    """A task under watch. since: when it was first seen in this status, in the clock's seconds."""

    task: Task
    status: TaskStatus
    since: float


class TaskWatcher:
    """
    One round over a phase's lots.

    may_start: asked at each poll which of the lots without a task may start; None: each lot that isn't complete, once.
    """

    def __init__(
        self,
        job: Job,
        plan: Plan,
        *,
        reporter: Reporter,
        clock: Clock,
        limits: Limits,
        may_start: MayStart | None = None,
    ) -> None:
        self._job, self._phase, self._may_start = job, plan.settings.phase, may_start
        self._reporter, self._clock, self._limits = reporter, clock, limits
        self._progress = ProgressReader(job.state, self._phase, clock)
        self._starter = TaskStarter(job, plan, reporter=reporter, clock=clock, limits=limits)
        self._lot_statuses: dict[str, LotStatus] = {}
        self._active: dict[str, _Active] = {}
        self._lost: dict[str, int] = {}
        self._lost_in_a_row = 0
        self._given_up: dict[str, str] = {}
        self._stopped_all = False

    def run(self, lot_statuses: Iterable[LotStatus]) -> RunResult:
        """See every lot that isn't complete through one task, and lost tasks through their next."""
        self._lot_statuses = {lot_status.lot.name: lot_status for lot_status in lot_statuses}
        found = sorted(self._job.place.running(self._job.lots.job, self._phase), key=lambda task: task.attempt)
        running = {task.lot: task for task in found}
        for lot_status in self._lot_statuses.values():
            if (task := running.get(lot_status.lot.name)) is not None:
                self._watch(task)
            elif not lot_status.complete and self._may_start is None:
                self._starter.enter(lot_status)
        self._starter.begin(len(self._active))
        self._enter_lots()
        delay_s = self._limits.poll_s
        while self._active or not self._starter.over:
            for task in self._starter.start(len(self._active)):
                self._watch(task)
            self._stop_all_once()
            changed = self._poll()
            self._enter_lots()
            self._report()
            if self._active or not self._starter.over:
                delay_s = self._limits.poll_s if changed else min(delay_s * 1.5, self._limits.poll_max_s)
                self._clock.sleep(delay_s)
        return RunResult(
            lot_statuses=tuple(self._lot_statuses.values()), given_up=self._given_up, stopped=self._starter.stopped
        )

    def stop_tasks(self, reason: str) -> None:
        """Stop every task under watch and wait until each has stopped."""
        self._starter.stopped = reason
        self._stop_all(reason)
        while self._active:
            self._poll()
            self._report()
            if self._active:
                self._clock.sleep(self._limits.poll_s)

    def _watch(self, task: Task) -> None:
        self._active[task.lot] = _Active(task, TaskStatus.PENDING, self._clock.monotonic())

    def _stop_all_once(self) -> None:
        """When the user has stopped the job, stop every task: `s3reclass stop` can't see one that just began."""
        if self._starter.stopped == STOPPED and not self._stopped_all:
            self._stopped_all = True
            self._stop_all(STOPPED)

    def _stop_all(self, reason: str) -> None:
        self._job.place.stop([active.task for active in self._active.values()], reason)

    def _enter_lots(self) -> None:
        """Queue the lots that may start by now."""
        if self._may_start is not None and not self._starter.stopped:
            for name in self._may_start(self._without_task()):
                self._starter.enter(self._lot_statuses[name])

    def _without_task(self) -> list[LotStatus]:
        """The lots that aren't complete, have no task and aren't queued for one."""
        taken = {*self._active, *self._starter.queued, *self._given_up}
        return [one for one in self._lot_statuses.values() if not one.complete and one.lot.name not in taken]

    def _poll(self) -> bool:
        """Ask the place for its tasks' states, and read their progress; whether a task began or stopped."""
        states = self._job.place.states([active.task for active in self._active.values()])
        changed = False
        for active in tuple(self._active.values()):
            state = states[active.task.id]
            if state.status is not active.status:
                active.status, active.since, changed = state.status, self._clock.monotonic(), True
            self._judge(active, state)
        self._read_progress()
        return changed

    def _judge(self, active: _Active, state: TaskState) -> None:
        waited_s = self._clock.monotonic() - active.since
        if state.status is TaskStatus.STOPPED:
            self._task_stopped(active.task, state)
        elif state.status is TaskStatus.UNKNOWN and waited_s > self._limits.unknown_grace_s:
            self._task_stopped(active.task, replace(state, reason=state.reason or "the place has no memory of it"))
        elif state.status is TaskStatus.PENDING and waited_s > self._limits.start_timeout_s:
            self._job.place.stop([active.task], "start timeout")
            self._task_stopped(
                active.task, replace(state, reason=state.reason or f"not started after {waited_s:.0f} s")
            )

    def _task_stopped(self, task: Task, state: TaskState) -> None:
        """Take a stopped task off the watch: its lot is finished if the state holds the tally, else lost."""
        del self._active[task.lot]
        lot = self._lot_statuses[task.lot].lot
        lot_status = self._job.state.standing_after(self._lot_statuses[task.lot], self._phase, task.attempt)
        self._lot_statuses[task.lot] = lot_status
        if task.attempt in lot_status.files.done:
            self._lost_in_a_row = 0
            return
        next_attempt = max(task.attempt, lot_status.files.attempt) + 1
        on_spot, interruptions = self._starter.interruptions(task)
        if state.interrupted or state.exit_code == ExitCode.INTERRUPTED or (on_spot and state.no_capacity):
            if self._starter.stopped or self._starter.heard_stop():
                return
            most = self._limits.spot_interruptions
            capacity = f" on-demand: {interruptions} were interrupted on Spot" if 0 < most <= interruptions else ""
            self._reporter.remark(
                f"{lot.name}: interrupted ({state.reason or 'SIGTERM'}), going on as attempt {next_attempt}{capacity}"
            )
            self._starter.again(lot, next_attempt, interruptions)
        elif self._may_start_again(lot, task, state):
            self._starter.again(lot, next_attempt)

    def _may_start_again(self, lot: Lot, task: Task, state: TaskState) -> bool:
        exit_code = "" if state.exit_code is None else f"exit code {state.exit_code}"
        reason = ", ".join(word for word in (state.reason, exit_code) if word) or "no exit code"
        self._lost[lot.name] = self._lost.get(lot.name, 0) + 1
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= self._limits.lost_in_a_row and not self._starter.stopped:
            self._starter.stopped = (
                f"{self._lost_in_a_row} tasks in a row were lost and none finished; the last: {reason}"
            )
        lost = f"{lot.name}: attempt {task.attempt} was lost ({reason})"
        if self._lost[lot.name] >= self._limits.lost_per_lot or self._starter.stopped:
            self._given_up[lot.name] = reason
            self._reporter.remark(f"{lost}: given up for this run")
            return False
        self._reporter.remark(f"{lost}: starting attempt {task.attempt + 1}")
        return True

    def _read_progress(self) -> None:
        """Note how far running tasks are."""
        running = [active.task for active in self._active.values() if active.status is not TaskStatus.PENDING]
        tallies = self._progress.read(running)
        for task in running:
            tally = tallies.get(task.lot)
            if tally is not None and tally.attempt == task.attempt:
                self._lot_statuses[task.lot] = replace(self._lot_statuses[task.lot], latest=tally)

    def _report(self) -> None:
        running = sum(active.status is TaskStatus.RUNNING for active in self._active.values())
        self._reporter.show(
            PhaseProgress(
                phase=self._phase,
                totals=totals(self._lot_statuses.values()),
                running=running,
                pending=len(self._active) - running,
                queued=len(self._starter.queued),
                waiting_for_restore=len(self._without_task()) if self._may_start else 0,
            )
        )


class ProgressReader:
    """
    The running tasks' progress, read in turns: what it costs doesn't grow with the number of tasks.

    Progress is for showing alone and never says that a lot is finished. 1,000 tasks read every few seconds would
    take more requests than their lots' results do.
    """

    def __init__(self, state: JobState, phase: Phase, clock: Clock) -> None:
        self._state, self._phase, self._clock = state, phase, clock
        self._turns: dict[str, None] = {}
        self._saved = float(MOST_AT_ONCE)
        self._at = clock.monotonic()

    def read(self, running: Sequence[Task]) -> Mapping[str, Tally]:
        """By lot name, the tallies of those tasks whose turn it is: those that weren't read for longest come first."""
        now = self._clock.monotonic()
        self._saved = min(MOST_AT_ONCE, self._saved + (now - self._at) * READS_A_SECOND)
        self._at = now
        lots = {task.lot: None for task in running}
        # A lot that was read moves to the end, a new one joins there; lots that ended are forgotten.
        self._turns = {lot: None for lot in (*self._turns, *lots) if lot in lots}
        chosen = list(self._turns)[: int(self._saved)]
        for lot in chosen:
            del self._turns[lot]
            self._turns[lot] = None
        self._saved -= len(chosen)
        return self._state.progress(self._phase, chosen)
