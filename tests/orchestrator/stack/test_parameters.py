"""The stack's parameters and outputs: what is asked of it, what a run gets from it."""

from dataclasses import replace

import pytest

from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.settings.settings import FargateSettings, Settings
from orchestrator.stack.parameters import (
    TEMPLATE_VERSION,
    Needs,
    Network,
    difference,
    known_network,
    merge_resources,
    named_resources,
    needs_of,
    new_buckets,
    repository_name,
    stack_parameters,
    template_version,
)
from tests.orchestrator.stack.fake_cloudformation import OUTPUTS

NETWORK = Network(vpc_id="vpc-1", subnets=("subnet-1", "subnet-2"))
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a-1b"


def parameters(
    settings: Settings, previous: dict[str, str] | None = None, *, network: Network = NETWORK, partition: str = "aws"
) -> dict[str, str]:
    """The parameters for these settings."""
    return stack_parameters(needs_of(settings, partition=partition), network, previous or {})


def test_a_new_stack_gets_the_bucket_and_the_network() -> None:
    """Every parameter of a first stack."""
    assert parameters(Settings(bucket="my-bucket")) == {
        "TemplateVersion": str(TEMPLATE_VERSION),
        "BucketArns": "arn:aws:s3:::my-bucket",
        "ObjectArns": "arn:aws:s3:::my-bucket/*",
        "StateArns": "",
        "BucketOwners": "",
        "KmsKeyArns": "",
        "VpcId": "vpc-1",
        "SubnetIds": "subnet-1,subnet-2",
        "MakeTaskRole": "true",
        "MakeExecutionRole": "true",
        "DeleteSuperseded": "false",
        "RepositoryName": "",
        "LogGroupName": "",
    }


def test_another_accounts_buckets_are_named_by_their_account() -> None:
    """It joins those named before: another job of the stack may work on theirs."""
    found = parameters(Settings(bucket="b-b", bucket_owner="111122223333"), {"BucketOwners": "444455556666"})

    assert found["BucketOwners"] == "444455556666,111122223333"
    assert parameters(Settings(bucket="b-b"), {"BucketOwners": "444455556666"})["BucketOwners"] == "444455556666"


def test_arns_follow_the_partition() -> None:
    """China's and GovCloud's ARNs begin otherwise."""
    assert parameters(Settings(bucket="b-b"), partition="aws-cn")["BucketArns"] == "arn:aws-cn:s3:::b-b"


def test_a_named_state_is_reachable_for_the_role() -> None:
    """Its bucket can be listed, its objects under the prefix read and written; they aren't objects to work on."""
    found = parameters(Settings(bucket="my-bucket", state="s3://their-state/jobs/"))

    assert found["BucketArns"] == "arn:aws:s3:::my-bucket,arn:aws:s3:::their-state"
    assert found["ObjectArns"] == "arn:aws:s3:::my-bucket/*"
    assert found["StateArns"] == "arn:aws:s3:::their-state/jobs/*"
    assert parameters(Settings(bucket="my-bucket", state="s3://their-state"))["StateArns"] == (
        "arn:aws:s3:::their-state/*"
    )


def test_buckets_and_keys_are_added_and_never_taken_away() -> None:
    """What another job of the account works on stays in the role."""
    needs = needs_of(Settings(bucket="second"), buckets=["third", "second"], kms_keys=[KEY])
    found = stack_parameters(
        needs, NETWORK, {"BucketArns": "arn:aws:s3:::first", "ObjectArns": "arn:aws:s3:::first/*", "KmsKeyArns": "k"}
    )

    assert found["BucketArns"] == "arn:aws:s3:::first,arn:aws:s3:::second,arn:aws:s3:::third"
    assert found["ObjectArns"] == "arn:aws:s3:::first/*,arn:aws:s3:::second/*,arn:aws:s3:::third/*"
    assert found["KmsKeyArns"] == f"k,{KEY}"
    assert new_buckets(found, {"BucketArns": "arn:aws:s3:::first"}) == ("second", "third")


