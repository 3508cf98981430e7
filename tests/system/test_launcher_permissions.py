"""
The launcher's policy in docs/iam.md: enough for a whole job, and nothing in it for nothing.

Policies are enforced by AWS in a box. What it doesn't enforce stands in NOT_ENFORCED, each with the reason.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir
from typing import Any

import pytest

from orchestrator.cli import run
from orchestrator.common.aws_sessions import session
from tests.documents import block, read
from tests.system.account import Account, Stored
from tests.system.box import ACCOUNT
from tests.system.jobs import split_job
from tests.system.terminal import Terminal

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "my-bucket"
"""As the policy to copy has it, with its account and Region."""

RUN = "run --phase restore --no-estimate"
PLAN = "run --phase copy --no-estimate --dry-run"
PUSH = "push-image"
AFTER_A_RUN = "stop"
WHOLE_JOB = (PUSH, "list", "estimate", PLAN, RUN, "status", "report", "logs 0", AFTER_A_RUN)

NEEDED: Mapping[tuple[str, str], tuple[str, str]] = {
    ("LogInToEcr", "ecr:GetAuthorizationToken"): (PUSH, "must allow GetAuthorizationToken"),
    ("FindAndPushImages", "ecr:DescribeRepositories"): (PUSH, "must allow DescribeRepositories"),
    ("FindAndPushImages", "ecr:DescribeImages"): (PLAN, "must allow DescribeImages"),
    ("ListTheBucket", "s3:ListBucket"): (PLAN, "need s3:ListBucket on it"),
    ("AskForItsSettings", "s3:GetBucketVersioning"): (PLAN, "needs s3:GetBucketVersioning"),
    ("AskForItsSettings", "s3:GetBucketObjectLockConfiguration"): (PLAN, "needs s3:GetBucketObjectLockConfiguration"),
    ("AskForItsSettings", "s3:GetBucketRequestPayment"): (PLAN, "needs s3:GetBucketRequestPayment"),
    ("HeadItsObjects", "s3:GetObject"): ("estimate", "denied  100.0%"),
    ("StateFolders", "s3:ListBucket"): (RUN, "must allow ListObjectsV2"),
    ("State", "s3:GetObject"): (RUN, "must allow GetObject"),
    ("State", "s3:PutObject"): (RUN, "must allow PutObject"),
    ("ReadTheStack", "cloudformation:DescribeStacks"): ("status", "must allow DescribeStacks"),
    ("DefineTasks", "ecs:DescribeTaskDefinition"): (RUN, "must allow DescribeTaskDefinition"),
    ("DefineTasks", "ecs:RegisterTaskDefinition"): (RUN, "must allow RegisterTaskDefinition"),
    ("ListTasks", "ecs:ListTasks"): (RUN, "must allow ListTasks"),
    ("RunTasks", "ecs:RunTask"): (RUN, "must allow ecs:RunTask"),
    ("WatchAndStopTasks", "ecs:DescribeTasks"): (AFTER_A_RUN, "must allow DescribeTasks"),
    ("ReadLogs", "logs:GetLogEvents"): ("logs 0", "must allow GetLogEvents"),
}
"""By statement and action: a command, and what it says without. In the order of a job."""

_DOCKERS_OWN = "Docker's own requests to the registry, which the box lets everybody make who can log in"
_LEFT_OUT = "without it S3 leaves a part of its answer out, the box never does"
NOT_ENFORCED: Mapping[tuple[str, str], str] = {
    **{
        ("FindAndPushImages", f"ecr:{action}"): _DOCKERS_OWN
        for action in (
            "BatchCheckLayerAvailability",
            "BatchGetImage",
            "InitiateLayerUpload",
            "UploadLayerPart",
            "CompleteLayerUpload",
            "PutImage",
        )
    },
    ("HeadItsObjects", "s3:GetObjectVersion"): "the same as s3:GetObject, where lots name versions",
    ("HeadItsObjects", "s3:GetObjectTagging"): _LEFT_OUT,
    ("HeadItsObjects", "s3:GetObjectRetention"): _LEFT_OUT,
    ("HeadItsObjects", "s3:GetObjectLegalHold"): _LEFT_OUT,
    ("WatchAndStopTasks", "ecs:StopTask"): "asked only while a task runs, and the one of this job ends at once",
    ("TagNewTasks", "ecs:TagResource"): "the box takes tags from whoever may run tasks",
    ("PassTheTwoRoles", "iam:PassRole"): "the box lets everybody pass a role who may run tasks",
}


CONDITIONS = {
    "State": "must allow GetObject",
    "StateFolders": "must allow ListObjectsV2",
    "ListTheBucket": "need s3:ListBucket on it",
    "ListTasks": "must allow ListTasks",
    "RunTasks": "must allow ecs:RunTask",
}
"""Statements whose conditions name the account, and what a run says when they name another."""

WIDER = {
    "FindAndPushImages": "the box checks DescribeRepositories on all repositories, whichever is asked for",
    "ReadLogs": "CloudFormation in the box calls the log group otherwise than AWS does",
}
"""Statements whose resources the box doesn't check as AWS does, and why."""


