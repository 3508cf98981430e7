"""Buckets: is one there, how is it set, is it empty; empty and delete it when the user asked. Calls S3."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.common.aws_sessions import DENIED, aws_errors, client, error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.objects.bucket_facts import OBJECT_LOCK, REQUEST_PAYMENT, VERSIONING, BucketFacts
from worker.contract import NO_LOCK_CODES

_GONE = "NoSuchBucket"


def check_bucket(bucket: str, *, arguments: Mapping[str, str] | None = None, s3: Any = None) -> None:
    """
    Nothing, when the bucket is in this Region and these credentials may list it.

    arguments: of requests for its objects: RequestPayer, ExpectedBucketOwner.
    Raises S3ReclassError saying which of the three it isn't.
    """
    s3 = s3 or client("s3")
    region = s3.meta.region_name
    with aws_errors(f"looking at the bucket {bucket}"):
        try:
            answer = _head_bucket(s3, bucket, arguments or {})
        except ClientError as error:
            raise _explained(error, bucket, region, (arguments or {}).get("ExpectedBucketOwner", "")) from error
    there = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", region)
    if there != region:
        # botocore follows S3's redirect to another Region by itself, so that this is no error to it.
        raise _elsewhere(bucket, there, region)


def check_owner(
    bucket: str, owners: Iterable[str], *, arguments: Mapping[str, str] | None = None, s3: Any = None
) -> None:
    """
    Nothing, when the bucket, which `check_bucket` found, belongs to one of these accounts.

    S3 has no request for a bucket's owner, but denies one that names another account than it.
    arguments: as for `check_bucket`.
    Raises S3ReclassError when it belongs to none of them.
    """
    s3 = s3 or client("s3")
    owners = tuple(owners)
    with aws_errors(f"looking at the owner of the bucket {bucket}"):
        for owner in owners:
            try:
                _head_bucket(s3, bucket, {**(arguments or {}), "ExpectedBucketOwner": owner})
            except ClientError as error:
                if error_code(error) not in DENIED:
                    raise
            else:
                return
    raise S3ReclassError(
        f"the bucket {bucket} is another account's than {' or '.join(owners)}, and tasks may only work on buckets of "
        "accounts that you name: give its account with --bucket-owner ACCOUNT (or bucket_owner in s3reclass.toml)"
    )


def _head_bucket(s3: Any, bucket: str, arguments: Mapping[str, str]) -> Any:
    """
    S3's answer to HeadBucket; where that is denied to a requester who pays, to a listing of one key.

    HeadBucket has no RequestPayer (botocore 1.44.5), without which a Requester Pays bucket denies other accounts.
    """
    owner = {name: value for name, value in arguments.items() if name == "ExpectedBucketOwner"}
    try:
        return s3.head_bucket(Bucket=bucket, **owner)
    except ClientError as error:
        if error_code(error) not in DENIED or "RequestPayer" not in arguments:
            raise
    return s3.list_objects_v2(Bucket=bucket, MaxKeys=1, **arguments)


def _explained(error: ClientError, bucket: str, region: str, owner: str) -> S3ReclassError:
    """HeadBucket's answer in words: it has no body, so that its code is the HTTP status."""
    code = error_code(error)
    there = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region", "")
    if there and there != region:
        return _elsewhere(bucket, there, region)
    if code in {"404", "NoSuchBucket"}:
        return S3ReclassError(
            f"there is no bucket {bucket}: check the name (--bucket, S3RECLASS_BUCKET, s3reclass.toml)"
        )
    if code in DENIED:
        return S3ReclassError(
            f"no access to the bucket {bucket} ({code}): it may be another account's"
            f"{f', and not {owner}, which --bucket-owner names' if owner else ''}; "
            "your credentials need s3:ListBucket on it"
        )
    if code in {"301", "PermanentRedirect", "400"}:
        return S3ReclassError(f"the bucket {bucket} isn't in {region} ({code}): set AWS_REGION to its Region")
    return explain(error, f"looking at the bucket {bucket}")


def _elsewhere(bucket: str, there: str, region: str) -> S3ReclassError:
    return S3ReclassError(
        f"the bucket {bucket} is in {there}, not in {region}: set AWS_REGION={there}, so that tasks run beside it"
    )


def is_empty(bucket: str, *, s3: Any = None) -> bool:
    """Whether the bucket holds no object, no noncurrent version and no delete marker; true of one that is gone."""
    with aws_errors(f"looking into the bucket {bucket}"):
        try:
            answer = (s3 or client("s3")).list_object_versions(Bucket=bucket, MaxKeys=1)
        except ClientError as error:
            if error_code(error) == _GONE:
                return True
            raise
    return not answer.get("Versions") and not answer.get("DeleteMarkers")


def delete_bucket(bucket: str, *, s3: Any = None) -> None:
    """Delete an empty bucket; one that is gone already is fine."""
    with aws_errors(f"deleting the bucket {bucket}"):
        try:
            (s3 or client("s3")).delete_bucket(Bucket=bucket)
        except ClientError as error:
            if error_code(error) != _GONE:
                raise


def empty_bucket(bucket: str, *, s3: Any = None) -> int:
    """
    Delete every object, version and delete marker in the bucket: how many they were.

    Raises S3ReclassError naming the first that couldn't be deleted.
    """
    s3 = s3 or client("s3")
    count = 0
    with aws_errors(f"emptying the bucket {bucket}"):
        # 1,000 a page, which is also what DeleteObjects takes at most.
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [
                {"Key": one["Key"], "VersionId": one["VersionId"]}
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            ]
            if not found:
                continue
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
            for error in answer.get("Errors", ()):
                raise S3ReclassError(
                    f"emptying the bucket {bucket}: {error.get('Key')!r}: {error.get('Code')}: {error.get('Message')}"
                )
            count += len(found)
    return count


def bucket_facts(bucket: str, *, owner: str = "", s3: Any = None) -> BucketFacts:
    """
    The bucket's settings as far as they may be asked for; what is refused is listed, not raised.

    owner: the account that it must belong to; "" for any.
    Raises S3ReclassError when S3 can't be reached.
    """
    s3 = s3 or client("s3")
    which = {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}
    unknown: dict[str, str] = {}

    def ask(what: str, operation: Callable[..., Mapping[str, Any]]) -> Mapping[str, Any]:
        with aws_errors(f"looking at the settings of the bucket {bucket}"):
            try:
                return operation(**which)
            except ClientError as error:
                code = error_code(error)
                # A server that doesn't know Requester Pays lets the owner pay.
                none = {*NO_LOCK_CODES, *(["NotImplemented"] if what == REQUEST_PAYMENT else ())}
                if code not in none:
                    unknown[what] = code
        return {}

    versioning = ask(VERSIONING, s3.get_bucket_versioning)
    lock = ask(OBJECT_LOCK, s3.get_object_lock_configuration).get("ObjectLockConfiguration", {})
    payment = ask(REQUEST_PAYMENT, s3.get_bucket_request_payment)
    return BucketFacts(
        bucket=bucket,
        versioning=versioning.get("Status", ""),
        object_lock=lock.get("ObjectLockEnabled") == "Enabled",
        default_retention=_retention(lock.get("Rule", {}).get("DefaultRetention", {})),
        requester_pays=payment.get("Payer") == "Requester",
        unknown=unknown,
    )


def _retention(default: Mapping[str, Any]) -> str:
    """`GOVERNANCE, 30 days`, or "" for none."""
    spans = [f"{default[name]} {unit}" for name, unit in (("Days", "days"), ("Years", "years")) if default.get(name)]
    return ", ".join([default["Mode"], *spans]) if default.get("Mode") else ""
