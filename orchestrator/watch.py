"""
The watch over a phase's tasks: keep so many running, see each lot to its tally, start lost tasks again.

A lot is finished only when its place says that the task stopped **and** the state holds that attempt's
tally. Everything here can be lost at any moment: it is made anew from the state and the place.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from orchestrator.clock import Clock
from orchestrator.job_state import JobState
from orchestrator.model import Lot, Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.places.base import Place
from orchestrator.planning.standing import LotStanding, Totals, totals
from orchestrator.planning.worker_command import changes_more
from worker.contract import ExitCode, Phase


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
    poll_s, poll_max_s: the delay between two looks, growing while nothing changes.
    """

    lost_per_lot: int = 3
    lost_in_a_row: int = 10
    start_timeout_s: float = 900
    unknown_grace_s: float = 120
    refused_s: float = 1_800
    poll_s: float = 1
    poll_max_s: float = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """
    A phase at one moment, for showing.

    running, pending: tasks. waiting: lots without a task yet.
    """

    phase: Phase
    totals: Totals
    running: int
    pending: int
    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """
    How a watch ended.

    given_up: lots whose tasks were lost too often, with the last reason.
    halted: why no more tasks were started, or "".
    """

    standings: tuple[LotStanding, ...]
    given_up: Mapping[str, str]
    halted: str


class Audience(Protocol):
    """Whoever is told how a phase goes."""

    def show(self, snapshot: Snapshot) -> None:
        """Take in how things are; called at each look."""

    def remark(self, line: str) -> None:
        """Take in a line for people."""


@dataclass(slots=True)
class _Active:
    """A task under watch. since: when it was last seen in this status, in the clock's seconds."""

    task: Task
    status: TaskStatus
    since: float


@dataclass(slots=True)
class _Waiting:
    """A lot that waits for a task. command: of an earlier launcher's start that is to be repeated to the letter."""

    lot: Lot
    attempt: int
    command: tuple[str, ...] = ()


