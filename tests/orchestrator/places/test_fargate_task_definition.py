"""Task definitions: their whole content, the sizes, what is never let in, and when a revision is the same."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.model import Architecture
from orchestrator.places.fargate_task_definition import (
    FARGATE_SIZES,
    USER,
    check_environment,
    check_size,
    family,
    log_stream,
    same_definition,
    task_definition,
    uses_part_of,
)
from orchestrator.settings.settings import Settings
from tests.orchestrator.places.kits import IMAGE, RESOURCES, SETTINGS, fargate_settings
from worker.contract import Phase


def test_the_restore_definition_is_this() -> None:
    """Image by digest, the image's architecture, both roles, logs, two minutes to stop, and the phase's part."""
    settings = fargate_settings(environment={"B": "2", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    call = task_definition(Phase.RESTORE, settings, RESOURCES, IMAGE, "eu-west-1")

    assert (call.service, call.operation) == ("ecs", "register_task_definition")
    assert call.parameters == {
        "family": "s3reclass-restore",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "taskRoleArn": "arn:aws:iam::123456789012:role/task",
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [
            {
                "name": "worker",
                "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/s3reclass@sha256:" + "a" * 64,
                "essential": True,
                "command": ["restore", "--days", "7", "--tier", "Bulk"],
                "environment": [
                    {"name": "AWS_ENDPOINT_URL", "value": "http://127.0.0.1:4566"},
                    {"name": "B", "value": "2"},
                ],
                "user": "10001:10001",
                "readonlyRootFilesystem": True,
                "stopTimeout": 120,
                "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/s3reclass",
                        "awslogs-region": "eu-west-1",
                        "awslogs-stream-prefix": "worker",
                        "mode": "non-blocking",
                    },
                },
            }
        ],
    }


def test_the_copy_definition_names_the_class() -> None:
    """The copy phase's part is the target class; the platform follows the image."""
    image = replace(IMAGE, architecture=Architecture.X86_64)
    parameters = task_definition(Phase.COPY, SETTINGS, RESOURCES, image, "eu-west-1").parameters

    assert parameters["family"] == family(Phase.COPY) == "s3reclass-copy"
    assert parameters["containerDefinitions"][0]["command"] == ["copy", "--storage-class", "STANDARD_IA"]
    assert parameters["runtimePlatform"]["cpuArchitecture"] == "X86_64"


def test_a_copy_without_a_class_is_asked_for_one() -> None:
    """There is no default class."""
    with pytest.raises(UsageError, match="no target class"):
        task_definition(Phase.COPY, Settings(bucket="b"), RESOURCES, IMAGE, "eu-west-1")


@pytest.mark.parametrize(("cpu", "memory"), [(256, 512), (512, 4096), (1024, 2048), (8192, 20480), (16384, 122880)])
def test_sizes_that_fargate_has(cpu: int, memory: int) -> None:
    """Sizes of the documented table are taken."""
    check_size(cpu, memory)


def test_every_memory_is_in_its_table() -> None:
    """The table has Fargate's least and most for each CPU size."""
    assert {cpu: (min(sizes), max(sizes)) for cpu, sizes in FARGATE_SIZES.items()} == {
        256: (512, 2048),
        512: (1024, 4096),
        1024: (2048, 8192),
        2048: (4096, 16384),
        4096: (8192, 30720),
        8192: (16384, 61440),
        16384: (32768, 122880),
    }