@pytest.mark.parametrize(
    ("made", "named", "previous"),
    [
        ("true", "", ""),
        ("false", "arn:role", ""),
        ("true", "arn:role", "true"),  # tasks may be using it
        ("false", "arn:role", "false"),
        ("true", "", "false"),
    ],
)
def test_a_role_is_made_unless_one_is_named(made: str, named: str, previous: str) -> None:
    """And one that was made stays."""
    settings = Settings(bucket="b-b", fargate=FargateSettings(task_role_arn=named, execution_role_arn=named))
    found = parameters(settings, {"MakeTaskRole": previous, "MakeExecutionRole": previous})

    assert (found["MakeTaskRole"], found["MakeExecutionRole"]) == (made, made)


@pytest.mark.parametrize(
    ("expected", "asked", "previous"),
    [
        ("false", None, {}),
        ("true", None, {"DeleteSuperseded": "true"}),  # another job may be using it
        ("true", True, {"DeleteSuperseded": "false"}),
        ("false", False, {"DeleteSuperseded": "true"}),
    ],
)
def test_versions_may_be_deleted_only_when_asked(expected: str, asked: bool | None, previous: dict[str, str]) -> None:  # noqa: FBT001 (a table's column)
    """Given and taken away by name; otherwise it stays as it is."""
    needs = needs_of(Settings(bucket="b-b"), delete_superseded=asked)

    assert stack_parameters(needs, NETWORK, previous)["DeleteSuperseded"] == expected


def test_named_repository_and_log_group_are_reachable_for_the_execution_role() -> None:
    """Their names go into its policy, and stay there when another job names none."""
    fargate = FargateSettings(repository="123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/r", log_group="/l")
    found = parameters(Settings(bucket="b-b", fargate=fargate))

    assert (found["RepositoryName"], found["LogGroupName"]) == ("team/r", "/l")
    assert difference(parameters(Settings(bucket="b-b"), found), found) == ()


def test_no_security_group_is_made_where_some_are_named() -> None:
    """Without a VPC the template makes none; one that was made stays."""
    settings = Settings(bucket="b-b", fargate=FargateSettings(security_groups=("sg-1",)))

    assert parameters(settings)["VpcId"] == ""
    assert parameters(settings, {"VpcId": "vpc-0"})["VpcId"] == "vpc-0"


def test_a_newer_template_version_stays() -> None:
    """An older s3reclass doesn't claim its own."""
    assert parameters(Settings(bucket="b-b"), {"TemplateVersion": "7"})["TemplateVersion"] == "7"


def test_more_buckets_than_a_parameter_holds_are_refused() -> None:
    """Before CloudFormation would, and with a way out."""
    needs = Needs(buckets=tuple(f"bucket-{number:050d}" for number in range(60)))

    with pytest.raises(S3ReclassError, match=r"BucketArns would be over 4096 bytes: make another stack"):
        stack_parameters(needs, NETWORK, {})


@pytest.mark.parametrize("bucket", ["*", "a", "my-bucket/*", "my,bucket", "arn:aws:s3:::b", "${aws:username}", "a\nb"])
def test_a_bucket_that_is_no_name_never_reaches_a_policy(bucket: str) -> None:
    """A `*` there would open every bucket of the account."""
    with pytest.raises(UsageError, match=r"is no bucket's name"):
        needs_of(Settings(bucket=bucket))
    with pytest.raises(UsageError, match=r"is no bucket's name"):
        needs_of(Settings(bucket="my-bucket"), buckets=[bucket])


@pytest.mark.parametrize("state", ["s3://my-state/*", "s3://my-state/a,b", "s3://my-state/a?", "s3://my-state/${x}"])
def test_a_state_that_would_widen_the_policy_is_refused(state: str) -> None:
    """Its prefix stands in an ARN."""
    with pytest.raises(UsageError, match=r"the state's prefix can't hold"):
        needs_of(Settings(bucket="my-bucket", state=state))


@pytest.mark.parametrize("key", ["*", "alias/mine", "arn:aws:kms:eu-west-1:123456789012:alias/mine", f"{KEY},*", ""])
def test_only_a_keys_own_arn_is_taken(key: str) -> None:
    """An alias in a policy's resources grants nothing, and a `*` too much."""
    with pytest.raises(UsageError, match=r"is no KMS key's ARN"):
        needs_of(Settings(bucket="my-bucket"), kms_keys=[key])


THERE = {"SubnetIds": "subnet-1,subnet-2", "VpcId": "vpc-1"}
NO_VPC = {"SubnetIds": "subnet-1,subnet-2", "VpcId": ""}


