"""What the conformance suite needs of a place beside the place itself: tasks whose ends a test decides."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from orchestrator.model import (
    Architecture,
    Image,
    Refused,
    Resources,
    Task,
    TaskRequest,
    TaskStatus,
)
from orchestrator.places.base import Place
from orchestrator.places.fargate import FargatePlace
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.places.local import LocalPlace
from orchestrator.settings.settings import FargateSettings, Settings
from tests.orchestrator.places.fake_ecs import CLUSTER, FakeEcs
from worker.contract import Phase

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

JOB = "0123456789ab"

SETTINGS = Settings(bucket="my-bucket", storage_class="STANDARD_IA")
RESOURCES = Resources(
    state_bucket="state",
    repository="s3reclass",
    cluster=CLUSTER,
    task_role_arn="arn:aws:iam::123456789012:role/task",
    execution_role_arn="arn:aws:iam::123456789012:role/execution",
    log_group="/s3reclass",
    subnets=("subnet-1", "subnet-2"),
    security_groups=("sg-1",),
)
IMAGE = Image(
    repository_uri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/s3reclass",
    tag="worker-1",
    digest="sha256:" + "a" * 64,
    architecture=Architecture.ARM64,
)


def request_for(
    lot: str = "lot-00000", *, attempt: int = 1, phase: Phase = Phase.RESTORE, job: str = JOB
) -> TaskRequest:
    """A request as the flow makes them."""
    return TaskRequest(
        job=job,
        phase=phase,
        lot=lot,
        attempt=attempt,
        command=(
            phase.value,
            "--lot",
            f"s3://state/{job}/lots/{lot}.csv",
            "--results",
            f"s3://state/{job}/{phase}/{lot}/",
            "--attempt",
            str(attempt),
        ),
    )


def started(answer: Task | Refused) -> Task:
    """The task of a start that must have worked."""
    assert isinstance(answer, Task), answer
    return answer


class Kit(Protocol):
    """A place under test, and power over its tasks."""

    def place(self) -> Place:
        """The place as a launcher just started sees it; each call is another launcher."""

    def runs(self, task: Task) -> None:
        """Let the task's worker run."""

    def ends(self, task: Task, exit_code: int) -> None:
        """Let the task's worker end with this exit code."""

    def stops(self, task: Task) -> None:
        """Let a task that was asked to stop do so."""

    def count(self, lot: str) -> int:
        """How many workers were ever started on the lot."""

    def close(self) -> None:
        """End all that still runs."""


def ecs_of(fake: FakeEcs) -> Ecs:
    """The client over a fake ECS, on a clock where waiting takes no time."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return Ecs(cast("ECSClient", fake), clock=lambda: now[0], sleep=sleep, uniform=lambda low, _: low)


def place_on(fake: FakeEcs) -> FargatePlace:
    """A prepared Fargate place over a fake ECS."""
    place = FargatePlace(ecs_of(fake), SETTINGS, RESOURCES, IMAGE)
    place.prepare(Phase.RESTORE)
    return place


class FargateKit:
    """Fargate over the fake ECS."""

    def __init__(self) -> None:
        self.fake = FakeEcs(page_size=2)

    def place(self) -> Place:
        """A place with a client of its own."""
        return FargatePlace(ecs_of(self.fake), SETTINGS, RESOURCES, IMAGE)

    def runs(self, task: Task) -> None:
        """RUNNING."""
        self.fake.begin(task.id)

    def ends(self, task: Task, exit_code: int) -> None:
        """STOPPED."""
        self.fake.end(task.id, exit_code)

    def stops(self, task: Task) -> None:
        """STOPPED, as StopTask's doing."""
        self.fake.end(task.id, 75, "UserInitiated", "stop")

    def count(self, lot: str) -> int:
        """Tasks with the lot's tag or command line."""
        return sum(f"{lot}.csv" in str(task["overrides"]) for task in self.fake.tasks.values())

    def close(self) -> None:
        """Nothing runs."""


WORKER = """
import os, signal, sys, time
folder, lot, attempt = sys.argv[1], sys.argv[4].rsplit("/", 1)[1][:-4], sys.argv[8]
signal.signal(signal.SIGTERM, lambda *_: os._exit(75))
open(f"{folder}/{lot}-{attempt}-{os.getpid()}.began", "w").close()
for _ in range(20_000):
    try:
        os._exit(int(open(f"{folder}/{lot}-{attempt}.exit").read()))
    except (OSError, ValueError):
        time.sleep(0.01)
"""
"""A worker that ends as the file of its lot and attempt says, and with 75 on SIGTERM."""


class LocalKit:
    """Local processes of a small program in the worker's place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tasks"
        self.signs = folder / "signs"
        self.signs.mkdir(parents=True)
        self._places: list[_Remembering] = []

    def place(self) -> LocalPlace:
        """A place that knows no process of the others."""
        program = (sys.executable, "-S", "-E", "-c", WORKER, str(self.signs))
        place = _Remembering(self.folder, program=program)
        self._places.append(place)
        return place

    def runs(self, task: Task) -> None:
        """Wait until the process has set its signal handler."""
        wait_until(lambda: bool(self._began(f"{task.lot}-{task.attempt}")))

    def ends(self, task: Task, exit_code: int) -> None:
        """Tell the process, and wait until it has ended."""
        self.runs(task)
        partial = self.signs / f"{task.lot}.partial"
        partial.write_text(str(exit_code))
        partial.rename(self.signs / f"{task.lot}-{task.attempt}.exit")
        self.stops(task)

    def stops(self, task: Task) -> None:
        """Wait until the process has ended."""
        observer = LocalPlace(self.folder)
        wait_until(lambda: observer.states([task])[task.id].status is not TaskStatus.RUNNING)

    def count(self, lot: str) -> int:
        """Processes that began on the lot."""
        return len(self._began(lot))

    def close(self) -> None:
        """Stop every process and reap it."""
        for place in self._places:
            place.stop(place.started, "the test is over")
        for place in self._places:
            wait_until(place.all_stopped)

    def _began(self, name: str) -> list[str]:
        return [sign.name for sign in self.signs.glob(f"{name}*.began")]


class _Remembering(LocalPlace):
    """A local place that remembers what it started, so that a test leaves nothing running."""

    def __init__(self, folder: Path, *, program: Sequence[str]) -> None:
        super().__init__(folder, program=program)
        self.started: list[Task] = []

    def start(self, request: TaskRequest) -> Task | Refused:
        answer = super().start(request)
        if isinstance(answer, Task):
            self.started.append(answer)
        return answer

    def all_stopped(self) -> bool:
        """Whether none of them runs."""
        return all(state.status is not TaskStatus.RUNNING for state in self.states(self.started).values())


def wait_until(happened: Callable[[], bool], most_s: float = 60) -> None:
    """Return once it has happened; fail after a minute, or so many seconds, so that a broken test ends."""
    deadline = time.monotonic() + most_s
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def fargate_settings(**changes: object) -> Settings:
    """SETTINGS with another [fargate]."""
    return replace(SETTINGS, fargate=replace(FargateSettings(), **changes))  # type: ignore[arg-type]  # passed through
