"""The worker's command line for one lot: the only thing that configures a worker. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from orchestrator.model import Lot
from worker.contract import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseSettings:
    """
    What a phase does to every key of a job, whichever lot it is in.

    days, tier: of the restore. storage_class: the copy's target.
    threads: requests in flight in each task; None leaves it to the worker. s3_client: likewise when it is "".
    audit: the copy keeps each object's before-picture in the state.
    allow_noncurrent: versions that aren't the current one are copied too, and so become current.
    delete_superseded: the version that was copied is deleted once its copy is verified.
    request_payer, bucket_owner: as in Settings; of every request for the objects.
    """

    phase: Phase
    days: int = 7
    tier: str = "Bulk"
    storage_class: str = ""
    threads: int | None = None
    s3_client: str = ""
    audit: bool = False
    allow_noncurrent: bool = False
    delete_superseded: bool = False
    request_payer: str = ""
    bucket_owner: str = ""

    def arguments(self) -> tuple[str, ...]:
        """The phase's part of the worker's command line."""
        named = {"--request-payer": self.request_payer, "--bucket-owner": self.bucket_owner}
        shared = tuple(word for flag, value in named.items() if value for word in (flag, value))
        if self.phase is Phase.RESTORE:
            return ("--days", str(self.days), "--tier", self.tier, *shared)
        flags = {
            "--audit": self.audit,
            "--allow-noncurrent": self.allow_noncurrent,
            "--delete-superseded": self.delete_superseded,
        }
        return ("--storage-class", self.storage_class, *(flag for flag, on in flags.items() if on), *shared)


CHANGE_DATA = ("--allow-noncurrent", "--delete-superseded")
"""Flags with which a copy changes more than the class of a current version."""

PLACES = ("--lot", "--results")
"""
How the words begin that say where a task reads and writes: `--lot URI` and `--lot=URI` are the same.

`--lot-digest` and `--lot-keys` are among them: what is read there.
"""


def changes_more(command: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a command line would change more than the one that is wanted now."""
    return any(flag in command and flag not in wanted for flag in CHANGE_DATA)


def leads_elsewhere(command: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a command line reads or writes at other places than the one that is wanted now."""
    return _places(command) != _places(wanted)


def _places(command: Sequence[str]) -> Sequence[tuple[str, str]]:
    """The flags for places, each with what follows it."""
    return [(flag, value) for flag, value in pairwise((*command, "")) if flag.startswith(PLACES)]


def worker_command(  # noqa: PLR0913 (the words of a command line: all given by name)
    settings: PhaseSettings, *, lot: Lot, lot_uri: str, results_uri: str, attempt: int, rate: float, rate_from: str
) -> tuple[str, ...]:
    """
    The command line of one task, without `python -m worker`.

    lot: what the task is to find at lot_uri.
    rate: requests a second that this task may send; 0 for no limit.
    rate_from: where the task reads its share of a rate that has a limit, which grows as other tasks end.
    """
    threads = () if settings.threads is None else ("--threads", str(settings.threads))
    return (
        settings.phase.value,
        "--lot",
        lot_uri,
        "--lot-digest",
        lot.sha256,
        "--lot-keys",
        str(lot.keys),
        "--results",
        results_uri,
        "--attempt",
        str(attempt),
        *settings.arguments(),
        "--rate",
        f"{rate:g}",
        *(("--rate-from", rate_from) if rate else ()),
        *threads,
        *(("--s3-client", settings.s3_client) if settings.s3_client else ()),
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
    The requests a second that each of so many tasks at once may send, whatever becomes of the others; 0 for no limit.

    rate: the whole job's, 0 for no limit, None for the phase's default: S3's account limit less a margin
    for restore, none for copy (S3's limit there is per prefix, and workers slow down when S3 says so).
    """
    if rate is None:
        rate = RESTORE_REQUESTS_PER_SECOND * RESTORE_MARGIN if phase is Phase.RESTORE else 0
    return rate / max(tasks, 1)
