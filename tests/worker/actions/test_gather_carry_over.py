"""The requests behind the carry-over: ACLs, default retention, annotations."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.worker.scripted_s3 import Script
from worker.actions.bucket_rules import BucketRules
from worker.actions.gather_carry_over import CarryOverReader
from worker.decide.carry_over import Acl, UnsupportedError, acl_of
from worker.s3.ask import RefusedError

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SOURCE = {"Bucket": "bucket", "Key": "k"}
VERSION = {**SOURCE, "VersionId": "v1"}
HEAD = {"ContentLength": 3, "ETag": '"e"', "LastModified": NOW}
ME = {"Grantee": {"Type": "CanonicalUser", "ID": "me"}, "Permission": "FULL_CONTROL"}
YOU = {"Grantee": {"Type": "CanonicalUser", "ID": "you"}, "Permission": "READ"}
PRIVATE = {"Owner": {"ID": "me"}, "Grants": [ME]}
SHARED = {"Owner": {"ID": "me"}, "Grants": [ME, YOU]}
FOREIGN = {"Owner": {"ID": "you"}, "Grants": [ME]}


def acls_matter(script: Script) -> CarryOverReader:
    """A bucket whose ACLs matter."""
    script.ownership("ObjectWriter")
    script.stub.add_response("get_bucket_acl", {"Owner": {"ID": "me"}})
    return CarryOverReader(script.copy, BucketRules(script.copy))


@pytest.mark.parametrize(
    ("expected", "acl"),
    [({}, PRIVATE), ({"GrantFullControl": 'id="me"', "GrantRead": 'id="you"'}, SHARED)],
)
def test_grants_are_given_again(expected: dict[str, str], acl: dict[str, Any], script: Script) -> None:
    """Where ACLs matter, each object is asked for its own, and what isn't the default is given."""
    carrying = acls_matter(script)
    script.stub.add_response("get_object_acl", acl, SOURCE)

    carried = carrying.for_copy(SOURCE, HEAD, NOW)

    assert carried.arguments == {"ServerSideEncryption": "AES256", **expected}
    assert carried.acl == acl_of(acl)


def test_another_accounts_object_is_refused(script: Script) -> None:
    """A copy would belong to the bucket's account."""
    carrying = acls_matter(script)
    script.stub.add_response("get_object_acl", FOREIGN)

    with pytest.raises(UnsupportedError, match="belongs to another account"):
        carrying.for_copy(SOURCE, HEAD, NOW)


def test_an_acl_that_may_not_be_read_stops_the_copy(script: Script) -> None:
    """It would be lost in silence: denied instead."""
    carrying = acls_matter(script)
    script.stub.add_client_error("get_object_acl", "AccessDenied", "words", 403)

    with pytest.raises(RefusedError) as refused:
        carrying.for_copy(SOURCE, HEAD, NOW)

    assert "s3:GetObjectAcl" in refused.value.answer.message


def test_no_object_is_asked_for_its_acl_where_it_has_no_effect(script: Script) -> None:
    """The bucket's setting is the only question, and it is asked once."""
    script.bucket()
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))

    assert [carrying.for_copy(SOURCE, HEAD, NOW).acl for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("says", "before", "after"),
    [
        ("", SHARED, SHARED),
        ('its ACL lost id="you" READ', SHARED, PRIVATE),
        ('its ACL gained id="you" READ', PRIVATE, SHARED),
        ("its owner me became you", PRIVATE, FOREIGN),
    ],
)
def test_a_copys_acl_is_compared(says: str, before: dict[str, Any], after: dict[str, Any], script: Script) -> None:
    """With what it was to be, in words."""
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))
    script.stub.add_response("get_object_acl", after, VERSION)

    assert carrying.wrong_acl(VERSION, acl_of(before)) == says


def test_of_private_objects_only_the_first_copy_is_looked_at(script: Script) -> None:
    """Whose the copies are is the same for all of a bucket; there is nothing else to see."""
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))
    script.stub.add_response("get_object_acl", PRIVATE)

    assert [carrying.wrong_acl(SOURCE, acl_of(PRIVATE)) for _ in range(3)] == [""] * 3


