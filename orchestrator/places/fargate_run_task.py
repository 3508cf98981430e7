"""
RunTask's request for one lot, and what ECS's answer to it means. Pure.

`fargate_task_definition.py` makes what is the same for all lots; this adds the lot. A request can't hold the lot itself
(8,192 characters), so it tells the worker where the lot is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from orchestrator.errors import S3ReclassError
from orchestrator.model import Call, Resources, TaskRequest
from orchestrator.places.fargate_task_definition import CONTAINER

MAX_OVERRIDES_CHARACTERS = 8192
"""Characters that a request's overrides may have, JSON included (ECS API Reference, RunTask; botocore 1.44.5)."""

MAX_TOKEN_CHARACTERS = 64
"""Characters that a client token may have (ECS API Reference, RunTask; botocore 1.44.5)."""

TAG_PREFIX = "s3reclass:"
"""What the keys of our tags on a task begin with."""


class Patience(Enum):
    """What to do about a refused request."""

    MOMENT = "ask again in a moment"  # throttled, or a fault that passes
    LATER = "ask again when tasks have ended"  # no capacity, or a quota is used up
    NONE = "don't ask again"  # something must be changed first


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """
    Why ECS started no task.

    reason: in words that say what to do.
    no_capacity: AWS has no free capacity of the kind that was asked for, Spot or on-demand.
    """

    patience: Patience
    reason: str
    no_capacity: bool = False


