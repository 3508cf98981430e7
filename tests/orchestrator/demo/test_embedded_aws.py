"""The demo's own S3: its objects, and how their restores go."""

import time
from itertools import groupby

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator.demo.demo_objects import BUCKET, demo_objects
from orchestrator.demo.embedded_aws import embedded_aws

KEY = "photos/2019/0000.jpg"


@pytest.mark.usefixtures("aws")
def test_a_restore_is_in_progress_and_then_complete() -> None:
    """From the first answer on, once and for all, and for every operation: however early it is asked for."""
    seen = []
    with embedded_aws(1) as endpoint:
        s3 = boto3.client("s3", endpoint_url=endpoint)
        with pytest.raises(ClientError, match="InvalidObjectState"):
            s3.get_object_acl(Bucket=BUCKET, Key=KEY)
        s3.restore_object(Bucket=BUCKET, Key=KEY, RestoreRequest={"Days": 1})
        for _ in range(600):
            before = s3.head_object(Bucket=BUCKET, Key=KEY)["Restore"].partition(",")[0]
            try:
                s3.get_object_acl(Bucket=BUCKET, Key=KEY)
            except ClientError as error:
                seen.append((before, error.response["Error"]["Code"]))
            else:
                seen.append((before, "readable"))
            if seen[-3:] == [('ongoing-request="false"', "readable")] * 3:
                break
            time.sleep(0.1)
        s3.copy_object(Bucket=BUCKET, Key=KEY, CopySource={"Bucket": BUCKET, "Key": KEY}, StorageClass="STANDARD_IA")
        copied = s3.head_object(Bucket=BUCKET, Key=KEY)

    # Between a HEAD and the request after it the restore may have come to its end.
    assert [one for one, _ in groupby(seen) if one != ('ongoing-request="true"', "readable")] == [
        ('ongoing-request="true"', "InvalidObjectState"),
        ('ongoing-request="false"', "readable"),
    ]
    assert copied["StorageClass"] == "STANDARD_IA"
    assert "Restore" not in copied


@pytest.mark.usefixtures("aws")
def test_it_holds_the_demos_objects() -> None:
    """Each in its class, with its metadata and tags."""
    with embedded_aws(1) as endpoint:
        s3 = boto3.client("s3", endpoint_url=endpoint)
        listed = {one["Key"]: one["StorageClass"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
        described = s3.head_object(Bucket=BUCKET, Key="photos/described.jpg")

    assert listed == {one.key: one.storage_class for one in demo_objects()}
    assert described["Metadata"] == {"camera": "box", "photographer": "unknown"}
