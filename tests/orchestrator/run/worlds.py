"""
A small world for the launcher's tests.

Its clock moves when slept on, the tasks of its place follow a script, and launchers come one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.common.clock import Clock
from orchestrator.model import Call, Lot, Lots, Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.run.job import Job, Limits, PhaseProgress, RunResult
from orchestrator.run.plan import Plan, begin, make_plan
from orchestrator.run.wait_for_restores import Wait, see_through
from orchestrator.run.watch_tasks import TaskWatcher
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import LotStatus
from orchestrator.state.state_store import DirectoryStore
from worker.contract import (
    ExitCode,
    LotEntry,
    Outcome,
    Phase,
    PhaseSettings,
    RateShare,
    ResultRow,
    StatePaths,
    Tally,
    exit_code_of,
    format_lot_line,
    format_result_rows,
)

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STOPPED = TaskStatus.STOPPED
JOB = "0123456789ab"
RESTORE = PhaseSettings(phase=Phase.RESTORE)
COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA")


def lots_of(count: int, keys: int = 2) -> Lots:
    """So many lots of so many keys each."""
    lots = tuple(Lot(name=f"lot-{number:05d}", keys=keys, sha256="0" * 64) for number in range(count))
    return Lots(lots=lots, digest=JOB + "0" * 52, buckets=("bucket",), source="keys.txt")


def lot_bytes(lot: Lot) -> bytes:
    """The file of a lot made by `lots_of`."""
    return "".join(format_lot_line(entry) for entry in entries_of(lot.name, lot.keys)).encode()


def entries_of(lot: str, keys: int) -> list[LotEntry]:
    """The lot's entries."""
    return [LotEntry(bucket="bucket", key=f"{lot}/{number}") for number in range(keys)]


@dataclass
class WorldClock:
    """Time that passes only in a sleep. on_sleep: called with the new time, to let things happen."""

    seconds: float = 0
    on_sleep: Callable[[float], None] = lambda _: None

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds
        assert self.seconds < 1_000_000, "the loop never ends"
        self.on_sleep(self.seconds)

    def clock(self) -> Clock:
        """The clock to hand over."""
        return Clock(
            monotonic=lambda: self.seconds, sleep=self.sleep, now=lambda: BEGAN + timedelta(seconds=self.seconds)
        )


@dataclass
class Ear:
    """A reporter that remembers."""

    snapshots: list[PhaseProgress] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def show(self, progress: PhaseProgress) -> None:
        """Remember the progress."""
        self.snapshots.append(progress)

    def remark(self, line: str) -> None:
        """Remember the line."""
        self.remarks.append(line)


Fate = Mapping[Outcome, int] | TaskState | None
"""What becomes of a task: outcomes (it finishes), a state it stops in without a tally, or None (it runs for ever)."""

GOOD: Fate = {Outcome.REQUESTED: 2}


@dataclass
class ScriptedPlace:
    """
    A place whose tasks end at the second look, each as `fate` says.

    refusals: answers to give before tasks are taken.
    """

    root: Path
    fate: Callable[[TaskRequest], Fate]
    max_tasks: int = 100
    refusals: list[Refused] = field(default_factory=list)
    ends_with_launcher: bool = False
    started: list[TaskRequest] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    stopping: set[str] = field(default_factory=set)
    live: dict[str, TaskRequest] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    most_at_once: int = 0
    forgets: bool = False
    name: str = "scripted"
    spot: bool = False

    def calls(self, request: TaskRequest) -> tuple[Call, ...]:
        """The start as data."""
        return (Call(service="scripted", operation="start", parameters={"command": list(request.command)}),)

    def plan(self, phase: Phase) -> tuple[Call, ...]:
        """What preparing would send."""
        return (Call(service="scripted", operation="prepare", parameters={"phase": phase.value}),)

    def prepare(self, phase: Phase) -> None:
        """Nothing to prepare."""

    def start(self, request: TaskRequest) -> Task | Refused:
        """Start the task, unless a refusal is due."""
        if self.refusals:
            return self.refusals.pop(0)
        self.started.append(request)
        task_id = f"{request.phase}/{request.lot}/{request.attempt}"
        self.live[task_id] = request
        self.most_at_once = max(self.most_at_once, len(self.live))
        return Task(id=task_id, phase=request.phase, lot=request.lot, attempt=request.attempt)

    def running(self, job: str, phase: Phase) -> Sequence[Task]:
        """The tasks that live."""
        return [
            Task(id=task_id, phase=phase, lot=request.lot, attempt=request.attempt)
            for task_id, request in self.live.items()
            if (request.job, request.phase) == (job, phase)
        ]

    def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """Each task's state; a task ends at its second look."""
        return {task.id: self._state(task.id) for task in tasks}

    def _state(self, task_id: str) -> TaskState:
        if self.forgets or task_id not in self.live:
            return TaskState(status=TaskStatus.UNKNOWN)
        self.looks[task_id] = self.looks.get(task_id, 0) + 1
        request = self.live[task_id]
        if task_id in self.stopping:
            del self.live[task_id]
            return TaskState(status=STOPPED, exit_code=ExitCode.INTERRUPTED, interrupted=True)
        fate = self.fate(request)
        if isinstance(fate, TaskState):
            if fate.status is STOPPED:
                del self.live[task_id]
            return fate
        if fate is None or self.looks[task_id] == 1:
            return TaskState(status=TaskStatus.RUNNING)
        del self.live[task_id]
        return TaskState(status=STOPPED, exit_code=finish(self.root, request, fate))

    def stop(self, tasks: Sequence[Task], reason: str) -> None:
        """Let the tasks end as on SIGTERM."""
        for task in tasks:
            self.stopped.append(f"{task.id}: {reason}")
            self.stopping.add(task.id)


