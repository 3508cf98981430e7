"""
What every place promises: each promise is a sentence here, and a test that all places pass.

A place starts tasks and tells how they are. Only the state says whether a lot is finished (`done-N.json`), so a place
may forget its tasks and nothing is lost.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.model import Call, Refused, Task, TaskRequest, TaskState
from worker.contract import Phase


class Place(Protocol):
    """
    Where tasks run.

    `start`, `states` and `stop` may be called from several threads at once.
    """

    @property
    def name(self) -> str:
        """The word that `--place` takes."""

    @property
    def max_tasks(self) -> int:
        """The most tasks that should run here at once; the caller keeps to it."""

    @property
    def spot(self) -> bool:
        """Whether tasks are to run on capacity that the place may take back at any time."""

    @property
    def ends_with_launcher(self) -> bool:
        """Whether a Ctrl-C at the launcher also stops the tasks: they run on the user's own machine."""

    def plan(self, phase: Phase) -> tuple[Call, ...]:
        """
        The calls by which `prepare` would change anything; none when the place is ready.

        Nothing is changed, so that a dry run may ask.
        """

    def prepare(self, phase: Phase) -> None:
        """
        Make the place ready for a phase's tasks (a task definition, a folder): send the calls of `plan`.

        Called before the first start of a run; a second call changes nothing.
        Raises S3ReclassError when tasks can't run here, and says what to do.
        """

    def calls(self, request: TaskRequest) -> tuple[Call, ...]:
        """
        The calls that `start` makes for this request, so that a dry run shows what a real run sends.

        What `prepare` has yet to make has its name here (a task definition without its revision).
        """

    def start(self, request: TaskRequest) -> Task | Refused:
        """
        Start one task.

        The same request twice starts one task: the second call returns the first's task, also from another launcher,
        and also when that task has stopped by now (its state says so). Throttling and passing faults are waited out for
        a while. After that they are Refused with `retry`, and so is a lack of capacity or quota.
        Never raises because of a single task.
        """

    def running(self, job: str, phase: Phase) -> Sequence[Task]:
        """Every task of the job's phase that hasn't stopped, also one that is stopping, and also another launcher's."""

    def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """
        The state of each task, by id, asked in bulk.

        Every id is in the answer; a task that the place doesn't know (any more, or yet) is UNKNOWN. A stopped task
        stays stopped. Only it has an exit code, if the place knows one: another launcher's task may have none.
        """

    def stop(self, tasks: Sequence[Task], reason: str) -> None:
        """
        Ask each task to stop (SIGTERM, and SIGKILL after a grace period), without waiting.

        Nothing happens to a task that has stopped, or is unknown.
        """
