"""
Each permission of the task role is needed: without it alone, a worker that needs it fails, or says what it lacks.

Policies are enforced by AWS in a box. What it doesn't enforce stands in NOT_ENFORCED, each with the reason;
`tests/worker/test_permissions.py` finds those in the requests that the worker sends.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cfnlint.decode.cfn_yaml import loads

from orchestrator.stack.cloudformation import template
from tests import intrinsics
from tests.system.account import Account, Stored
from tests.system.box import ACCOUNT, REGION
from worker.command_line import parse_command_line
from worker.contract import (
    LotEntry,
    Phase,
    ResultRow,
    StatePaths,
    digest_of,
    format_lot_line,
    lot_name,
    parse_result_rows,
)
from worker.errors import WorkerError
from worker.s3.clients import object_client, session, state_client
from worker.task import Task

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

PLAIN, VERSIONED, STATE = "plain-bucket", "versioned-bucket", "state-bucket"
GIVEN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "ObjectArns": [f"arn:aws:s3:::{PLAIN}/*", f"arn:aws:s3:::{VERSIONED}/*"],
    "BucketArns": [f"arn:aws:s3:::{PLAIN}", f"arn:aws:s3:::{VERSIONED}"],
    "StateArns": [f"arn:aws:s3:::{STATE}/*"],
    "BucketOwners": ["111122223333"],
    "KmsKeyArns": [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"],
    "StateBucket.Arn": f"arn:aws:s3:::{STATE}",
}
"""What the stack's parameters and parts would be."""

LOT = lot_name(0)
IN_PARTS = "copy --storage-class STANDARD_IA --multipart-threshold 1"
COPY = "copy --storage-class STANDARD_IA --audit"
DELETING = f"{COPY} --delete-superseded"
RESTORE = "restore"


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """
    A small job that needs a permission, and what it says without.

    line: of the worker's command line. bucket, key: the lot's one object. told: words of the result's outcome and
    message, of the error that ends the worker, or of its log.
    """

    line: str
    told: str
    bucket: str = PLAIN
    key: str = "plain"


NEEDED: Mapping[tuple[str, str], Case] = {
    ("Objects", "s3:RestoreObject"): Case(
        line=RESTORE, key="archived", told="not authorized to perform: s3:RestoreObject"
    ),
    ("Objects", "s3:GetObject"): Case(line=COPY, told="not authorized to perform: s3:GetObject"),
    ("Objects", "s3:GetObjectVersion"): Case(
        line=COPY, bucket=VERSIONED, told="not authorized to perform: s3:GetObjectVersion"
    ),
    ("Objects", "s3:PutObject"): Case(line=COPY, told="not authorized to perform: s3:PutObject"),
    ("Objects", "s3:AbortMultipartUpload"): Case(line=IN_PARTS, told="an upload that an earlier attempt left stays"),
    ("Objects", "s3:GetObjectTagging"): Case(line=IN_PARTS, told="asking for its tags (s3:GetObjectTagging)"),
    ("Objects", "s3:GetObjectVersionTagging"): Case(
        line=IN_PARTS, bucket=VERSIONED, told="asking for its tags (s3:GetObjectTagging)"
    ),
    ("Objects", "s3:GetObjectAcl"): Case(line=COPY, told="asking for its ACL (s3:GetObjectAcl)"),
    ("Objects", "s3:GetObjectVersionAcl"): Case(
        line=COPY, bucket=VERSIONED, told="asking for its ACL (s3:GetObjectAcl)"
    ),
    ("SupersededVersions", "s3:DeleteObjectVersion"): Case(
        line=DELETING, bucket=VERSIONED, told="not authorized to perform: s3:DeleteObjectVersion"
    ),
    ("Buckets", "s3:GetBucketAcl"): Case(line=COPY, told="(s3:GetBucketAcl)"),
    ("Buckets", "s3:GetBucketObjectLockConfiguration"): Case(
        line=COPY, bucket=VERSIONED, told="(s3:GetBucketObjectLockConfiguration)"
    ),
    ("State", "s3:GetObject"): Case(line=COPY, told="can't read the lot s3://"),
    ("StateResults", "s3:PutObject"): Case(line=COPY, told="can't write s3://"),
    ("StateProgress", "s3:PutObject"): Case(line=COPY, told="can't write s3://"),
    ("StateFolders", "s3:ListBucket"): Case(line=COPY, told="can't list the results in s3://"),
}
"""By statement and action."""

