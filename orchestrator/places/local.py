"""
The place `local`: each task is a worker process on this machine, for any AWS account or endpoint, without ECS.

A worker may outlive its launcher. It holds the lock of its lot's lock file until it ends: it inherits the lock, and
never touches it. So a launcher that was killed at any point and is run again finds every worker that is alive, and
never starts a second one on its lot.
"""

import errno
import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from orchestrator.errors import S3ReclassError
from orchestrator.model import Call, Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.places.task_states import process_state
from orchestrator.state.lease_file import MAX_PID
from worker.contract import Phase, parse_object, whole_number, word

WORKER = (sys.executable, "-P", "-m", "worker")
"""The worker's program; with `-P` it imports nothing from the current folder."""

STOP_GRACE_S = 120
"""Seconds between SIGTERM and SIGKILL, as on Fargate."""

_PROBE_TRIES = 10
_PROBE_DELAY_S = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """
    What a lot's lock file says of the last worker started on the lot.

    pid: None when the launcher was killed just before or just after it made the process.
    host: the machine, as a folder may be shared.
    """

    attempt: int
    pid: int | None
    host: str

    @classmethod
    def read(cls, lock: int) -> Self | None:
        """The record in an open lock file, or None when nothing was ever started."""
        try:
            data = parse_object(os.pread(lock, 4096, 0))
            return cls(
                attempt=whole_number(data["attempt"]),
                # 0 and less are groups of processes, of ours too (kill(2)); 1 is the system's.
                pid=None if data["pid"] is None else whole_number(data["pid"], least=2, most=MAX_PID),
                host=word(data["host"]),
            )
        except (ValueError, KeyError):
            return None

    def write(self, lock: int) -> None:
        """Put the record into an open lock file."""
        # Padded to one length, so that a reader never sees the end of an older one.
        os.pwrite(lock, f"{json.dumps(asdict(self)):<255}\n".encode(), 0)


