"""The launcher's requests for each lot: few, and no more for a large job than for a small one."""

import sys
from pathlib import Path

from benchmarks.launcher import HEAD, cloud, measure, row, write_lots

LOTS, KEYS = 60, 600


def test_a_lots_requests_stay_few(tmp_path: Path) -> None:
    """
    A run of 60 lots, two of them interrupted once: what it asks of ECS and of the state.

    Of a lot that isn't interrupted: its copy, the notes before and after its start, a RunTask, its tally.
    """
    write_lots(tmp_path, LOTS, KEYS)
    with cloud() as endpoint:
        taken = measure(endpoint, [sys.executable, "-m", "benchmarks.launcher", "--run", str(tmp_path)])
    calls = taken.calls

    assert calls["ECS RunTask"] == LOTS + 2
    assert calls["ECS DescribeTasks"] <= 30  # one call for all tasks, every few seconds of some 100
    assert calls["S3 PutObject"] <= LOTS + 2 * (LOTS + 2) + 5
    assert calls["S3 ListObjectsV2"] <= 3 + 2 + 3  # the job's folders, and those of the interrupted lots
    # Tallies; whether the job was stopped, before each start and after some; progress, 5 a second of some 100.
    assert calls["S3 GetObject"] <= (LOTS + 2) + 2 * (LOTS + 2) + 500 + 10
    assert row("run", LOTS, KEYS, taken).count("|") == HEAD.split("\n")[0].count("|")
