"""States: ECS's words into ours, exit codes only when they are one, and which task an entry stands for."""

from typing import Any

import pytest

from orchestrator.model import Task, TaskState, TaskStatus
from orchestrator.places.task_states import exit_reason, has_stopped, ours, process_state, stopped_reason, task_state
from tests.orchestrator.places.kits import request_for
from worker.contract import Phase


def entry(last_status: str, *, exit_code: int | None = None, **changes: Any) -> dict[str, Any]:
    """A DescribeTasks entry of a task that has run."""
    container = {"name": "worker"} | ({} if exit_code is None else {"exitCode": exit_code})
    return {"taskArn": "arn:1", "lastStatus": last_status, "startedAt": 1, "containers": [container], **changes}


def state_of(task: dict[str, Any]) -> TaskState:
    """The state on a network with public addresses."""
    return task_state(task, lot="lot-00000", assign_public_ip=True)


@pytest.mark.parametrize(
    ("expected", "last_status"),
    [
        (TaskStatus.PENDING, "PROVISIONING"),
        (TaskStatus.PENDING, "PENDING"),
        (TaskStatus.PENDING, "ACTIVATING"),
        (TaskStatus.RUNNING, "RUNNING"),
        (TaskStatus.RUNNING, "DEACTIVATING"),
        (TaskStatus.RUNNING, "STOPPING"),
        (TaskStatus.RUNNING, "DEPROVISIONING"),
        (TaskStatus.RUNNING, "SOMETHING_NEW"),
        (TaskStatus.STOPPED, "STOPPED"),
        (TaskStatus.STOPPED, "DELETED"),
    ],
)
def test_each_status_in_our_words(expected: TaskStatus, last_status: str) -> None:
    """A task counts as stopped at the very end only, whatever its container says before."""
    state = state_of(entry(last_status, exit_code=0))

    assert state.status is expected
    assert state.exit_code == (0 if expected is TaskStatus.STOPPED else None)
    assert has_stopped(entry(last_status)) is (expected is TaskStatus.STOPPED)


@pytest.mark.parametrize(
    ("interrupted", "fragment", "stop_code"),
    [
        (True, "Spot capacity", "SpotInterruption"),
        (True, "retired", "TerminationNotice"),
        (True, "host failed", "InfrastructureHealth"),
        (True, "a user stopped the task (enough)", "UserInitiated"),
        (True, "ECS stopped", "ServiceSchedulerInitiated"),
        (False, "could not proceed", "EssentialContainerExited"),
        (False, "enough", "TaskFailedToStart"),
        (False, "enough", "SomethingNew"),
    ],
)
def test_each_stop_code(fragment: str, stop_code: str, *, interrupted: bool) -> None:
    """What the place or the user did is an interruption; what the worker did is told by its exit code."""
    state = state_of(entry("STOPPED", exit_code=1, stopCode=stop_code, stoppedReason="enough"))

    assert state.interrupted is interrupted
    assert fragment in state.reason
    assert state.never_started is (stop_code == "TaskFailedToStart")


def test_a_stop_task_that_reports_0_is_an_interruption_all_the_same() -> None:
    """An exit code of 0 on a task that was stopped is no success: the state has the tally or hasn't."""
    state = state_of(entry("STOPPED", exit_code=0, stopCode="UserInitiated"))

    assert (state.exit_code, state.interrupted, state.reason) == (0, True, "a user stopped the task")


def test_a_task_stopped_before_it_started_never_started() -> None:
    """Without a start time the worker never ran."""
    assert state_of(entry("STOPPED", stopCode="UserInitiated", startedAt=None)).never_started


def test_another_containers_exit_code_isnt_the_workers() -> None:
    """Only the container `worker` counts."""
    task = entry("STOPPED", stopCode="EssentialContainerExited")
    task["containers"] = [{"name": "aws-guardduty-agent", "exitCode": 0}, {"name": "worker"}]

    assert state_of(task).exit_code is None


def test_a_bare_entry_is_read_without_complaint() -> None:
    """ECS leaves members out as it likes."""
    assert state_of({"taskArn": "arn:1", "lastStatus": "STOPPED"}).exit_code is None
    assert state_of({"taskArn": "arn:1"}).status is TaskStatus.RUNNING


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("must route to an internet gateway", "CannotPullContainerError: ref pull has been retried: i/o timeout"),
        ("isn't in ECR", "CannotPullContainerError: failed to resolve ref x@sha256:1: not found"),
        ("isn't in ECR", "CannotPullContainerError: manifest unknown"),
        ("isn't in ECR", "ResourceInitializationError: unable to pull image: manifest unknown to registry"),
        ("may not pull", "CannotPullContainerError: pull access denied"),
        ("may not pull", "CannotPullContainerError: role is not authorized to perform ecr:BatchGetImage"),
        ("another CPU architecture", "CannotPullContainerError: no descriptor matching platform"),
        ("another CPU architecture", "CannotStartContainerError: exec /usr/local/bin/python: exec format error"),
        ("out of memory", "OutOfMemoryError: Container killed due to memory usage"),
        ("log group is missing", "ResourceInitializationError: logger args: log group does not exist"),
        ("execution role lacks", "ResourceInitializationError: create stream: AccessDeniedException"),
        ("internet gateway", "ResourceInitializationError: unable to pull secrets or registry auth: connect timeout"),
        ("trust policies", "ECS was unable to assume the role that was provided for this task."),
        ("free addresses", "Timeout waiting for network interface provisioning to complete."),
        ("internet gateway", "ContainerRuntimeTimeoutError: Could not transition to running; timed out"),
        ("couldn't be started", "CannotStartContainerError: failed to get container status"),
        ("something new", "something new"),
    ],
)  # fmt: skip
def test_each_stopped_reason_says_what_to_do(fragment: str, words: str) -> None:
    """The advice comes first, AWS's own words after it."""
    told = stopped_reason(words, assign_public_ip=True)

    assert fragment in told
    assert words in told


