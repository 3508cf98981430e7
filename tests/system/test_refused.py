"""A task role that lacks a permission: keys are denied, and said to be; nothing crashes."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.system.account import Account, Stored
from tests.system.box import ACCOUNT
from tests.system.jobs import rows_of_report, split_job
from tests.system.terminal import Terminal

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "refused"
TRUSTS_ECS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def test_role_without_restore(account: Account, terminal: Terminal) -> None:
    """Tasks whose role lacks s3:RestoreObject end with a `denied` row for each key and exit code 3."""
    keys = [f"reel {number}" for number in range(6)]
    split_job(account, terminal, BUCKET, [Stored(key=key, storage_class="GLACIER") for key in keys], lots=2)
    actions = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    _use_role(account, terminal, "no-restore", account.allow(actions, ["*"]))
    terminal.types("s3reclass push-image")

    said = terminal.types("s3reclass run --phase restore", exit_code=3)

    assert "denied" in said.out
    terminal.types("s3reclass report --csv report.csv", exit_code=3)
    assert [(BUCKET, key, "failed", "AccessDenied", "403", "denied") for key in keys] == [
        (row.entry.bucket, row.entry.key, row.outcome.status, row.error_code, str(row.http_status), row.outcome)
        for row in rows_of_report(terminal)
    ]
    tasks = account.tasks()
    assert {f"arn:aws:iam::{ACCOUNT}:role/no-restore"} == {_definition(account, task)["taskRoleArn"] for task in tasks}
    assert Counter({("lot-00000", 3): 1, ("lot-00001", 3): 1}) == Counter(
        (task["tags"]["s3reclass:lot"], task["containers"][0]["exitCode"]) for task in tasks
    )


def _use_role(account: Account, terminal: Terminal, name: str, policy: dict[str, Any]) -> None:
    """Make a role for tasks, and name it in s3reclass.toml."""
    iam = account.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUSTS_ECS))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="tasks", PolicyDocument=json.dumps(policy))
    file = terminal.folder / "s3reclass.toml"
    text = file.read_text()
    assert '# task_role_arn = ""' in text
    file.write_text(text.replace('# task_role_arn = ""', f'task_role_arn = "{role["Arn"]}"'))


def _definition(account: Account, task: Any) -> Any:
    ecs = account.client("ecs")
    return ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
