"""
The starts of a watch: which lot's task comes next, as what attempt, on what capacity, and when.

Before a place is asked for a task, a note of the very request is in the state: a launcher that was killed at any
point is followed by one that repeats it to the letter, and the place then starts no second task.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from orchestrator.common.clock import Clock
from orchestrator.common.text import duration
from orchestrator.model import Lot, Refused, Task, TaskRequest
from orchestrator.places.base import Place
from orchestrator.places.worker_command import changes_more, leads_elsewhere
from orchestrator.run.request_rate import Budget
from orchestrator.run.watch_values import STOPPED, Lease, Limits, Reporter, StopSign
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus
from orchestrator.state.start_note import StartedNote

REFUSED_FOR_LONG_S = 30.0
"""After so many seconds of refusals the request rate is divided among those tasks that there is room for."""


@dataclass(slots=True)
class _Waiting:
    """
    A lot that waits for a task.

    note: of an earlier launcher's start that is to be repeated to the letter.
    interruptions: of its tasks on Spot; None while nobody has looked.
    """

    lot: Lot
    attempt: int
    note: StartedNote | None = None
    interruptions: int | None = None


class TaskStarter:
    """
    The lots that wait for a task, and their starts.

    request_for: the request for a lot's attempt, on Spot where the place has it.
    halted: why no more tasks are started, or "".
    """

    def __init__(  # noqa: PLR0913 (what it works on, how it is timed, whom it tells: all given by name)
        self,
        *,
        state: JobState,
        place: Place,
        request_for: Callable[[Lot, int], TaskRequest],
        reporter: Reporter,
        clock: Clock,
        limits: Limits,
        right: Lease,
        asked_to_stop: StopSign,
        budget: Budget,
    ) -> None:
        self._state, self._place, self._request_for = state, place, request_for
        self._reporter, self._clock, self._limits = reporter, clock, limits
        self._right, self._asked_to_stop, self._budget = right, asked_to_stop, budget
        self._waiting: deque[_Waiting] = deque()
        self._refused_since: float | None = None
        self._not_before = 0.0
        self._no_spot_before = 0.0
        self._fits = place.max_tasks
        self._said = ""
        self.halted = ""

    @property
    def waiting(self) -> frozenset[str]:
        """The names of the lots that wait for a task."""
        return frozenset(waiting.lot.name for waiting in self._waiting)

    @property
    def over(self) -> bool:
        """Whether no more tasks are to be started."""
        return bool(self.halted) or not self._waiting

    def enter(self, lot_status: LotStatus) -> None:
        """Let a lot wait for its first task under this launcher."""
        attempt = lot_status.files.next_attempt
        request = self._request_for(lot_status.lot, attempt)
        note = self._note(request, attempt) if lot_status.files.started_only else None
        if note and (changes_more(note.command, request.command) or leads_elsewhere(note.command, request.command)):
            # The user has taken back a flag, or somebody who can write the state wants a task of ours to go astray:
            # two tasks on a lot do no harm, one that does what nobody asked for does.
            self._waiting.append(_Waiting(lot_status.lot, attempt + 1))
        else:
            self._waiting.append(_Waiting(lot_status.lot, attempt, note))

    def again(self, lot: Lot, attempt: int, interruptions: int | None = None) -> None:
        """
        Let a lot wait for another attempt.

        interruptions: of its tasks on Spot; None for as many as before.
        """
        self._waiting.append(_Waiting(lot, attempt, None, interruptions))

    def interruptions(self, task: Task) -> tuple[bool, int]:
        """Whether the task was on Spot, and how often the lot's tasks were interrupted there, this one included."""
        note = self._note(task, task.attempt) if self._place.spot else None
        return (note.spot, note.interruptions + note.spot) if note else (False, 0)

    def start(self, running: int) -> Iterator[Task]:
        """Start what may be started now, one after the other; running: tasks that run already."""
        if not self._has_right():
            return
        before = running
        self._budget.divide(running + self._soon(running), running=running)
        while not self.over and running < self._place.max_tasks and self._clock.monotonic() >= self._not_before:
            if not self._has_right() or self.stopped():
                return
            if not self._budget.has_room(running):
                self._say("the running tasks are told to send less, so that others can start: this takes a minute")
                return
            task = self._start(self._waiting.popleft(), running)
            if task is None:
                return
            self._said = ""
            running += 1
            yield task
        if running > before:
            # Whoever asked meanwhile may not have seen the last task yet.
            self.stopped()

    def stopped(self) -> bool:
        """Whether no more tasks are started because somebody asked for the job to be stopped, by now."""
        if not self.halted and self._asked_to_stop():
            self.halted = STOPPED
        return self.halted == STOPPED

    def _has_right(self) -> bool:
        """Whether tasks may be started now, as far as the lease goes; asked before each, as a start may take long."""
        if self._right.check():
            return True
        self._say("the lease on this job couldn't be renewed in time: no task is started until it is")
        return False

    def _soon(self, running: int) -> int:
        """How many tasks more the request rate is to be divided among: those that there will be room for."""
        if self.halted:
            return 0
        return max(0, min(len(self._waiting), self._place.max_tasks - running, self._fits + 1 - running))

    def _start(self, waiting: _Waiting, running: int) -> Task | None:
        """Start the task, beside so many that run; None where the place refuses it."""
        request = self._request(waiting)
        interruptions = waiting.interruptions or 0
        self._state.note_start(request, self._place.name, interruptions=interruptions)
        answer = self._place.start(request)
        if isinstance(answer, Refused):
            self._waiting.appendleft(waiting)
            self._refused(answer, running)
            return None
        self._refused_since = None
        if running >= self._fits:
            # There is room again: for many more, perhaps.
            self._fits = 2 * (running + 1)
        self._state.note_start(request, self._place.name, answer.id, interruptions=interruptions)
        return answer

    def _request(self, waiting: _Waiting) -> TaskRequest:
        """The request for the waiting lot, its capacity chosen."""
        request = self._request_for(waiting.lot, waiting.attempt)
        if waiting.note:
            waiting.interruptions = waiting.note.interruptions
            return replace(request, command=waiting.note.command, spot=waiting.note.spot)
        if not self._place.spot:
            return request
        if waiting.interruptions is None:
            before = self._note(request, waiting.attempt - 1) if waiting.attempt > 1 else None
            waiting.interruptions = before.interruptions if before else 0
        often = 0 < self._limits.spot_interruptions <= waiting.interruptions
        return replace(request, spot=not often and self._clock.monotonic() >= self._no_spot_before)

    def _refused(self, refused: Refused, running: int) -> None:
        """Decide when the first of the waiting lots is tried again, and how."""
        if not refused.retry:
            self.halted = refused.reason
            return
        now = self._clock.monotonic()
        if self._refused_since is None:
            self._refused_since = now
            self._reporter.remark(f"waiting to start {refused.request.lot}: {refused.reason}")
        refused_s = now - self._refused_since
        if refused_s >= REFUSED_FOR_LONG_S:
            self._fits = running
        self._not_before = now + min(60.0, 2 + refused_s / 2)
        if refused.no_capacity and refused.request.spot and refused_s >= self._limits.spot_refused_s:
            self._leave_spot(now)
        elif not running and refused_s > self._limits.refused_s:
            self.halted = refused.reason

    def _leave_spot(self, now: float) -> None:
        """Start on-demand for a while, the lot first that Spot had no capacity for."""
        waiting = self._waiting.popleft()
        # Nothing was started under its attempt. The next one's request is another, so it has another number.
        self._waiting.appendleft(_Waiting(waiting.lot, waiting.attempt + 1, None, waiting.interruptions))
        self._refused_since, self._not_before = None, now
        self._no_spot_before = now + self._limits.spot_again_s
        self._reporter.remark(
            f"Spot has had no capacity for {duration(self._limits.spot_refused_s)}: tasks start on-demand for the next "
            f"{duration(self._limits.spot_again_s)}, then Spot is asked again"
        )

    def _note(self, of: Task | TaskRequest, attempt: int) -> StartedNote | None:
        return self._state.started_note(of.phase, of.lot, attempt)

    def _say(self, line: str) -> None:
        """Tell the line once, however often it is true."""
        if line != self._said:
            self._said = line
            self._reporter.remark(line)