@pytest.mark.parametrize(
    ("answer", "subnets", "groups", "previous"),
    [
        (Network(vpc_id="", subnets=("s",)), ("s",), ("g",), {}),
        (Network(vpc_id="vpc-1", subnets=("s",)), ("s",), ("g",), THERE),
        (NETWORK, ("subnet-1", "subnet-2"), (), THERE),
        (None, ("subnet-9",), (), THERE),
        (None, ("subnet-1", "subnet-2"), (), NO_VPC),
        (None, ("subnet-1", "subnet-2"), (), {}),
        (Network(vpc_id="", subnets=("subnet-1", "subnet-2")), (), ("g",), NO_VPC),
        (None, (), ("g",), {}),
        (NETWORK, (), (), THERE),
        (None, (), (), NO_VPC),
        (None, (), (), {}),
    ],
)
def test_ec2_is_asked_only_for_what_is_not_known(
    answer: Network | None, subnets: tuple[str, ...], groups: tuple[str, ...], previous: dict[str, str]
) -> None:
    """The table of `known_network`."""
    needs = Needs(buckets=("b-b",), fargate=FargateSettings(subnets=subnets, security_groups=groups))

    assert known_network(needs, previous) == answer


def test_differences_are_told_in_phrases() -> None:
    """What a list gains, what a value becomes."""
    assert difference(
        {"BucketArns": "a,b", "VpcId": "vpc-2", "LogGroupName": "", "SubnetIds": "s"},
        {"BucketArns": "a", "VpcId": "vpc-1", "LogGroupName": "l", "SubnetIds": "s"},
    ) == ("BucketArns + b", "VpcId = vpc-2", "LogGroupName = (none)")


@pytest.mark.parametrize(
    ("version", "parameters_there"),
    [(1, {"TemplateVersion": "1"}), (12, {"TemplateVersion": "12"}), (None, {}), (None, {"TemplateVersion": "x"})],
)
def test_our_stacks_are_known_by_their_version(version: int | None, parameters_there: dict[str, str]) -> None:
    """A stack without it is somebody else's."""
    assert template_version(parameters_there) == version


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("", ""),
        ("s3reclass", "s3reclass"),
        ("team/s3reclass", "team/s3reclass"),
        ("my.team/s3reclass", "my.team/s3reclass"),
        ("s3reclass", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/s3reclass"),
        ("team/s3reclass", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/s3reclass:tag"),
        ("s3reclass", "123456789012.dkr-ecr.eu-west-1.on.aws/s3reclass@sha256:00"),
        ("s3reclass", "127.0.0.1:4566/s3reclass"),
    ],
)
def test_a_repository_goes_by_name_or_uri(name: str, repository: str) -> None:
    """As people copy it from the console."""
    assert repository_name(repository) == name


def test_what_is_named_wins_over_the_stack() -> None:
    """Part by part."""
    fargate = FargateSettings(cluster="mine", subnets=("s-9",), security_groups=("g-1", "g-2"), assign_public_ip=False)
    found = merge_resources(Settings(state="s3://mine/jobs", fargate=fargate), OUTPUTS)

    assert (found.cluster, found.state_bucket, found.subnets) == ("mine", "mine", ("s-9",))
    assert (found.security_groups, found.assign_public_ip) == (("g-1", "g-2"), False)
    assert (found.repository, found.log_group) == ("the-repository", "the-logs")
    assert found.task_role_arn == "arn:aws:iam::123456789012:role/task"
    assert found.execution_role_arn == "arn:aws:iam::123456789012:role/execution"


def test_a_part_that_nobody_has_is_named() -> None:
    """A stack made with a named role has none of its own."""
    outputs = {key: value for key, value in OUTPUTS.items() if key != "TaskRoleArn"}

    with pytest.raises(S3ReclassError, match=r"the stack s3reclass has no task role .*run `s3reclass up`"):
        merge_resources(Settings(), outputs)


def test_one_part_short_of_all_needs_the_stack() -> None:
    """Only when everything is named, the state too, is there no stack."""
    fargate = FargateSettings(
        cluster="c",
        repository="r",
        log_group="l",
        task_role_arn="t",
        execution_role_arn="e",
        subnets=("s",),
        security_groups=("g",),
    )

    assert named_resources(Settings(state="s3://their-state", fargate=fargate)) is not None
    assert named_resources(Settings(fargate=fargate)) is None
    assert named_resources(Settings(state="s3://their-state", fargate=replace(fargate, security_groups=()))) is None