class LocalPlace:
    """
    Tasks as processes of this machine; see `Place` for what each method promises.

    A task's id is `<job>/<phase>/<lot>-<attempt>`, which is also its log file's name. The exit code of another
    launcher's task is None: the state decides.

    folder: for locks and logs. max_tasks: None for one task on each core.
    environ: the workers' environment (None: this process's). program: what to run as the worker.
    clock, sleep: seconds that only grow, and waiting.
    """

    name = "local"
    spot = False
    ends_with_launcher = True

    def __init__(
        self,
        folder: Path,
        *,
        max_tasks: int | None = None,
        environ: Mapping[str, str] | None = None,
        program: Sequence[str] = WORKER,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._folder = folder
        self._max_tasks = max_tasks
        self._environ = environ
        self._program = tuple(program)
        self._clock = clock
        self._sleep = sleep
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._kill_at: dict[str, float] = {}

    @property
    def max_tasks(self) -> int:
        """`--max-tasks`, or the cores that this process may use."""
        return self._max_tasks or _cores()

    def plan(self, phase: Phase) -> tuple[Call, ...]:  # noqa: ARG002 (the protocol's)
        """Nothing: a folder costs nothing."""
        return ()

    def prepare(self, phase: Phase) -> None:  # noqa: ARG002 (the protocol's)
        """Make the folder. Raises S3ReclassError when it can't be written or locked in."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(probe, fcntl.LOCK_SH)
            finally:
                os.close(probe)
        except OSError as error:
            raise S3ReclassError(
                f"{self._folder}: workers can't run here ({error.strerror}): take a state folder on a local disk "
                "that you can write to"
            ) from error

    def calls(self, request: TaskRequest) -> tuple[Call, ...]:
        """The worker's command line."""
        return (self._popen(request),)

    def start(self, request: TaskRequest) -> Task | Refused:
        """Start the worker process, unless this attempt was started already."""
        task = Task(
            id=task_id(request.job, request.phase, request.lot, request.attempt),
            phase=request.phase,
            lot=request.lot,
            attempt=request.attempt,
        )
        if task.id in self._children:
            return task
        try:
            with self._open(self._lock_file(task.id), create=True) as lock:
                if not self._take(lock):
                    return self._occupied(request, task, _Record.read(lock))
                last = _Record.read(lock)
                if last and (last.attempt > request.attempt or (last.attempt == request.attempt and last.pid)):
                    return task
                self._spawn(request, task, lock)
        except OSError as error:
            return Refused(
                request=request,
                reason=f"the worker process can't be started: {error}",
                retry=error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE),
            )
        return task

    def running(self, job: str, phase: Phase) -> Sequence[Task]:
        """The worker of each lot whose lock is held."""
        paths = sorted((self._folder / job / phase).glob("*.lock"))
        alive = ((path.stem, record.attempt) for path in paths if (record := self._alive(path)))
        return [
            Task(id=task_id(job, phase, lot, attempt), phase=phase, lot=lot, attempt=attempt) for lot, attempt in alive
        ]

    def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """Our own processes' states by their exit codes, others' by their locks."""
        return {task.id: self._state(task) for task in tasks}

    def stop(self, tasks: Sequence[Task], reason: str) -> None:  # noqa: ARG002 (a process isn't told why)
        """SIGTERM to each; SIGKILL follows when `states` is asked after the grace period."""
        for task in tasks:
            self._kill_at.setdefault(task.id, self._clock() + STOP_GRACE_S)
            self._signal(task, signal.SIGTERM)

    def log_file(self, task: Task) -> Path:
        """Where the task's standard error and output go."""
        return self._folder / f"{task.id}.log"

    def _popen(self, request: TaskRequest) -> Call:
        return Call(service="local", operation="popen", parameters={"args": [*self._program, *request.command]})

    def _spawn(self, request: TaskRequest, task: Task, lock: int) -> None:
        """Start the worker with the lock open; recorded before and after, as the launcher may be killed between."""
        record = _Record(attempt=request.attempt, pid=None, host=platform.node())
        record.write(lock)
        with self.log_file(task).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 (our own program; no shell)
                self._popen(request).parameters["args"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                pass_fds=(lock,),
                start_new_session=True,  # a terminal's Ctrl-C is for the launcher to pass on
            )
        replace(record, pid=child.pid).write(lock)
        self._children[task.id] = child

    def _occupied(self, request: TaskRequest, task: Task, record: _Record | None) -> Task | Refused:
        """The answer when the lot's lock is held: its worker is alive."""
        if record and record.attempt == request.attempt:
            return task
        number = f"attempt {record.attempt}" if record else "another attempt"
        return Refused(request=request, reason=f"{number} at {request.lot} is still running", retry=True)

    def _state(self, task: Task) -> TaskState:
        killed = self._clock() >= self._kill_at.get(task.id, float("inf"))
        if killed:
            self._signal(task, signal.SIGKILL)
        child = self._children.get(task.id)
        if child:
            returncode = child.poll()
            if returncode is None:
                return TaskState(status=TaskStatus.RUNNING)
            return process_state(returncode, lot=task.lot, killed=killed and returncode == -signal.SIGKILL)
        try:
            with self._open(self._lock_file(task.id)) as lock:
                record = _Record.read(lock)
                alive = not self._probe(lock)
        except FileNotFoundError:
            return TaskState(status=TaskStatus.UNKNOWN)
        if not record or record.attempt < task.attempt:
            return TaskState(status=TaskStatus.UNKNOWN)
        if alive and record.attempt == task.attempt:
            return TaskState(status=TaskStatus.RUNNING)
        return TaskState(status=TaskStatus.STOPPED, reason="its launcher is gone, so how the worker ended isn't known")

    def _signal(self, task: Task, number: signal.Signals) -> None:
        """Signal the task's process if it is alive: otherwise its id may be another process's by now."""
        child = self._children.get(task.id)
        if child:
            child.send_signal(number)  # does nothing once it has ended
            return
        record = self._alive(self._lock_file(task.id))
        if record and record.attempt == task.attempt and record.pid and record.host == platform.node():
            os.kill(record.pid, number)

    def _alive(self, path: Path) -> _Record | None:
        """The record of the lot's worker if it lives."""
        try:
            with self._open(path) as lock:
                return None if self._probe(lock) else _Record.read(lock)
        except FileNotFoundError:
            return None

    def _lock_file(self, task_id: str) -> Path:
        return self._folder / f"{task_id.rpartition('-')[0]}.lock"

    @contextmanager
    def _open(self, path: Path, *, create: bool = False) -> Iterator[int]:
        """The lock file, opened; closing it keeps the lock of a worker that inherited it."""
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        try:
            yield lock
        finally:
            os.close(lock)

    def _take(self, lock: int) -> bool:
        """Take the lock; False when a worker has it. A probe has it for a moment only, which is waited out."""
        for _ in range(_PROBE_TRIES):
            if _flock(lock, fcntl.LOCK_EX):
                return True
            self._sleep(_PROBE_DELAY_S)
        return False

    @staticmethod
    def _probe(lock: int) -> bool:
        """Whether the lock is free; a shared lock, so that one probe doesn't take another for a worker."""
        return _flock(lock, fcntl.LOCK_SH)


def _flock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def task_id(job: str, phase: Phase, lot: str, attempt: int) -> str:
    """The id of a task, which is also its log file's name."""
    return f"{job}/{phase}/{lot}-{attempt}"


def _cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
