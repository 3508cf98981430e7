"""
What the worker asks of S3, as permissions: exactly those that the task role has, and always of the bucket's owner.

Taken from what botocore was about to send over a job that has everything in it (the fast client asks for nothing
else), so that it also shows what no emulator enforces: a permission that S3 wants for a header, or without which
it leaves a part of its answer out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads

from orchestrator.stack.cloudformation import template
from tests.fidelity.bench import PATHS, World, documented_world, lay
from tests.fidelity.documented_objects import Request
from tests.fidelity.kind import TARGET, Kind
from tests.fidelity.kinds import HELD, KMS
from tests.worker.running import Job
from worker.command_line import parse_command_line
from worker.contract import S3_CLIENTS, LotEntry
from worker.task import Task

OWNER = "123456789012"
ABORTED = "aborted"
KINDS = (
    Kind(name="tags", tags={"a": "b"}),
    Kind(name="tags of a version", bucket="versioned", tags={"a": "b"}),
    Kind(name="grants", put={"ACL": "public-read"}),
    Kind(name="grants of a version", bucket="versioned", put={"ACL": "public-read"}),
    Kind(name="retention", bucket="locked", put=HELD),
    Kind(name="legal hold", bucket="locked", put={"ObjectLockLegalHoldStatus": "ON"}),
    Kind(name="event hold", bucket="locked", put={"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 30}),
    Kind(name="annotations", annotations={"note": b"a"}),
    Kind(name="KMS", put=KMS),
    Kind(name="restored", put={"StorageClass": "GLACIER"}, restored=True),
    Kind(name=ABORTED),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the operation and boto3's arguments."""

    operation: str
    arguments: Mapping[str, Any]

    def permissions(self) -> set[str]:
        """
        What S3 wants the caller to be allowed.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html (2026-11); for
        tags, locks and annotations also the operations' own documentation in botocore 1.44.5. An event hold is a
        part of the retention (ObjectLockRetention, EventHold), and has no permission of its own.
        """
        given = self.arguments
        source = given.get("CopySource", {})
        version = "Version" if source.get("VersionId") or given.get("VersionId") else ""
        wanted = {action.format(version=version) for action in _OF_OPERATION[self.operation]}
        if source:
            wanted.add(f"s3:GetObject{version}")
        if given.get("TaggingDirective") == "COPY":
            wanted |= {f"s3:GetObject{version}Tagging", "s3:PutObjectTagging"}
        if self.operation == "CopyObject" and given.get("AnnotationDirective", "COPY") == "COPY":
            wanted |= {"s3:GetObjectAnnotation", "s3:PutObjectAnnotation"}
        for header, action in _OF_ARGUMENT.items():
            if any(name.startswith(header) for name in given):
                wanted.add(action)
        if str(given.get("ServerSideEncryption")).startswith("aws:kms"):
            wanted |= {"kms:GenerateDataKey", "kms:Decrypt"}
        return wanted


_OF_OPERATION: Mapping[str, tuple[str, ...]] = {
    # Without ListBucket a missing key is answered with 403; without the other two, locks aren't shown.
    "HeadObject": ("s3:GetObject{version}", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:ListBucket"),
    "GetObject": ("s3:GetObject{version}",),
    "RestoreObject": ("s3:RestoreObject",),
    "CopyObject": ("s3:PutObject",),
    "CreateMultipartUpload": ("s3:PutObject",),
    "UploadPartCopy": ("s3:PutObject",),
    "CompleteMultipartUpload": ("s3:PutObject",),
    "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "DeleteObject": ("s3:DeleteObject{version}",),
    "GetObjectTagging": ("s3:GetObject{version}Tagging",),
    "GetObjectAcl": ("s3:GetObject{version}Acl",),
    "ListObjectAnnotations": ("s3:ListObjectAnnotations",),
    "GetBucketOwnershipControls": ("s3:GetBucketOwnershipControls",),
    "GetBucketAcl": ("s3:GetBucketAcl",),
    "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
}
_OF_ARGUMENT: Mapping[str, str] = {
    "Tagging": "s3:PutObjectTagging",
    "Grant": "s3:PutObjectAcl",
    "ObjectLockMode": "s3:PutObjectRetention",
    "ObjectLockEventHold": "s3:PutObjectRetention",
    "ObjectLockLegalHoldStatus": "s3:PutObjectLegalHold",
}


@dataclass(slots=True)
class Log:
    """Everything that workers asked for, as boto3 was told it and as it would have been sent."""

    asked: list[Asked] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)


@pytest.fixture(scope="module")
def log(module_settings: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Of both phases: copies of all kinds on both paths, with the audit and deletions, an abort and a missing key."""
    # Botocore and the worker take it for AWS itself. Nothing is ever sent.
    module_settings.delenv("AWS_ENDPOINT_URL", raising=False)
    log = Log()
    for (path, options), s3_client in product(PATHS.items(), S3_CLIENTS):
        world = documented_world()
        assert world.documented is not None
        entries = [*(lay(world, kind) for kind in KINDS), LotEntry(bucket="open", key="missing")]
        world.documented.meddle = partial(_overwritten, world)
        world.documented.seen.clear()
        folder = tmp_path_factory.mktemp(path)
        _run(log, world, entries, folder, "restore", "--tier", "Standard", "--s3-client", s3_client)
        more = ("--s3-client", s3_client, "--storage-class", TARGET, "--audit", "--delete-superseded", *options)
        _run(log, world, entries, folder / "copies", "copy", *more)
        log.sent += world.documented.seen
    return log


def _overwritten(world: World, request: Request) -> None:
    """Another overwrites an object while its parts are copied, so that its upload is aborted."""
    if world.documented and request.key == ABORTED and request.operation == "UploadPartCopy":
        world.documented.change(request.bucket, request.key, etag='"other"')


def _run(log: Log, world: World, entries: list[LotEntry], folder: Path, phase: str, *more: str) -> None:
    folder.mkdir(exist_ok=True)
    job = Job(folder)
    job.write_lot(entries)
    options = parse_command_line(job.arguments(phase, "--bucket-owner", OWNER, *more))

    def client(threads: int) -> Any:
        made = world.worker_client(threads)
        made.meta.events.register("provide-client-params.s3", note)
        return made

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        log.asked.append(Asked(model.name, dict(params)))

    Task(options, state_client=lambda: world.s3, object_client=client, fast_client=world.fast_client).run()


def granted() -> set[str]:
    """What stack.yaml allows on the objects, their buckets and their keys: all but the state."""
    (policy,) = loads(template())["Resources"]["TaskRole"]["Properties"]["Policies"]
    statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in policy["PolicyDocument"]["Statement"]]
    lists: list[Any] = [one["Action"] for one in statements if one["Effect"] == "Allow" and "State" not in one["Sid"]]
    return {str(action) for one in lists for action in (one if isinstance(one, list) else [one])}


def test_the_task_role_may_do_exactly_what_the_worker_asks_for(log: Log) -> None:
    """Each permission is needed by some request, and each request's permissions are there."""
    wanted = set().union(*(one.permissions() for one in log.asked))

    assert granted() == wanted


def test_every_request_names_the_owner_that_the_bucket_must_have(log: Log) -> None:
    """`--bucket-owner` goes with each of them, and with the source of each copy: a bucket of that name won't do."""
    assert {OWNER} == {request.headers.get("x-amz-expected-bucket-owner") for request in log.sent}
    copies = [request for request in log.sent if "x-amz-copy-source" in request.headers]
    assert {OWNER} == {request.headers.get("x-amz-source-expected-bucket-owner") for request in copies}
