"""The worker's command line, and each task's share of the rate."""

import pytest

from orchestrator.planning.worker_command import PhaseSettings, rate_per_task, worker_command
from worker.contract import Phase


def test_the_restore_command() -> None:
    """Everything a worker needs is on its command line."""
    settings = PhaseSettings(phase=Phase.RESTORE, days=3, tier="Standard", threads=8)

    assert worker_command(settings, lot_uri="L", results_uri="R/", attempt=2, rate=12.5) == (
        *("restore", "--lot", "L", "--results", "R/", "--attempt", "2"),
        *("--days", "3", "--tier", "Standard", "--rate", "12.5", "--threads", "8"),
    )


def test_the_copy_command() -> None:
    """The copy phase has a class, and no limit of its own."""
    settings = PhaseSettings(phase=Phase.COPY, storage_class="GLACIER_IR")

    assert worker_command(settings, lot_uri="L", results_uri="R/", attempt=1, rate=0) == (
        *("copy", "--lot", "L", "--results", "R/", "--attempt", "1"),
        *("--storage-class", "GLACIER_IR", "--rate", "0"),
    )


@pytest.mark.parametrize(
    ("expected", "phase", "rate", "tasks"),
    [
        (45, Phase.RESTORE, None, 20),
        (900, Phase.RESTORE, None, 0),
        (0, Phase.COPY, None, 20),
        (0, Phase.RESTORE, 0, 20),
        (5, Phase.COPY, 100, 20),
    ],
)
def test_all_tasks_together_keep_the_rate(expected: float, phase: Phase, rate: float | None, tasks: int) -> None:
    """The job's rate is divided; restore keeps a margin below the account's 1,000 a second."""
    assert rate_per_task(phase, rate, tasks) == expected
