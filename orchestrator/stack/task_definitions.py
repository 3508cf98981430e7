"""The task definitions that refer to the stack. Calls ECS."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from orchestrator.common.aws_sessions import aws_errors, client
from orchestrator.errors import S3ReclassError

MAX_DELETED = 10
"""Revisions in one DeleteTaskDefinitions call (ECS API Reference; botocore 1.44.5)."""


def remove_task_definitions(
    families: Iterable[str], chosen: Callable[[Mapping[str, Any]], bool], *, ecs: Any = None
) -> int:
    """
    Deregister and delete the revisions of these families that are chosen: how many there were.

    chosen: told what DescribeTaskDefinition says of a revision. Those that were deregistered before are deleted too.
    Raises S3ReclassError when something is refused; what was done by then stays done, and asking again goes on.
    """
    ecs = ecs or client("ecs")
    names = ", ".join(families := tuple(families))
    with aws_errors(f"removing the task definitions {names}"):
        found = [arn for family in families for arn in _deregistered(ecs, family, chosen)]
        for first in range(0, len(found), MAX_DELETED):
            answer = ecs.delete_task_definitions(taskDefinitions=found[first : first + MAX_DELETED])
            for failure in answer.get("failures", ()):
                raise S3ReclassError(
                    f"removing the task definition {failure.get('arn')}: {failure.get('reason')} "
                    f"{failure.get('detail', '')}".rstrip()
                )
    return len(found)


def _deregistered(ecs: Any, family: str, chosen: Callable[[Mapping[str, Any]], bool]) -> Iterator[str]:
    """The ARN of each chosen revision, deregistered now if it wasn't: only such can be deleted."""
    for status in ("INACTIVE", "ACTIVE"):
        pages = ecs.get_paginator("list_task_definitions").paginate(familyPrefix=family, status=status)
        # All of them first: a list that shrinks while it is read skips some.
        for arn in [arn for page in pages for arn in page["taskDefinitionArns"]]:
            if chosen(ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]):
                if status == "ACTIVE":
                    ecs.deregister_task_definition(taskDefinition=arn)
                yield arn
