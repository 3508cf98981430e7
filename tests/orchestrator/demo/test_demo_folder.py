"""A demo's folder, from which nothing is left."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.demo.demo_folder import demo_folder
from tests.orchestrator.places.kits import wait_until

SLEEPS = "import time; time.sleep(600)"

DEMO = """
import json, subprocess, sys, time
from pathlib import Path
from orchestrator.demo.demo_folder import demo_folder
from orchestrator.model import TaskRequest
from orchestrator.places.local import LocalPlace
from worker.contract import Phase
SLEEPS = (sys.executable, "-S", "-E", "-c", sys.argv[1])
with demo_folder() as (folder, began):
    done = subprocess.Popen(SLEEPS)
    began(done.pid)
    began(0)
    command = subprocess.Popen(SLEEPS)
    began(command.pid)
    place = LocalPlace(folder / "state" / "tasks", program=SLEEPS)
    place.prepare(Phase.COPY)
    place.start(TaskRequest(job="0123456789ab", phase=Phase.COPY, lot="lot-00000", attempt=1, command=()))
    record = next(place.log_file(place.running("0123456789ab", Phase.COPY)[0]).parent.glob("*.lock"))
    worker = json.loads(record.read_text())["pid"]
    print(json.dumps({"folder": str(folder), "done": done.pid, "command": command.pid, "worker": worker}), flush=True)
    time.sleep(600)
"""


def runs(pid: int) -> bool:
    """Whether there is such a process, and it isn't waiting for its parent to ask for its end only."""
    told = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=60
    )
    return told.stdout.strip()[:1] not in {"", "Z"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_demo_that_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    """Neither its folder, nor the command that ran, nor the workers; a command that had ended is left alone."""
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO, SLEEPS],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert demo.stdout is not None
    with demo.stdout:
        told = json.loads(demo.stdout.readline())
    try:
        assert runs(told["command"])
        assert runs(told["worker"])

        demo.send_signal(number)
        demo.wait(60)

        wait_until(lambda: not Path(told["folder"]).exists())
        wait_until(lambda: not runs(told["command"]) and not runs(told["worker"]))
        assert list(tmp_path.iterdir()) == []
        assert runs(told["done"])
    finally:
        os.kill(told["done"], signal.SIGKILL)


def test_nothing_is_left_at_the_end() -> None:
    """The folder is gone as soon as the block has ended."""
    with demo_folder() as (folder, began):
        began(0)
        (folder / "file").write_text("kept while the block lasts")

    assert not folder.exists()


def test_nothing_is_left_without_the_guard_either() -> None:
    """A demo whose guard was killed goes on, and removes its folder by itself."""
    with demo_folder() as (folder, began):
        told = subprocess.run(
            ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True, timeout=60
        )
        (guard,) = [int(line.split()[0]) for line in told.stdout.splitlines() if str(folder) in line]
        os.kill(guard, signal.SIGKILL)
        wait_until(lambda: not runs(guard))
        began(1)
        (folder / "file").write_text("kept while the block lasts")

    assert not folder.exists()
