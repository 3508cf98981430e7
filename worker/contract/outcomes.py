"""The words for what became of a key, and the exit codes that follow from them. Pure."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class ContractError(ValueError):
    """A lot line, result part or tally that isn't in the agreed format; the message names what is wrong."""


class Phase(StrEnum):
    """The two journeys of a key: out of the archive (`restore`), then into its new class (`copy`)."""

    RESTORE = "restore"
    COPY = "copy"


class TaskStatus(StrEnum):
    """S3 Batch Operations' word for how a key fared; `pending` is ours."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"


class Outcome(StrEnum):
    """What became of one key in one phase."""

    REQUESTED = "requested"
    EXTENDED = "extended"
    IN_PROGRESS = "in-progress"
    NOT_ARCHIVED = "not-archived"
    COPIED = "copied"
    ALREADY = "already"
    PENDING = "pending"
    MISSING = "missing"
    DENIED = "denied"
    CHANGED = "changed"
    UNSUPPORTED = "unsupported"
    ERROR = "error"

    @property
    def status(self) -> TaskStatus:
        """The TaskStatus that this outcome is reported under."""
        return _STATUS.get(self, TaskStatus.FAILED)


_STATUS = {
    Outcome.REQUESTED: TaskStatus.SUCCEEDED,
    Outcome.EXTENDED: TaskStatus.SUCCEEDED,
    Outcome.IN_PROGRESS: TaskStatus.SUCCEEDED,
    Outcome.NOT_ARCHIVED: TaskStatus.SUCCEEDED,
    Outcome.COPIED: TaskStatus.SUCCEEDED,
    Outcome.ALREADY: TaskStatus.SUCCEEDED,
    Outcome.PENDING: TaskStatus.PENDING,
}

OUTCOMES: Mapping[Phase, tuple[Outcome, ...]] = {
    Phase.RESTORE: (
        Outcome.REQUESTED,
        Outcome.EXTENDED,
        Outcome.IN_PROGRESS,
        Outcome.NOT_ARCHIVED,
        Outcome.MISSING,
        Outcome.DENIED,
        Outcome.UNSUPPORTED,
        Outcome.ERROR,
    ),
    Phase.COPY: (
        Outcome.COPIED,
        Outcome.ALREADY,
        Outcome.PENDING,
        Outcome.MISSING,
        Outcome.DENIED,
        Outcome.CHANGED,
        Outcome.UNSUPPORTED,
        Outcome.ERROR,
    ),
}
"""The outcomes that each phase knows, good ones first: the order of every table we print."""


class ExitCode(IntEnum):
    """How a worker ends, as its process's exit code."""

    GOOD = 0
    COULD_NOT_PROCEED = 1
    USAGE = 2
    SOME_FAILED = 3
    SOME_PENDING = 4
    INTERRUPTED = 75


def exit_code_of(outcomes: Mapping[Outcome, int]) -> ExitCode:
    """
    The exit code for a lot whose every key has an outcome: a failed key outweighs a pending one.

    | failed | pending | code |
    |---|---|---|
    | some | any | 3 |
    | none | some | 4 |
    | none | none | 0 |
    """
    present = {outcome.status for outcome, count in outcomes.items() if count}
    if TaskStatus.FAILED in present:
        return ExitCode.SOME_FAILED
    return ExitCode.SOME_PENDING if TaskStatus.PENDING in present else ExitCode.GOOD


def supersedes(new: TaskStatus, old: TaskStatus | None) -> bool:
    """
    Whether a later result replaces an earlier one of the same key: a succeeded one stands for good.

    Later means a higher attempt, or the same attempt and a higher sequence number. So when two tasks
    worked on one lot, the one that copied the object is believed, not the one that came second and
    found it changed.
    """
    return old is not TaskStatus.SUCCEEDED or new is TaskStatus.SUCCEEDED
