"""The launcher is killed in the middle of a run on Fargate: the same command again finishes the job."""

import time
from collections import Counter

import pytest

from tests.system.account import Account, Stored
from tests.system.engine import Start
from tests.system.jobs import split_job
from tests.system.terminal import Terminal

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "killed"
LOTS = 4
COMMAND = "s3reclass run --phase restore --rate 2 --max-tasks 2"
PATIENCE_S = 120


def test_killed_and_run_again(account: Account, starts: list[Start], terminal: Terminal) -> None:
    """A second launcher takes over the tasks of a killed one: no lot ever has two, and every key is done once."""
    objects = [Stored(key=f"reel {number}", storage_class="GLACIER") for number in range(40)]
    split_job(account, terminal, BUCKET, objects, lots=LOTS)
    terminal.types("s3reclass push-image")
    launcher = terminal.starts(COMMAND)
    _wait_for_running(account, 1)
    launcher.kill()
    launcher.wait()
    running = _lots(account, "RUNNING")

    again = terminal.types(COMMAND)

    assert 1 <= len(running) < LOTS
    assert "reattached to" in again.err
    assert "40 of 40 keys have an outcome" in again.out
    assert {f"lot-{number:05}": 1 for number in range(LOTS)} == _lots(account)
    assert len(starts) == LOTS
    terminal.types("s3reclass report --csv report.csv")
    assert [line.split(",")[7] for line in (terminal.folder / "report.csv").read_text().splitlines()] == [
        "requested"
    ] * 40


def _wait_for_running(account: Account, count: int) -> None:
    """Return once so many tasks run."""
    deadline = time.monotonic() + PATIENCE_S
    while _lots(account, "RUNNING").total() < count:
        assert time.monotonic() < deadline, "no task came up"
        time.sleep(0.2)


def _lots(account: Account, status: str = "") -> Counter[str]:
    """How many tasks each lot has or had; status: count only tasks that are there now."""
    return Counter(task["tags"]["s3reclass:lot"] for task in account.tasks() if status in ("", task["lastStatus"]))
