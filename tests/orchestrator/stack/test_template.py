"""stack.yaml: clean to cfn-lint, and no more open than it has to be."""

import hashlib
import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.decode.cfn_yaml import loads

from orchestrator.stack.cloudformation import template
from orchestrator.stack.parameters import TEMPLATE_VERSION
from tests.intrinsics import resolved, statements
from tests.orchestrator.stack.fake_cloudformation import OUTPUTS
from worker.contract import Phase, StatePaths, lot_name

MAX_TEMPLATE_BYTES = 51_200
"""The largest template that a request can hold (CloudFormation User Guide, "CloudFormation quotas", 2026-11)."""


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """The template's resources."""
    found: dict[str, Any] = loads(template())["Resources"]
    return found


GIVEN = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "ObjectArns": ["arn:aws:s3:::my-bucket/*", "arn:aws:s3:::second/*"],
    "BucketArns": ["arn:aws:s3:::my-bucket", "arn:aws:s3:::second"],
    "StateArns": ["arn:aws:s3:::theirs/jobs/*", "arn:aws:s3:::other/*"],
    "BucketOwners": ["111122223333", "444455556666"],
    "KmsKeyArns": ["arn:aws:kms:eu-west-1:123456789012:key/0a1b"],
    "StateBucket.Arn": "arn:aws:s3:::own-state",
    "Repository.Arn": "arn:aws:ecr:eu-west-1:123456789012:repository/own",
    "RepositoryName": "named",
    "LogGroup.Arn": "arn:aws:logs:eu-west-1:123456789012:log-group:own:*",
    "LogGroupName": "named",
}
"""What the stack's parameters and parts would be."""

JOB = "0123456789ab"


def test_the_template_is_clean_to_cfn_lint() -> None:
    """No error and no warning, in one of the oldest Regions and one of the newest partitions."""
    assert lint(template(), regions=["eu-west-1", "cn-north-1"]) == []


def test_the_template_fits_into_a_request() -> None:
    """It needs no bucket of its own to be uploaded to."""
    assert len(template().encode()) < MAX_TEMPLATE_BYTES


def test_a_changed_template_has_a_new_version() -> None:
    """Stacks that exist are updated only when the version rises: raise TEMPLATE_VERSION, then note the digest here."""
    digest = hashlib.sha256(template().encode()).hexdigest()[:16]

    assert (TEMPLATE_VERSION, digest) == (3, "6231542c185598ee")


def test_the_template_has_the_outputs_that_we_read() -> None:
    """Each of them, and no other."""
    assert set(loads(template())["Outputs"]) == set(OUTPUTS)


def test_the_task_role_may_do_what_the_worker_does(parts: dict[str, Any]) -> None:
    """Each action on the named objects, the named buckets or the state, and nothing else anywhere."""
    found = statements(parts["TaskRole"], GIVEN)
    allowed = {sid: one["Action"] for sid, one in found.items() if one["Effect"] == "Allow"}

    assert {sid: actions for sid, actions in allowed.items() if sid != "Objects"} == {
        "SupersededVersions": ["s3:DeleteObjectVersion"],
        "Buckets": [
            "s3:ListBucket",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketAcl",
            "s3:GetBucketObjectLockConfiguration",
        ],
        "State": ["s3:GetObject"],
        "StateResults": ["s3:PutObject"],
        "StateProgress": ["s3:PutObject"],
        "StateFolders": ["s3:ListBucket"],
        "NamedState": ["s3:GetObject"],
        "NamedStateResults": ["s3:PutObject"],
        "NamedStateProgress": ["s3:PutObject"],
        "KmsKeys": ["kms:Decrypt", "kms:GenerateDataKey"],
    }
    assert {sid: one["Resource"] for sid, one in found.items() if sid in allowed and "State" not in sid} == {
        "Objects": GIVEN["ObjectArns"],
        "SupersededVersions": GIVEN["ObjectArns"],
        "Buckets": GIVEN["BucketArns"],
        "KmsKeys": GIVEN["KmsKeyArns"],
    }
    assert not [action for action in allowed["Objects"] if "*" in action or "Delete" in action]


