"""A world of restores for tests of the wait: each key is ready at its own time, and each look is counted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.errors import S3ReclassError
from orchestrator.model import TaskRequest
from orchestrator.objects.listing_csv import ListedRestore
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.restores.lot_samples import ProbeSources
from orchestrator.restores.readiness import Readiness
from orchestrator.run.plan import Job
from orchestrator.run.restore_again import pending_in
from orchestrator.state.job_file import Restore
from tests.orchestrator.run.worlds import Fate, WorldClock, entries_of
from worker.contract import LotEntry, Outcome

NEVER = float("inf")
NOT_ASKED = -1.0


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

    def sight(self, job: Job) -> ProbeSources:
        """What a wait sees of it."""
        return ProbeSources(
            heads=self.look,
            page=self.page,
            entries=lambda lot, places: [entries_of(lot.name, lot.keys)[place] for place in places],
            pending=lambda lot, attempt: pending_in(job, lot.name, attempt),
            restoring=lambda: self.restoring,
        )

    def readiness(self, job: Job, restore: Restore) -> Readiness:
        """What a wait for these restores asks."""
        clock = self.clock.clock()
        return Readiness(self.sight(job), target="STANDARD_IA", restore=restore, clock=clock, say=self.said.append)
