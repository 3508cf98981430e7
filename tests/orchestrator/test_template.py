"""stack.yaml: clean to cfn-lint, and no more open than it has to be."""

import hashlib
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.decode.cfn_yaml import loads

from orchestrator.clients.cloudformation import template
from orchestrator.planning.stack import TEMPLATE_VERSION
from tests.orchestrator.fake_cloudformation import OUTPUTS

MAX_TEMPLATE_BYTES = 51_200
"""The largest template that a request can hold (CloudFormation User Guide, "CloudFormation quotas", 2026-11)."""


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """The template's resources."""
    found: dict[str, Any] = loads(template())["Resources"]
    return found


def statements(role: Any) -> dict[str, Any]:
    """A role's policy statements by Sid, conditional ones included."""
    (policy,) = role["Properties"]["Policies"]
    found = [one["Fn::If"][1] if "Fn::If" in one else one for one in policy["PolicyDocument"]["Statement"]]
    return {one["Sid"]: one for one in found}


def test_the_template_is_clean_to_cfn_lint() -> None:
    """No error and no warning, in one of the oldest Regions and one of the newest partitions."""
    assert lint(template(), regions=["eu-west-1", "cn-north-1"]) == []


def test_the_template_fits_into_a_request() -> None:
    """It needs no bucket of its own to be uploaded to."""
    assert len(template().encode()) < MAX_TEMPLATE_BYTES


def test_a_changed_template_has_a_new_version() -> None:
    """Stacks that exist are updated only when the version rises: raise TEMPLATE_VERSION, then note the digest here."""
    digest = hashlib.sha256(template().encode()).hexdigest()[:16]

    assert (TEMPLATE_VERSION, digest) == (2, "79967db2802a7db2")


def test_the_template_has_the_outputs_that_we_read() -> None:
    """Each of them, and no other."""
    assert set(loads(template())["Outputs"]) == set(OUTPUTS)


def test_the_task_role_may_do_what_the_worker_does(parts: dict[str, Any]) -> None:
    """Each action on the named objects, the named buckets or the state, and nothing else anywhere."""
    found = statements(parts["TaskRole"])

    assert {sid: (one["Action"], one["Resource"]) for sid, one in found.items() if sid != "Objects"} == {
        "SupersededVersions": ("s3:DeleteObjectVersion", {"Ref": "ObjectArns"}),
        "MissingKeysAreToldApart": ("s3:ListBucket", {"Ref": "BucketArns"}),
        "BucketSettings": (
            ["s3:GetBucketOwnershipControls", "s3:GetBucketAcl", "s3:GetBucketObjectLockConfiguration"],
            {"Ref": "BucketArns"},
        ),
        "State": (["s3:GetObject", "s3:PutObject"], {"Fn::Sub": "${StateBucket.Arn}/*"}),
        "StateFolders": ("s3:ListBucket", {"Fn::GetAtt": ["StateBucket", "Arn"]}),
        "NamedState": (["s3:GetObject", "s3:PutObject"], {"Ref": "StateArns"}),
        "KmsKeys": (["kms:Decrypt", "kms:GenerateDataKey"], {"Ref": "KmsKeyArns"}),
    }
    assert found["Objects"]["Resource"] == {"Ref": "ObjectArns"}
    assert not [action for action in found["Objects"]["Action"] if "*" in action or "Delete" in action]


def test_the_task_role_deletes_only_when_asked(parts: dict[str, Any]) -> None:
    """One statement, under its condition, allows to delete a version; none passes over a lock."""
    (policy,) = parts["TaskRole"]["Properties"]["Policies"]
    deleting = [one for one in policy["PolicyDocument"]["Statement"] if "Delete" in str(one)]
    conditions = loads(template())["Conditions"]

    assert [one["Fn::If"][0] for one in deleting] == ["DeletesSuperseded"]
    assert conditions["DeletesSuperseded"] == {"Fn::Equals": [{"Ref": "DeleteSuperseded"}, "true"]}
    assert loads(template())["Parameters"]["DeleteSuperseded"]["Default"] == "false"
    assert "Bypass" not in str(policy)


def test_the_task_role_sees_what_a_copy_must_carry_over(parts: dict[str, Any]) -> None:
    """
    Retention and legal hold can be read as well as written.

    HeadObject leaves them out, without a word, for a caller who may not read them (botocore, HeadObject).
    """
    actions = set(statements(parts["TaskRole"])["Objects"]["Action"])

    assert {f"s3:{verb}Object{what}" for verb in ("Get", "Put") for what in ("Retention", "LegalHold")} <= actions


def test_the_execution_role_pulls_and_logs_alone(parts: dict[str, Any]) -> None:
    """`*` stands only where ECR takes no resource."""
    found = statements(parts["ExecutionRole"])

    assert [sid for sid, one in found.items() if one["Resource"] == "*"] == ["LogInToEcr"]
    assert found["LogInToEcr"]["Action"] == "ecr:GetAuthorizationToken"
    assert set(found) == {"LogInToEcr", "PullImages", "WriteLogs"}


@pytest.mark.parametrize("role", ["TaskRole", "ExecutionRole"])
def test_only_tasks_of_this_account_can_take_a_role(parts: dict[str, Any], role: str) -> None:
    """ECS is trusted for this account's tasks, not for a stranger's."""
    (statement,) = parts[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_state_bucket_is_closed_and_kept(parts: dict[str, Any]) -> None:
    """No public access, encrypted, TLS only, old state expires; deleting the stack keeps bucket and policy."""
    bucket = parts["StateBucket"]
    (deny,) = parts["StateBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket["Properties"]
    assert (deny["Effect"], deny["Action"], deny["Condition"]) == (
        "Deny",
        "s3:*",
        {"Bool": {"aws:SecureTransport": "false"}},
    )
    assert bucket["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == {
        "Ref": "StateRetentionDays"
    }
    assert {parts[one]["DeletionPolicy"] for one in ("StateBucket", "StateBucketPolicy")} == {"RetainExceptOnCreate"}
    assert "BucketName" not in bucket["Properties"]


def test_images_are_immutable_and_scanned(parts: dict[str, Any]) -> None:
    """A tag names its content for good."""
    repository = parts["Repository"]["Properties"]

    assert repository["ImageTagMutability"] == "IMMUTABLE"
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}


def test_nothing_can_call_a_task(parts: dict[str, Any]) -> None:
    """The security group has no ingress."""
    assert set(parts["SecurityGroup"]["Properties"]) == {"GroupDescription", "VpcId"}


def test_the_cluster_has_both_kinds_of_capacity(parts: dict[str, Any]) -> None:
    """FARGATE by default, FARGATE_SPOT when asked for."""
    assert parts["Cluster"]["Properties"]["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
