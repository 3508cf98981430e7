"""A copy phase that waits for restores: each key is ready at its own time, and each request is counted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import S3ReclassError
from orchestrator.model import TaskRequest
from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.restores.lot_samples import ProbeSources
from orchestrator.restores.readiness import Readiness
from orchestrator.run.job import Job, RunResult
from orchestrator.run.wait_for_restores import Wait
from orchestrator.state.job_file import Restore
from orchestrator.state.lot_status import exit_code_of_phase, totals
from tests.orchestrator.run import worlds
from tests.orchestrator.run.worlds import COPY, Fate, WorldClock, entries_of, lots_of
from worker.contract import LotEntry, Outcome, Phase

NEVER = float("inf")
NOT_ASKED = -1.0
BULK = Restore(tier="Bulk")
HOUR = 3_600.0


@dataclass
class Restores:
    """
    A bucket whose archived objects become ready at their times.

    ready_at: the time, in the clock's seconds, at which a key is; NEVER, or NOT_ASKED for no restore under way.
    keys: of each lot. failing: looks that fail before one succeeds.
    restoring: whether the restore phase is still asking.
    lists: whether listings tell of restores.
    """

    clock: WorldClock
    ready_at: Callable[[LotEntry], float]
    keys: int = 2
    failing: int = 0
    restoring: bool = False
    lists: bool = False
    heads: list[LotEntry] = field(default_factory=list)
    pages: int = 0
    said: list[str] = field(default_factory=list)

    def is_ready(self, entry: LotEntry) -> bool:
        """Whether the key's restored copy is there now."""
        return NOT_ASKED < self.ready_at(entry) <= self.clock.seconds

    def fate(self, request: TaskRequest) -> Fate:
        """What a copy task over a lot of `keys` keys finds: ready keys are copied, the others pending."""
        states = [self.is_ready(entry) for entry in entries_of(request.lot, self.keys)]
        return {outcome: count for outcome, count in self._outcomes(states).items() if count}

    @staticmethod
    def _outcomes(states: list[bool]) -> dict[Outcome, int]:
        return {Outcome.COPIED: sum(states), Outcome.PENDING: len(states) - sum(states)}

    def look(self, entries: Iterable[LotEntry]) -> Iterator[ObjectHead]:
        """HEAD each object."""
        if self.failing:
            self.failing -= 1
            raise S3ReclassError("no network")
        for entry in entries:
            self.heads.append(entry)
            yield self._head(entry)

    def _head(self, entry: LotEntry) -> ObjectHead:
        asked = self.ready_at(entry) != NOT_ASKED
        word = "false" if self.is_ready(entry) else "true"
        restore = f'ongoing-request="{word}"' if asked else ""
        return ObjectHead(entry=entry, look=HeadOutcome.FOUND, storage_class="GLACIER", restore=restore)

    def page(self, bucket: str, after: str) -> Sequence[ListedRestore]:
        """A page of the listing: the rest of the lot that the key is of, and no others."""
        self.pages += 1
        lot, _, number = after.partition("/")
        found = [LotEntry(bucket=bucket, key=f"{lot}/{one}") for one in range(int(number) + 1, self.keys)]
        return tuple(self._listed(entry) for entry in found)

    def _listed(self, entry: LotEntry) -> ListedRestore:
        ongoing = None if self.ready_at(entry) == NOT_ASKED or not self.lists else not self.is_ready(entry)
        return ListedRestore(key=entry.key, storage_class="GLACIER", ongoing=ongoing)

    def sources(self, job: Job) -> ProbeSources:
        """What a wait sees of it."""
        return ProbeSources(
            heads=self.look,
            page=self.page,
            entries=lambda lot, places: [entries_of(lot.name, lot.keys)[place] for place in places],
            pending=lambda lot, attempt: job.pending(lot.name, attempt),
            restoring=lambda: self.restoring,
        )

    def readiness(self, job: Job, restore: Restore) -> Readiness:
        """What a wait for these restores asks."""
        clock = self.clock.clock()
        return Readiness(self.sources(job), target="STANDARD_IA", restore=restore, clock=clock, say=self.said.append)


class World(worlds.World):
    """A job of lots whose keys' restores are ready at their times, and copy phases that wait for them."""

    def __init__(
        self, root: Path, lots: int, ready_at: Callable[[LotEntry], float], *, keys: int = 2, clock_s: float = 0
    ) -> None:
        """Make the world."""
        super().__init__(root, lots_of(lots, keys), lambda _: None, clock_s=clock_s)
        self.restores = Restores(self.clock, ready_at, keys=keys)
        self.place.fate = self.restores.fate
        self.result = RunResult(lot_statuses=self.statuses(Phase.COPY))

    def waits(self, limit_s: float = 100 * HOUR, restore: Restore = BULK) -> int:
        """Run the copy phase with a wait; the exit code."""
        wait = Wait(limit_s=limit_s, readiness=self.restores.readiness(self.job, restore))
        self.result = self.run(rate=None, settings=COPY, wait=wait)
        return int(exit_code_of_phase(totals(self.result.lot_statuses)))


def hours_by_lot(*hours: float) -> Callable[[LotEntry], float]:
    """Each lot's keys are ready after so many hours."""
    return lambda entry: hours[int(entry.key[4:9])] * HOUR