def finish(root: Path, request: TaskRequest, outcomes: Mapping[Outcome, int]) -> int:
    """Write what a worker leaves when it ends with these outcomes: its exit code."""
    folder = root / StatePaths(request.job).results_folder(request.phase, request.lot)
    folder.mkdir(parents=True, exist_ok=True)
    words = [outcome for outcome, count in outcomes.items() for _ in range(count)]
    rows = [
        ResultRow(entry=entry, outcome=outcome)
        for entry, outcome in zip(entries_of(request.lot, len(words)), words, strict=True)
    ]
    (folder / StatePaths.part_name(request.attempt, 1)).write_text(format_result_rows(rows))
    code = exit_code_of(outcomes)
    tally = tally_of(request.attempt, outcomes, exit_code=code)
    (folder / StatePaths.done_name(request.attempt)).write_text(tally.to_json())
    return code


def tally_of(attempt: int, outcomes: Mapping[Outcome, int], exit_code: int | None = None) -> Tally:
    """A tally of these outcomes."""
    count = sum(outcomes.values())
    return Tally(
        attempt=attempt,
        keys=count,
        outcomes=outcomes,
        processed=count,
        requests=count,
        started_at=BEGAN.isoformat(),
        at=BEGAN.isoformat(),
        exit_code=exit_code,
    )


def job_state(root: Path, lots: Lots) -> JobState:
    """The job's state in this directory."""
    return JobState(DirectoryStore(root), lots.job)


class LostError(Exception):
    """What a lost lease raises here."""


class Lease:
    """A lease that a test gives and takes."""

    def __init__(self) -> None:
        """It is ours."""
        self.answers: list[bool] = []
        self.lost = False

    def check(self) -> bool:
        """The next answer, else yes."""
        if self.lost:
            raise LostError
        return self.answers.pop(0) if self.answers else True


class World:
    """A job of some lots in a scripted place, and its launchers, one after the other."""

    def __init__(
        self, root: Path, lots: Lots, fate: Callable[[TaskRequest], Fate], *, clock_s: float = 0, **place: object
    ) -> None:
        """Make the world."""
        self.lots, self.ear, self.clock, self.lease = lots, Ear(), WorldClock(seconds=clock_s), Lease()
        self.place = ScriptedPlace(root, fate, **place)  # type: ignore[arg-type]  # each test names a field it knows
        self.state = job_state(root, lots)

    @property
    def job(self) -> Job:
        """The job, as a launcher that begins now sees it."""
        return Job(
            lots=self.lots,
            state=self.state,
            place=self.place,
            read_lot=lot_bytes,
            has_lease=self.lease.check,
            asked_to_stop=self.state.stop_sign(),
        )

    def watcher(self, limits: Limits = Limits()) -> TaskWatcher:
        """What watches the tasks of a restore phase."""
        job = self.job
        plan = make_plan(job, RESTORE, 0)
        return TaskWatcher(job, plan, reporter=self.ear, clock=self.clock.clock(), limits=limits)

    def run(
        self,
        limits: Limits = Limits(),
        rate: float | None = 0,
        settings: PhaseSettings = RESTORE,
        wait: Wait | None = None,
    ) -> RunResult:
        """Plan a phase and carry the plan out."""
        return self.carry_out(make_plan(self.job, settings, rate), limits, wait)

    def carry_out(self, plan: Plan, limits: Limits = Limits(), wait: Wait | None = None) -> RunResult:
        """Begin the phase and see it through."""
        job, clock = self.job, self.clock.clock()
        begin(job, plan, clock)
        return see_through(job, plan, reporter=self.ear, clock=clock, limits=limits, wait=wait)

    def statuses(self, phase: Phase = Phase.RESTORE) -> tuple[LotStatus, ...]:
        """Where each lot stands."""
        return self.state.lot_statuses(self.lots, phase)

    def starts(self) -> list[tuple[str, int]]:
        """The lots and attempts that were started, in order."""
        return [(request.lot, request.attempt) for request in self.place.started]

    def share(self) -> RateShare:
        """What running tasks were told last."""
        share = self.state.share(Phase.RESTORE)
        assert share is not None
        return share

    def refuse(self, why: Callable[[TaskRequest], str], *, no_capacity: bool = False) -> None:
        """Let the place refuse, from now on, the requests that there is a reason for."""
        start = self.place.start

        def start_or_refuse(request: TaskRequest) -> Task | Refused:
            if reason := why(request):
                return Refused(request=request, reason=reason, retry=True, no_capacity=no_capacity)
            return start(request)

        self.place.start = start_or_refuse  # type: ignore[method-assign]  # a place with a bottleneck


def request_of(lot: str) -> TaskRequest:
    """A request for the first task of a lot's restore phase."""
    return TaskRequest(job=JOB, phase=Phase.RESTORE, lot=lot, attempt=1, command=())
