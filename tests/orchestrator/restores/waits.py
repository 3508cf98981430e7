"""A copy phase that waits for restores, in a place whose tasks follow a script."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.run.plan import Job, begin, make_plan, see_through
from orchestrator.run.wait_for_restores import Wait
from orchestrator.run.watch_values import Limits, RunResult
from orchestrator.state.job_file import Restore
from orchestrator.state.lot_status import exit_code_of_phase, totals
from tests.orchestrator.restores.restoring import Restores
from tests.orchestrator.run.worlds import Ear, ScriptedPlace, WorldClock, job_state, lot_bytes, lots_of
from worker.contract import LotEntry, Phase, PhaseSettings

BULK = Restore(tier="Bulk")
COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA")
HOUR = 3_600.0


class World:
    """A job of so many lots in a scripted place, whose keys' restores are ready at their times."""

    def __init__(
        self, root: Path, lots: int, ready_at: Callable[[LotEntry], float], *, keys: int = 2, clock_s: float = 0
    ) -> None:
        """Make the world."""
        self.clock, self.ear = WorldClock(seconds=clock_s), Ear()
        self.restores = Restores(self.clock, ready_at, keys=keys)
        cut = lots_of(lots, keys)
        self.place = ScriptedPlace(root, self.restores.fate)
        state = job_state(root, cut)
        self.job = Job(lots=cut, state=state, place=self.place, read_lot=lot_bytes, asked_to_stop=state.stop_sign())

    def waits(self, limit_s: float = 100 * HOUR, restore: Restore = BULK) -> int:
        """Run the copy phase with a wait; the exit code."""
        clock = self.clock.clock()
        plan = make_plan(self.job, COPY, None)
        begin(self.job, plan, clock)
        wait = Wait(limit_s=limit_s, readiness=self.restores.readiness(self.job, restore))
        self.ending: RunResult = see_through(self.job, plan, reporter=self.ear, clock=clock, limits=Limits(), wait=wait)
        return int(exit_code_of_phase(totals(self.ending.lot_statuses)))

    def starts(self) -> list[tuple[str, int]]:
        """The lots and attempts that were started, in order."""
        return [(request.lot, request.attempt) for request in self.place.started]


def hours_by_lot(*hours: float) -> Callable[[LotEntry], float]:
    """Each lot's keys are ready after so many hours."""
    return lambda entry: hours[int(entry.key[4:9])] * HOUR