def test_after_a_copy_that_changed_hands_no_other_is_made(script: Script) -> None:
    """A role of another account than the bucket's makes copies of its own: told once, refused from then on."""
    carrying = acls_matter(script)
    script.stub.add_response("get_object_acl", PRIVATE)
    script.stub.add_response("get_object_acl", FOREIGN)
    script.stub.add_response("get_object_acl", PRIVATE)
    before = carrying.for_copy(SOURCE, HEAD, NOW).acl
    assert before
    assert carrying.wrong_acl(SOURCE, before)

    with pytest.raises(UnsupportedError, match="don't belong to the bucket's owner"):
        carrying.for_copy(SOURCE, HEAD, NOW)


def test_a_default_retention_refuses_unlocked_objects_of_versioned_buckets(script: Script) -> None:
    """Asked where there are versions; elsewhere no lock can be."""
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}
    script.stub.add_response("get_object_lock_configuration", {"ObjectLockConfiguration": {"Rule": rule}})
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))

    with pytest.raises(UnsupportedError, match="COMPLIANCE 1 years"):
        carrying.for_copy(VERSION, HEAD, NOW)


def test_annotations_are_refused_in_parts(monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    """AWS is asked whether there are any: a copy in parts would lose them."""
    monkeypatch.setattr(script.copy.client.meta, "_endpoint_url", "https://s3.eu-west-1.amazonaws.com")
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))
    script.bucket()
    script.stub.add_response(
        "list_object_annotations",
        {"Annotations": [{"AnnotationName": "a", "LastModified": NOW, "Size": 1}]},
        SOURCE,
    )

    with pytest.raises(UnsupportedError, match="annotations"):
        carrying.for_parts(SOURCE, HEAD, NOW)


@pytest.mark.parametrize(
    "odd", [{}, {"Owner": {"ID": "me"}}, {"Grants": [ME]}, {**PRIVATE, "Grants": [{"Grantee": ME["Grantee"]}]}]
)
def test_an_acl_that_is_not_told_is_no_acl(odd: dict[str, Any], script: Script) -> None:
    """The answer counts as lost: nothing is copied by it, and the key is tried again."""
    carrying = acls_matter(script)
    script.stub.add_response("get_object_acl", odd)

    with pytest.raises(RefusedError) as refused:
        carrying.for_copy(SOURCE, HEAD, NOW)

    assert refused.value.answer.lost
    assert "asking for its ACL" in refused.value.answer.message


@pytest.mark.parametrize("odd", [{}, {"TagSet": [{"Key": "a"}]}])
def test_tags_that_are_not_told_are_no_tags(odd: dict[str, Any], script: Script) -> None:
    """Stubborn, such an answer counts as lost; the copy in parts would lose the tags."""
    script.bucket()
    for _ in range(4):
        script.stub.add_response("get_object_tagging", {"TagSet": []})

    def spoil(parsed: dict[str, Any], **_: Any) -> None:
        parsed.clear()
        parsed.update(odd)

    script.copy.client.meta.events.register("after-call.s3.GetObjectTagging", spoil)
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))

    with pytest.raises(RefusedError) as refused:
        carrying.for_parts(SOURCE, HEAD, NOW)

    assert refused.value.answer.lost


def test_half_a_retention_is_none(script: Script) -> None:
    """A mode without its date, or the other way round: the headers were cut, and the copy would lose the lock."""
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))

    for half in ({"ObjectLockMode": "COMPLIANCE"}, {"ObjectLockRetainUntilDate": NOW}):
        with pytest.raises(RefusedError) as refused:
            carrying.for_copy(SOURCE, {**HEAD, **half}, NOW)
        assert refused.value.answer.lost


def test_the_default_acl_is_the_owners_alone() -> None:
    """Anything more or less than the owner's full control is something to give again."""
    assert Acl("me", frozenset({('id="me"', "FULL_CONTROL")})).is_default
    assert not acl_of(SHARED).is_default
    assert not acl_of({"Owner": {"ID": "me"}, "Grants": []}).is_default