_HEADER = "a header of the copy wants it, which the box takes from whoever may put the object"
_ASKED_OF_AWS = "annotations are only asked of AWS itself"
_LEFT_OUT = "AWS leaves the lock out of its answer without it, the box never does"
_NO_KEYS = "the box checks no key's policy when an object is read or written"
NOT_ENFORCED: Mapping[tuple[str, str], str] = {
    ("Objects", "s3:PutObjectTagging"): _HEADER,
    ("Objects", "s3:PutObjectRetention"): _HEADER,
    ("Objects", "s3:PutObjectLegalHold"): _HEADER,
    ("Objects", "s3:PutObjectAcl"): _HEADER,
    ("Objects", "s3:GetObjectRetention"): _LEFT_OUT,
    ("Objects", "s3:GetObjectLegalHold"): _LEFT_OUT,
    ("Objects", "s3:ListObjectAnnotations"): _ASKED_OF_AWS,
    ("Objects", "s3:GetObjectAnnotation"): _ASKED_OF_AWS,
    ("Objects", "s3:PutObjectAnnotation"): _ASKED_OF_AWS,
    ("Buckets", "s3:ListBucket"): "the box says 404 of a missing key to everybody",
    ("NamedState", "s3:GetObject"): "the same as State, for a state that the user named",
    ("NamedStateResults", "s3:PutObject"): "the same as StateResults, for a state that the user named",
    ("NamedStateProgress", "s3:PutObject"): "the same as StateProgress, for a state that the user named",
    ("KmsKeys", "kms:Decrypt"): _NO_KEYS,
    ("KmsKeys", "kms:GenerateDataKey"): _NO_KEYS,
    ("Buckets", "s3:GetBucketOwnershipControls"): "without it each object is asked for its ACL: nothing is lost",
}


def statements() -> Sequence[dict[str, Any]]:
    """The task role's statements with every condition true, as IAM gets them."""
    return list(intrinsics.statements(loads(template())["Resources"]["TaskRole"], GIVEN).values())


def without(sid: str, action: str) -> dict[str, Any]:
    """The task role's policy, but for one action in one statement."""
    kept = [
        {**one, "Action": [other for other in one["Action"] if (one["Sid"], other) != (sid, action)]}
        # The state that a user named is the same bucket here, and would allow what State allows.
        for one in statements()
        if not one["Sid"].startswith("NamedState")
    ]
    return {"Version": "2012-10-17", "Statement": [one for one in kept if one["Action"]]}


def test_every_permission_is_in_one_of_the_tables() -> None:
    """Whoever adds one to stack.yaml says here who needs it."""
    granted = {(one["Sid"], action) for one in statements() for action in one["Action"] if one["Effect"] == "Allow"}

    assert granted == {*NEEDED, *NOT_ENFORCED}
    assert not {*NEEDED} & {*NOT_ENFORCED}


@pytest.fixture
def laid(account: Account) -> Account:
    """The account with a bucket whose ACLs count, a versioned one with Object Lock, and the state's."""
    for bucket in (PLAIN, STATE):
        account.make_bucket(bucket)
    account.s3.create_bucket(
        Bucket=VERSIONED,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": REGION},
    )
    for bucket in (PLAIN, VERSIONED):
        rule = {"ObjectOwnership": "ObjectWriter"}
        account.s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [rule]})
    account.put(PLAIN, [Stored(key="archived", storage_class="GLACIER")])
    return account