def run_task(request: TaskRequest, *, definition: str, resources: Resources) -> Call:
    """
    The `RunTask` of one task.

    definition: the pinned revision's ARN.
    Raises S3ReclassError when the worker's command line is too long for a request.
    """
    overrides = {"containerOverrides": [{"name": CONTAINER, "command": list(request.command)}]}
    if len(json.dumps(overrides)) > MAX_OVERRIDES_CHARACTERS:
        raise S3ReclassError(
            f"{request.lot}: the worker's command line is too long for ECS ({MAX_OVERRIDES_CHARACTERS:,} characters): "
            "take a state with a shorter prefix"
        )
    groups = {"securityGroups": list(resources.security_groups)} if resources.security_groups else {}
    public = "ENABLED" if resources.assign_public_ip else "DISABLED"
    network = {"subnets": list(resources.subnets), "assignPublicIp": public, **groups}
    # Spot needs its capacity provider. On-demand by launch type works on any cluster, also on one without capacity
    # providers (RunTask, `launchType`).
    capacity: dict[str, Any] = (
        {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
        if request.spot
        else {"launchType": "FARGATE"}
    )
    return Call(
        service="ecs",
        operation="run_task",
        parameters={
            "cluster": resources.cluster,
            "taskDefinition": definition,
            "count": 1,
            **capacity,
            "networkConfiguration": {"awsvpcConfiguration": network},
            "overrides": overrides,
            "startedBy": request.job,
            "clientToken": client_token(request),
            "tags": [{"key": f"{TAG_PREFIX}{name}", "value": value} for name, value in _identity(request).items()],
        },
    )


def client_token(request: TaskRequest) -> str:
    """
    The token by which ECS starts one task for this attempt at this lot, however many launchers ask.

    ECS keeps it for 24 hours at most, and for an hour after the task has stopped (ECS API Reference, "Ensuring
    idempotency", 2026-11); after that the state has the attempt.
    """
    return "-".join(("s3reclass", *_identity(request).values()))


def _identity(request: TaskRequest) -> dict[str, str]:
    job, phase, lot = request.job, request.phase.value, request.lot
    return {"job": job, "phase": phase, "lot": lot, "attempt": str(request.attempt)}


def started_task(answer: Mapping[str, Any]) -> str | Rejection:
    """
    The ARN of the task that RunTask started, or why it started none: ECS answers 200 with a reason in `failures`.

    answer: RunTask's. A token that ECS knows brings the task that an earlier call started, also a stopped one.
    """
    tasks: Sequence[Mapping[str, Any]] = answer.get("tasks") or ()
    if tasks:
        return str(tasks[0]["taskArn"])
    failures: Sequence[Mapping[str, Any]] = answer.get("failures") or ()
    if not failures:
        return Rejection(patience=Patience.MOMENT, reason="ECS started no task and gave no reason")
    first = failures[0]
    words = " ".join(str(first[part]) for part in ("reason", "detail", "arn") if first.get(part))
    return judge_rejection("", words)


_THROTTLED = ("rate exceeded", "request limit exceeded", "requestlimitexceeded", "throttl", "too many requests")
"""A throttle of ECS's own calls to EC2 is an InvalidParameterException with these words (dagster#33439, dask#56)."""

_FAULTS = ("ServerException", "InternalFailure", "InternalError", "InternalServerError", "ServiceUnavailable")

_QUOTA = "raise the quota in Service Quotas (Fargate On-Demand vCPUs: L-3032A538, Spot: L-36FBB829)"

_NO_FREE_CAPACITY = (
    "AWS has no Fargate capacity free here right now: tasks start when it has; more subnets, in other "
    "availability zones, or spot = false, make it likelier"
)
_NO_ROLE = (
    "ECS can't assume the task's role: a role made a moment ago needs a minute; otherwise "
    "ecs-tasks.amazonaws.com must be in its trust policy"
)
_NO_CLUSTER = "there is no such cluster in this Region: run `s3reclass up`, or check fargate.cluster"

NO_CAPACITY = "capacity is unavailable"
"""In "Capacity is unavailable at this time" (ECS Developer Guide, "Stopped tasks error codes")."""

_BY_WORDS: Sequence[tuple[str, Patience, str]] = (
    (
        "configuration is above your limit",
        Patience.NONE,
        f"the account's Fargate quota is below one task: {_QUOTA}, or take a smaller fargate.cpu",
    ),
    (
        "reached the limit on the number of",
        Patience.LATER,
        f"the account's Fargate quota is used up: tasks start as others end; for more at once, {_QUOTA}",
    ),
    (
        "provisioning",
        Patience.LATER,
        "the cluster has as many tasks in PROVISIONING as ECS allows: tasks start as those come up",
    ),
    (NO_CAPACITY, Patience.LATER, _NO_FREE_CAPACITY),
    ("unable to assume the role", Patience.LATER, _NO_ROLE),
    (
        "capacity provider",
        Patience.NONE,
        "the cluster has no FARGATE_SPOT: add it (`aws ecs put-cluster-capacity-providers`), or set spot = false",
    ),
    ("subnet", Patience.NONE, "check fargate.subnets: they must exist in this Region, in one VPC"),
    (
        "security group",
        Patience.NONE,
        "check fargate.security_groups: they must exist in this Region, in the subnets' VPC",
    ),
    ("cluster", Patience.NONE, _NO_CLUSTER),
    (
        "inactive",
        Patience.NONE,
        "something that the task needs was deleted: run `s3reclass up`, then run the phase again",
    ),
)
"""Words of ECS, whether to ask again, and what to tell the user; the first that fits counts."""

_BY_CODE: Mapping[str, str] = {
    "AccessDeniedException": "the IAM policy of your credentials must allow ecs:RunTask, ecs:TagResource, and "
    "iam:PassRole on the task role and the execution role",
    "BlockedException": "AWS has blocked the account: ask AWS Support",
    "ClusterNotFoundException": _NO_CLUSTER,
    "PlatformUnknownException": "this Region's Fargate can't run the task: try another Region",
    "PlatformTaskDefinitionIncompatibilityException": "this Region's Fargate can't run the task: try another "
    "fargate.cpu and fargate.memory, or an image for x86_64 (`s3reclass push-image --platform linux/amd64`)",
    "UnsupportedFeatureException": "this Region's Fargate can't run the task: try spot = false, or an image for x86_64 "
    "(`s3reclass push-image --platform linux/amd64`)",
}


def judge_rejection(code: str, words: str) -> Rejection:
    """
    What a refusal of ECS means.

    | ECS says | patience |
    |---|---|
    | a throttle, also one inside another code; a fault of its own | moment |
    | capacity, a quota, a role that isn't known yet | later |
    | anything else: it must be changed first | none |

    code: the error's, or "" for an entry of `failures`. words: AWS's own, which the reason quotes.
    """
    said = words.lower()
    if code in _FAULTS or any(word in f"{code} {words}".lower() for word in _THROTTLED):
        return Rejection(patience=Patience.MOMENT, reason=f"ECS is busy ({words or code}): asked again")
    if code in _BY_CODE:
        return Rejection(patience=Patience.NONE, reason=f"{_BY_CODE[code]} ({words})")
    for fragment, patience, advice in _BY_WORDS:
        if fragment in said:
            return Rejection(patience=patience, reason=f"{advice} ({words})", no_capacity=fragment == NO_CAPACITY)
    if code == "LimitExceededException":
        return Rejection(patience=Patience.LATER, reason=f"a quota is used up: {_QUOTA} ({words})")
    return Rejection(patience=Patience.NONE, reason=f"ECS refused the task: {f'{code}: ' if code else ''}{words}")
