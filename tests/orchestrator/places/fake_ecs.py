"""
A small ECS in memory, at the level of boto3's client, with the traps of the real one.

Every call's parameters are checked against botocore's own service model, so a request that ECS would
refuse for its shape fails a test here. Tasks do nothing by themselves: a test says what becomes of them.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any, NoReturn

import botocore.session
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

CLUSTER = "s3reclass"
ACCOUNT = "arn:aws:ecs:eu-west-1:123456789012"
ECS_CAMEL = {
    "describe_task_definition": "DescribeTaskDefinition",
    "describe_tasks": "DescribeTasks",
    "list_tasks": "ListTasks",
    "register_task_definition": "RegisterTaskDefinition",
    "run_task": "RunTask",
    "stop_task": "StopTask",
}


@cache
def ecs_model() -> ServiceModel:
    """ECS as botocore describes it."""
    return botocore.session.get_session().get_service_model("ecs")


class _Meta:
    region_name = "eu-west-1"


class FakeEcs:
    """
    ECS with one cluster.

    calls: every call made, as (operation, parameters).
    faults: what the next calls of an operation raise or answer instead, in order.
    page_size: tasks in a page of ListTasks.
    unseen: how many DescribeTasks calls a new task is MISSING from.
    has_spot: whether the cluster has the FARGATE_SPOT capacity provider.
    """

    meta = _Meta()

    def __init__(self, *, page_size: int = 100, unseen: int = 0, has_spot: bool = True) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[Exception | dict[str, Any]]] = {}
        self.page_size = page_size
        self.unseen = unseen
        self.has_spot = has_spot
        self.tasks: dict[str, dict[str, Any]] = {}
        self.revisions: dict[str, list[dict[str, Any]]] = {}
        self._tokens: dict[str, tuple[str, dict[str, Any]]] = {}
        self._unseen: dict[str, int] = {}

    # ------------------------------------------------------------ what a test makes happen

    def pull(self, arn: str) -> None:
        """A task waits for its image; ECS shows an exit code of 0 for a container that hasn't begun."""
        self.tasks[arn]["lastStatus"] = "PENDING"
        self.tasks[arn]["containers"] = [{"name": "worker", "lastStatus": "PENDING", "exitCode": 0}]

    def begin(self, arn: str) -> None:
        """A task's container runs."""
        self.tasks[arn]["lastStatus"] = "RUNNING"
        self.tasks[arn]["startedAt"] = 1_800_000_000
        self.tasks[arn]["containers"] = [{"name": "worker", "lastStatus": "RUNNING"}]

    def end(
        self,
        arn: str,
        exit_code: int | None,
        stop_code: str = "EssentialContainerExited",
        reason: str = "Essential container in task exited",
    ) -> None:
        """A task has stopped; exit_code: None for one that ECS doesn't tell."""
        container: dict[str, Any] = {"name": "worker", "lastStatus": "STOPPED"}
        if exit_code is not None:
            container["exitCode"] = exit_code
        self.tasks[arn] |= {
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "stopCode": stop_code,
            "stoppedReason": reason,
            "containers": [container],
        }

    def forget(self, arn: str) -> None:
        """An hour has passed since a task stopped."""
        del self.tasks[arn]

    def called(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    # ------------------------------------------------------------ boto3's methods

    def run_task(self, **parameters: Any) -> dict[str, Any]:
        """RunTask: one task for a token, in 24 hours."""
        answer = self._called("run_task", parameters)
        if answer is not None:
            return answer
        if parameters["cluster"] != CLUSTER:
            self.refuse("RunTask", "ClusterNotFoundException", "Cluster not found.")
        if parameters.get("count", 1) > 10 or len(json.dumps(parameters["overrides"])) > 8192:
            self.refuse("RunTask", "InvalidParameterException", "too much")
        if "capacityProviderStrategy" in parameters and not self.has_spot:
            self.refuse(
                "RunTask",
                "InvalidParameterException",
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated "
                "with the cluster.",
            )
        known = self._tokens.get(parameters["clientToken"])
        if known and known[1] != parameters:
            self.refuse("RunTask", "ConflictException", "The clientToken is in use.", resourceIds=[known[0]])
        if known and known[0] in self.tasks:
            return {"tasks": [deepcopy(self.tasks[known[0]])], "failures": []}
        arn = f"{ACCOUNT}:task/{CLUSTER}/{len(self._tokens):032x}"
        self._tokens[parameters["clientToken"]] = (arn, deepcopy(parameters))
        self._unseen[arn] = self.unseen
        self.tasks[arn] = {
            "taskArn": arn,
            "lastStatus": "PROVISIONING",
            "desiredStatus": "RUNNING",
            "startedBy": parameters["startedBy"],
            "overrides": deepcopy(parameters["overrides"]),
            "containers": [{"name": "worker", "lastStatus": "PENDING"}],
            "tags": deepcopy(parameters.get("tags", [])),
        }
        return {"tasks": [deepcopy(self.tasks[arn])], "failures": []}

    def list_tasks(self, **parameters: Any) -> dict[str, Any]:
        """ListTasks: pages, and no other filter beside startedBy but the desired status."""
        answer = self._called("list_tasks", parameters)
        if answer is not None:
            return answer
        if parameters["cluster"] != CLUSTER:
            self.refuse("ListTasks", "ClusterNotFoundException", "Cluster not found.")
        if "startedBy" in parameters and {"family", "serviceName", "launchType"} & parameters.keys():
            self.refuse("ListTasks", "InvalidParameterException", "startedBy must be the only filter.")
        arns = [
            arn
            for arn, task in self.tasks.items()
            if task["startedBy"] == parameters["startedBy"]
            and task["desiredStatus"] == parameters.get("desiredStatus", "RUNNING")
        ]
        start = int(parameters.get("nextToken", 0))
        page = {"taskArns": arns[start : start + self.page_size]}
        return page | ({"nextToken": str(start + self.page_size)} if start + self.page_size < len(arns) else {})

    def describe_tasks(self, **parameters: Any) -> dict[str, Any]:
        """DescribeTasks: at most 100, new tasks MISSING for a while, tags only when asked for."""
        answer = self._called("describe_tasks", parameters)
        if answer is not None:
            return answer
        if not 1 <= len(parameters["tasks"]) <= 100:
            self.refuse("DescribeTasks", "InvalidParameterException", "Tasks must have 1 to 100 items.")
        found, failures = [], []
        for arn in parameters["tasks"]:
            if arn not in self.tasks or self._unseen.get(arn, 0) > 0:
                self._unseen[arn] = self._unseen.get(arn, 0) - 1
                failures.append({"arn": arn, "reason": "MISSING"})
                continue
            task = deepcopy(self.tasks[arn])
            if "TAGS" not in parameters.get("include", []):
                del task["tags"]
            found.append(task)
        return {"tasks": found, "failures": failures}

    def stop_task(self, **parameters: Any) -> dict[str, Any]:
        """StopTask: the tags go, the wish changes at once, the task stops when it stops."""
        answer = self._called("stop_task", parameters)
        if answer is not None:
            return answer
        task = self.tasks.get(parameters["task"])
        if task is None:
            self.refuse("StopTask", "InvalidParameterException", "The referenced task was not found.")
        task["tags"] = []
        if task["lastStatus"] != "STOPPED":
            task |= {"desiredStatus": "STOPPED", "stopCode": "UserInitiated", "stoppedReason": parameters["reason"]}
        return {"task": deepcopy(task)}

    def register_task_definition(self, **parameters: Any) -> dict[str, Any]:
        """RegisterTaskDefinition: a revision more, with what ECS fills in."""
        answer = self._called("register_task_definition", parameters)
        if answer is not None:
            return answer
        revisions = self.revisions.setdefault(parameters["family"], [])
        filled_in = {"cpu": 0, "portMappings": [], "mountPoints": [], "volumesFrom": [], "systemControls": []}
        revisions.append(
            {
                **deepcopy(parameters),
                "taskDefinitionArn": f"{ACCOUNT}:task-definition/{parameters['family']}:{len(revisions) + 1}",
                "revision": len(revisions) + 1,
                "status": "ACTIVE",
                "volumes": [],
                "placementConstraints": [],
                "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.task-iam-role"}],
                "compatibilities": ["EC2", "FARGATE"],
                "registeredBy": "arn:aws:iam::123456789012:user/somebody",
                "enableFaultInjection": False,
                "containerDefinitions": [filled_in | one for one in parameters["containerDefinitions"]],
            }
        )
        return {"taskDefinition": deepcopy(revisions[-1])}

    def describe_task_definition(self, **parameters: Any) -> dict[str, Any]:
        """DescribeTaskDefinition: the newest revision of a family."""
        answer = self._called("describe_task_definition", parameters)
        if answer is not None:
            return answer
        revisions = self.revisions.get(parameters["taskDefinition"])
        if not revisions:
            self.refuse("DescribeTaskDefinition", "ClientException", "Unable to describe task definition.")
        return {"taskDefinition": deepcopy(revisions[-1])}

    # ------------------------------------------------------------ errors

    def refuse(self, operation: str, code: str, message: str, **more: Any) -> NoReturn:
        """Raise what boto3 raises for an error of ECS."""
        raise refusal(operation, code, message, **more)

    def _called(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Note and check a call; the answer that a test has put in its place, if any."""
        shape = ecs_model().operation_model(ECS_CAMEL[operation]).input_shape
        assert shape is not None
        report = ParamValidator().validate(parameters, shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append((operation, deepcopy(dict(parameters))))
        waiting = self.faults.get(operation)
        if not waiting:
            return None
        fault = waiting.pop(0)
        if isinstance(fault, Exception):
            raise fault
        return fault


def refusal(operation: str, code: str, message: str, **more: Any) -> ClientError:
    """An error of ECS as boto3 raises it; more: the error's own members."""
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, operation)  # type: ignore[typeddict-item]  # an error's own members
