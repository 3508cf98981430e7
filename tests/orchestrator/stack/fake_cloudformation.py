"""A CloudFormation of one stack in memory: it checks requests as botocore does, and follows a script of mishaps."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.validate import ParamValidator

OUTPUTS = {
    "TemplateVersion": "1",
    "ClusterName": "the-cluster",
    "RepositoryName": "the-repository",
    "StateBucketName": "the-state",
    "LogGroupName": "the-logs",
    "TaskRoleArn": "arn:aws:iam::123456789012:role/task",
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/execution",
    "SecurityGroupId": "sg-1",
    "SubnetIds": "subnet-1,subnet-2",
}
PARTS = {
    "Cluster": "the-cluster",
    "Repository": "the-repository",
    "StateBucket": "the-state",
    "StateBucketPolicy": "the-state-policy",
    "LogGroup": "the-logs",
}
_MODEL = Session().get_service_model("cloudformation")


class FakeCloudFormation:
    """
    A boto3 client of CloudFormation, as far as s3reclass calls it.

    status: the stack's, "" when there is none.
    calls: the changing requests, in order, as (operation, parameters).
    next_statuses: what the stack becomes, one for each further DescribeStacks.
    ends: the status that each operation ends with, by operation; the good one where it isn't named.
    reason: why a part fails, when an operation ends badly.
    refusals: errors that operations raise instead, by operation, each once.
    """

    def __init__(self, status: str = "", parameters: Mapping[str, str] | None = None) -> None:
        self.meta = SimpleNamespace(region_name="eu-west-1", partition="aws")
        self.status = status
        self.parameters = dict(parameters or {})
        self.outputs = dict(OUTPUTS)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.next_statuses: list[str] = []
        self.ends: dict[str, str] = {}
        self.reason = "Resource handler returned message: no"
        self.refusals: dict[str, tuple[str, str]] = {}
        self._events: list[dict[str, str]] = []

    @property
    def id(self) -> str:
        """The stack's ARN."""
        return "arn:aws:cloudformation:eu-west-1:123456789012:stack/s3reclass/1"

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 (boto3's name)
        """The stack, one status further."""
        if self.next_statuses:
            self.status = self.next_statuses.pop(0)
        if not self.status or (self.status == "DELETE_COMPLETE" and StackName != self.id):
            raise _error("ValidationError", f"Stack with id {StackName} does not exist", "DescribeStacks")
        outputs = self.outputs if "COMPLETE" in self.status and self.status != "ROLLBACK_COMPLETE" else {}
        stack = {
            "StackId": self.id,
            "StackName": "s3reclass",
            "StackStatus": self.status,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }
        return {"Stacks": [stack]}

    def create_stack(self, **request: Any) -> None:
        """Begin to make it."""
        self._begin("create_stack", "CreateStack", request)
        self.parameters = _values(request, {})
        self._run("CREATE", self.ends.get("create_stack", "CREATE_COMPLETE"))

    def update_stack(self, **request: Any) -> None:
        """Begin to update it."""
        self._begin("update_stack", "UpdateStack", request)
        end = self.ends.get("update_stack", "UPDATE_COMPLETE")
        if end == "UPDATE_COMPLETE":
            self.parameters = _values(request, self.parameters)
        self._run("UPDATE", end)

    def delete_stack(self, **request: Any) -> None:
        """Begin to delete it."""
        self._begin("delete_stack", "DeleteStack", request)
        self._run("DELETE", self.ends.get("delete_stack", "DELETE_COMPLETE"))

    def get_paginator(self, operation: str) -> Any:
        """A paginator of one page."""
        page: Mapping[str, Any] = {
            "describe_stack_events": {"StackEvents": self._events},
            "list_stack_resources": {
                "StackResourceSummaries": [
                    {"LogicalResourceId": part, "PhysicalResourceId": name, "ResourceStatus": "CREATE_COMPLETE"}
                    for part, name in PARTS.items()
                ]
            },
        }[operation]

        def paginate(**_: Any) -> Iterator[Mapping[str, Any]]:
            yield page

        return SimpleNamespace(paginate=paginate)

    def _begin(self, name: str, operation: str, request: Mapping[str, Any]) -> None:
        """Check the request, note it, and refuse it if the script says so."""
        shape = _MODEL.operation_model(operation).input_shape
        assert shape
        errors = ParamValidator().validate(request, shape)
        assert not errors.has_errors(), errors.generate_report()
        self.calls.append((name, request))
        if name in self.refusals:
            code, message = self.refusals.pop(name)
            raise _error(code, message, operation)

    def _run(self, word: str, end: str) -> None:
        """Go through an operation: its events at once, its end at the second look."""
        self._event("s3reclass", self.id, f"{word}_IN_PROGRESS", "User Initiated")
        self._event("Cluster", "the-cluster", f"{word}_IN_PROGRESS")
        if end in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}:
            self._event("Cluster", "the-cluster", f"{word}_COMPLETE")
        else:
            self._event("Cluster", "the-cluster", f"{word}_FAILED", self.reason)
            self._event("LogGroup", "the-logs", f"{word}_FAILED", "Resource creation cancelled")
            self._event("s3reclass", self.id, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed: [Cluster]")
        self.status = f"{word}_IN_PROGRESS"
        self.next_statuses += [self.status, end]

    def _event(self, part: str, resource: str, status: str, reason: str = "") -> None:
        """Put an event on top: CloudFormation tells the newest first."""
        event = {
            "EventId": str(len(self._events)),
            "LogicalResourceId": part,
            "PhysicalResourceId": resource,
            "ResourceStatus": status,
        }
        self._events.insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))


def _values(request: Mapping[str, Any], previous: Mapping[str, str]) -> dict[str, str]:
    return {
        one["ParameterKey"]: previous[one["ParameterKey"]] if one.get("UsePreviousValue") else one["ParameterValue"]
        for one in request["Parameters"]
    }


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
