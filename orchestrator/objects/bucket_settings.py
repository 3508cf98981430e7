"""A bucket's settings: three questions; a refusal stops nothing. Calls S3."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.common.aws_sessions import aws_errors, client, error_code
from orchestrator.objects.bucket_facts import OBJECT_LOCK, REQUEST_PAYMENT, VERSIONING, BucketFacts

_NO_LOCK = {"ObjectLockConfigurationNotFoundError", "ObjectLockConfigurationNotFound"}
"""How S3 says that a bucket has no Object Lock: an error and not an empty answer."""


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
                if error_code(error) not in _NO_LOCK:
                    unknown[what] = error_code(error)
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
