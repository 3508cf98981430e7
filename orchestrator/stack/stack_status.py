"""What CloudFormation's status of a stack means: ready, busy, or broken until a person repairs it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """
    A stack as DescribeStacks shows it.

    id: its ARN, which still finds it once it is deleted. status, reason: CloudFormation's own words.
    parameters, outputs: by key.
    """

    id: str
    name: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class StackEvent:
    """
    One line of a stack's history.

    part: the logical id; for the stack itself, its name. resource: the physical id; for the stack itself, its ARN.
    """

    id: str
    part: str
    resource: str
    status: str
    reason: str = ""


class StackCondition(StrEnum):
    """What can be done with a stack."""

    READY = "ready"  # can be used and updated
    BUSY = "busy"  # an operation is in progress: wait
    BROKEN = "broken"  # a person must decide


# After UPDATE_ROLLBACK_COMPLETE an update has failed, and the stack is as it was before.
_OPERATIONS = ("CREATE", "UPDATE", "UPDATE_ROLLBACK", "IMPORT", "IMPORT_ROLLBACK")
_READY = {f"{operation}_COMPLETE" for operation in _OPERATIONS}


def condition_of(status: str) -> StackCondition:
    """
    What can be done with a stack of this status.

    | status | condition |
    |---|---|
    | CREATE_COMPLETE, UPDATE_COMPLETE, UPDATE_ROLLBACK_COMPLETE, the same of IMPORT_... | ready |
    | REVIEW_IN_PROGRESS: a change set that wasn't executed, and no stack yet | broken |
    | any other ..._IN_PROGRESS | busy |
    | ROLLBACK_COMPLETE, ..._FAILED | broken |

    Source: CloudFormation User Guide, "Stack status codes".
    """
    if status in _READY:
        return StackCondition.READY
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        return StackCondition.BUSY
    return StackCondition.BROKEN


def remedy(stack: Stack) -> str:
    """What to do about a broken stack."""
    if stack.status in {"UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED", "IMPORT_ROLLBACK_FAILED"}:
        return (
            "put that right, run `aws cloudformation continue-update-rollback --stack-name "
            f"{stack.name}`, then the command again"
        )
    if stack.status == "DELETE_FAILED":
        return "put that right and run `s3reclass down` again"
    return "put that right, run `s3reclass down` and then `s3reclass up`"


_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


def last_operation(newest_first: Sequence[StackEvent], stack_id: str) -> tuple[StackEvent, ...]:
    """The events of the stack's last operation, oldest first; a rollback belongs to what it undoes."""
    found = []
    for event in newest_first:
        found.append(event)
        if event.resource == stack_id and event.status in _BEGINNINGS:
            break
    return tuple(reversed(found))


def first_failure(operation: Sequence[StackEvent], stack: Stack) -> str:
    """
    Why the operation failed: its first failed part, with CloudFormation's reason. Later failures only follow from it.

    operation: its events, oldest first.
    """
    for event in operation:
        if event.status.endswith("_FAILED") and event.resource != stack.id and "cancelled" not in event.reason:
            return f"{event.part}: {event.reason or event.status}{_hint(event.reason)}"
    for event in operation:
        if event.status.endswith(("_FAILED", "ROLLBACK_IN_PROGRESS")) and event.reason:
            return event.reason
    return stack.reason or stack.status


def _hint(reason: str) -> str:
    """What to do about a reason that doesn't say it itself."""
    if "service linked role" in reason.lower().replace("-", " "):
        return (
            " (the account's first use of ECS: run "
            "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`)"
        )
    return ""
