"""The worker's command line for one lot: the only thing that configures a worker. Pure."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

from orchestrator.model import CHANGE_DATA, RESTORE_MARGIN, RESTORE_REQUESTS_PER_SECOND, Lot
from worker.contract import Options, Phase, PhaseSettings, command_line

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
    return command_line(
        Options(
            **{one.name: getattr(settings, one.name) for one in fields(settings)},
            lot=lot_uri,
            lot_digest=lot.sha256,
            lot_keys=lot.keys,
            results=results_uri,
            attempt=attempt,
            rate=rate,
            rate_from=rate_from if rate else "",
        )
    )


def rate_per_task(phase: Phase, rate: float | None, tasks: int) -> float:
    """
    The requests a second that each of `tasks` tasks at once may send; 0 for no limit. It holds if the others end, too.

    rate: the whole job's, 0 for no limit, None for the phase's default: S3's account limit less a margin
    for restore, none for copy (S3's limit there is per prefix, and workers slow down when S3 says so).
    """
    if rate is None:
        rate = RESTORE_REQUESTS_PER_SECOND * RESTORE_MARGIN if phase is Phase.RESTORE else 0
    return rate / max(tasks, 1)
