"""A bucket's listing, as a stream. Calls S3."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.common.aws_sessions import aws_errors, client
from orchestrator.objects.listing_csv import ListedObject, ListedRestore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def list_objects_v2(
    bucket: str, prefix: str, arguments: Mapping[str, str] | None = None, *, s3: "S3Client | None" = None
) -> Iterator[ListedObject]:
    """
    Every object whose key begins with the prefix, in the order of the keys' bytes, 1,000 a request.

    botocore asks for `encoding-type=url` and decodes the keys, so that those which XML can't hold (control
    characters) survive; asking for it here would switch the decoding off.
    arguments: of each request, beside: RequestPayer, ExpectedBucketOwner.
    Raises S3ReclassError when the bucket can't be listed.
    """
    s3 = s3 or client("s3")
    more: Any = arguments or {}
    with aws_errors(f"listing s3://{bucket}/{prefix}"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **more):
            for found in page.get("Contents", []):
                yield ListedObject(
                    key=found["Key"],
                    size_bytes=found["Size"],
                    storage_class=found.get("StorageClass", "STANDARD"),
                    last_modified=found["LastModified"],
                )


def list_restores(bucket: str, after: str, arguments: Mapping[str, str] | None = None) -> tuple[ListedRestore, ...]:
    """
    The page of the bucket's listing that begins behind this key, with what S3 says of each object's restore.

    arguments: as above.
    Raises S3ReclassError when the bucket can't be listed.
    """
    s3: S3Client = client("s3")
    more: Any = arguments or {}
    with aws_errors(f"listing the restores of s3://{bucket}/"):
        # One page of the paginator's: it has botocore encode and decode the keys, as above.
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, StartAfter=after, OptionalObjectAttributes=["RestoreStatus"], **more
        )
        for page in pages:
            return tuple(_restore(found) for found in page.get("Contents", []))
    return ()


def _restore(found: Any) -> ListedRestore:
    status = found.get("RestoreStatus") or {}
    return ListedRestore(
        key=found["Key"],
        storage_class=found.get("StorageClass", "STANDARD"),
        ongoing=status.get("IsRestoreInProgress"),
        expires_at=status.get("RestoreExpiryDate"),
    )