def test_the_task_role_has_room_for_forty_buckets(parts: dict[str, Any]) -> None:
    """Its policies take 10,240 characters without white space (IAM User Guide, "IAM and AWS STS quotas"; 2026-11)."""
    names = [f"arn:aws:s3:::a-name-of-thirty-characters-{number}" for number in range(10, 50)]
    many = GIVEN | {"BucketArns": names, "ObjectArns": [f"{name}/*" for name in names]}
    policy = list(statements(parts["TaskRole"], many).values())

    assert len(json.dumps(policy, separators=(",", ":"))) < 10_000


def test_the_task_role_uses_keys_by_way_of_s3_alone(parts: dict[str, Any]) -> None:
    """
    Every KMS action has the condition, of this Region's S3, whatever the partition's DNS suffix is.

    `kms:ViaService` is the service's name, such as s3.us-west-2.amazonaws.com (AWS KMS Developer Guide, "AWS KMS
    condition keys"; 2026-11).
    """
    found = [one for one in statements(parts["TaskRole"], GIVEN).values() if "kms:" in str(one["Action"])]

    assert [one["Condition"] for one in found] == [{"StringLike": {"kms:ViaService": "s3.eu-west-1.*"}}]


def test_the_task_role_is_kept_off_buckets_of_strangers(parts: dict[str, Any]) -> None:
    """
    Any action of S3 on any bucket but this account's and those named is denied, whatever else allows it.

    `aws:ResourceAccount` is the account of the bucket's owner, and is there in every request to S3 (IAM User Guide,
    "AWS global condition context keys"; 2026-11).
    """
    deny = parts["TaskRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (owners,) = [one["Condition"]["StringNotEquals"] for one in deny if one.get("Sid") == "NoStrangersBucket"]
    found = statements(parts["TaskRole"], GIVEN)["NoStrangersBucket"]

    assert (found["Effect"], found["Action"], found["Resource"]) == ("Deny", ["s3:*"], ["*"])
    assert found["Condition"] == {
        "StringNotEquals": {"aws:ResourceAccount": ["123456789012", "111122223333", "444455556666"]}
    }
    named, _, otherwise = owners["aws:ResourceAccount"]["Fn::If"]
    assert (named, otherwise) == ("NamesOwners", {"Ref": "AWS::AccountId"})


ADDED = {"part_name": (2, 31), "audit_name": (2, 31)}
WRITTEN_AGAIN = {"progress_name": (), "takeover_name": (), "done_name": (2,), "upload_name": (2, 1)}
LAUNCHERS = {"started_name": (2,)}
"""The names in a lot's folder, each with what makes an example of it."""


def _names(made: Mapping[str, tuple[int, ...]]) -> set[str]:
    """The keys of such files of a job, from its state's root on."""
    folder = StatePaths(JOB).results_folder(Phase.COPY, lot_name(7))
    return {folder + getattr(StatePaths, name)(*numbers) for name, numbers in made.items()}


def test_each_file_of_a_lot_is_a_tasks_or_the_launchers() -> None:
    """A new one must be put here, and the role's policy opened to it if it is a task's."""
    known = {name for name, one in vars(StatePaths).items() if isinstance(one, staticmethod) and name.endswith("_name")}

    assert {*ADDED, *WRITTEN_AGAIN, *LAUNCHERS} == {name for name in known if not name.startswith("parse")}


@pytest.mark.parametrize(
    ("sid", "root"), [("State", "own-state/"), ("NamedState", "theirs/jobs/"), ("NamedState", "other/")]
)
def test_the_task_role_writes_only_what_is_a_tasks(parts: dict[str, Any], sid: str, root: str) -> None:
    """
    Not the job, the lease, the lots or what stops it, and never over a result: S3 must be asked to refuse that.

    A policy can demand If-None-Match (S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"; 2026-11).
    """
    found = statements(parts["TaskRole"], GIVEN)
    results, progress = found[f"{sid}Results"], found[f"{sid}Progress"]
    added, again, paths = _names(ADDED), _names(WRITTEN_AGAIN), StatePaths(JOB)
    launchers = {paths.job_file, paths.stop_file, paths.lease_file, paths.rate_file(Phase.COPY), paths.lot(lot_name(7))}
    launchers |= _names(LAUNCHERS)

    def writable(statement: dict[str, Any], keys: set[str]) -> set[str]:
        arns = {key: f"arn:aws:s3:::{root}{key}" for key in keys}
        # IAM's * takes in the / as fnmatch's does.
        return {key for key, arn in arns.items() if any(fnmatchcase(arn, one) for one in statement["Resource"])}

    assert added == writable(results, added | again | launchers)
    assert again == writable(progress, added | again | launchers)
    assert results["Condition"] == {"Null": {"s3:if-none-match": "false"}}
    assert "Condition" not in progress


def test_the_task_role_deletes_nothing_of_the_state(parts: dict[str, Any]) -> None:
    """No version either, though a policy that is added to the role should allow it."""
    found = statements(parts["TaskRole"], GIVEN)["StateStays"]

    assert (found["Effect"], found["Resource"]) == ("Deny", ["arn:aws:s3:::own-state/*"])
    assert found["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]


def test_the_task_role_deletes_only_when_asked(parts: dict[str, Any]) -> None:
    """One statement, under its condition, allows to delete a version; none passes over a lock."""
    (policy,) = parts["TaskRole"]["Properties"]["Policies"]
    deleting = [
        one for one in policy["PolicyDocument"]["Statement"] if "Delete" in str(one) and one.get("Effect") != "Deny"
    ]
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
    actions = set(statements(parts["TaskRole"], GIVEN)["Objects"]["Action"])

    assert {f"s3:{verb}Object{what}" for verb in ("Get", "Put") for what in ("Retention", "LegalHold")} <= actions


def test_the_execution_role_pulls_and_logs_alone(parts: dict[str, Any]) -> None:
    """`*` stands only where ECR takes no resource."""
    found = statements(parts["ExecutionRole"], GIVEN)

    assert [sid for sid, one in found.items() if one["Resource"] == ["*"]] == ["LogInToEcr"]
    assert found["LogInToEcr"]["Action"] == ["ecr:GetAuthorizationToken"]
    assert set(found) == {"LogInToEcr", "PullImages", "WriteLogs"}


@pytest.mark.parametrize("role", ["TaskRole", "ExecutionRole"])
def test_only_tasks_of_this_account_can_take_a_role(parts: dict[str, Any], role: str) -> None:
    """ECS is trusted for this account's tasks, not for a stranger's."""
    (statement,) = parts[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_task_role_is_for_tasks_of_this_region(parts: dict[str, Any]) -> None:
    """As AWS advises; ECS doesn't name a cluster there (ECS Developer Guide, "Amazon ECS task IAM role"; 2026-11)."""
    (statement,) = resolved(parts["TaskRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"], GIVEN)

    assert statement["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:ecs:eu-west-1:123456789012:*"}


def test_the_state_bucket_keeps_what_is_overwritten_or_removed(parts: dict[str, Any]) -> None:
    """For 30 days, its last ten versions after the first: progress is overwritten every few seconds."""
    bucket = parts["StateBucket"]["Properties"]
    rules = {one["Id"]: one for one in bucket["LifecycleConfiguration"]["Rules"]}

    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert rules["expire-old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["keep-few-old-versions"]["NoncurrentVersionExpiration"] == {
        "NoncurrentDays": 1,
        "NewerNoncurrentVersions": 10,
    }
    # With a number of days as well, S3 refuses the rule: so it is one of its own.
    assert rules["expire-old-versions"]["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in rules["expire-old-versions"]
    assert rules["abort-unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert {one["Status"] for one in rules.values()} == {"Enabled"}


def test_the_state_bucket_is_closed_and_kept(parts: dict[str, Any]) -> None:
    """No public access, no ACLs, encrypted, TLS only, old state expires; deleting the stack keeps bucket and policy."""
    bucket = parts["StateBucket"]
    (deny,) = parts["StateBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
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