@pytest.mark.parametrize(
    ("words", "cpu", "memory"),
    [
        ("fargate.cpu = 500 is no Fargate size: take one of 256, 512, 1024", 500, 1024),
        ("fargate.memory = 512 doesn't go with fargate.cpu = 512: take one of 1024, 2048, 3072, 4096 (MiB)", 512, 512),
        ("fargate.memory = 18000 doesn't go with fargate.cpu = 8192", 8192, 18000),
    ],
)
def test_other_sizes_are_refused_with_those_there_are(words: str, cpu: int, memory: int) -> None:
    """The error names the setting and what it may be."""
    with pytest.raises(S3ReclassError, match=re.escape(words)):
        check_size(cpu, memory)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SECRET_ACCESS_KEY", "very-hidden"),
        ("AWS_ACCESS_KEY_ID", "very-hidden"),
        ("AWS_SESSION_TOKEN", "very-hidden"),
        ("AWS_SECURITY_TOKEN", "very-hidden"),
        ("db_password", "very-hidden"),
        ("GITHUB_TOKEN", "very-hidden"),
        ("API_KEY", "very-hidden"),
        ("HARMLESS", "AKIA" + "Q" * 16),
        ("HTTPS_PROXY", "http://user:very-hidden@proxy.example:3128"),
    ],
)
def test_secrets_are_kept_out_and_not_repeated(name: str, value: str) -> None:
    """A variable that looks like a secret is refused by name, and its value isn't in the message."""
    with pytest.raises(S3ReclassError, match=f"fargate.environment.{name} looks like a secret") as refused:
        check_environment({"FINE": "1", name: value})

    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
        ("AWS_CA_BUNDLE", "/certificates/ca.pem"),
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("TOKENIZER", "x"),
    ],
)
def test_ordinary_variables_are_let_in(name: str, value: str) -> None:
    """Endpoints, bundles and proxies are what `environment` is for."""
    check_environment({name: value})


def test_a_log_stream_is_named_after_the_task() -> None:
    """An ARN's last part, behind the prefix and the container."""
    assert log_stream("arn:aws:ecs:eu-west-1:123456789012:task/s3reclass/0123") == "worker/worker/0123"


WANTED = task_definition(
    Phase.RESTORE, fargate_settings(environment={"A": "1", "B": "2"}), RESOURCES, IMAGE, "eu-west-1"
).parameters

FILLED_IN = {
    "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/s3reclass-restore:7",
    "revision": 7,
    "status": "ACTIVE",
    "registeredBy": "somebody",
    "compatibilities": ["EC2", "FARGATE"],
    "requiresAttributes": [{"name": "x"}],
    "volumes": [],
    "placementConstraints": [],
    "proxyConfiguration": None,
    "enableFaultInjection": False,
}


def _container(**changes: Any) -> dict[str, Any]:
    return {**WANTED["containerDefinitions"][0], "cpu": 0, "portMappings": [], "mountPoints": [], **changes}


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (True, {**WANTED}),
        (True, {**WANTED, **FILLED_IN, "containerDefinitions": [_container()]}),
        (
            True,
            {
                **WANTED,
                "containerDefinitions": [
                    _container(environment=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}])
                ],
            },
        ),
        (False, {**WANTED, "memory": "2048"}),
        (False, {**WANTED, "containerDefinitions": [_container(image="other@sha256:" + "b" * 64)]}),
        (False, {**WANTED, "containerDefinitions": [_container(command=["--days", "restore", "7", "--tier", "Bulk"])]}),
        (False, {**WANTED, "containerDefinitions": [_container(user="root")]}),
        (False, {**WANTED, "containerDefinitions": [_container(environment=[])]}),
        (False, {**WANTED, "containerDefinitions": [_container(), _container(name="sidecar")]}),
        (False, {name: value for name, value in WANTED.items() if name != "taskRoleArn"}),
        (False, {}),
    ],
)
def test_a_revision_is_the_same_when_only_ecs_added_something(found: dict[str, Any], *, expected: bool) -> None:
    """Empty lists, zeros and facts of ECS's own don't count; anything else that differs does."""
    assert same_definition(WANTED, found) is expected


def test_the_user_is_the_images_own() -> None:
    """And not root."""
    dockerfile = (Path(__file__).parents[3] / "Dockerfile").read_text()

    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE) == [USER]
    assert all(int(number) > 0 for number in USER.split(":"))


@pytest.mark.parametrize(
    ("expected", "parts"),
    [
        (True, {"TaskRole": "task"}),
        (True, {"ExecutionRole": "execution"}),
        (True, {"LogGroup": "/s3reclass"}),
        (True, {"Repository": "s3reclass"}),
        (False, {"TaskRole": "another", "ExecutionRole": "tas", "LogGroup": "s3reclass", "Repository": "s3"}),
        (False, {"TaskRole": "", "Cluster": "task"}),
        (False, {}),
    ],
)
def test_a_definition_uses_a_stack_when_it_names_a_part_of_it(expected: object, parts: dict[str, str]) -> None:
    """A role, the repository or the log group: without it, no task of this definition could start or write."""
    found = task_definition(Phase.RESTORE, SETTINGS, RESOURCES, IMAGE, "eu-west-1").parameters

    assert expected is uses_part_of(found, parts)
