"""The place `fargate`: each task is an ECS task of its own. `task_states.py` reads what ECS says."""

from collections.abc import Mapping, Sequence

from orchestrator.errors import S3ReclassError
from orchestrator.model import Call, Image, Refused, Resources, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.places.fargate_run_task import Patience, Rejection, run_task
from orchestrator.places.fargate_task_definition import family, same_definition, task_definition
from orchestrator.places.task_states import has_stopped, ours, task_state
from orchestrator.settings.settings import Settings
from worker.contract import Phase

MAX_TASKS = 50
"""
Tasks at once unless `--max-tasks` says otherwise: 25 vCPU at the default size.

More would wait at S3's own limits (1,000 restore requests a second for the whole account). An account's quota may be
as low as 6 vCPU: ECS then refuses the rest, and they start as others end.
"""


class FargatePlace:
    """
    Tasks on Fargate; see `Place` for what each method promises.

    A task's id is its ARN. ECS forgets a stopped task after about an hour, and may not know a new one for some seconds:
    both are UNKNOWN.
    image: what tasks run; None for a place that starts none.
    """

    name = "fargate"
    ends_with_launcher = False

    def __init__(self, ecs: Ecs, settings: Settings, resources: Resources, image: Image | None) -> None:
        self._ecs = ecs
        self._settings = settings
        self._resources = resources
        self._image = image
        self._revisions: dict[Phase, str] = {}

    @property
    def max_tasks(self) -> int:
        """`--max-tasks`, or MAX_TASKS."""
        return self._settings.max_tasks or MAX_TASKS

    @property
    def spot(self) -> bool:
        """`--spot`: FARGATE_SPOT."""
        return self._settings.fargate.spot

    def plan(self, phase: Phase) -> tuple[Call, ...]:
        """The definition to register, unless the family's newest revision has the same content: that one is run."""
        wanted = self._definition(phase)
        found = self._ecs.describe_task_definition(family(phase))
        if found and same_definition(wanted.parameters, found):
            self._revisions[phase] = str(found["taskDefinitionArn"])
            return ()
        self._revisions.pop(phase, None)
        return (wanted,)

    def prepare(self, phase: Phase) -> None:
        """Register the phase's definition if its content is new; this run's tasks keep to its revision."""
        for call in self.plan(phase):
            self._revisions[phase] = self._ecs.register_task_definition(call.parameters)

    def calls(self, request: TaskRequest) -> tuple[Call, ...]:
        """The `RunTask` of the request."""
        return (self._run_task(request),)

    def start(self, request: TaskRequest) -> Task | Refused:
        """Run the pinned revision with the request's command line."""
        answer = self._ecs.run_task(self._run_task(request).parameters)
        if isinstance(answer, Rejection):
            return Refused(
                request=request,
                reason=answer.reason,
                retry=answer.patience is not Patience.NONE,
                no_capacity=answer.no_capacity,
            )
        return Task(id=answer, phase=request.phase, lot=request.lot, attempt=request.attempt)

    def running(self, job: str, phase: Phase) -> Sequence[Task]:
        """The job's tasks that ECS wants to run, and those that it wants stopped but that still run."""
        cluster = self._resources.cluster
        arns = [arn for desired in ("RUNNING", "STOPPED") for arn in self._ecs.list_tasks(cluster, job, desired)]
        described = self._ecs.describe_tasks(cluster, list(dict.fromkeys(arns)))
        found = (ours(task, phase) for task in described if not has_stopped(task))
        return [task for task in found if task]

    def states(self, tasks: Sequence[Task]) -> Mapping[str, TaskState]:
        """What DescribeTasks says of each."""
        lots = {task.id: task.lot for task in tasks}
        public = self._resources.assign_public_ip
        described = {str(one["taskArn"]): one for one in self._ecs.describe_tasks(self._resources.cluster, list(lots))}
        known = {arn: task_state(one, lot=lots.get(arn, ""), assign_public_ip=public) for arn, one in described.items()}
        return dict.fromkeys(lots, TaskState(status=TaskStatus.UNKNOWN)) | known

    def stop(self, tasks: Sequence[Task], reason: str) -> None:
        """StopTask for each; the container's stopTimeout is the grace period."""
        for task in tasks:
            self._ecs.stop_task(self._resources.cluster, task.id, reason)

    def _definition(self, phase: Phase) -> Call:
        if self._image is None:
            raise S3ReclassError("there is no worker image: run `s3reclass push-image`")
        return task_definition(phase, self._settings, self._resources, self._image, self._ecs.region)

    def _run_task(self, request: TaskRequest) -> Call:
        definition = self._revisions.get(request.phase, family(request.phase))
        return run_task(request, definition=definition, resources=self._resources)
