"""
One client's run over so many objects: started as a user starts it, its cost taken from the kernel's account of it.

What it did is told by the stub's counts: rates are those between its first request and the last answer, and its
start-up is what passed before. This process must stay small: the peak memory of a process counts from its fork,
so none can seem smaller than the one that started it.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stub import Counts, Stub

LIMIT_S = 120.0
"""How long a run may take, unless it is told otherwise."""

GRACE_S = 30.0
"""What is told to stop then has so long until it is killed."""

_STOPPED = frozenset({-signal.SIGTERM, -signal.SIGKILL, 75})
"""Exit codes of what was told to stop; 75 is the worker's own."""

_TICK_S = 0.1
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """
    What one run came to.

    objects: what it was given. start_s: from its start to its first request.
    took_s: from its first request to the last answer; from its start, where it starts_anew for each object.
    cpu_s: user and system, with its children.
    peak_mib: the most memory that it, or one of its children, had in RAM at once.
    counts: what the stub saw. failure: why it counts for nothing, or "".
    """

    objects: int
    start_s: float
    took_s: float
    cpu_s: float
    start_cpu_s: float
    peak_mib: float
    counts: Counts
    starts_anew: bool = False
    failure: str = ""

    @property
    def objects_per_s(self) -> float:
        """While it took."""
        return self.objects / self.took_s if self.took_s else 0.0

    @property
    def cpu_per_1000(self) -> float:
        """
        CPU seconds for 1,000 requests.

        What a process costs before its first request is no part of it, unless it starts one for each object.
        """
        used = self.cpu_s if self.starts_anew else self.cpu_s - self.start_cpu_s
        return 1000 * used / self.counts.requests if self.counts.requests else 0.0

    @property
    def requests_per_s(self) -> float:
        """Those that were not refused, while it took."""
        answered = self.counts.requests - self.counts.refused
        return answered / self.took_s if self.took_s else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """
    A client's command line for one run.

    environ: variables beside those that every client gets.
    starts_anew: for each object, so that what a start takes is a part of what an object takes.
    """

    arguments: Sequence[str]
    environ: Mapping[str, str] | None = None
    starts_anew: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What the kernel and the last line of its output say of a process that has ended."""

    code: int
    cpu_s: float
    peak_mib: float
    last_line: str


def environment(endpoint: str, folder: Path) -> dict[str, str]:
    """What every client finds: the stub's endpoint, nobody's credentials, and none of the user's own settings."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }


def run_all(
    commands: Sequence[Command],
    environ: Mapping[str, str],
    *,
    limit_s: float = LIMIT_S,
    watch: Callable[[int], None] = lambda _pid: None,
) -> list[Ended]:
    """
    Start the commands together; how each ended.

    limit_s: what isn't done then is told to stop. watch: called with each process's id once all are started.
    """
    with tempfile.TemporaryDirectory(prefix="bench-log-") as folder:
        logs = [Path(folder, str(number)) for number, _ in enumerate(commands)]
        started = [_start(command, environ, log) for command, log in zip(commands, logs, strict=True)]
        stop = threading.Timer(limit_s, _signal, [started, signal.SIGTERM])
        kill = threading.Timer(limit_s + GRACE_S, _signal, [started, signal.SIGKILL])
        for timer in (stop, kill):
            timer.start()
        try:
            for process in started:
                watch(process.pid)
            return [_end(process, log) for process, log in zip(started, logs, strict=True)]
        finally:
            stop.cancel()
            kill.cancel()
            # Only after a failure or Ctrl-C is anything left to be ended.
            _signal(started, signal.SIGKILL)


def _start(command: Command, environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command.arguments,
            env={**environ, **(command.environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes], log: Path) -> Ended:
    """Wait for the process, with its own account of resources rather than that of all children so far."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return Ended(
        code=process.returncode,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        last_line=lines[-1] if lines else "",
    )


def _signal(started: Sequence[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Send a signal to those that still run, and to what they started: each leads a session of its own."""
    for process in started:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)


class _FirstRequest:
    """
    Notes how much CPU a process has used when its first request reaches the stub.

    cpu_s: that, 0 when none came.
    """

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.cpu_s = 0.0

    def watch(self, pid: int) -> None:
        """Begin to wait for it."""
        self._thread = threading.Thread(target=self._wait, args=(pid,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Wait no longer."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _wait(self, pid: int) -> None:
        while not self._over.is_set():
            if self._stub.first_request(_TICK_S):
                # It may have ended since.
                with suppress(OSError):
                    self.cpu_s = time.clock_gettime(cpu_clock_of(pid))
                return


def cpu_clock_of(pid: int) -> int:
    """The clock of the CPU time of all of a process's threads: clock_getcpuclockid(3), which Python lacks."""
    return (~pid << 3) | 2


def measure(
    stub: Stub,
    command: Command,
    environ: Mapping[str, str],
    *,
    objects: int,
    settings: Mapping[str, float],
    limit_s: float = LIMIT_S,
) -> Run:
    """
    What the command did and cost; it is to copy or restore each of the objects once.

    settings: the stub's, for this run.
    """
    first = _FirstRequest(stub)
    stub.set(**{"delay_ms": 0, "rate": 0, "objects": objects, **settings})
    began = time.monotonic()
    try:
        (ended,) = run_all([command], environ, limit_s=limit_s, watch=first.watch)
    except OSError as error:
        ended = Ended(code=-1, cpu_s=0, peak_mib=0, last_line=str(error))
    finally:
        first.end()
    counts = stub.counts()
    return Run(
        objects=objects,
        start_s=max(0.0, counts.first_s - began),
        took_s=max(0.0, counts.last_s - began) if command.starts_anew else counts.span_s,
        cpu_s=ended.cpu_s,
        start_cpu_s=first.cpu_s,
        peak_mib=ended.peak_mib,
        counts=counts,
        starts_anew=command.starts_anew,
        failure=_failure(ended, objects, counts, limit_s),
    )


def _failure(ended: Ended, objects: int, counts: Counts, limit_s: float) -> str:
    """Why the run counts for nothing, or ""."""
    if ended.code in _STOPPED:
        return f"not done after {limit_s:.0f} s"
    if ended.code:
        return f"exit code {ended.code}: {ended.last_line[-200:]}"
    changes = counts.copy + counts.restore
    if changes < objects:
        return f"it changed {changes:,} of {objects:,} objects: {ended.last_line[-200:]}"
    return ""
