"""
The watch over a phase's tasks: keep so many running, see each lot to its tally, start lost tasks again.

A lot is finished only when its place says that the task stopped **and** the state holds that attempt's
tally. Everything here can be lost at any moment: it is made anew from the state and the place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from orchestrator.common.clock import Clock
from orchestrator.model import Lot, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.places.base import Place
from orchestrator.run.progress_reader import ProgressReader
from orchestrator.run.request_rate import Budget
from orchestrator.run.start_tasks import TaskStarter
from orchestrator.run.watch_values import STOPPED, Lease, Limits, PhaseProgress, Reporter, RunResult, StopSign
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus, totals
from worker.contract import ExitCode, Phase

__all__ = ["Limits", "PhaseProgress", "Reporter", "RunResult", "TaskWatcher"]


@dataclass(slots=True)
class _Active:
    """A task under watch. since: when it was last seen in this status, in the clock's seconds."""

    task: Task
    status: TaskStatus
    since: float


class TaskWatcher:
    """
    One round over a phase's lots.

    request_for: the request for a lot's attempt.
    may_start: asked at each look which of the lots without a task may start; None: each lot that isn't complete, once.
    right: to start tasks at all. asked_to_stop: whether somebody has asked for the job to be stopped.
    rate: requests a second of all tasks together, 0 for no limit.
    """

    def __init__(  # noqa: PLR0913 (what it works on, how it is timed, whom it tells: all given by name)
        self,
        *,
        state: JobState,
        place: Place,
        phase: Phase,
        request_for: Callable[[Lot, int], TaskRequest],
        reporter: Reporter,
        clock: Clock,
        limits: Limits,
        right: Lease,
        asked_to_stop: StopSign,
        rate: float,
        may_start: Callable[[Sequence[LotStatus]], Sequence[str]] | None = None,
    ) -> None:
        self._may_start = may_start
        self._state, self._place, self._phase = state, place, phase
        self._reporter, self._clock, self._limits = reporter, clock, limits
        self._budget = Budget(state=state, phase=phase, rate=rate, clock=clock)
        self._progress = ProgressReader(state=state, phase=phase, clock=clock)
        self._starts = TaskStarter(
            state=state,
            place=place,
            request_for=request_for,
            reporter=reporter,
            clock=clock,
            limits=limits,
            right=right,
            asked_to_stop=asked_to_stop,
            budget=self._budget,
        )
        self._lot_statuses: dict[str, LotStatus] = {}
        self._active: dict[str, _Active] = {}
        self._lost: dict[str, int] = {}
        self._lost_in_a_row = 0
        self._given_up: dict[str, str] = {}
        self._stop_heeded = False
        self._delay_s = limits.poll_s

    def run(self, lot_statuses: Iterable[LotStatus], job: str) -> RunResult:
        """See every lot that isn't complete through one task, and lost tasks through their next."""
        self._lot_statuses = {lot_status.lot.name: lot_status for lot_status in lot_statuses}
        running = {
            task.lot: task for task in sorted(self._place.running(job, self._phase), key=lambda task: task.attempt)
        }
        for lot_status in self._lot_statuses.values():
            if (task := running.get(lot_status.lot.name)) is not None:
                self._active[task.lot] = _Active(task, TaskStatus.PENDING, self._clock.monotonic())
            elif not lot_status.complete and self._may_start is None:
                self._starts.enter(lot_status)
        self._budget.begin(len(self._active))
        self._let_in()
        while self._active or not self._starts.over:
            for task in self._starts.start(len(self._active)):
                self._active[task.lot] = _Active(task, TaskStatus.PENDING, self._clock.monotonic())
            self._heed_stop()
            changed = self._look()
            self._let_in()
            self._tell()
            if self._active or not self._starts.over:
                self._delay_s = self._limits.poll_s if changed else min(self._delay_s * 1.5, self._limits.poll_max_s)
                self._clock.sleep(self._delay_s)
        return RunResult(
            lot_statuses=tuple(self._lot_statuses.values()), given_up=self._given_up, halted=self._starts.halted
        )

    def stop_tasks(self, reason: str) -> None:
        """Stop every task under watch and wait until each has stopped."""
        self._starts.halted = reason
        self._place.stop([active.task for active in self._active.values()], reason)
        while self._active:
            self._look()
            self._tell()
            if self._active:
                self._clock.sleep(self._limits.poll_s)

    def _heed_stop(self) -> None:
        """Once somebody has asked for the job to be stopped, stop every task: one that just began they haven't seen."""
        if self._starts.halted == STOPPED and not self._stop_heeded:
            self._stop_heeded = True
            self._place.stop([active.task for active in self._active.values()], STOPPED)

    def _let_in(self) -> None:
        """Take up the lots that may start by now."""
        if self._may_start is not None and not self._starts.halted:
            for name in self._may_start(self._held()):
                self._starts.enter(self._lot_statuses[name])

    def _held(self) -> list[LotStatus]:
        """The lots that aren't complete and have no task, nor wait for one."""
        taken = {*self._active, *self._starts.waiting, *self._given_up}
        return [one for one in self._lot_statuses.values() if not one.complete and one.lot.name not in taken]

    # ------------------------------------------------------------ looking

    def _look(self) -> bool:
        """Ask the place how its tasks are, and the state how far they are; whether a task began or stopped."""
        states = self._place.states([active.task for active in self._active.values()])
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
            self._stopped(active.task, state)
        elif state.status is TaskStatus.UNKNOWN and waited_s > self._limits.unknown_grace_s:
            self._stopped(active.task, replace(state, reason=state.reason or "the place has no memory of it"))
        elif state.status is TaskStatus.PENDING and waited_s > self._limits.start_timeout_s:
            self._place.stop([active.task], "start timeout")
            self._stopped(active.task, replace(state, reason=state.reason or f"not started after {waited_s:.0f} s"))

    def _stopped(self, task: Task, state: TaskState) -> None:
        """Take a stopped task off the watch: its lot is finished if the state holds the tally, else lost."""
        del self._active[task.lot]
        lot = self._lot_statuses[task.lot].lot
        lot_status = self._state.standing_after(self._lot_statuses[task.lot], self._phase, task.attempt)
        self._lot_statuses[task.lot] = lot_status
        if task.attempt in lot_status.files.done:
            self._lost_in_a_row = 0
            return
        next_attempt = max(task.attempt, lot_status.files.attempt) + 1
        on_spot, interruptions = self._starts.interruptions(task)
        if state.interrupted or state.exit_code == ExitCode.INTERRUPTED or (on_spot and state.no_capacity):
            if self._starts.halted:
                return
            if self._starts.stopped():
                return
            most = self._limits.spot_interruptions
            capacity = f" on-demand: {interruptions} were interrupted on Spot" if 0 < most <= interruptions else ""
            self._reporter.remark(
                f"{lot.name}: interrupted ({state.reason or 'SIGTERM'}), going on as attempt {next_attempt}{capacity}"
            )
            self._starts.again(lot, next_attempt, interruptions)
        elif self._may_start_again(lot, task, state):
            self._starts.again(lot, next_attempt)

    def _may_start_again(self, lot: Lot, task: Task, state: TaskState) -> bool:
        exit_code = "" if state.exit_code is None else f"exit code {state.exit_code}"
        reason = ", ".join(word for word in (state.reason, exit_code) if word) or "no exit code"
        self._lost[lot.name] = self._lost.get(lot.name, 0) + 1
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= self._limits.lost_in_a_row and not self._starts.halted:
            self._starts.halted = (
                f"{self._lost_in_a_row} tasks in a row were lost and none finished; the last: {reason}"
            )
        if self._lost[lot.name] >= self._limits.lost_per_lot or self._starts.halted:
            self._given_up[lot.name] = reason
            self._reporter.remark(f"{lot.name}: attempt {task.attempt} was lost ({reason}): given up for this run")
            return False
        self._reporter.remark(
            f"{lot.name}: attempt {task.attempt} was lost ({reason}): starting attempt {task.attempt + 1}"
        )
        return True

    def _read_progress(self) -> None:
        """Take in what running tasks tell of how far they are."""
        running = [active.task for active in self._active.values() if active.status is not TaskStatus.PENDING]
        told = self._progress.read(running)
        for task in running:
            tally, known = told.get(task.lot), self._lot_statuses[task.lot]
            if tally is not None and tally.attempt == task.attempt:
                self._lot_statuses[task.lot] = replace(known, latest=tally)

    def _tell(self) -> None:
        by_status = [active.status for active in self._active.values()]
        self._reporter.show(
            PhaseProgress(
                phase=self._phase,
                totals=totals(self._lot_statuses.values()),
                running=by_status.count(TaskStatus.RUNNING),
                pending=len(by_status) - by_status.count(TaskStatus.RUNNING),
                waiting=len(self._starts.waiting),
                held=len(self._held()) if self._may_start else 0,
            )
        )
