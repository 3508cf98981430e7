"""Run requests: their whole content, their limits, and what ECS's refusals mean."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_run_task import (
    MAX_TOKEN_CHARACTERS,
    Patience,
    Rejection,
    client_token,
    judge_rejection,
    run_task,
    started_task,
)
from tests.orchestrator.places.kits import RESOURCES, request_for
from worker.contract import Phase, lot_name

REVISION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/s3reclass-restore:7"


def test_the_run_request_is_this() -> None:
    """One task of the pinned revision, its whole command line, its network, and what finds it again."""
    call = run_task(request_for(attempt=2), definition=REVISION, resources=RESOURCES)

    assert (call.service, call.operation) == ("ecs", "run_task")
    assert call.parameters == {
        "cluster": "s3reclass",
        "taskDefinition": REVISION,
        "count": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "ENABLED",
            }
        },
        "overrides": {
            "containerOverrides": [
                {
                    "name": "worker",
                    "command": [
                        "restore",
                        "--lot",
                        "s3://state/0123456789ab/lots/lot-00000.csv",
                        "--results",
                        "s3://state/0123456789ab/restore/lot-00000/",
                        "--attempt",
                        "2",
                    ],
                }
            ]
        },
        "startedBy": "0123456789ab",
        "clientToken": "s3reclass-0123456789ab-restore-lot-00000-2",
        "tags": [
            {"key": "s3reclass:job", "value": "0123456789ab"},
            {"key": "s3reclass:phase", "value": "restore"},
            {"key": "s3reclass:lot", "value": "lot-00000"},
            {"key": "s3reclass:attempt", "value": "2"},
        ],
    }


def test_spot_is_asked_of_its_capacity_provider() -> None:
    """Spot has no launch type; both at once are refused by ECS."""
    request = replace(request_for(), spot=True)
    parameters = run_task(request, definition=REVISION, resources=RESOURCES).parameters

    assert parameters["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in parameters


def test_a_private_network_gets_no_public_address() -> None:
    """`assign_public_ip = false` and no security groups reach the request as such."""
    resources = replace(RESOURCES, assign_public_ip=False, security_groups=())
    parameters = run_task(request_for(), definition=REVISION, resources=resources).parameters

    assert parameters["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-1", "subnet-2"],
        "assignPublicIp": "DISABLED",
    }


def test_a_command_line_too_long_for_ecs_is_an_error() -> None:
    """ECS counts 8,192 characters with the JSON around them."""
    request = replace(request_for(), command=("restore", "--lot", "s3://" + "x" * 8_150))

    with pytest.raises(S3ReclassError, match="lot-00000: the worker's command line is too long"):
        run_task(request, definition=REVISION, resources=RESOURCES)


@given(
    st.from_regex(r"[0-9a-f]{12}", fullmatch=True),
    st.sampled_from(Phase),
    st.integers(0, 10**9),
    st.integers(1, 10**6),
)
def test_a_token_fits_and_is_one_attempts_alone(job: str, phase: Phase, lot: int, attempt: int) -> None:
    """Any attempt's token has characters and length that ECS takes, and differs from its neighbours'."""
    request = request_for(lot_name(lot), attempt=attempt, phase=phase, job=job)
    token = client_token(request)

    assert len(token) <= MAX_TOKEN_CHARACTERS
    assert all(33 <= ord(character) <= 126 for character in token)
    assert token != client_token(replace(request, attempt=attempt + 1))
    assert token != client_token(replace(request, lot=lot_name(lot + 1)))


def test_a_started_task_is_its_arn() -> None:
    """The task of the answer counts, also a stopped one that the token knew."""
    assert started_task({"tasks": [{"taskArn": "arn:1", "lastStatus": "STOPPED"}], "failures": []}) == "arn:1"


def test_an_empty_answer_is_asked_again() -> None:
    """Neither task nor failure: nothing started, and nobody knows why."""
    answer = started_task({"tasks": [], "failures": []})

    assert isinstance(answer, Rejection)
    assert answer.patience is Patience.MOMENT


def test_a_failures_detail_is_told() -> None:
    """What ECS says beside the reason is in the words."""
    answer = started_task({"failures": [{"arn": "arn:x", "reason": "MISSING", "detail": "no such thing"}]})

    assert isinstance(answer, Rejection)
    assert answer.reason == "ECS refused the task: MISSING no such thing arn:x"


@pytest.mark.parametrize(
    ("patience", "fragment", "code", "words"),
    [
        (Patience.MOMENT, "busy", "ThrottlingException", "Rate exceeded"),
        (Patience.MOMENT, "busy", "InvalidParameterException", "Error retrieving subnet information: Rate exceeded"),
        (Patience.MOMENT, "busy", "InvalidParameterException", "(ErrorCode: RequestLimitExceeded)"),
        (Patience.MOMENT, "busy", "ServerException", ""),
        (Patience.MOMENT, "busy", "ServiceUnavailable", "try later"),
        (Patience.LATER, "no Fargate capacity", "", "Capacity is unavailable at this time."),
        (Patience.LATER, "L-36FBB829", "", "You've reached the limit on the number of vCPUs you can run concurrently"),
        (
            Patience.LATER,
            "quota is used up",
            "ClientException",
            "You've reached the limit on the number of tasks you can run concurrently",
        ),
        (Patience.LATER, "PROVISIONING", "ClientException", "limit of tasks in the PROVISIONING state"),
        (Patience.LATER, "trust policy", "ClientException", "ECS was unable to assume the role 'x'"),
        (Patience.LATER, "quota", "LimitExceededException", "too many"),
        (Patience.NONE, "below one task", "", "The requested CPU configuration is above your limit"),
        (
            Patience.NONE,
            "spot = false",
            "InvalidParameterException",
            "a capacity provider that is not associated with the cluster",
        ),
        (Patience.NONE, "fargate.subnets", "InvalidParameterException", "The subnet ID 'subnet-1' does not exist"),
        (
            Patience.NONE,
            "fargate.security_groups",
            "InvalidParameterException",
            "The security group 'sg-1' does not exist",
        ),
        (Patience.NONE, "s3reclass up", "ClusterNotFoundException", "Cluster not found."),
        (Patience.NONE, "was deleted", "ClientException", "TaskDefinition is inactive"),
        (Patience.NONE, "iam:PassRole", "AccessDeniedException", "not authorized"),
        (Patience.NONE, "AWS Support", "BlockedException", "blocked"),
        (Patience.NONE, "another Region", "PlatformUnknownException", "no such platform"),
        (Patience.NONE, "fargate.cpu", "PlatformTaskDefinitionIncompatibilityException", "no"),
        (Patience.NONE, "spot = false", "UnsupportedFeatureException", "no"),
        (Patience.NONE, "SomethingNew: never seen", "SomethingNew", "never seen"),
    ],
)
def test_each_refusal_has_its_patience_and_its_words(patience: Patience, fragment: str, code: str, words: str) -> None:
    """A refusal says whether asking again helps, what to do, and what AWS said."""
    rejection = judge_rejection(code, words)

    assert rejection.patience is patience
    assert fragment in rejection.reason
    assert words in rejection.reason
