"""What `up` makes, `down` removes: nothing is left behind but the state, and that only until asked."""

from collections.abc import Mapping

import pytest

from tests.system.account import Account
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


def test_down_takes_the_state_when_asked(account: Account, terminal: Terminal) -> None:
    """`down --delete-state` leaves the account as `up` found it."""
    account.make_bucket(BUCKET)
    before = _everything(account)
    _up(account, terminal)

    terminal.types("s3reclass down --yes --delete-state")

    assert before == _everything(account)


def _up(account: Account, terminal: Terminal) -> str:
    """Make the stack, register what runs under its role, put something into its state bucket, and return its name."""
    terminal.types(f"s3reclass up --bucket {BUCKET}")
    (state,) = _everything(account)["buckets"] - {BUCKET}
    account.s3.put_object(Bucket=state, Key="job/job.json", Body=b"{}")
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
