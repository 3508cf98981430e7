"""`s3reclass up` and `s3reclass down`, as typed, against moto's CloudFormation."""

from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.cloudformation import models, parsing
from moto.s3 import models as moto_s3

from orchestrator.cli import run

# moto 5.2 doesn't make bucket policies, and warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse AWS..S3..BucketPolicy")

NAMED = """
bucket = "my-bucket"
state = "s3://my-state"
[fargate]
cluster = "c"
repository = "worker"
log_group = "l"
task_role_arn = "t"
execution_role_arn = "e"
subnets = ["subnet-1"]
security_groups = ["sg-1"]
"""


def mend_moto(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Two mistakes of moto 5.2 put right.

    It makes up a repository's name with capitals, and then refuses it; and it doesn't tell a stack's lists.
    """
    made_up = parsing.generate_resource_name
    listed = vars(models.Stack)["parameter_list"].fget

    def lower_case(resource_type: str, stack_name: str, logical_id: str) -> str:
        name: str = made_up(resource_type, stack_name, logical_id)
        return name.lower() if resource_type == "AWS::ECR::Repository" else name

    def joined(stack: Any) -> list[dict[str, str]]:
        values = {one["ParameterKey"]: one["ParameterValue"] for one in listed(stack)}
        return [
            {"ParameterKey": key, "ParameterValue": ",".join(value) if isinstance(value, list) else str(value)}
            for key, value in values.items()
        ]

    monkeypatch.setattr(parsing, "generate_resource_name", lower_case)
    monkeypatch.setattr(models.Stack, "parameter_list", property(joined))


@pytest.fixture
def account(aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An account with the bucket my-bucket, and an empty folder to work in; the endpoint."""
    monkeypatch.chdir(tmp_path)
    mend_moto(monkeypatch)
    here: Any = {"LocationConstraint": "eu-west-1"}
    boto3.client("s3", endpoint_url=aws).create_bucket(Bucket="my-bucket", CreateBucketConfiguration=here)
    return aws


def stacks(aws: str) -> list[str]:
    """The names of the stacks there are."""
    found = boto3.client("cloudformation", endpoint_url=aws).describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found]


def test_up_twice_and_down(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The second `up` changes nothing and shows the same parts; `down --yes` removes them."""
    assert run(["up", "--bucket", "my-bucket"]) == 0
    first = capsys.readouterr()
    assert "stack s3reclass: making it in eu-west-1" in first.err
    assert [line.split("  ")[0] for line in first.out.splitlines()] == [
        "cluster",
        "repository",
        "state bucket",
        "log group",
        "task role",
        "execution role",
        "subnets",
        "security groups sg-" + first.out.rpartition("sg-")[2].strip(),
    ]

    assert run(["up", "--bucket", "my-bucket"]) == 0
    second = capsys.readouterr()
    assert (second.out, second.err) == (first.out, "")

    assert run(["down", "--yes"]) == 0
    third = capsys.readouterr()
    assert "stack s3reclass (CREATE_COMPLETE): these go:" in third.out
    assert "stack s3reclass: gone" in third.err
    assert stacks(account) == []

    assert run(["down", "--yes"]) == 0
    assert capsys.readouterr().err == "there is no stack s3reclass: nothing to do\n"


def test_up_needs_a_bucket(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and how to name one."""
    assert run(["up"]) == 2
    assert "no bucket is named" in capsys.readouterr().err
    assert stacks(account) == []


def test_up_for_a_bucket_that_is_not_there_makes_nothing(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and one line."""
    assert run(["up", "--bucket", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("s3reclass: there is no bucket nowhere")
    assert stacks(account) == []


def test_up_without_subnets_makes_nothing(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the setting to make."""
    ec2 = boto3.client("ec2", endpoint_url=account)
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])

    assert run(["up", "--bucket", "my-bucket"]) == 1
    assert "name some in s3reclass.toml ([fargate] subnets" in capsys.readouterr().err
    assert stacks(account) == []


def test_up_makes_no_stack_when_every_part_is_named(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows what will be used."""
    Path("s3reclass.toml").write_text(NAMED)

    assert run(["up"]) == 0
    shown = capsys.readouterr().out
    assert "cluster         c\n" in shown
    assert "state bucket    my-state\n" in shown
    assert stacks(account) == []


class Terminal(StringIO):
    """A terminal on which somebody has typed already."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.mark.parametrize(
    ("left", "code", "typed"),
    [(["s3reclass"], 1, "n\n"), (["s3reclass"], 1, "\n"), (["s3reclass"], 1, "y\nn\n"), ([], 0, "y\ny\n")],
)
def test_down_asks_twice_before_it_deletes_state(
    account: str, monkeypatch: pytest.MonkeyPatch, left: list[str], code: int, typed: str
) -> None:
    """Once for the stack, once for the jobs' results; a no to either deletes nothing."""
    assert run(["up", "--bucket", "my-bucket"]) == 0
    s3 = boto3.client("s3", endpoint_url=account)
    (state,) = (one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"] != "my-bucket")
    s3.put_object(Bucket=state, Key="job/job.json", Body=b"{}")
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    # moto 5.2 deletes the bucket with the stack, and objects in it are in its way.
    monkeypatch.setattr(
        moto_s3.FakeBucket, "delete_from_cloudformation_json", classmethod(lambda *_args, **_named: None)
    )

    assert run(["down", "--delete-state"]) == code
    assert stacks(account) == left
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["my-bucket", *([state] if left else [])]


def test_down_asks_where_it_can_and_refuses_where_it_cannot(account: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal to ask on, nothing is deleted: exit code 2, and --yes named."""
    assert run(["up", "--bucket", "my-bucket"]) == 0

    assert run(["down"]) == 2
    assert "give --yes" in capsys.readouterr().err
    assert stacks(account) == ["s3reclass"]
