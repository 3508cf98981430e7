"""When a lot may start again whose last task got nowhere, though its keys had looked ready. Pure."""

from dataclasses import dataclass, replace

FIRST_PAUSE_S = 10
"""S3 can say of an object that it is restored, and refuse to copy it a moment later: such a lot is tried again soon."""

MOST_PAUSE_S = 1_800
"""A pause is twice the one before, up to this: a task that does nothing still has to be paid for."""

LEAST_PROGRESS = 0.1
"""The part of its pending keys that a task must settle to have got anywhere: a few keys aren't worth a task."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LotStart:
    """
    The last start of a lot whose keys looked ready.

    attempt: the lot's newest one at that time. pending: its keys that were still to be copied.
    pause_s: how long it has to wait before the next start; again_at: when that may be, in the clock's seconds.
    """

    attempt: int
    pending: int
    pause_s: float = 0
    again_at: float = 0


def after_task(last: LotStart, *, attempt: int, pending: int, now_s: float) -> LotStart:
    """
    What follows from the task of the last start, which has ended.

    attempt: the task's. pending: keys that it left pending. now_s: the clock's seconds.

    | of its pending keys it settled | then the lot may start |
    |---|---|
    | a tenth or more | at once |
    | fewer | after a pause: 10 s, twice as long after each such task in a row, at most half an hour |
    """
    got_somewhere = pending <= last.pending * (1 - LEAST_PROGRESS)
    pause_s = 0 if got_somewhere else min(last.pause_s * 2 or FIRST_PAUSE_S, MOST_PAUSE_S)
    return replace(last, attempt=attempt, pending=pending, pause_s=pause_s, again_at=now_s + pause_s)