@pytest.fixture
def run(
    laid: Account, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, Case, Mapping[str, Any]], str]]:
    """Runs a case under a policy, on an object put anew: everything that its worker said."""

    def run(name: str, case: Case, policy: Mapping[str, Any]) -> str:
        entry = LotEntry(bucket=case.bucket, key=case.key)
        if case.key == "plain":
            laid.put(case.bucket, [Stored(key=case.key, body=b"content")])
        phase, *more = case.line.split()
        paths = StatePaths(name)
        folder, lot = paths.results_folder(Phase(phase), LOT), paths.lot(LOT)
        laid.s3.put_object(Bucket=STATE, Key=lot, Body=format_lot_line(entry).encode())
        upload = laid.s3.create_multipart_upload(Bucket=case.bucket, Key=case.key)["UploadId"]
        note = {"bucket": case.bucket, "key": case.key, "upload_ids": [upload]}
        left = folder + StatePaths.upload_name(1, digest_of(entry))
        laid.s3.put_object(Bucket=STATE, Key=left, Body=json.dumps(note).encode())
        where = ["--lot", f"s3://{STATE}/{lot}", "--results", f"s3://{STATE}/{folder}", "--attempt", "2"]
        caplog.clear()
        _become(laid, name, policy, monkeypatch)
        try:
            Task(
                parse_command_line([phase, *where, *more]), state_client=state_client, object_client=object_client
            ).run()
        except WorkerError as error:
            return str(error)
        rows = [f"{row.outcome}: {row.error_code} {row.message}" for row in _rows(laid, folder)]
        return "\n".join([*rows, *caplog.messages])

    with caplog.at_level(logging.WARNING, "worker"):
        yield run


def _become(account: Account, name: str, policy: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process's workers be somebody who may do what the policy says."""
    for variable, value in account.new_user(name, policy).items():
        monkeypatch.setenv(variable, value)
    # boto3 asks the environment once for each of these.
    session.cache_clear()


def _rows(account: Account, folder: str) -> Iterator[ResultRow]:
    for name in account.names(STATE, folder):
        if "/results-" in name:
            yield from parse_result_rows(account.read(STATE, name)[1].decode())


def test_each_permission_is_needed(run: Callable[[str, Case, Mapping[str, Any]], str]) -> None:
    """With the whole policy a job doesn't say so; without the one permission that it needs, it does."""
    for number, ((sid, action), case) in enumerate(NEEDED.items()):
        with_all = run(f"with-{number}", case, without("", ""))
        lacking = run(f"without-{number}", case, without(sid, action))

        assert case.told not in with_all, f"{sid} {action}"
        assert with_all.startswith(("copied: ", "requested: ")), f"{sid} {action}: {with_all}"
        assert case.told in lacking, f"{sid} {action}: {lacking}"


def test_a_strangers_bucket_is_denied(run: Callable[[str, Case, Mapping[str, Any]], str]) -> None:
    """The same job, whose buckets the policy takes to be another account's: not even its lot is read."""
    policy = without("", "")
    (deny,) = [one for one in policy["Statement"] if one["Sid"] == "NoStrangersBucket"]
    deny["Condition"] = {"StringNotEquals": {"aws:ResourceAccount": "111122223333"}}

    said = run("stranger", Case(line=COPY, told=""), policy)

    assert "can't read the lot s3://" in said
    assert "explicit deny" in said


def test_a_task_writes_its_own_part_of_the_state_alone(laid: Account) -> None:
    """
    Not the launcher's files, no result over another, and it removes nothing, even where another policy lets it.

    The launcher's are all that a job's state has but what tasks write.
    """
    paths = StatePaths("0123456789ab")
    folder = paths.results_folder(Phase.COPY, LOT)
    policy = without("", "")
    policy["Statement"].append(
        {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": "*"}
    )
    task = laid.client_of(laid.new_user("task", policy), "s3")

    def refusal(operation: str, key: str, **more: str) -> str:
        try:
            getattr(task, operation)(Bucket=STATE, Key=key, **more)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    part, progress = folder + paths.part_name(1, 1), folder + paths.progress_name()
    for key in (part, folder + paths.audit_name(1, 1)):
        assert refusal("put_object", key) == "AccessDenied", key
        assert not refusal("put_object", key, IfNoneMatch="*"), key
    for key in (
        progress,
        *(folder + name for name in (paths.takeover_name(), paths.done_name(1), paths.upload_name(1, 2))),
    ):
        assert not refusal("put_object", key), key
    launchers = (paths.job_file, paths.stop_file, paths.lease_file, paths.rate_file(Phase.COPY), paths.lot(LOT))
    for key in (*launchers, folder + paths.started_name(1), "others.txt"):
        assert refusal("put_object", key) == "AccessDenied", key
        assert refusal("put_object", key, IfNoneMatch="*") == "AccessDenied", key
    for key in (part, progress, paths.job_file):
        assert refusal("delete_object", key) == "AccessDenied", key
        assert refusal("delete_object", key, VersionId="null") == "AccessDenied", key
