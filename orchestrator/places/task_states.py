"""
What a place says of a task, in our words: its status, why it stopped, what to do. Pure.

The one reader of DescribeTasks' answers. None of this says that a lot is finished: only the state does.
"""

import signal
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from orchestrator.model import Task, TaskState, TaskStatus
from orchestrator.places.fargate_run_task import NO_CAPACITY, TAG_PREFIX
from orchestrator.places.fargate_task_definition import CONTAINER
from worker.contract import ExitCode, Phase

_STATUS: Mapping[str, TaskStatus] = {
    "PROVISIONING": TaskStatus.PENDING,
    "PENDING": TaskStatus.PENDING,
    "ACTIVATING": TaskStatus.PENDING,
    "STOPPED": TaskStatus.STOPPED,
    "DELETED": TaskStatus.STOPPED,
}
"""
ECS's `lastStatus` in our words; every other one is RUNNING.

In DEACTIVATING, STOPPING and DEPROVISIONING, before STOPPED, a worker may still be writing (ECS Developer Guide, "Task
lifecycle", 2026-11).
"""

_INTERRUPTIONS: Mapping[str, str] = {
    "SpotInterruption": "AWS took the Spot capacity back: the lot goes on in another task",
    "TerminationNotice": "AWS retired the task's host: the lot goes on in another task",
    "InfrastructureHealth": "the task's host failed: the lot goes on in another task",
    "ServiceSchedulerInitiated": "ECS stopped the task",
    "UserInitiated": "a user stopped the task",
}
"""Stop codes that are no fault of the worker's (ECS API Reference, Task, `stopCode`; botocore 1.44.5)."""

_PUBLIC = (
    "the task has a public IP address but no way out: its subnets must route to an internet gateway, and its security "
    "group must let HTTPS out; for private subnets set fargate.assign_public_ip = false and give them a NAT gateway "
    "or endpoints"
)
_PRIVATE = (
    "the task has no public IP address: private subnets need a NAT gateway or VPC endpoints (ecr.api, ecr.dkr, logs, "
    "and a gateway endpoint for s3); public ones need fargate.assign_public_ip = true"
)
_ARCHITECTURE = (
    "the image was built for another CPU architecture than the task runs on: run `s3reclass push-image` again "
    "(`--platform linux/amd64` or `linux/arm64`), then the phase"
)
_MEMORY = "the worker ran out of memory: raise fargate.memory, or lower --threads"
_NETWORK = "what the network lacks"  # _PUBLIC or _PRIVATE

_NO_IMAGE = "the image isn't in ECR any more: run `s3reclass push-image`"
_NO_PULL = "the execution role may not pull the image: it needs AmazonECSTaskExecutionRolePolicy's ecr permissions"

_STOPPED: Sequence[tuple[tuple[str, ...], str]] = (
    (("exec format error",), _ARCHITECTURE),
    (("cannotpullcontainer", "platform"), _ARCHITECTURE),
    (("cannotpullcontainer", "not found"), _NO_IMAGE),
    (("manifest unknown",), _NO_IMAGE),
    (("cannotpullcontainer", "denied"), _NO_PULL),
    (("cannotpullcontainer", "not authorized"), _NO_PULL),
    (("cannotpullcontainer",), _NETWORK),
    (("outofmemory",), _MEMORY),
    (
        ("unable to assume",),
        "ECS can't assume the task's roles: ecs-tasks.amazonaws.com must be in their trust policies",
    ),
    (
        ("resourceinitialization", "log group does not exist"),
        "the log group is missing: run `s3reclass up`, or check fargate.log_group",
    ),
    (
        ("resourceinitialization", "accessdenied"),
        "the execution role lacks a permission: it needs what AmazonECSTaskExecutionRolePolicy allows",
    ),
    (("resourceinitialization",), _NETWORK),
    (
        ("network interface",),
        "AWS couldn't attach a network interface: if this doesn't pass, look whether the subnets have free addresses",
    ),
    (("cannotstartcontainer",), "the container couldn't be started: run `s3reclass push-image` again"),
    (("timeouterror",), _NETWORK),
)
"""Words in a stopped task's reasons, all of them needed, and what to do; the first that fits counts."""


def stopped_reason(words: str, *, assign_public_ip: bool) -> str:
    """
    What to do about a task that ECS stopped, followed by ECS's own words; these alone when we know no advice.

    words: stoppedReason and the container's reason.
    assign_public_ip: whether the task got a public address, which decides how it reaches ECR.
    """
    said = words.lower()
    for fragments, advice in _STOPPED:
        if all(fragment in said for fragment in fragments):
            told = (_PUBLIC if assign_public_ip else _PRIVATE) if advice == _NETWORK else advice
            return f"{told} ({words})"
    return words


_TOLD_TO_STOP = frozenset({ExitCode.INTERRUPTED, 128 + signal.SIGTERM})
"""Exit codes of a worker that was asked to stop: its own, and the signal's before its handler was set."""