class Watch:
    """
    One round over a phase's lots.

    request_for: the request for a lot's attempt.
    """

    def __init__(  # noqa: PLR0913 (what it works on, how it is timed, whom it tells: all given by name)
        self,
        *,
        state: JobState,
        place: Place,
        phase: Phase,
        request_for: Callable[[Lot, int], TaskRequest],
        audience: Audience,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._state, self._place, self._phase = state, place, phase
        self._request_for, self._audience = request_for, audience
        self._clock, self._limits = clock, limits
        self._began = clock.now()
        self._standings: dict[str, LotStanding] = {}
        self._waiting: deque[_Waiting] = deque()
        self._active: dict[str, _Active] = {}
        self._lost: dict[str, int] = {}
        self._lost_in_a_row = 0
        self._given_up: dict[str, str] = {}
        self._halted = ""
        self._delay_s = limits.poll_s
        self._refused_since: float | None = None
        self._not_before = 0.0

    def run(self, standings: Iterable[LotStanding], job: str) -> Ending:
        """See every lot that isn't complete through one task, and lost tasks through their next."""
        self._standings = {standing.lot.name: standing for standing in standings}
        running = {
            task.lot: task for task in sorted(self._place.running(job, self._phase), key=lambda task: task.attempt)
        }
        for standing in self._standings.values():
            if (task := running.get(standing.lot.name)) is not None:
                self._active[task.lot] = _Active(task, TaskStatus.PENDING, self._clock.monotonic())
            elif not standing.complete:
                self._waiting.append(self._first_start(standing))
        while self._active or (self._waiting and not self._halted):
            self._start_some()
            changed = self._look()
            self._tell()
            if self._active or (self._waiting and not self._halted):
                self._delay_s = self._limits.poll_s if changed else min(self._delay_s * 1.5, self._limits.poll_max_s)
                self._clock.sleep(self._delay_s)
        return Ending(standings=tuple(self._standings.values()), given_up=self._given_up, halted=self._halted)

    def stop_tasks(self, reason: str) -> None:
        """Stop every task under watch and wait until each has stopped."""
        self._halted = reason
        self._place.stop([active.task for active in self._active.values()], reason)
        while self._active:
            self._look()
            self._tell()
            if self._active:
                self._clock.sleep(self._limits.poll_s)

    # ------------------------------------------------------------ starting

    def _first_start(self, standing: LotStanding) -> _Waiting:
        attempt = standing.files.next_attempt
        note = (
            self._state.started_note(self._phase, standing.lot.name, attempt) if standing.files.started_only else None
        )
        if note and changes_more(note.command, self._request_for(standing.lot, attempt).command):
            # The user has taken back a flag: two tasks on a lot do no harm, one that deletes unasked does.
            return _Waiting(standing.lot, attempt + 1)
        return _Waiting(standing.lot, attempt, note.command if note else ())

    def _start_some(self) -> None:
        while (
            self._waiting
            and not self._halted
            and len(self._active) < self._place.max_tasks
            and self._clock.monotonic() >= self._not_before
        ):
            waiting = self._waiting.popleft()
            request = self._request_for(waiting.lot, waiting.attempt)
            if waiting.command:
                request = replace(request, command=waiting.command)
            # Written before the place is asked: whoever comes after a kill in between repeats this very request.
            self._state.note_start(request, self._place.name)
            answer = self._place.start(request)
            if isinstance(answer, Refused):
                self._refused(waiting, answer)
                return
            self._refused_since = None
            self._state.note_start(request, self._place.name, answer.id)
            self._active[answer.lot] = _Active(answer, TaskStatus.PENDING, self._clock.monotonic())

    def _refused(self, waiting: _Waiting, refused: Refused) -> None:
        self._waiting.appendleft(waiting)
        if not refused.retry:
            self._halted = refused.reason
            return
        now = self._clock.monotonic()
        if self._refused_since is None:
            self._refused_since = now
            self._audience.remark(f"waiting to start {waiting.lot.name}: {refused.reason}")
        if not self._active and now - self._refused_since > self._limits.refused_s:
            self._halted = refused.reason
        self._not_before = now + min(60.0, 2 + (now - self._refused_since) / 2)

    # ------------------------------------------------------------ looking

    def _look(self) -> bool:
        """Ask the place how its tasks are, and the state how far they are; whether anything changed."""
        states = self._place.states([active.task for active in self._active.values()])
        changed = False
        for active in tuple(self._active.values()):
            state = states[active.task.id]
            if state.status is not active.status:
                active.status, active.since, changed = state.status, self._clock.monotonic(), True
            self._judge(active, state)
        return self._read_progress() or changed

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
        lot = self._standings[task.lot].lot
        standing = self._state.standing(lot, self._phase)
        self._standings[task.lot] = standing
        if task.attempt in standing.files.done:
            self._lost_in_a_row = 0
            return
        if state.interrupted or state.exit_code == ExitCode.INTERRUPTED:
            if self._halted:
                return
            if self._state.asked_to_stop(self._began):
                self._halted = "stopped by `s3reclass stop`"
                return
            self._audience.remark(
                f"{lot.name}: interrupted ({state.reason or 'SIGTERM'}), going on as attempt {task.attempt + 1}"
            )
        elif not self._may_start_again(lot, task, state):
            return
        self._waiting.append(_Waiting(lot, max(task.attempt, standing.files.attempt) + 1))

    def _may_start_again(self, lot: Lot, task: Task, state: TaskState) -> bool:
        exit_code = "" if state.exit_code is None else f"exit code {state.exit_code}"
        reason = ", ".join(word for word in (state.reason, exit_code) if word) or "no exit code"
        self._lost[lot.name] = self._lost.get(lot.name, 0) + 1
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= self._limits.lost_in_a_row and not self._halted:
            self._halted = f"{self._lost_in_a_row} tasks in a row were lost and none finished; the last: {reason}"
        if self._lost[lot.name] >= self._limits.lost_per_lot or self._halted:
            self._given_up[lot.name] = reason
            self._audience.remark(f"{lot.name}: attempt {task.attempt} was lost ({reason}): given up for this run")
            return False
        self._audience.remark(
            f"{lot.name}: attempt {task.attempt} was lost ({reason}): starting attempt {task.attempt + 1}"
        )
        return True

    def _read_progress(self) -> bool:
        """Read the running tasks' tallies; whether any was news."""
        running = [active.task for active in self._active.values() if active.status is not TaskStatus.PENDING]
        told = self._state.progress(self._phase, [task.lot for task in running])
        news = False
        for task in running:
            tally, known = told.get(task.lot), self._standings[task.lot]
            if tally is not None and tally.attempt == task.attempt and tally != known.latest:
                self._standings[task.lot] = replace(known, latest=tally)
                news = True
        return news

    def _tell(self) -> None:
        by_status = [active.status for active in self._active.values()]
        self._audience.show(
            Snapshot(
                phase=self._phase,
                totals=totals(self._standings.values()),
                running=by_status.count(TaskStatus.RUNNING),
                pending=len(by_status) - by_status.count(TaskStatus.RUNNING),
                waiting=len(self._waiting),
            )
        )
