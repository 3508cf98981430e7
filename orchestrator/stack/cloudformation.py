"""The stack: described, created, updated, deleted, and waited for. Calls CloudFormation."""

from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.common.aws_sessions import aws_errors, client, error_code
from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.stack.stack_status import (
    Stack,
    StackCondition,
    StackEvent,
    condition_of,
    first_failure,
    last_operation,
)

FIRST_POLL_S = 0.5
LONGEST_POLL_S = 5.0
PATIENCE_S = 1800.0
"""Seconds to wait for an operation; deleting a security group that still has network interfaces takes longest."""

TAGS = ({"Key": "CreatedBy", "Value": "s3reclass"},)


def template() -> str:
    """The text of stack.yaml."""
    return (resources.files("orchestrator.stack") / "stack.yaml").read_text(encoding="utf-8")


class CloudFormation:
    """
    CloudFormation, for one stack.

    name: the stack's.
    """

    def __init__(self, name: str, *, cloudformation: Any = None, clock: Clock | None = None) -> None:
        self.name = name
        self._client = cloudformation or client("cloudformation")
        self._clock = clock or Clock()

    @property
    def region(self) -> str:
        """The stack's Region."""
        return str(self._client.meta.region_name)

    @property
    def partition(self) -> str:
        """The partition in every ARN here: `aws`, `aws-cn`, ..."""
        return str(self._client.meta.partition)

    def describe_stack(self, name: str = "") -> Stack | None:
        """The stack, or None when there is none; name: its id, which also finds a deleted one."""
        try:
            with aws_errors(f"reading the stack {self.name}"):
                answer = self._client.describe_stacks(StackName=name or self.name)["Stacks"]
        except S3ReclassError as error:
            # CloudFormation has no error code of its own for a missing stack.
            if _says(error, "ValidationError", "does not exist"):
                return None
            raise
        return _stack(answer[0])

    def create_stack(self, parameters: Mapping[str, str]) -> bool:
        """Begin to create the stack; False when another launcher was faster."""
        try:
            with aws_errors(f"making the stack {self.name}"):
                self._client.create_stack(
                    StackName=self.name,
                    TemplateBody=template(),
                    Parameters=_parameters(parameters),
                    Capabilities=["CAPABILITY_IAM"],
                    Tags=list(TAGS),
                )
        except S3ReclassError as error:
            if _says(error, "AlreadyExistsException", ""):
                return False
            raise
        return True

    def update_stack(self, parameters: Mapping[str, str], *, kept: Sequence[str], own_template: bool) -> bool:
        """
        Begin to update the stack; False when there is nothing to update. An update in progress counts as begun.

        kept: names of parameters that keep their values.
        own_template: use this version's template instead of the stack's.
        """
        body = {"TemplateBody": template()} if own_template else {"UsePreviousTemplate": True}
        try:
            with aws_errors(f"updating the stack {self.name}"):
                self._client.update_stack(
                    StackName=self.name,
                    Parameters=_parameters(parameters)
                    + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept],
                    Capabilities=["CAPABILITY_IAM"],
                    Tags=list(TAGS),
                    **body,
                )
        except S3ReclassError as error:
            if _says(error, "ValidationError", "No updates are to be performed"):
                return False
            if not _says(error, "ValidationError", "_IN_PROGRESS state"):
                raise
        return True

    def delete_stack(self) -> None:
        """Begin to delete the stack."""
        with aws_errors(f"deleting the stack {self.name}"):
            self._client.delete_stack(StackName=self.name)

    def parts(self) -> dict[str, str]:
        """The physical id of each part of the stack, by logical id."""
        with aws_errors(f"reading the parts of the stack {self.name}"):
            pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
            found = [one for page in pages for one in page["StackResourceSummaries"]]
        gone = {"DELETE_COMPLETE", "DELETE_SKIPPED"}
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one.get("PhysicalResourceId") and one["ResourceStatus"] not in gone
        }

    def wait(self, stack_id: str, say: Callable[[str], None]) -> Stack | None:
        """
        The stack when its operation has ended, or None when it is gone.

        say: takes a line on each part that is finished or failed.
        Raises S3ReclassError when the operation outlasts PATIENCE_S.
        """
        told: set[str] = set()
        deadline = self._clock.monotonic() + PATIENCE_S
        pause = FIRST_POLL_S
        while True:
            stack = self.describe_stack(stack_id)
            for event in self._operation(stack_id):
                if event.id not in told and event.resource != stack_id and not event.status.endswith("_IN_PROGRESS"):
                    say(f"  {event.part} {event.status}" + (f": {event.reason}" if event.reason else ""))
                told.add(event.id)
            if stack is None or stack.status == "DELETE_COMPLETE":
                return None
            if condition_of(stack.status) is not StackCondition.BUSY:
                return stack
            if self._clock.monotonic() > deadline:
                raise S3ReclassError(
                    f"the stack {self.name} is still {stack.status} after {PATIENCE_S / 60:.0f} minutes: "
                    "look at its events in the CloudFormation console, then run the command again"
                )
            self._clock.sleep(pause)
            pause = min(pause * 2, LONGEST_POLL_S)

    def failure(self, stack: Stack) -> str:
        """Why the stack's last operation failed."""
        return first_failure(self._operation(stack.id), stack)

    def _operation(self, stack_id: str) -> tuple[StackEvent, ...]:
        """The events of the last operation, oldest first; none for a stack that is gone."""
        try:
            with aws_errors(f"reading the events of the stack {self.name}"):
                newest_first: list[StackEvent] = []
                for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
                    newest_first += map(_event, page["StackEvents"])
                    operation = last_operation(newest_first, stack_id)
                    if len(operation) < len(newest_first):
                        break
        except S3ReclassError as error:
            if _says(error, "ValidationError", "does not exist"):
                return ()
            raise
        return last_operation(newest_first, stack_id)


def _says(error: S3ReclassError, code: str, text: str) -> bool:
    """Whether the error comes from an answer of AWS's with this code, and this text in its message."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and error_code(cause) == code and text in str(cause)


def _parameters(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def _stack(answer: Mapping[str, Any]) -> Stack:
    return Stack(
        id=answer["StackId"],
        name=answer["StackName"],
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason", ""),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in answer.get("Parameters", ())},
        outputs={one["OutputKey"]: one["OutputValue"] for one in answer.get("Outputs", ())},
    )


def _event(answer: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        id=answer["EventId"],
        part=answer["LogicalResourceId"],
        resource=answer.get("PhysicalResourceId", ""),
        status=answer["ResourceStatus"],
        reason=answer.get("ResourceStatusReason", ""),
    )
