"""
Which lot's task starts next, as what attempt, on what capacity, when, and at what request rate.

A note of the very request is in the state before a place is asked for a task. So the launcher that follows a killed
one repeats that request to the letter, and the place starts no second task.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.common.clock import Clock
from orchestrator.common.text import duration
from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Refused, Task, TaskRequest
from orchestrator.places.worker_command import changes_more, leads_elsewhere
from orchestrator.run.job import STOPPED, Job, Limits, Reporter
from orchestrator.run.plan import Plan
from orchestrator.run.rate_shares import Shares
from orchestrator.state.lot_status import LotStatus
from orchestrator.state.start_note import StartedNote
from worker.contract import RateShare

REFUSED_FOR_LONG_S = 30.0
"""After this many seconds of refusals the request rate is divided among those tasks that there is room for."""


@dataclass(slots=True)
class _Queued:
    """
    A lot that waits for a task.

    note: of an earlier launcher's start that is to be repeated to the letter.
    interruptions: of its tasks on Spot; None while they haven't been counted.
    """

    lot: Lot
    attempt: int
    note: StartedNote | None = None
    interruptions: int | None = None


class TaskStarter:
    """
    The queue of lots that wait for a task, and their starts.

    stopped: why no more tasks are started, or "".
    """

    def __init__(self, job: Job, plan: Plan, *, reporter: Reporter, clock: Clock, limits: Limits) -> None:
        self._job, self._plan, self._place = job, plan, job.place
        self._reporter, self._clock, self._limits = reporter, clock, limits
        self._queue: deque[_Queued] = deque()
        self._shares: Shares | None = None
        self._refused_since: float | None = None
        self._not_before = 0.0
        self._no_spot_before = 0.0
        self._fits = job.place.max_tasks
        self._said = ""
        self.stopped = ""

    @property
    def queued(self) -> frozenset[str]:
        """The names of the lots that wait for a task."""
        return frozenset(queued.lot.name for queued in self._queue)

    @property
    def over(self) -> bool:
        """Whether no more tasks are to be started."""
        return bool(self.stopped) or not self._queue

    def begin(self, running: int) -> None:
        """Go on from the rate shares that an earlier launcher left; running: its tasks that still run."""
        rate = self._plan.budget
        self._shares = Shares(rate=rate) if rate else None
        if not self._shares or not running:
            return
        try:
            found = self._job.state.share(self._plan.settings.phase)
        except S3ReclassError:
            # Tasks can't read it either and keep to what they knew: one of them may have all of the rate.
            found = None
        told, most = (found.rate, found.most) if found else (0.0, rate)
        self._shares = Shares.found(rate, told=told, most=most, now=self._clock.monotonic())

    def enter(self, lot_status: LotStatus) -> None:
        """Queue a lot for its first task under this launcher."""
        attempt = lot_status.files.next_attempt
        request = self._request_for(lot_status.lot, attempt)
        note = self._note(request, attempt) if lot_status.files.started_only else None
        if note and (changes_more(note.command, request.command) or leads_elsewhere(note.command, request.command)):
            # The user has taken back a flag, or the note was changed to lead a task astray. Two tasks on a lot do
            # no harm; one that does what the user didn't ask for does.
            attempt, note = attempt + 1, None
        self._queue.append(_Queued(lot_status.lot, attempt, note))

    def again(self, lot: Lot, attempt: int, interruptions: int | None = None) -> None:
        """Queue a lot for another attempt; interruptions: of its tasks on Spot, None for the same number as before."""
        self._queue.append(_Queued(lot, attempt, None, interruptions))

    def interruptions(self, task: Task) -> tuple[bool, int]:
        """Whether the task was on Spot, and how often the lot's tasks were interrupted there, this one included."""
        note = self._note(task, task.attempt) if self._place.spot else None
        return (note.spot, note.interruptions + note.spot) if note else (False, 0)

    def start(self, running: int) -> Iterator[Task]:
        """Start what may be started now, one after the other; running: tasks that run already."""
        if not self._has_lease():
            return
        before = running
        self._divide_rate(running)
        while not self.over and running < self._place.max_tasks and self._clock.monotonic() >= self._not_before:
            # Asked before each start, as a start may take long.
            if not self._has_lease() or self.heard_stop():
                return
            if self._shares and not self._shares.has_room(running=running, now=self._clock.monotonic()):
                self._say("the running tasks are told to send less, so that others can start: this takes a minute")
                return
            task = self._start(self._queue.popleft(), running)
            if task is None:
                return
            self._said = ""
            running += 1
            yield task
        if running > before:
            # `s3reclass stop` may have come meanwhile, and may not have seen the last task yet.
            self.heard_stop()

    def heard_stop(self) -> bool:
        """Whether no more tasks are started because the user has stopped the job by now."""
        if not self.stopped and self._job.asked_to_stop():
            self.stopped = STOPPED
        return self.stopped == STOPPED

    def _has_lease(self) -> bool:
        if self._job.has_lease():
            return True
        self._say("the lease on this job couldn't be renewed in time: no task is started until it is")
        return False

    def _divide_rate(self, running: int) -> None:
        """Tell the running tasks, and those to be started soon, their rate share, if it isn't what they were told."""
        if not self._shares:
            return
        room = min(self._place.max_tasks, self._fits + 1) - running
        soon = 0 if self.stopped else max(0, min(len(self._queue), room))
        now = self._clock.monotonic()
        shares = self._shares.divided(running + soon, running=running, now=now)
        if shares is not self._shares:
            at = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}"
            told = RateShare(rate=shares.told, most=shares.in_force(now), tasks=max(running + soon, 1), at=at)
            self._job.state.tell_share(self._plan.settings.phase, told)
            self._shares = shares

    def _start(self, queued: _Queued, running: int) -> Task | None:
        """Start the task; None where the place refuses it. running: tasks that run already."""
        request = self._request(queued)
        interruptions = queued.interruptions or 0
        self._job.state.note_start(request, self._place.name, interruptions=interruptions)
        answer = self._place.start(request)
        if isinstance(answer, Refused):
            self._queue.appendleft(queued)
            self._refused(answer, running)
            return None
        self._refused_since = None
        if running >= self._fits:
            # There is room again: for many more, perhaps.
            self._fits = 2 * (running + 1)
        self._job.state.note_start(request, self._place.name, answer.id, interruptions=interruptions)
        return answer

    def _request(self, queued: _Queued) -> TaskRequest:
        """The request for the queued lot, its capacity chosen."""
        request = self._request_for(queued.lot, queued.attempt)
        if queued.note:
            queued.interruptions = queued.note.interruptions
            return replace(request, command=queued.note.command, spot=queued.note.spot)
        if not self._place.spot:
            return request
        if queued.interruptions is None:
            before = self._note(request, queued.attempt - 1) if queued.attempt > 1 else None
            queued.interruptions = before.interruptions if before else 0
        often = 0 < self._limits.spot_interruptions <= queued.interruptions
        return replace(request, spot=not often and self._clock.monotonic() >= self._no_spot_before)

    def _refused(self, refused: Refused, running: int) -> None:
        """Decide when the first lot of the queue is tried again, and how."""
        if not refused.retry:
            self.stopped = refused.reason
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
            self.stopped = refused.reason

    def _leave_spot(self, now: float) -> None:
        """Start on-demand for a while, the lot first that Spot had no capacity for."""
        queued = self._queue.popleft()
        # Nothing was started under its attempt. The next one's request is another, so it has another number.
        self._queue.appendleft(_Queued(queued.lot, queued.attempt + 1, None, queued.interruptions))
        self._refused_since, self._not_before = None, now
        self._no_spot_before = now + self._limits.spot_again_s
        self._reporter.remark(
            f"Spot has had no capacity for {duration(self._limits.spot_refused_s)}: tasks start on-demand for the next "
            f"{duration(self._limits.spot_again_s)}, then Spot is asked again"
        )

    def _request_for(self, lot: Lot, attempt: int) -> TaskRequest:
        return self._job.request(self._plan.settings, lot, attempt, self._plan.rate)

    def _note(self, of: Task | TaskRequest, attempt: int) -> StartedNote | None:
        return self._job.state.started_note(of.phase, of.lot, attempt)

    def _say(self, line: str) -> None:
        """Report the line once, however often it is true."""
        if line != self._said:
            self._said = line
            self._reporter.remark(line)
