"""Listing a bucket, as a stream."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.clients.sessions import aws_errors, client
from orchestrator.planning.listing import ListedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def list_objects_v2(bucket: str, prefix: str, arguments: Mapping[str, str] | None = None) -> Iterator[ListedObject]:
    """
    Every object whose key begins with the prefix, in the order of the keys' bytes, 1,000 a request.

    botocore asks for `encoding-type=url` and decodes the keys, so that those which XML can't hold (control
    characters) survive; asking for it here would switch the decoding off.
    arguments: of each request, beside: RequestPayer, ExpectedBucketOwner.
    Raises S3ReclassError when the bucket can't be listed.
    """
    s3: S3Client = client("s3")
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
