"""
What every place promises: one protocol, each promise a sentence here and a test in the suite that all places pass.

A place starts tasks and tells how they are. It doesn't know what a finished lot is: that is for the
state to say (`done-N.json`), so a place may forget its tasks and nothing is lost.
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
        """How many tasks should run here at once, at most; the caller keeps to it."""

    @property
    def spot(self) -> bool:
        """Whether tasks are to run on capacity that the place may take back at any time, as long as that works out."""

    @property
    def ends_with_launcher(self) -> bool:
        """Whether Ctrl-C at the launcher is meant for the tasks too: they run on the user's own machine."""

    def plan(self, phase: Phase) -> tuple[Call, ...]:
        """
        What `prepare` would send to change anything, without sending it; nothing when the place is ready.

        Looks, but changes nothing, so that a dry run may ask.
        """

    def prepare(self, phase: Phase) -> None:
        """
        Make the place ready for a phase's tasks (a task definition, a folder): send what `plan` tells.

        Called before the first start of a run; calling it again changes nothing.
        Raises S3ReclassError when tasks can't run here, saying what to do.
        """

    def calls(self, request: TaskRequest) -> tuple[Call, ...]:
        """
        What `start` would send for this request, without sending it: `start` sends this very thing.

        So a dry run can't drift from the real one. What `prepare` has yet to make stands under its
        name (a task definition without its revision).
        """

    def start(self, request: TaskRequest) -> Task | Refused:
        """
        Start one task.

        The same request twice starts one task: the second call returns the first's task, also from
        another launcher, and even when that task has stopped by now (its state then says so).
        Throttling and passing faults are waited out a while here; what then remains is Refused with
        `retry`, as is a lack of capacity or quota, which ends when tasks end.
        Never raises for a single task's sake.
        """

    def running(self, job: str, phase: Phase) -> Sequence[Task]:
        """Every task of the job's phase that hasn't stopped, stopping ones included, whoever started it."""

    def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """
        The state of each task, by id, asked in bulk.

        Every id asked for is in the answer; one the place doesn't know (any more, or yet) is UNKNOWN.
        A stopped task stays stopped. An exit code is told only of a stopped task, and only if the
        place knows it: a task that another launcher started may end without one.
        """

    def stop(self, tasks: Sequence[Task], reason: str) -> None:
        """
        Ask each task to stop (SIGTERM, then after a grace period SIGKILL) and return without waiting.

        Stopping a task that has stopped already, or is unknown, does nothing.
        """
