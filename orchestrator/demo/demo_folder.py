"""
A folder for a demo. Neither files nor processes of it are left, however the demo ends.

A process of its own, this module's `main`, removes them: a demo that is killed can't.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from orchestrator.places.local import STOP_GRACE_S, LocalPlace
from worker.contract import Phase

GUARD_MOST_S = 30
"""Seconds that the guard may take at the end; it takes a moment."""

KILLS, BETWEEN_KILLS_S = 100, 0.1
QUIET_LOOKS = 10

Began = Callable[[int], None]
"""Takes the process id of each command that runs in the folder, and 0 once it has ended."""


@contextmanager
def demo_folder() -> Iterator[tuple[Path, Began]]:
    """An empty folder until the block ends, and the function to call for each command that runs in it."""
    folder = Path(tempfile.mkdtemp(prefix="s3reclass-demo-"))
    # In a session of its own: it has work to do after a Ctrl-C, or when the terminal is closed.
    guard = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-P", "-m", __name__, str(folder)], stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    assert guard.stdin is not None  # noqa: S101 (for mypy: it is a pipe)
    leash = guard.stdin

    def began(pid: int) -> None:
        # Without its guard the demo goes on: only a kill would leave something behind.
        with suppress(BrokenPipeError):
            leash.write(f"{pid}\n")
            leash.flush()

    try:
        yield folder, began
    finally:
        with suppress(BrokenPipeError):
            leash.close()
        with suppress(subprocess.TimeoutExpired):
            guard.wait(GUARD_MOST_S)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Wait for the end of the demo that started this process; then end what runs in its folder, and remove it."""
    folder = Path(sys.argv[1])
    # The pipe is closed when the demo ends, by SIGKILL too.
    command = int((sys.stdin.read().split() or ["0"])[-1])
    if command:
        with suppress(ProcessLookupError):
            os.kill(command, signal.SIGKILL)
    quiet = 0
    for _ in range(KILLS):
        # A task that was being started when the demo ended shows itself a moment later.
        quiet = 0 if _kill_tasks(folder) else quiet + 1
        if quiet == QUIET_LOOKS:
            break
        time.sleep(BETWEEN_KILLS_S)
    shutil.rmtree(folder, ignore_errors=True)


def _kill_tasks(folder: Path) -> bool:
    """Kill the tasks that run in the folder; whether there were any."""
    found = False
    for lots in {lock.parent for lock in folder.glob("*/tasks/*/*/*.lock")}:
        # By this clock, the grace period between SIGTERM and SIGKILL is over at once.
        place = LocalPlace(lots.parents[1], clock=count(step=STOP_GRACE_S).__next__)
        tasks = place.running(lots.parent.name, Phase(lots.name))
        place.stop(tasks, "the demo has ended")
        place.states(tasks)
        found = found or bool(tasks)
    return found


if __name__ == "__main__":
    main()
