"""Taking the stack down: find what would go, refuse what would do harm, delete, and say what was kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.common.aws_sessions import client
from orchestrator.errors import S3ReclassError
from orchestrator.objects.buckets import delete_bucket, empty_bucket, is_empty
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.places.fargate_task_definition import family, uses_part_of
from orchestrator.settings.settings import Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.parameters import template_version
from orchestrator.stack.stack_status import Stack
from worker.contract import Phase

FAMILIES = tuple(family(phase) for phase in Phase)


@dataclass(frozen=True, kw_only=True, slots=True)
class Teardown:
    """
    What `down` would remove.

    parts: the physical id of every part of the stack, by logical id.
    state_bucket: the stack's state bucket; "" when it has none, or none any more.
    state_is_empty: deleting the bucket loses nothing.
    """

    stack: Stack
    parts: Mapping[str, str]
    state_bucket: str
    state_is_empty: bool


def plan_teardown(settings: Settings, *, cloudformation: CloudFormation | None = None) -> Teardown | None:
    """
    What `down` would remove, or None when there is no stack.

    Raises S3ReclassError when the stack isn't ours or tasks still run.
    """
    cloudformation = cloudformation or CloudFormation(settings.stack)
    stack = cloudformation.describe_stack()
    if stack is None:
        return None
    if template_version(stack.parameters) is None:
        raise S3ReclassError(f"the stack {stack.name} isn't s3reclass's: it is left alone (check --stack)")
    parts = cloudformation.parts()
    ecs = Ecs(client("ecs"))
    running = ecs.count_tasks(parts["Cluster"]) if parts.get("Cluster") else 0
    if settings.fargate.cluster and settings.fargate.cluster != parts.get("Cluster"):
        running += sum(ecs.count_tasks(settings.fargate.cluster, one) for one in FAMILIES)
    if running:
        raise S3ReclassError(
            f"{running} tasks still run with what the stack {stack.name} made: run `s3reclass stop`, or wait for them"
        )
    bucket = parts.get("StateBucket", "")
    return Teardown(stack=stack, parts=parts, state_bucket=bucket, state_is_empty=not bucket or is_empty(bucket))


def take_down(
    teardown: Teardown,
    *,
    delete_state: bool,
    say: Callable[[str], None],
    cloudformation: CloudFormation | None = None,
    ecs: Ecs | None = None,
) -> None:
    """
    Delete the stack, wait until it is gone, then delete what it leaves behind.

    It leaves the task definitions that used it, and its state bucket; the bucket goes if it is empty or with
    `delete_state`. The stack goes first: while it exists, a task could still write to the state.
    Raises S3ReclassError when something can't be deleted.
    """
    cloudformation = cloudformation or CloudFormation(teardown.stack.name)
    say(f"stack {teardown.stack.name}: deleting it")
    cloudformation.delete_stack()
    left = cloudformation.wait(teardown.stack.id, say)
    if left:
        raise S3ReclassError(
            f"the stack {left.name} could not be deleted ({left.status}): {cloudformation.failure(left)}: "
            "put that right and run `s3reclass down` again"
        )
    say(f"stack {teardown.stack.name}: gone")
    _remove_task_definitions(teardown, say, ecs or Ecs(client("ecs")))
    bucket = teardown.state_bucket
    if not bucket:
        return
    if delete_state:
        say(f"state bucket {bucket}: emptied ({empty_bucket(bucket)} deleted)")
    if delete_state or is_empty(bucket):
        delete_bucket(bucket)
        say(f"state bucket {bucket}: gone")
    else:
        say(
            f"state bucket {bucket}: kept, with the state of your jobs; to go on with them later, "
            f'put state = "s3://{bucket}" in s3reclass.toml; to remove it, delete all versions in it, then the bucket'
        )


def _remove_task_definitions(teardown: Teardown, say: Callable[[str], None], ecs: Ecs) -> None:
    """
    Remove the task definitions that refer to parts of the stack; another stack's, in the same families, stay.

    They cost nothing: a refusal is told, and the rest is removed all the same.
    """
    try:
        removed = ecs.remove_task_definitions(FAMILIES, lambda found: uses_part_of(found, teardown.parts))
    except S3ReclassError as error:
        say(f"task definitions: some stay, which cost nothing: {error}")
        return
    if removed:
        say(f"task definitions: {removed} removed")
