"""Is a bucket there, here, and ours; and how it is emptied."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.errors import S3ReclassError
from orchestrator.objects.buckets import check_bucket, delete_bucket, empty_bucket, is_empty

HERE: Any = {"LocationConstraint": "eu-west-1"}


@pytest.fixture
def s3(aws: str) -> Any:
    """S3 with one bucket."""
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="my-bucket", CreateBucketConfiguration=HERE)
    return client


def test_a_bucket_that_is_there_passes(s3: Any) -> None:
    """In this Region, with these credentials."""
    check_bucket("my-bucket", s3=s3)


def test_an_unknown_bucket_is_named(s3: Any) -> None:
    """With where its name comes from."""
    with pytest.raises(S3ReclassError, match=r"there is no bucket nowhere: check the name"):
        check_bucket("nowhere", s3=s3)


@pytest.mark.parametrize(
    ("words", "code", "status", "headers"),
    [
        (r"no access to the bucket b-b .*s3:ListBucket", "403", 403, {}),
        (
            r"is in us-east-2, not in eu-west-1: set AWS_REGION=us-east-2",
            "301",
            301,
            {"x-amz-bucket-region": "us-east-2"},
        ),
        (
            r"is in us-east-2, not in eu-west-1: set AWS_REGION=us-east-2",
            "400",
            400,
            {"x-amz-bucket-region": "us-east-2"},
        ),
        (r"isn't in eu-west-1 \(301\): set AWS_REGION", "301", 301, {}),
        (r"there is no bucket b-b", "404", 404, {}),
        (r"looking at the bucket b-b: 503: ", "503", 503, {}),
    ],
)
def test_what_a_refusal_means(words: str, code: str, status: int, headers: dict[str, str]) -> None:
    """HeadBucket's answers have no body: their status says it all."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("head_bucket", code, "", http_status_code=status, response_meta={"HTTPHeaders": headers})
        with pytest.raises(S3ReclassError, match=words):
            check_bucket("b-b", s3=client)


def test_a_bucket_that_boto3_finds_in_another_region_is_refused_too() -> None:
    """S3's redirect is followed by botocore, so the answer is a success that names the Region."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_response("head_bucket", {"BucketRegion": "us-east-2"})
        with pytest.raises(S3ReclassError, match=r"set AWS_REGION=us-east-2"):
            check_bucket("b-b", s3=client)


def test_a_requester_who_pays_lists_where_head_is_denied() -> None:
    """HeadBucket can't say who pays; another account's Requester Pays bucket is looked at by a listing of one key."""
    named = {"RequestPayer": "requester", "ExpectedBucketOwner": "123456789012"}
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("head_bucket", "403", "", http_status_code=403)
        stub.add_response(
            "list_objects_v2", {"ResponseMetadata": {"HTTPHeaders": {}}}, {"Bucket": "b-b", "MaxKeys": 1, **named}
        )
        check_bucket("b-b", arguments=named, s3=client)
        stub.assert_no_pending_responses()


def test_a_bucket_of_another_owner_is_told() -> None:
    """The owner is named in the request; S3 denies it where the bucket is somebody else's."""
    owner = {"ExpectedBucketOwner": "123456789012"}
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error(
            "head_bucket", "403", "", http_status_code=403, expected_params={"Bucket": "b-b", **owner}
        )
        with pytest.raises(S3ReclassError, match=r"may be another account's, and not 123456789012, which --bucket-own"):
            check_bucket("b-b", arguments=owner, s3=client)


@pytest.mark.usefixtures("no_real_aws")
def test_no_way_to_s3_is_told() -> None:
    """A network without AWS, not a missing bucket."""
    with pytest.raises(S3ReclassError, match=r"looking at the bucket my-bucket: no connection"):
        check_bucket("my-bucket", s3=boto3.client("s3", config=_once()))


def _once() -> Any:
    from botocore.config import Config  # noqa: PLC0415 (for this test alone)

    return Config(retries={"total_max_attempts": 1})


def test_a_bucket_of_delete_markers_is_not_empty(s3: Any) -> None:
    """Versions count: S3 doesn't delete a bucket that has any."""
    assert is_empty("my-bucket", s3=s3)
    s3.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="my-bucket", Key="k", Body=b"")
    s3.delete_object(Bucket="my-bucket", Key="k")

    assert not is_empty("my-bucket", s3=s3)


def test_emptying_takes_versions_and_markers_along(s3: Any) -> None:
    """Then the bucket can be deleted."""
    s3.put_bucket_versioning(Bucket="my-bucket", VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "b c", "c"):
        s3.put_object(Bucket="my-bucket", Key=key, Body=b"")
    s3.delete_object(Bucket="my-bucket", Key="a")

    assert empty_bucket("my-bucket", s3=s3) == 4
    assert is_empty("my-bucket", s3=s3)
    delete_bucket("my-bucket", s3=s3)
    assert s3.list_buckets()["Buckets"] == []


def test_a_bucket_that_is_gone_stands_in_nobodys_way(s3: Any) -> None:
    """Somebody deleted it by hand: it is empty, and deleting it is done."""
    assert is_empty("nowhere", s3=s3)
    delete_bucket("nowhere", s3=s3)


def test_a_bucket_with_objects_is_not_deleted(s3: Any) -> None:
    """S3's own guard."""
    s3.put_object(Bucket="my-bucket", Key="k", Body=b"")

    with pytest.raises(S3ReclassError, match=r"deleting the bucket my-bucket: BucketNotEmpty"):
        delete_bucket("my-bucket", s3=s3)


def test_a_bucket_that_cannot_be_looked_into_is_not_called_empty() -> None:
    """A denial is an error."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_client_error("list_object_versions", "AccessDenied", "no")
        with pytest.raises(S3ReclassError, match=r"looking into the bucket b-b: AWS denied it"):
            is_empty("b-b", s3=client)


def test_an_object_that_cannot_be_deleted_is_named() -> None:
    """DeleteObjects answers 200 with errors inside."""
    client = boto3.client("s3")
    with Stubber(client) as stub:
        stub.add_response("list_object_versions", {"Versions": [{"Key": "k", "VersionId": "null"}]})
        stub.add_response("delete_objects", {"Errors": [{"Key": "k", "Code": "AccessDenied", "Message": "no"}]})
        with pytest.raises(S3ReclassError, match=r"emptying the bucket b-b: 'k': AccessDenied: no"):
            empty_bucket("b-b", s3=client)
