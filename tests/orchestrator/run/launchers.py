"""Launchers of a restore phase, one after the other, in a place whose tasks follow a script."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.model import Lots, Refused, Task, TaskRequest
from orchestrator.run.watch_tasks import Limits, RunResult, TaskWatcher
from tests.orchestrator.run.worlds import Ear, Fate, ScriptedPlace, WorldClock, job_state
from worker.contract import Outcome, Phase, RateShare

GOOD: Fate = {Outcome.REQUESTED: 2}
JOB = "0123456789ab"


class Lease:
    """A right that a test gives and takes."""

    def __init__(self) -> None:
        """It is ours."""
        self.answers: list[bool] = []
        self.lost = False

    def check(self) -> bool:
        """The next answer, else yes."""
        if self.lost:
            raise LostError
        return self.answers.pop(0) if self.answers else True


class LostError(Exception):
    """What a lost lease raises here."""


class Launchers:
    """Launchers, one after the other, over one state and one place."""

    def __init__(self, root: Path, lots: Lots, fate: Callable[[TaskRequest], Fate], **place: object) -> None:
        """Make the world."""
        self.lots, self.ear, self.clock, self.right = lots, Ear(), WorldClock(), Lease()
        self.place = ScriptedPlace(root, fate, **place)  # type: ignore[arg-type]  # each test names a field it knows
        self.state = job_state(root, lots)

    def watch(self, limits: Limits = Limits(), rate: float = 0) -> TaskWatcher:
        """A watch as a launcher makes it."""
        return TaskWatcher(
            state=self.state,
            place=self.place,
            phase=Phase.RESTORE,
            request_for=lambda lot, attempt: TaskRequest(
                job=JOB,
                phase=Phase.RESTORE,
                lot=lot.name,
                attempt=attempt,
                command=("restore", lot.name, str(attempt)),
                spot=self.place.spot,
            ),
            reporter=self.ear,
            clock=self.clock.clock(),
            limits=limits,
            right=self.right,
            asked_to_stop=self.state.stop_sign(),
            rate=rate,
        )

    def run(self, limits: Limits = Limits(), rate: float = 0) -> RunResult:
        """Run a watch to its end."""
        return self.watch(limits, rate).run(self.state.lot_statuses(self.lots, Phase.RESTORE), JOB)

    def share(self) -> RateShare:
        """What running tasks were told last."""
        share = self.state.share(Phase.RESTORE)
        assert share is not None
        return share


class World(Launchers):
    """Launchers whose starts are told by lot."""

    def starts(self) -> list[tuple[str, int]]:
        """The lots and attempts that were started, in order."""
        return [(request.lot, request.attempt) for request in self.place.started]


def refuse(place: ScriptedPlace, why: Callable[[TaskRequest], str], *, no_capacity: bool = False) -> None:
    """Let the place refuse, for the time being, the requests that there is a reason for."""
    start = place.start

    def start_or_refuse(request: TaskRequest) -> Task | Refused:
        if reason := why(request):
            return Refused(request=request, reason=reason, retry=True, no_capacity=no_capacity)
        return start(request)

    place.start = start_or_refuse  # type: ignore[method-assign]  # a place with a bottleneck