def policy(sid: str = "", action: str = "") -> dict[str, Any]:
    """The policy to copy, but for one action in one statement."""
    found: dict[str, Any] = json.loads(block(read("docs/iam.md"), "json operator"))
    for one in found["Statement"]:
        actions = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
        one["Resource"] = "*" if one["Sid"] in WIDER else one["Resource"]
        one["Action"] = [other for other in actions if (one["Sid"], other) != (sid, action)]
    found["Statement"] = [one for one in found["Statement"] if one["Action"]]
    return found


def test_every_permission_is_in_one_of_the_tables() -> None:
    """Whoever adds one to the page says here which command needs it."""
    granted = {(one["Sid"], action) for one in policy()["Statement"] for action in one["Action"]}

    assert granted == {*NEEDED, *NOT_ENFORCED}
    assert not {*NEEDED} & {*NOT_ENFORCED}


Typed = Callable[[str, dict[str, Any]], tuple[int, str]]


@pytest.fixture
def types(
    account: Account, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """Runs a command line as somebody with a policy: its exit code and all that it said."""
    users = iter(range(1000))

    def types(line: str, allowed: dict[str, Any]) -> tuple[int, str]:
        for variable, value in account.new_user(f"user-{next(users)}", allowed).items():
            monkeypatch.setenv(variable, value)
        session.cache_clear()
        with chdir(terminal.folder):
            code = run(line.split())
        return code, "".join(capfd.readouterr())

    yield types
    session.cache_clear()


def test_each_permission_is_needed(account: Account, terminal: Terminal, types: Typed) -> None:
    """Without one of them a command says which; with all of them the whole job runs."""
    split_job(account, terminal, BUCKET, [Stored(key="reel", storage_class="GLACIER")], lots=1)
    terminal.types("s3reclass up")
    left = dict(NEEDED)

    for line in WHOLE_JOB:
        for (sid, action), (needing, told) in NEEDED.items():
            if needing == line:
                del left[sid, action]
                _, said = types(line, policy(sid, action))
                assert told in said, f"{sid} {action}: {line}: {said}"
        code, said = types(line, policy())
        assert code == 0, f"{line}: {said}"
        assert "AccessDenied" not in said, f"{line}: {said}"
    assert not left


def test_each_condition_counts(account: Account, terminal: Terminal, types: Typed) -> None:
    """A run on another cluster, or with a state in another account's bucket of that name, is denied."""
    split_job(account, terminal, BUCKET, [Stored(key="reel", storage_class="GLACIER")], lots=1)
    terminal.types("s3reclass up")
    types(PUSH, policy())
    for sid, told in CONDITIONS.items():
        elsewhere = policy()
        (statement,) = [one for one in elsewhere["Statement"] if one["Sid"] == sid]
        statement["Condition"] = json.loads(json.dumps(statement["Condition"]).replace(ACCOUNT, "999999999999"))

        code, said = types(RUN, elsewhere)

        assert code == 1, sid
        assert told in said, f"{sid}: {said}"
