"""What `up` makes, `down` removes: nothing is left behind but the state, and that only until asked."""

from collections.abc import Mapping

import pytest

from tests.system.account import Account
from tests.system.box import ACCOUNT
from tests.system.terminal import Terminal

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "films"


def test_down_leaves_the_state_alone(account: Account, terminal: Terminal) -> None:
    """After `up` and `down` only the state bucket is more than there was before; without a yes nothing goes."""
    account.make_bucket(BUCKET)
    before = _everything(account)
    state = _up(account, terminal)
    up = _everything(account)

    terminal.types("s3reclass down", exit_code=2)
    assert up == _everything(account)
    terminal.types("s3reclass down --yes")

    assert {**before, "buckets": {BUCKET, state}} == _everything(account)
    assert account.names(state) == ["job/job.json"]


def test_what_was_removed_from_the_state_is_something(account: Account, terminal: Terminal) -> None:
    """A state bucket that shows no file, but has versions of some, isn't empty to `down`: it stays."""
    account.make_bucket(BUCKET)
    state = _up(account, terminal)
    account.s3.delete_object(Bucket=state, Key="job/job.json")

    terminal.types("s3reclass down --yes")

    assert account.names(state) == []
    assert _everything(account)["buckets"] == {BUCKET, state}


def test_a_named_state_is_open_to_what_tasks_write(account: Account, terminal: Terminal) -> None:
    """The role's policy as CloudFormation makes it of the parameters: each name under each state, and no other."""
    for bucket in (BUCKET, "ours"):
        account.make_bucket(bucket)
    terminal.types(f"s3reclass up --bucket {BUCKET} --state s3://ours/jobs --bucket-owner 111122223333")

    iam = account.client("iam")
    (role,) = [one["RoleName"] for one in iam.list_roles()["Roles"] if "TaskRole" in one["RoleName"]]
    policy = iam.get_role_policy(RoleName=role, PolicyName="worker")["PolicyDocument"]
    found = {one["Sid"]: one for one in policy["Statement"]}
    lot = "arn:aws:s3:::ours/jobs/*/lot-*"
    assert found["NamedStateResults"]["Resource"] == [f"{lot}/results-*.csv", f"{lot}/audit-*.jsonl"]
    assert found["NamedStateProgress"]["Resource"] == [
        f"{lot}/progress.json",
        f"{lot}/takeover.json",
        f"{lot}/done-*.json",
        f"{lot}/uploads-*.json",
    ]
    assert found["NoStrangersBucket"]["Condition"] == {
        "StringNotEquals": {"aws:ResourceAccount": [ACCOUNT, "111122223333"]}
    }


def test_down_takes_the_state_when_asked(account: Account, terminal: Terminal) -> None:
    """`down --delete-state` leaves the account as `up` found it."""
    account.make_bucket(BUCKET)
    before = _everything(account)
    _up(account, terminal)

    terminal.types("s3reclass down --yes --delete-state")

    assert before == _everything(account)


def _up(account: Account, terminal: Terminal) -> str:
    """
    Make the stack, register what runs under its role, put something into its state bucket, and return its name.

    A file with an older version, and one of which only a version and a delete marker are left.
    """
    terminal.types(f"s3reclass up --bucket {BUCKET}")
    (state,) = _everything(account)["buckets"] - {BUCKET}
    assert account.s3.get_bucket_versioning(Bucket=state)["Status"] == "Enabled"
    for body in (b"", b"{}"):
        account.s3.put_object(Bucket=state, Key="job/job.json", Body=body)
    account.s3.put_object(Bucket=state, Key="job/stop.json")
    account.s3.delete_object(Bucket=state, Key="job/stop.json")
    (stack,) = account.client("cloudformation").describe_stacks(StackName="s3reclass")["Stacks"]
    (role,) = (one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "TaskRoleArn")
    worker = {"name": "worker", "image": "worker", "memory": 512}
    account.client("ecs").register_task_definition(
        family="s3reclass-copy", taskRoleArn=role, containerDefinitions=[worker]
    )
    return state


def _everything(account: Account) -> Mapping[str, set[str]]:
    """The name of each thing in the account, of every kind that a stack makes."""
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    return {
        "stacks": {one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"},
        "clusters": set(account.client("ecs").list_clusters()["clusterArns"]),
        "task definitions": set(account.client("ecs").list_task_definitions()["taskDefinitionArns"]),
        "repositories": {
            one["repositoryName"] for one in account.client("ecr").describe_repositories()["repositories"]
        },
        "roles": {one["RoleName"] for one in account.client("iam").list_roles()["Roles"]},
        "log groups": {one["logGroupName"] for one in account.client("logs").describe_log_groups()["logGroups"]},
        "security groups": {
            one["GroupId"] for one in account.client("ec2").describe_security_groups()["SecurityGroups"]
        },
        "buckets": {one["Name"] for one in account.s3.list_buckets()["Buckets"]},
    }
