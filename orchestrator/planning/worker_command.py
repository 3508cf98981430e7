"""The worker's command line for one lot: the only thing that configures a worker."""

from dataclasses import dataclass

from worker.contract import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseSettings:
    """
    What a phase does to every key of a job, whichever lot it is in.

    days, tier: of the restore. storage_class: the copy's target.
    threads: requests in flight in each task; None leaves it to the worker.
    """

    phase: Phase
    days: int = 7
    tier: str = "Bulk"
    storage_class: str = ""
    threads: int | None = None

    def arguments(self) -> tuple[str, ...]:
        """The phase's part of the worker's command line."""
        if self.phase is Phase.RESTORE:
            return ("--days", str(self.days), "--tier", self.tier)
        return ("--storage-class", self.storage_class)


def worker_command(
    settings: PhaseSettings, *, lot_uri: str, results_uri: str, attempt: int, rate: float
) -> tuple[str, ...]:
    """
    The command line of one task, without `python -m worker`.

    rate: requests a second that this task may send; 0 for no limit.
    """
    threads = () if settings.threads is None else ("--threads", str(settings.threads))
    return (
        settings.phase.value,
        "--lot",
        lot_uri,
        "--results",
        results_uri,
        "--attempt",
        str(attempt),
        *settings.arguments(),
        "--rate",
        f"{rate:g}",
        *threads,
    )


RESTORE_REQUESTS_PER_SECOND = 1_000
"""
S3's limit on restore requests, per account and Region, all callers together.

S3 User Guide, "Restoring an archived object"; 2026-11.
"""

RESTORE_MARGIN = 0.9
"""Of that limit, what a job takes unless told otherwise: other callers in the account need some too."""


def rate_per_task(phase: Phase, rate: float | None, tasks: int) -> float:
    """
    The requests a second that each of so many tasks at once may send; 0 for no limit.

    rate: the whole job's, 0 for no limit, None for the phase's default: S3's account limit less a margin
    for restore, none for copy (S3's limit there is per prefix, and workers slow down when S3 says so).
    """
    if rate is None:
        rate = RESTORE_REQUESTS_PER_SECOND * RESTORE_MARGIN if phase is Phase.RESTORE else 0
    return rate / max(tasks, 1)
