"""One budget of requests a second for all tasks of a phase: divided among those that run, told through the state."""

from dataclasses import dataclass

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.run.rate_shares import Shares
from orchestrator.state.job_state import JobState
from worker.contract import Phase, RateShare


@dataclass(slots=True)
class Budget:
    """
    The division of a phase's rate; `run/rate_shares.py` has its rules.

    rate: requests a second of all tasks together; 0 for no limit, and then nothing is told.
    """

    state: JobState
    phase: Phase
    rate: float
    clock: Clock
    _shares: Shares | None = None

    def begin(self, running: int) -> None:
        """Take up where an earlier launcher left off, with so many of its tasks still running."""
        self._shares = Shares(rate=self.rate) if self.rate else None
        if not self._shares or not running:
            return
        try:
            found = self.state.share(self.phase)
        except S3ReclassError:
            # Tasks can't read it either, and go by what they knew: one may have all of it, for all that we know.
            found = None
        told, most = (found.rate, found.most) if found else (0.0, self.rate)
        self._shares = Shares.found(self.rate, told=told, most=most, now=self.clock.monotonic())

    def divide(self, tasks: int, *, running: int) -> None:
        """
        Tell the tasks their share, if it isn't what they were told.

        tasks: those that run and those to be started soon. running: those that run.
        """
        if not self._shares:
            return
        now = self.clock.monotonic()
        shares = self._shares.divided(tasks, running=running, now=now)
        if shares is not self._shares:
            at = f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}"
            told = RateShare(rate=shares.told, most=shares.in_force(now), tasks=max(tasks, running, 1), at=at)
            self.state.tell_share(self.phase, told)
            self._shares = shares

    def has_room(self, running: int) -> bool:
        """Whether the share of one more task is free, beside so many that run."""
        return not self._shares or self._shares.has_room(running=running, now=self.clock.monotonic())