_EXITS: Mapping[int, str] = {
    ExitCode.GOOD: "",
    ExitCode.SOME_FAILED: "",
    ExitCode.SOME_PENDING: "",
    ExitCode.COULD_NOT_PROCEED: "the worker could not proceed: `s3reclass logs {lot}` says why",
    ExitCode.USAGE: (
        "the worker didn't understand its command line, so its image is of another version: "
        "run `s3reclass push-image`, then the phase again"
    ),
    **dict.fromkeys(_TOLD_TO_STOP, "the worker was told to stop, and did"),
    128
    + signal.SIGKILL: "the worker was killed: often it ran out of memory; `s3reclass logs {lot}` shows its last words",
}


def exit_reason(exit_code: int | None, lot: str) -> str:
    """What a worker's exit code means for a user; "" when the state says it all (0, 3, 4)."""
    if exit_code is None:
        return "how the worker ended isn't known"
    other = "the worker ended with exit code {code}: `s3reclass logs {lot}` shows its last words"
    return _EXITS.get(exit_code, other).format(code=exit_code, lot=lot)


def task_state(task: Mapping[str, Any], *, lot: str, assign_public_ip: bool) -> TaskState:
    """
    The state of a task from its DescribeTasks entry.

    | lastStatus | container's exitCode | exit code |
    |---|---|---|
    | not STOPPED | any (a PENDING container may show 0) | none |
    | STOPPED | absent (it never ran, or ECS doesn't know) | none |
    | STOPPED | present | the container's |
    """
    status = _STATUS.get(task.get("lastStatus", ""), TaskStatus.RUNNING)
    if status is not TaskStatus.STOPPED:
        return TaskState(status=status)
    container = _worker_of(task)
    exit_code: int | None = container.get("exitCode")
    stop_code = task.get("stopCode") or ""
    words = ": ".join(dict.fromkeys(filter(None, (task.get("stoppedReason"), container.get("reason")))))
    told = stopped_reason(words, assign_public_ip=assign_public_ip)
    if stop_code in _INTERRUPTIONS:
        reason = f"{_INTERRUPTIONS[stop_code]} ({words})" if words else _INTERRUPTIONS[stop_code]
    elif told == words and stop_code == "EssentialContainerExited":
        reason = exit_reason(exit_code, lot)
    else:
        reason = told or exit_reason(exit_code, lot)
    return TaskState(
        status=status,
        exit_code=exit_code,
        reason=reason,
        interrupted=stop_code in _INTERRUPTIONS or exit_code in _TOLD_TO_STOP,
        never_started=stop_code == "TaskFailedToStart" or not task.get("startedAt"),
        no_capacity=NO_CAPACITY in words.lower(),
    )


def _worker_of(task: Mapping[str, Any]) -> Mapping[str, Any]:
    containers: Sequence[Mapping[str, Any]] = task.get("containers") or ()
    return next((one for one in containers if one.get("name") == CONTAINER), {})


def ours(task: Mapping[str, Any], phase: Phase) -> Task | None:
    """
    The task of a DescribeTasks entry (with tags), or None when it isn't one of this phase's.

    ECS deletes a task's tags when it is stopped (StopTask, API Reference). The command line that it was started with
    then tells the same.
    """
    tags = {tag.get("key", ""): tag.get("value", "") for tag in task.get("tags") or ()}
    found = {name: tags.get(f"{TAG_PREFIX}{name}", "") for name in ("phase", "lot", "attempt")}
    if not all(found.values()):
        found = _from_command(task)
    if found.get("phase") != phase or not found.get("lot") or not found.get("attempt", "").isdecimal():
        return None
    return Task(id=str(task["taskArn"]), phase=phase, lot=found["lot"], attempt=int(found["attempt"]))


def _from_command(task: Mapping[str, Any]) -> dict[str, str]:
    """Phase, lot and attempt in the worker's command line; the results' folder is `.../<phase>/<lot>/`."""
    overrides: Sequence[Mapping[str, Any]] = (task.get("overrides") or {}).get("containerOverrides") or ()
    command: Sequence[str] = next((one.get("command") or () for one in overrides if one.get("name") == CONTAINER), ())
    following = dict(pairwise(command))
    lot = following.get("--results", "").rstrip("/").rpartition("/")[2]
    return {"phase": "".join(command[:1]), "lot": lot, "attempt": following.get("--attempt", "")}


def has_stopped(task: Mapping[str, Any]) -> bool:
    """Whether a DescribeTasks entry is of a task that has ended for good."""
    return _STATUS.get(task.get("lastStatus", "")) is TaskStatus.STOPPED


def process_state(returncode: int, *, lot: str, killed: bool) -> TaskState:
    """
    The state of a worker process that has ended.

    returncode: subprocess's: for a process that a signal ended, minus the signal's number. The exit code is then 128
        plus that number, as a container's.
    killed: whether the place killed it because it didn't stop in time.
    """
    exit_code = 128 - returncode if returncode < 0 else returncode
    return TaskState(
        status=TaskStatus.STOPPED,
        exit_code=exit_code,
        reason="the worker didn't stop in time, and was killed" if killed else exit_reason(exit_code, lot),
        interrupted=killed or exit_code in _TOLD_TO_STOP,
    )
