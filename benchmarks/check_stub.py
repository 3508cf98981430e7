"""
Asks a stub, with boto3, what a client may ask it, and compares: exit code 1 when an answer is wrong.

    python -m benchmarks.check_stub http://127.0.0.1:9001

A process of its own, as the one that measures must stay small.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bench"
ODD = "with space +%&?#=ü\n'\"<>~"
WRONG = '"00000000000000000000000000000000"'
RESTORE = {"RestoreRequest": {"Days": 7, "GlacierJobParameters": {"Tier": "Bulk"}}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """
    A request and what S3 answers to it.

    operation: by boto3's name. arguments: beside the bucket. says: what must be in the answer, among other things.
    """

    operation: str
    status: int
    arguments: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    says: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """What tells it from the others, on one line."""
        rest = {name: value for name, value in self.arguments.items() if name in ("IfMatch", "Range")}
        return f"{self.operation} {self.arguments.get('Key', '')!a} {rest or ''} {self.status} {self.code}".strip()


def _head(key: str, status: int, **says: Any) -> Case:
    code = "" if status == 200 else str(status)  # noqa: PLR2004 (HTTP's OK)
    return Case(operation="head_object", arguments={"Key": key}, status=status, code=code, says=says)


def _copy(key: str, status: int, code: str = "", **more: Any) -> Case:
    arguments = {"Key": key, "CopySource": {"Bucket": BUCKET, "Key": key}, "StorageClass": "STANDARD_IA"} | more
    return Case(operation="copy_object", arguments=arguments, status=status, code=code)


def _restore(key: str, status: int, code: str = "") -> Case:
    return Case(operation="restore_object", arguments={"Key": key, **RESTORE}, status=status, code=code)


def _get(key: str, status: int, code: str = "", **more: Any) -> Case:
    return Case(operation="get_object", arguments={"Key": key} | more, status=status, code=code)


_READY = {"Restore": 'ongoing-request="false", expiry-date="Fri, 01 Jan 2100 00:00:00 GMT"'}
_ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}

CASES = (
    _head("ready/0", 200, StorageClass="GLACIER", ContentLength=1 << 20, ServerSideEncryption="AES256", **_READY),
    _head(f"ready/{ODD}", 200, StorageClass="GLACIER"),
    _head("archived/0", 200, StorageClass="GLACIER", Restore=None),
    _head("restoring/0", 200, StorageClass="GLACIER", Restore='ongoing-request="true"'),
    _head("ia/0", 200, StorageClass="STANDARD_IA", Restore=None),
    _head("other/0", 200, StorageClass=None),
    _head("missing/0", 404),
    _head("no-slash", 404),
    _head("denied/0", 403),
    _copy("ready/0", 200),
    _copy(f"ready/{ODD}", 200),
    _copy("other/0", 200),
    _copy("ready/0", 412, "PreconditionFailed", CopySourceIfMatch=WRONG),
    _copy("ready/0", 412, "PreconditionFailed", IfMatch=WRONG),
    _copy("ready/0", 412, "PreconditionFailed", IfNoneMatch="*"),
    _copy("archived/0", 403, "InvalidObjectState"),
    _copy("restoring/0", 403, "InvalidObjectState"),
    _copy("missing/0", 404, "NoSuchKey"),
    _copy("denied/0", 403, "AccessDenied"),
    _copy("ia/0", 400, "InvalidRequest"),
    _restore("archived/0", 202),
    _restore(f"archived/{ODD}", 202),
    _restore("ready/0", 200),
    _restore("restoring/0", 409, "RestoreAlreadyInProgress"),
    _restore("other/0", 403, "InvalidObjectState"),
    _restore("missing/0", 404, "NoSuchKey"),
    _restore("denied/0", 403, "AccessDenied"),
    _get("ready/0", 200),
    _get("ready/0", 206, Range="bytes=0-0"),
    _get("archived/0", 403, "InvalidObjectState"),
    _get("denied/0", 403, "AccessDenied"),
    Case(operation="head_object", arguments={"Key": "ready/0", "VersionId": "1"}, status=501, code="501"),
    Case(operation="delete_object", arguments={"Key": "ready/0"}, status=501, code="NotImplemented"),
    Case(operation="get_bucket_ownership_controls", status=200, says=_ENFORCED),
    Case(operation="get_object_lock_configuration", status=404, code="ObjectLockConfigurationNotFoundError"),
    Case(operation="get_bucket_versioning", status=200, says={"Status": None}),
    Case(operation="head_bucket", status=200),
)


def client_of(endpoint: str) -> "S3Client":
    """A client of the stub, which tries once."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 (nobody's)
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, proxies={}),
    )


def wrong(client: "S3Client", case: Case) -> str:
    """How the stub's answer isn't S3's, or ""."""
    code, answer = "", {}
    try:
        answer = getattr(client, case.operation)(Bucket=BUCKET, **case.arguments)
    except ClientError as error:
        answer, code = dict(error.response), error.response["Error"]["Code"]
    found = {"status": answer["ResponseMetadata"]["HTTPStatusCode"], "code": code}
    found |= {name: answer.get(name) for name in case.says}
    expected = {"status": case.status, "code": case.code, **case.says}
    if answer.get("Body"):
        found["length"], expected["length"] = len(answer["Body"].read()), answer["ContentLength"]
    return "" if found == expected else f"{case}: {found} and not {expected}"


def main(endpoint: str) -> int:
    """1 when an answer is wrong, each on a line of its own."""
    client = client_of(endpoint)
    found = list(filter(None, (wrong(client, case) for case in CASES)))
    print("\n".join(found) or f"{len(CASES)} answers of the stub are as S3's")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