def test_a_pull_that_fails_in_a_private_network_asks_for_endpoints() -> None:
    """Without a public address it is NAT or endpoints that are missing."""
    told = stopped_reason("CannotPullContainerError: i/o timeout", assign_public_ip=False)

    assert "private subnets need a NAT gateway or VPC endpoints (ecr.api, ecr.dkr, logs" in told
    assert "public ones need fargate.assign_public_ip = true" in told


@pytest.mark.parametrize(
    ("fragment", "exit_code"),
    [
        ("", 0),
        ("`s3reclass logs lot-00007` says why", 1),
        ("s3reclass push-image", 2),
        ("", 3),
        ("", 4),
        ("told to stop", 75),
        ("ran out of memory", 137),
        ("told to stop", 143),
        ("exit code 139", 139),
        ("isn't known", None),
    ],
)
def test_each_exit_code_in_words(fragment: str, exit_code: int | None) -> None:
    """Codes that the state explains need no words; others say what to do."""
    told = exit_reason(exit_code, "lot-00007")

    assert fragment in told
    assert bool(told) is bool(fragment)


@pytest.mark.parametrize(
    ("exit_code", "interrupted", "returncode", "killed"),
    [
        (0, False, 0, False),
        (3, False, 3, False),
        (75, True, 75, False),
        (143, True, -15, False),
        (137, False, -9, False),
        (137, True, -9, True),
        (139, False, -11, False),
    ],
)
def test_a_processs_end_reads_as_a_containers(
    exit_code: int, returncode: int, *, interrupted: bool, killed: bool
) -> None:
    """A signal counts as 128 and its number, as in a container; what the place killed was interrupted."""
    state = process_state(returncode, lot="lot-00000", killed=killed)

    assert (state.exit_code, state.interrupted) == (exit_code, interrupted)


TAGS = [
    {"key": "s3reclass:job", "value": "0123456789ab"},
    {"key": "s3reclass:phase", "value": "copy"},
    {"key": "s3reclass:lot", "value": "lot-00003"},
    {"key": "s3reclass:attempt", "value": "2"},
]
OVERRIDES = {
    "containerOverrides": [
        {"name": "worker", "command": list(request_for("lot-00004", attempt=5, phase=Phase.COPY).command)}
    ]
}


@pytest.mark.parametrize(
    ("lot", "attempt", "task"),
    [
        ("lot-00003", 2, {"tags": TAGS}),
        ("lot-00003", 2, {"tags": TAGS, "overrides": OVERRIDES}),
        ("lot-00004", 5, {"tags": [], "overrides": OVERRIDES}),
        ("lot-00004", 5, {"overrides": OVERRIDES}),
        ("lot-00004", 5, {"tags": TAGS[:2], "overrides": OVERRIDES}),
    ],
)
def test_a_task_is_known_by_its_tags_or_its_command_line(lot: str, attempt: int, task: dict[str, Any]) -> None:
    """Tags tell phase, lot and attempt; where they are gone the command line does."""
    assert ours({"taskArn": "arn:1", **task}, Phase.COPY) == Task(
        id="arn:1", phase=Phase.COPY, lot=lot, attempt=attempt
    )
    assert ours({"taskArn": "arn:1", **task}, Phase.RESTORE) is None


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"tags": [{"key": "Name", "value": "x"}], "overrides": None},
        {"overrides": {"containerOverrides": [{"name": "worker"}]}},
        {"overrides": {"containerOverrides": [{"name": "worker", "command": []}]}},
        {"overrides": {"containerOverrides": [{"name": "worker", "command": ["copy", "--attempt", "x"]}]}},
        {"overrides": {"containerOverrides": [{"name": "other", "command": ["copy", "--attempt", "1"]}]}},
    ],
)
def test_a_strangers_task_is_none_of_ours(task: dict[str, Any]) -> None:
    """A task on the same cluster that we didn't start is passed over."""
    assert ours({"taskArn": "arn:1", **task}, Phase.COPY) is None


@pytest.mark.parametrize(
    ("no_capacity", "words"),
    [
        (True, "Capacity is unavailable at this time. Please try again later or in a different availability zone"),
        (False, "CannotPullContainerError: not found"),
        (False, ""),
    ],
)
def test_a_task_that_found_no_capacity_says_so(*, no_capacity: bool, words: str) -> None:
    """ECS may take a request and then have no capacity for it: no fault of the task's."""
    state = state_of(entry("STOPPED", stopCode="TaskFailedToStart", stoppedReason=words, startedAt=None))

    assert state.no_capacity is no_capacity
    assert state.never_started
    assert not state.interrupted
