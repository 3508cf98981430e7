"""
The running tasks' progress, read in turns: what it costs doesn't grow with the number of tasks.

Progress is for showing alone; that a lot is finished is told otherwise. 1,000 tasks asked every few seconds
would take more requests than their lots' results do.
"""

from collections.abc import Mapping, Sequence

from orchestrator.common.clock import Clock
from orchestrator.model import Task
from orchestrator.state.job_state import JobState
from worker.contract import Phase, Tally

READS_A_SECOND = 5.0
"""So 50 tasks are each heard of every 10 seconds, 1,000 every 200; a day of it is 432,000 GET requests, 0.17 USD."""

MOST_AT_ONCE = 50


class ProgressReader:
    """The progress of a phase's running tasks."""

    def __init__(self, *, state: JobState, phase: Phase, clock: Clock) -> None:
        self._state, self._phase, self._clock = state, phase, clock
        self._turns: dict[str, None] = {}
        self._saved = float(MOST_AT_ONCE)
        self._at = clock.monotonic()

    def read(self, running: Sequence[Task]) -> Mapping[str, Tally]:
        """By lot name, the tallies of those tasks whose turn it is: those that weren't read for longest come first."""
        now = self._clock.monotonic()
        self._saved = min(MOST_AT_ONCE, self._saved + (now - self._at) * READS_A_SECOND)
        self._at = now
        lots = {task.lot: None for task in running}
        # Whoever was read moves to the end, whoever is new begins there; lots that ended are forgotten.
        self._turns = {lot: None for lot in (*self._turns, *lots) if lot in lots}
        chosen = list(self._turns)[: int(self._saved)]
        for lot in chosen:
            del self._turns[lot]
            self._turns[lot] = None
        self._saved -= len(chosen)
        return self._state.progress(self._phase, chosen)
