"""A small world for the launcher's tests: a clock that moves when slept on, and a place whose tasks follow a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.common.clock import Clock
from orchestrator.model import Call, Lot, Lots, Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.run.watch_tasks import PhaseProgress
from orchestrator.state.job_state import JobState
from orchestrator.state.state_store import DirectoryStore
from worker.contract import (
    ExitCode,
    LotEntry,
    Outcome,
    Phase,
    ResultRow,
    StatePaths,
    Tally,
    exit_code_of,
    format_lot_line,
    format_result_rows,
)

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STOPPED = TaskStatus.STOPPED


def lots_of(count: int, keys: int = 2) -> Lots:
    """So many lots of so many keys each."""
    lots = tuple(Lot(name=f"lot-{number:05d}", keys=keys, sha256="0" * 64) for number in range(count))
    return Lots(lots=lots, digest="0123456789ab" + "0" * 52, buckets=("bucket",), source="keys.txt")


def lot_bytes(lot: Lot) -> bytes:
    """The file of a lot made by `lots_of`."""
    return "".join(format_lot_line(entry) for entry in entries_of(lot.name, lot.keys)).encode()


def entries_of(lot: str, keys: int) -> list[LotEntry]:
    """The lot's entries."""
    return [LotEntry(bucket="bucket", key=f"{lot}/{number}") for number in range(keys)]


@dataclass
class WorldClock:
    """Time that passes only when somebody sleeps. on_sleep: called with the new time, to let things happen."""

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
    """An audience that remembers."""

    snapshots: list[PhaseProgress] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def show(self, snapshot: PhaseProgress) -> None:
        """Remember the snapshot."""
        self.snapshots.append(snapshot)

    def remark(self, line: str) -> None:
        """Remember the line."""
        self.remarks.append(line)


Fate = Mapping[Outcome, int] | TaskState | None
"""What becomes of a task: outcomes (it finishes), a state it stops in without a tally, or None (it runs for ever)."""


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
