"""
How a job's request rate is divided among its running tasks. Pure.

Each running task keeps to the share that it read last, which may not be the newest. So a share grows only by what
ended tasks leave, and a task is started only when its share is free: the tasks' shares never add up to more than
the job's rate.
"""

from dataclasses import dataclass, replace
from typing import Self

from worker.contract import SHARE_EVERY_S, SHARE_SPREAD

SETTLE_S = 3 * SHARE_EVERY_S
"""
Seconds after which every running task has read its share.

A task reads it every SHARE_EVERY_S, give or take a fifth; the rest is for a state that answers slowly. A task that
can't read its share for longer can't record its results either, and so soon sends nothing more.
"""

assert SETTLE_S > 2 * SHARE_EVERY_S * (1 + SHARE_SPREAD)  # noqa: S101 (of two constants)

WORTH_TELLING = 0.1
"""The part by which a share must grow for the tasks to be told: near a job's end, each ended task adds little."""

_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """
    What the running tasks were told.

    rate: requests a second of all tasks together; above 0.
    told: the share that a task reads now; 0 while none was told.
    before: the highest share told earlier that a task may still use, until `settled_at` (monotonic seconds).
    """

    rate: float
    told: float = 0
    before: float = 0
    settled_at: float = 0

    @classmethod
    def found(cls, rate: float, *, told: float, most: float, now: float) -> Self:
        """The shares that another launcher left; told and most are from its note."""
        return cls(rate=rate, told=told, before=most, settled_at=now + SETTLE_S)

    def in_force(self, now: float) -> float:
        """The highest share that a running task may use."""
        return max(self.told, self.before if now < self.settled_at else 0)

    def divided(self, tasks: int, *, running: int, now: float) -> Self:
        """
        The shares to tell when this many tasks are to run at once; the same object when there is no need.

        | the new share is | told |
        |---|---|
        | smaller, or the first | at once |
        | larger by WORTH_TELLING or more | at once: it is what ended tasks have left |
        | larger by less | not |

        tasks: those that run and those to be started soon. running: those that run, which is no more.
        """
        share = self.rate / max(tasks, running, 1)
        if not running:
            # No task uses what was told before.
            fresh = type(self)(rate=self.rate, told=share)
            return self if fresh == self else fresh
        if self.told <= share < self.told * (1 + WORTH_TELLING):
            return self
        if share > self.told:
            return replace(self, told=share)
        return replace(self, told=share, before=self.in_force(now), settled_at=now + SETTLE_S)

    def has_room(self, *, running: int, now: float) -> bool:
        """Whether one more task may be started beside those that run."""
        return not running or (running + 1) * self.in_force(now) <= self.rate * _ROUNDING
