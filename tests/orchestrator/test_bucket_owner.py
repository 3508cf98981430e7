"""Whose a bucket is: the account's that is named, or else ours, since the role keeps tasks off buckets of strangers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.errors import S3ReclassError
from orchestrator.settings.settings import FargateSettings, Settings
from orchestrator.stack.ensure import probe_bucket

OWN, THEIRS = "123456789012", "111122223333"
PLAIN = Settings(bucket="b-b")
NAMED = Settings(bucket="b-b", bucket_owner=THEIRS)
ELSEWHERE = Settings(bucket="b-b", bucket_owner=THEIRS, state="s3://state-b/jobs")


class Owned:
    """An S3 in which each HeadBucket is answered by a script, and looks at buckets by way of it."""

    def __init__(self, stub: Stubber, look: Callable[[Settings, str], None]) -> None:
        self.stub = stub
        self.look = look

    def asked(self, bucket: str, owner: str = "", *, denied: bool = False) -> None:
        """Expect a look at the bucket that names this owner."""
        expected = {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}
        if denied:
            self.stub.add_client_error("head_bucket", "403", "", http_status_code=403, expected_params=expected)
        else:
            self.stub.add_response("head_bucket", {"BucketRegion": "eu-west-1"}, expected)


@pytest.fixture
def owned() -> Iterator[Owned]:
    """It; each look that was expected must have been asked for."""
    client: Any = boto3.client("s3", region_name="eu-west-1")
    with Stubber(client) as stub:
        yield Owned(stub, partial(probe_bucket, s3=client, account=lambda: OWN))
        stub.assert_no_pending_responses()


def test_a_bucket_of_our_own_passes(owned: Owned) -> None:
    """It is looked at, then asked for as our account's."""
    owned.asked("b-b")
    owned.asked("b-b", OWN)

    owned.look(PLAIN, "b-b")


def test_a_bucket_of_another_account_must_be_named(owned: Owned) -> None:
    """Before a task is started, which couldn't touch one object of it."""
    owned.asked("b-b")
    owned.asked("b-b", OWN, denied=True)

    with pytest.raises(S3ReclassError, match=f"b-b is another account's than {OWN}, .*--bucket-owner ACCOUNT"):
        owned.look(PLAIN, "b-b")


def test_a_named_account_is_asked_for_alone(owned: Owned) -> None:
    """One look: the bucket is that account's, and here."""
    owned.asked("b-b", THEIRS)

    owned.look(NAMED, "b-b")


def test_the_states_bucket_may_be_ours_while_the_objects_are_theirs(owned: Owned) -> None:
    """`--bucket-owner` is said of the objects' bucket."""
    owned.asked("state-b")
    owned.asked("state-b", OWN)

    owned.look(ELSEWHERE, "state-b")


def test_the_states_bucket_may_be_theirs_too(owned: Owned) -> None:
    """Or neither's, which is refused."""
    for denied in (False, True):
        owned.asked("state-b")
        owned.asked("state-b", OWN, denied=True)
        owned.asked("state-b", THEIRS, denied=denied)

    owned.look(ELSEWHERE, "state-b")
    with pytest.raises(S3ReclassError, match=f"state-b is another account's than {OWN} or {THEIRS}"):
        owned.look(ELSEWHERE, "state-b")


def test_a_role_of_ones_own_keeps_off_nothing(owned: Owned) -> None:
    """Its policy isn't ours to write, so the owner isn't asked for."""
    owned.asked("b-b")

    owned.look(Settings(bucket="b-b", fargate=FargateSettings(task_role_arn="t")), "b-b")


def test_a_fault_is_not_taken_for_another_owner(owned: Owned) -> None:
    """S3's own word for it, and the bucket's name."""
    owned.asked("b-b")
    owned.stub.add_client_error("head_bucket", "503", "", http_status_code=503)

    with pytest.raises(S3ReclassError, match="looking at the owner of the bucket b-b: 503"):
        owned.look(PLAIN, "b-b")
