"""What is asked of a bucket once, for all of its keys."""

import logging
import threading
from typing import Any

import pytest

from tests.worker.scripted_s3 import Script
from worker.actions.bucket_rules import BucketRules
from worker.decide.carry_over import LockDefaults
from worker.errors import WorkerError
from worker.s3.ask import RefusedError


def owner(script: Script) -> None:
    """The question for the bucket's owner."""
    script.stub.add_response("get_bucket_acl", {"Owner": {"ID": "me"}, "Grants": []}, {"Bucket": "bucket"})


def test_acls_without_effect_are_asked_for_once(script: Script) -> None:
    """BucketOwnerEnforced settles it for all keys."""
    script.ownership("BucketOwnerEnforced")
    buckets = BucketRules(script.copy)
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(buckets.owner_if_acls_matter("bucket"))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)

    assert found == [None] * 8


@pytest.mark.parametrize("setting", ["BucketOwnerPreferred", "ObjectWriter"])
def test_acls_that_matter(setting: str, script: Script) -> None:
    """Under both other settings, the bucket's owner is asked for too."""
    script.ownership(setting)
    owner(script)
    buckets = BucketRules(script.copy)

    assert [buckets.owner_if_acls_matter("bucket") for _ in range(2)] == ["me", "me"]


@pytest.mark.parametrize("code", ["OwnershipControlsNotFoundError", "AccessDenied", "NotImplemented"])
def test_where_the_setting_cannot_be_known_acls_are_taken_to_matter(code: str, script: Script) -> None:
    """A bucket from before the setting honours them, and of any other each object tells."""
    script.stub.add_client_error("get_bucket_ownership_controls", code, "", 404)
    owner(script)

    assert BucketRules(script.copy).owner_if_acls_matter("bucket") == "me"


def test_a_refusal_for_good_is_not_asked_for_again(script: Script) -> None:
    """Without s3:GetBucketAcl every key is denied, by one question, and told which permission is missing."""
    script.ownership("ObjectWriter")
    script.stub.add_client_error("get_bucket_acl", "AccessDenied", "no policy allows it", 403)
    buckets = BucketRules(script.copy)

    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            buckets.owner_if_acls_matter("bucket")
        assert "(s3:GetBucketAcl): no policy allows it" in refused.value.answer.message


def test_a_passing_refusal_is_the_asking_keys_own(script: Script) -> None:
    """The key is tried again later; the next one asks again."""
    script.stub.add_client_error("get_bucket_ownership_controls", "SlowDown", "", 503)
    script.ownership("BucketOwnerEnforced")
    buckets = BucketRules(script.copy)

    with pytest.raises(RefusedError):
        buckets.owner_if_acls_matter("bucket")
    assert buckets.owner_if_acls_matter("bucket") is None


def test_the_default_retention_is_asked_for_once(script: Script) -> None:
    """What the bucket does to new objects."""
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    script.stub.add_response(
        "get_object_lock_configuration",
        {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}},
        {"Bucket": "bucket"},
    )
    buckets = BucketRules(script.copy)

    assert [buckets.lock_defaults("bucket").retention for _ in range(2)] == ["GOVERNANCE 1 days"] * 2


def test_a_bucket_without_object_lock_does_nothing(script: Script) -> None:
    """It has no such configuration."""
    script.stub.add_client_error("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError", "", 404)

    assert BucketRules(script.copy).lock_defaults("bucket") == LockDefaults()


def test_a_default_retention_that_may_not_be_seen_is_no_absent_one(script: Script) -> None:
    """It could lock the copies: denied, and told for want of which permission."""
    script.stub.add_client_error("get_object_lock_configuration", "AccessDenied", "words", 403)

    with pytest.raises(RefusedError) as refused:
        BucketRules(script.copy).lock_defaults("bucket")

    assert "s3:GetBucketObjectLockConfiguration" in refused.value.answer.message


ODD_SETTINGS: list[dict[str, Any]] = [
    {},
    {"OwnershipControls": {"Rules": []}},
    {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerForgotten"}]}},
]
ODD_TIMES = 11


@pytest.mark.parametrize("odd", ODD_SETTINGS)
def test_an_ownership_setting_that_is_not_told_is_asked_for_again(odd: dict[str, Any], script: Script) -> None:
    """Something on the way may have cut it off."""
    script.stub.add_response("get_bucket_ownership_controls", odd)
    script.ownership("BucketOwnerEnforced")

    assert BucketRules(script.copy).owner_if_acls_matter("bucket") is None


@pytest.mark.parametrize("odd", ODD_SETTINGS)
def test_where_the_setting_is_never_told_acls_are_taken_to_matter(
    odd: dict[str, Any], script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """No key fails: each object is asked for its ACL, which is never wrong; the log says so once."""
    for _ in range(ODD_TIMES):
        script.stub.add_response("get_bucket_ownership_controls", odd)
    owner(script)
    buckets = BucketRules(script.copy)

    with caplog.at_level(logging.WARNING, "worker"):
        assert [buckets.owner_if_acls_matter("bucket") for _ in range(2)] == ["me", "me"]

    assert caplog.text.count("its ACLs are taken to matter") == 1


def test_a_bucket_whose_owner_is_never_told_stops_the_task(script: Script) -> None:
    """One error, after one series of questions, tells what to do; no key is failed for it."""
    script.ownership("ObjectWriter")
    for _ in range(ODD_TIMES):
        script.stub.add_response("get_bucket_acl", {"Grants": []})
    buckets = BucketRules(script.copy)

    for _ in range(2):
        with pytest.raises(WorkerError, match=r"bucket bucket: .*no owner.* See what stands between"):
            buckets.owner_if_acls_matter("bucket")


@pytest.mark.parametrize(
    "odd",
    [{}, {"ObjectLockConfiguration": {}}, {"ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Days": 1}}}}],
)
def test_a_default_retention_that_is_never_told_stops_the_task(odd: dict[str, Any], script: Script) -> None:
    """It could lock every copy: one error, after one series of questions."""
    for _ in range(ODD_TIMES):
        script.stub.add_response("get_object_lock_configuration", odd)
    buckets = BucketRules(script.copy)

    for _ in range(2):
        with pytest.raises(WorkerError, match=r"\(s3:GetBucketObjectLockConfiguration\).* See what stands between"):
            buckets.lock_defaults("bucket")


def test_whose_the_copies_are_is_remembered() -> None:
    """Once one belongs to another account, no other of the bucket is taken for the owner's."""
    buckets = BucketRules(None)  # type: ignore[arg-type]  # nothing is asked

    assert buckets.copies_keep_owner("bucket") is None
    buckets.note_owner("bucket", kept=True)
    assert buckets.copies_keep_owner("bucket") is True
    buckets.note_owner("bucket", kept=False)
    buckets.note_owner("bucket", kept=True)
    assert buckets.copies_keep_owner("bucket") is False
