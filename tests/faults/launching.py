"""
A launcher that is killed after so many of its changes to the world: to the state, and to ECS.

It is killed by an exception that nobody catches, and from then on nothing that it tries has any effect: what its
`finally` blocks would have tidied up stays, as after SIGKILL. Its memory is gone with it. Whether it saw the answer to
its last change makes no difference to anybody, so killing it before each change is killing it after each, too.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from orchestrator.model import Lots, TaskRequest
from orchestrator.places.fargate import FargatePlace
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.run.job import Job, Limits
from orchestrator.run.lease import JobLease, held
from orchestrator.run.plan import begin, make_plan
from orchestrator.run.wait_for_restores import see_through
from orchestrator.state.job_state import JobState
from orchestrator.state.lease_file import Holder
from orchestrator.state.lot_status import exit_code_of_phase, totals
from orchestrator.state.state_store import DirectoryStore, StateStore
from tests.orchestrator.places.fake_ecs import FakeEcs
from tests.orchestrator.places.kits import IMAGE, RESOURCES, SETTINGS
from tests.orchestrator.run.worlds import Ear, WorldClock, finish, lot_bytes, lots_of
from worker.contract import Outcome, Phase, PhaseSettings, ResultRow

CHANGES = {"write", "write_if", "run_task", "register_task_definition", "stop_task", "tag_resource"}


class KilledError(BaseException):
    """SIGKILL."""


@dataclass
class Life:
    """
    How many changes a launcher has left; None for no end.

    made: what it has changed, by the methods' names. dead: whether it is.
    """

    left: int | None = None
    made: list[str] = field(default_factory=list)
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def spend(self, name: str) -> None:
        """Raise KilledError unless there is life left for this call."""
        with self.lock:
            if name in CHANGES and self.left is not None and len(self.made) >= self.left:
                self.dead = True
            if self.dead:
                raise KilledError
            if name in CHANGES:
                self.made.append(name)


class Mortal:
    """Whatever a launcher reaches the world by, until it is dead."""

    def __init__(self, inner: object, life: Life) -> None:
        self._inner, self._life = inner, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **more: Any) -> Any:
            self._life.spend(name)
            return found(*arguments, **more)

        return call


class Remembering(FakeEcs):
    """An ECS whose tasks are remembered here when it has forgotten them itself. ran: each, by its ARN."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: dict[str, dict[str, Any]] = {}

    def run_task(self, **parameters: Any) -> dict[str, Any]:
        answer = super().run_task(**parameters)
        self.ran |= {task["taskArn"]: task for task in answer["tasks"]}
        return answer


class World:
    """A job's state, and an ECS whose tasks end well while somebody waits."""

    def __init__(self, folder: Path, lots: int) -> None:
        self.folder = folder
        self.lots: Lots = lots_of(lots)
        self.ecs = Remembering()
        self.clock = WorldClock(on_sleep=lambda _: self.go_on())

    def go_on(self) -> None:
        """Each task goes a step further: it runs, then it has done its lot."""
        for arn, task in self.ecs.tasks.items():
            if task["lastStatus"] == "PROVISIONING":
                self.ecs.begin(arn)
            elif task["lastStatus"] == "RUNNING":
                self.ecs.end(arn, finish(self.folder, _request(task), {Outcome.REQUESTED: 2}))

    def launch(self, life: Life) -> int | None:
        """The exit code of a launcher, None for one that was killed."""
        store = cast("StateStore", Mortal(DirectoryStore(self.folder), life))
        state = JobState(store, self.lots.job)
        clock = self.clock.clock()
        ecs = Ecs(
            cast("Any", Mortal(self.ecs, life)), clock=clock.monotonic, sleep=clock.sleep, uniform=lambda low, _: low
        )
        place = FargatePlace(ecs, SETTINGS, RESOURCES, IMAGE)
        # Whoever had the lease before has ended: that is how processes of this machine that were killed are found.
        lease = JobLease(state, _holder(), clock=clock, ended=lambda *_: True)
        with suppress(KilledError), held(lease):
            job = Job(lots=self.lots, state=state, place=place, read_lot=lot_bytes, has_lease=lease.check)
            plan = make_plan(job, PhaseSettings(phase=Phase.RESTORE), None)
            begin(job, plan, clock)
            result = see_through(job, plan, reporter=Ear(), clock=clock, limits=Limits())
            return int(exit_code_of_phase(totals(result.lot_statuses)))
        return None

    def tasks(self) -> list[str]:
        """The lot of each task that ECS was ever brought to run, sorted."""
        return sorted(_request(task).lot for task in self.ecs.ran.values())

    def report(self) -> list[ResultRow]:
        """All results, in order."""
        state = JobState(DirectoryStore(self.folder), self.lots.job)
        return [row for lot in self.lots.lots for row in state.result_rows(Phase.RESTORE, lot.name)]


def _request(task: dict[str, Any]) -> TaskRequest:
    """The request that a task was started with."""
    command = tuple(task["overrides"]["containerOverrides"][0]["command"])
    said = dict(zip(command[1::2], command[2::2], strict=True))
    job, _, lot = said["--lot"].rsplit("/", 3)[1:]
    return TaskRequest(
        job=job,
        phase=Phase(command[0]),
        lot=lot.removesuffix(".csv"),
        attempt=int(said["--attempt"]),
        command=command,
    )


def _holder() -> Holder:
    return Holder(host="h", machine="m", pid=1, process="1", user="u", command="s3reclass run", since="2026-01-01")


Meanwhile = Callable[[World], None]
"""What happens between a launcher's end and the next one's beginning."""
