"""What CloudFormation's words mean."""

import pytest

from orchestrator.stack.stack_status import (
    Stack,
    StackCondition,
    StackEvent,
    condition_of,
    first_failure,
    last_operation,
    remedy,
)

STACK = Stack(id="arn:stack", name="s3reclass", status="ROLLBACK_COMPLETE", reason="why")


def event(part: str, status: str, reason: str = "", resource: str = "physical") -> StackEvent:
    """One event; the stack's own has the stack's ARN."""
    return StackEvent(id=f"{part} {status}", part=part, resource=resource, status=status, reason=reason)


def whole(status: str, reason: str = "") -> StackEvent:
    """An event of the stack itself."""
    return event("s3reclass", status, reason, "arn:stack")


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        (StackCondition.READY, "CREATE_COMPLETE"),
        (StackCondition.READY, "UPDATE_COMPLETE"),
        (StackCondition.READY, "UPDATE_ROLLBACK_COMPLETE"),
        (StackCondition.READY, "IMPORT_COMPLETE"),
        (StackCondition.BUSY, "CREATE_IN_PROGRESS"),
        (StackCondition.BUSY, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        (StackCondition.BUSY, "ROLLBACK_IN_PROGRESS"),
        (StackCondition.BUSY, "DELETE_IN_PROGRESS"),
        (StackCondition.BROKEN, "REVIEW_IN_PROGRESS"),
        (StackCondition.BROKEN, "ROLLBACK_COMPLETE"),
        (StackCondition.BROKEN, "ROLLBACK_FAILED"),
        (StackCondition.BROKEN, "CREATE_FAILED"),
        (StackCondition.BROKEN, "DELETE_FAILED"),
        (StackCondition.BROKEN, "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_standing(expected: StackCondition, status: str) -> None:
    """Ready, busy or broken."""
    assert condition_of(status) is expected


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("run `s3reclass down` and then `s3reclass up`", "ROLLBACK_COMPLETE"),
        ("run `s3reclass down` again", "DELETE_FAILED"),
        ("aws cloudformation continue-update-rollback --stack-name s3reclass", "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_each_broken_stack_has_a_remedy(words: str, status: str) -> None:
    """What to run next."""
    assert words in remedy(Stack(id="i", name="s3reclass", status=status))


def test_the_last_operation_begins_where_the_stack_began_it() -> None:
    """Older operations don't count; a rollback belongs to what it undoes."""
    update = [
        whole("UPDATE_IN_PROGRESS"),
        event("TaskRole", "UPDATE_FAILED", "no"),
        whole("UPDATE_ROLLBACK_IN_PROGRESS"),
        whole("UPDATE_ROLLBACK_COMPLETE"),
    ]
    history = [whole("CREATE_IN_PROGRESS"), event("TaskRole", "CREATE_COMPLETE"), whole("CREATE_COMPLETE"), *update]

    assert last_operation(history[::-1], "arn:stack") == tuple(update)


def test_the_first_failure_is_the_cause() -> None:
    """What was cancelled because of it, and the stack's own summary, only follow."""
    events = [
        whole("CREATE_IN_PROGRESS", "User Initiated"),
        event("LogGroup", "CREATE_FAILED", "Resource creation cancelled"),
        event("TaskRole", "CREATE_FAILED", "you may not create roles"),
        event("Cluster", "CREATE_FAILED", "later"),
        whole("ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create"),
    ]

    assert first_failure(events, STACK) == "TaskRole: you may not create roles"


def test_a_failure_without_a_failed_part_is_the_stacks_own() -> None:
    """A template that CloudFormation refuses as a whole; and, with no events left, what the stack says."""
    assert first_failure([whole("ROLLBACK_IN_PROGRESS", "Validation failed")], STACK) == "Validation failed"
    assert first_failure([], STACK) == "why"
    assert first_failure([], Stack(id="i", name="n", status="ROLLBACK_COMPLETE")) == "ROLLBACK_COMPLETE"


def test_an_account_that_never_used_ecs_is_told_what_it_lacks() -> None:
    """The first cluster with Fargate capacity fails for want of ECS's own role."""
    reason = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."

    assert "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com" in first_failure(
        [event("Cluster", "CREATE_FAILED", reason)], STACK
    )
