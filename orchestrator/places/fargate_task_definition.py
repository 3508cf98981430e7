"""
The two task definitions, one for each phase, without the lot, which `fargate_run_task.py` adds. Pure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.common.redaction import is_secret_name
from orchestrator.errors import S3ReclassError
from orchestrator.model import Call, Image, Resources
from orchestrator.settings.settings import FILE_NAME, Settings
from worker.contract import Phase, PhaseSettings, command_line

CONTAINER = "worker"
"""The one container's name, which a run request's override refers to."""

STOP_TIMEOUT_S = 120
"""Seconds between SIGTERM and SIGKILL: Fargate's maximum (ECS API Reference, ContainerDefinition, 2026-11)."""

USER = "10001:10001"
"""The worker's user in its container, as in the Dockerfile; given here too, for ECS to show and policies to check."""

LOG_PREFIX = "worker"
"""What a task's log stream begins with."""

FARGATE_SIZES: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""
CPU units -> the memory sizes in MiB that Fargate offers with them.

ECS API Reference, RegisterTaskDefinition, `cpu` and `memory`; as in botocore 1.44.5.
"""

_ACCESS_KEY_ID = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
_USER_INFO = re.compile(r"://[^/@\s]+:[^/@\s]+@")

_REGISTERED = {"deregisteredAt", "registeredAt", "registeredBy", "revision", "status", "taskDefinitionArn"}
_ECS_FILLS_IN = _REGISTERED | {"compatibilities", "requiresAttributes"}
"""What DescribeTaskDefinition adds to each definition that was registered."""


def family(phase: Phase) -> str:
    """The task definition family of a phase; its revisions are `family:1`, `family:2`, ..."""
    return f"s3reclass-{phase}"


def log_stream(task_id: str) -> str:
    """The log stream of a task; task_id: an ARN or its last part (the awslogs driver's `prefix/container/task`)."""
    return f"{LOG_PREFIX}/{CONTAINER}/{task_id.rsplit('/', 1)[-1]}"


def task_definition(phase: Phase, settings: Settings, resources: Resources, image: Image, region: str) -> Call:
    """
    The `RegisterTaskDefinition` of a phase.

    The command is for people who read the definition: a RunTask's override replaces all of it. The image's own
    ENTRYPOINT stays. When CloudWatch Logs doesn't keep up, log lines are dropped and the worker doesn't wait: the state
    alone is the truth about a job.
    Raises S3ReclassError for a size that Fargate doesn't offer, or a variable that looks like a secret.
    """
    fargate = settings.fargate
    check_size(fargate.cpu, fargate.memory)
    check_environment(fargate.environment)
    container = {
        "name": CONTAINER,
        "image": image.uri,
        "essential": True,
        "command": list(command_line(_phase_settings(phase, settings))),
        "environment": [{"name": name, "value": value} for name, value in sorted(fargate.environment.items())],
        "user": USER,
        "readonlyRootFilesystem": True,
        "stopTimeout": STOP_TIMEOUT_S,
        # As process 1 Python would ignore a SIGTERM that comes before its handler is set. No capability at all:
        # Fargate lets all be dropped, and takes neither `privileged` nor `dockerSecurityOptions`, such as
        # no-new-privileges (botocore 1.44.5, RegisterTaskDefinition).
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": resources.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": LOG_PREFIX,
                "mode": "non-blocking",
            },
        },
    }
    return Call(
        service="ecs",
        operation="register_task_definition",
        parameters={
            "family": family(phase),
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": str(fargate.cpu),
            "memory": str(fargate.memory),
            "runtimePlatform": {"cpuArchitecture": image.architecture.value, "operatingSystemFamily": "LINUX"},
            "taskRoleArn": resources.task_role_arn,
            "executionRoleArn": resources.execution_role_arn,
            "containerDefinitions": [container],
        },
    )


def _phase_settings(phase: Phase, settings: Settings) -> PhaseSettings:
    return PhaseSettings(
        phase=phase,
        days=settings.days,
        tier=settings.tier,
        storage_class=settings.require_storage_class() if phase is Phase.COPY else "",
        request_payer=settings.request_payer,
        bucket_owner=settings.bucket_owner,
    )


def uses_part_of(definition: Mapping[str, Any], parts: Mapping[str, str]) -> bool:
    """
    Whether a registered definition refers to a part of the stack, and so is useless without it.

    definition: DescribeTaskDefinition's. parts: the physical id of each part of the stack, by logical id.
    """
    roles = {str(definition.get(name, "")).rpartition("/")[2] for name in ("taskRoleArn", "executionRoleArn")}
    used = {"TaskRole": roles, "ExecutionRole": roles, "LogGroup": set[str](), "Repository": set[str]()}
    for container in definition.get("containerDefinitions", ()):
        used["Repository"].add(str(container.get("image", "")).partition("/")[2].partition("@")[0])
        used["LogGroup"].add(container.get("logConfiguration", {}).get("options", {}).get("awslogs-group", ""))
    return any(parts.get(part) in names for part, names in used.items() if parts.get(part))


def check_size(cpu: int, memory: int) -> None:
    """Raise S3ReclassError, naming the sizes to take, unless Fargate offers this one (CPU units, MiB)."""
    if cpu not in FARGATE_SIZES:
        sizes = ", ".join(map(str, FARGATE_SIZES))
        raise S3ReclassError(f"{FILE_NAME}: fargate.cpu = {cpu} is no Fargate size: take one of {sizes} (1024: 1 vCPU)")
    if memory not in FARGATE_SIZES[cpu]:
        sizes = ", ".join(map(str, FARGATE_SIZES[cpu]))
        raise S3ReclassError(
            f"{FILE_NAME}: fargate.memory = {memory} doesn't go with fargate.cpu = {cpu}: take one of {sizes} (MiB)"
        )


def check_environment(environment: Mapping[str, str]) -> None:
    """
    Raise S3ReclassError for a variable that looks like a secret.

    Everyone who may call DescribeTaskDefinition or DescribeTasks can read a container's environment, and a revision
    keeps it for good. The value is never quoted.
    """
    for name, value in environment.items():
        if is_secret_name(name) or _ACCESS_KEY_ID.search(value) or _USER_INFO.search(value):
            raise S3ReclassError(
                f"{FILE_NAME}: fargate.environment.{name} looks like a secret, and many can read a task definition: "
                "remove it (tasks get their credentials from the task role)"
            )


def same_definition(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """
    Whether a registered definition has exactly the wanted content, so that no new revision is needed.

    wanted: RegisterTaskDefinition's parameters. found: DescribeTaskDefinition's answer, to which ECS adds empty lists,
        zeros and facts of its own.
    """
    return _same(wanted, {name: value for name, value in found.items() if name not in _ECS_FILLS_IN})


def _same(wanted: Any, found: Any) -> bool:
    """Whether two parts of a definition say the same; empty is the same as absent."""
    if not wanted or not found:
        return not wanted and not found
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            _same(wanted.get(name), found.get(name)) for name in wanted.keys() | found.keys()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(wanted) == len(found)
            and all(map(_same, sorted(wanted, key=_by_name), sorted(found, key=_by_name)))
        )
    return bool(wanted == found)


def _by_name(item: Any) -> str:
    """The key to sort a list of variables or containers by; a list of words (a command) keeps its order."""
    return str(item.get("name", "")) if isinstance(item, Mapping) else ""
