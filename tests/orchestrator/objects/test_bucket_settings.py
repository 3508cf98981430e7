"""A bucket's settings, asked of moto and of a bucket that answers nothing."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from orchestrator.common.aws_sessions import client
from orchestrator.errors import S3ReclassError
from orchestrator.objects.bucket_facts import OBJECT_LOCK, REQUEST_PAYMENT, VERSIONING, BucketFacts
from orchestrator.objects.buckets import bucket_facts

QUESTIONS = ("get_bucket_versioning", "get_object_lock_configuration", "get_bucket_request_payment")


class FakeS3:
    """S3 that gives each question its answer, or raises it, and notes how it was asked."""

    def __init__(self, **answers: dict[str, Any] | Exception) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        for question in QUESTIONS:
            setattr(self, question, self._answering(question, answers.get(question, {})))

    def _answering(self, question: str, answer: dict[str, Any] | Exception) -> Any:
        def ask(**which: str) -> dict[str, Any]:
            self.asked.append((question, which))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask


def refusal(code: str) -> ClientError:
    """S3's refusal with this code."""
    return ClientError({"Error": {"Code": code}}, "GetBucketVersioning")


@mock_aws(config={"core": {"service_whitelist": ["s3"]}})
@pytest.mark.parametrize("lock", [True, False])
def test_a_bucket_tells_its_settings(lock: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 (a table's column)
    """Versioning and Object Lock as they are; a bucket without a lock is no error."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    s3 = boto3.client("s3")
    s3.create_bucket(
        Bucket="bucket", ObjectLockEnabledForBucket=lock, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    if lock:
        rule: Any = {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 2}}
        s3.put_object_lock_configuration(
            Bucket="bucket", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )

    facts = bucket_facts("bucket", s3=s3)

    assert (facts.versioning, facts.object_lock) == (("Enabled", True) if lock else ("", False))
    assert facts.default_retention == ("COMPLIANCE, 2 years" if lock else "")
    assert OBJECT_LOCK not in facts.unknown


def test_who_pays_and_whose_bucket_it_is() -> None:
    """Requester Pays is seen, and each question names the owner that the bucket must have."""
    s3 = FakeS3(get_bucket_request_payment={"Payer": "Requester"})

    assert bucket_facts("b", owner="123456789012", s3=s3) == BucketFacts(bucket="b", requester_pays=True)
    assert s3.asked == [(one, {"Bucket": "b", "ExpectedBucketOwner": "123456789012"}) for one in QUESTIONS]


def test_what_is_refused_is_listed() -> None:
    """Each question that S3 refuses is unknown, with its code; the others are answered."""
    s3 = FakeS3(
        get_bucket_versioning={"Status": "Suspended"},
        get_object_lock_configuration=refusal("AccessDenied"),
        get_bucket_request_payment=refusal("AccessDenied"),
    )

    facts = bucket_facts("b", s3=s3)

    assert facts.versioning == "Suspended"
    assert facts.unknown == {OBJECT_LOCK: "AccessDenied", REQUEST_PAYMENT: "AccessDenied"}
    assert VERSIONING not in facts.unknown


def test_a_server_that_does_not_know_a_setting(aws: str) -> None:
    """One that has no Requester Pays answers with the bucket's listing: the owner pays, and nothing is unknown."""
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})

    assert aws
    assert bucket_facts("bucket", s3=s3) == BucketFacts(bucket="bucket", versioning="Enabled")


def test_a_server_that_does_not_know_versioning() -> None:
    """A bucket whose versioning isn't told isn't one that never had any."""
    facts = bucket_facts("b", s3=FakeS3(get_bucket_versioning=refusal("NotImplemented")))

    assert facts.unknown == {VERSIONING: "NotImplemented"}
    assert not facts.never_versioned


def test_no_connection_is_an_error() -> None:
    """Nobody is there to refuse."""
    s3 = FakeS3(get_bucket_versioning=EndpointConnectionError(endpoint_url="https://s3"))

    with pytest.raises(S3ReclassError, match="looking at the settings of the bucket b: no connection"):
        bucket_facts("b", s3=s3)
