"""What a copy must be told so that the object stays as it was."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.model import Shape, StringShape, StructureShape
from botocore.session import get_session

from worker.decide.carry_over import (
    LockDefaults,
    UnsupportedError,
    acl_of,
    checksum_algorithm,
    dropped_by_copy,
    dropped_by_multipart,
    key_refused_in_parts,
    lock_defaults_of,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
SSE_S3 = {"ServerSideEncryption": "AES256"}


@pytest.mark.parametrize(
    ("expected", "head"),
    [
        (SSE_S3, {}),
        (SSE_S3, {"ContentType": "text/plain", "Metadata": {"a": "b"}, "TagCount": 2, "StorageClass": "GLACIER"}),
        (SSE_S3, SSE_S3),
        (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": True},
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": True},
        ),
        (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY, "BucketKeyEnabled": False},
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        ),
        (
            {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY},
            {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY},
        ),
        ({**SSE_S3, "WebsiteRedirectLocation": "/x"}, {"WebsiteRedirectLocation": "/x"}),
        (
            {**SSE_S3, "ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER},
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER},
        ),
        (SSE_S3, {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": NOW}),
        ({**SSE_S3, "ObjectLockLegalHoldStatus": "ON"}, {"ObjectLockLegalHoldStatus": "ON"}),
        (SSE_S3, {"ObjectLockLegalHoldStatus": "OFF", "ObjectLockEventHold": "OFF"}),
        (
            {**SSE_S3, "ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 3},
            {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 3},
        ),
    ],
)
def test_what_every_copy_is_given(expected: dict[str, Any], head: dict[str, Any]) -> None:
    """Encryption as the object has it, redirect, and locks that still hold; nothing that a copy keeps anyway."""
    assert expected == dropped_by_copy(head, NOW)


@pytest.mark.parametrize(
    ("expected", "configuration"),
    [
        (LockDefaults(), {"ObjectLockEnabled": "Enabled"}),
        (
            LockDefaults(retention="COMPLIANCE 7 days"),
            {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 7}}},
        ),
        (
            LockDefaults(retention="GOVERNANCE 1 years"),
            {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 1}}},
        ),
        (LockDefaults(event_hold=True), {"Rule": {"DefaultRetention": {"DefaultEventHold": {"Days": 1}}}}),
    ],
)
def test_what_a_bucket_does_to_new_objects(expected: LockDefaults, configuration: dict[str, Any]) -> None:
    """Its default retention in words, and whether its default event hold is on."""
    assert expected == lock_defaults_of({"ObjectLockConfiguration": configuration})


@pytest.mark.parametrize("lock", [{}, {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": NOW}])
def test_an_object_that_is_not_locked_stays_so(lock: dict[str, Any]) -> None:
    """Where the bucket's default would lock the copy, the object is refused; nothing can say otherwise to S3."""
    with pytest.raises(UnsupportedError, match="COMPLIANCE 7 days"):
        dropped_by_copy(lock, NOW, LockDefaults(retention="COMPLIANCE 7 days"))


def test_a_locked_object_keeps_its_own_lock() -> None:
    """What is given goes before the bucket's default."""
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}

    assert dropped_by_copy(lock, NOW, LockDefaults(retention="COMPLIANCE 7 days")) == {**SSE_S3, **lock}


@pytest.mark.parametrize(("expected", "hold"), [("OFF", "OFF"), ("OFF", None), ("ON", "ON")])
def test_a_default_event_hold_is_not_taken_over(expected: str, hold: str | None) -> None:
    """Where the bucket would set one, the copy is told to have none, unless the object has its own."""
    given = dropped_by_copy({"ObjectLockEventHold": hold} if hold else {}, NOW, LockDefaults(event_hold=True))

    assert given["ObjectLockEventHold"] == expected


@pytest.mark.parametrize(
    ("expected", "head", "tags"),
    [
        ({}, {}, {}),
        (
            {"ContentType": "text/x", "CacheControl": "no-store", "ContentEncoding": "gzip", "ContentLanguage": ""},
            {"ContentType": "text/x", "CacheControl": "no-store", "ContentEncoding": "gzip", "ContentLanguage": ""},
            {},
        ),
        (
            {"ExpiresString": "Mon, 23 Nov 2026 00:00:00 GMT"},
            {"Expires": LATER, "ExpiresString": "Mon, 23 Nov 2026 00:00:00 GMT"},
            {},
        ),
        ({"ExpiresString": "tomorrow"}, {"ExpiresString": "tomorrow"}, {}),
        ({"Metadata": {"a": "b", "empty": ""}}, {"Metadata": {"a": "b", "empty": ""}}, {}),
        ({"Metadata": {"a": "=?UTF-8?B?w6k=?="}}, {"Metadata": {"a": "=?UTF-8?B?w6k=?="}}, {}),
        ({"Tagging": "a%20b=c%26d%2F&e="}, {"TagCount": 2}, {"a b": "c&d/", "e": ""}),
        ({"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"}, {"ChecksumCRC64NVME": "x"}, {}),
        (
            {"ChecksumAlgorithm": "CRC32", "ChecksumType": "COMPOSITE"},
            {"ChecksumCRC32": "x", "ChecksumType": "COMPOSITE"},
            {},
        ),
        (
            {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"},
            {"ChecksumSHA256": "x", "ChecksumType": "FULL_OBJECT"},
            {},
        ),
    ],
)
def test_what_a_copy_in_parts_is_given_beside(
    expected: dict[str, Any], head: dict[str, Any], tags: dict[str, str]
) -> None:
    """Content headers, metadata, tags and the kind of checksum, none of which an upload in parts keeps."""
    assert expected == dropped_by_multipart(head, [{"Key": key, "Value": value} for key, value in tags.items()])


@pytest.mark.parametrize(
    "head", [{"Metadata": {"a": "é"}}, {"Metadata": {"é": "a"}}, {"ContentDisposition": "attachment; filename=é"}]
)
def test_a_header_that_no_request_can_carry_is_refused(head: dict[str, Any]) -> None:
    """Bytes beyond ASCII can't be signed as they were: a copy in parts would fail or lose them."""
    with pytest.raises(UnsupportedError, match="ASCII"):
        dropped_by_multipart(head, [])


@pytest.mark.parametrize(("refused", "key"), [(True, "a\x01b"), (True, "\x0b"), (False, "a\n\t\u2028é😀&<")])
def test_a_key_that_no_answer_can_repeat_is_refused(refused: bool, key: str) -> None:  # noqa: FBT001 (a table)
    """S3 names an upload in XML, beside its key."""
    assert bool(key_refused_in_parts(key)) == refused


ME, YOU = "me", "you"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"


def account(who: str, permission: str) -> dict[str, Any]:
    """A grant to an account."""
    return {"Grantee": {"Type": "CanonicalUser", "ID": who, "DisplayName": "x"}, "Permission": permission}


def group(uri: str, permission: str) -> dict[str, Any]:
    """A grant to a group."""
    return {"Grantee": {"Type": "Group", "URI": uri}, "Permission": permission}


@pytest.mark.parametrize(
    ("expected", "grants"),
    [
        ({}, [account(ME, "FULL_CONTROL")]),
        (
            {"GrantFullControl": 'id="me"', "GrantRead": f'id="you", uri="{ALL_USERS}"'},
            [group(ALL_USERS, "READ"), account(ME, "FULL_CONTROL"), account(YOU, "READ")],
        ),
        ({"GrantFullControl": 'id="me", id="you"'}, [account(ME, "FULL_CONTROL"), account(YOU, "FULL_CONTROL")]),
        (
            {"GrantReadACP": 'id="you"', "GrantWriteACP": 'id="you"'},
            [account(YOU, "READ_ACP"), account(YOU, "WRITE_ACP")],
        ),
    ],
)
def test_grants_are_given_again(expected: dict[str, str], grants: list[dict[str, Any]]) -> None:
    """All of them, the owner's too, as S3 adds none to those that are given; the default ACL needs no words."""
    assert expected == acl_of({"Owner": {"ID": ME}, "Grants": grants}).headers()


@pytest.mark.parametrize(
    ("says", "grants"),
    [
        ("grants nothing", []),
        ("WRITE", [account(ME, "FULL_CONTROL"), account(YOU, "WRITE")]),
        ("READ", [{"Grantee": {"Type": "AmazonCustomerByEmail", "EmailAddress": "x"}, "Permission": "READ"}]),
    ],
)
def test_grants_that_cannot_be_given_are_refused(says: str, grants: list[dict[str, Any]]) -> None:
    """An empty ACL, a permission without a header, a grantee without a form."""
    with pytest.raises(UnsupportedError, match=says):
        acl_of({"Owner": {"ID": ME}, "Grants": grants}).headers()


def members(shape: str) -> Mapping[str, Shape]:
    """The members of a structure in botocore's model of S3."""
    found = get_session().get_service_model("s3").shape_for(shape)
    assert isinstance(found, StructureShape)
    return found.members


def test_every_grant_header_is_one_that_both_requests_know() -> None:
    """Each permission on an object has its argument in both requests."""
    grants = [account(YOU, permission) for permission in ("FULL_CONTROL", "READ", "READ_ACP", "WRITE_ACP")]

    headers = set(acl_of({"Owner": {"ID": ME}, "Grants": grants}).headers())

    assert len(headers) == 4
    assert headers <= set(members("CopyObjectRequest"))
    assert headers <= set(members("CreateMultipartUploadRequest"))


def test_every_argument_is_one_that_the_operation_knows() -> None:
    """Whatever is carried over has the same name in HeadObject's answer and in both requests."""
    full = {
        name: "x" if shape.type_name == "string" else LATER for name, shape in members("HeadObjectOutput").items()
    } | {
        "ServerSideEncryption": "aws:kms",
        "ObjectLockLegalHoldStatus": "ON",
        "ObjectLockEventHold": "ON",
        "Metadata": {"a": "b"},
    }

    for_all = dropped_by_copy(full, NOW)

    assert set(for_all) <= set(members("CopyObjectRequest"))
    for_parts = dropped_by_multipart(full, [{"Key": "a", "Value": "b"}])
    assert set(for_all | for_parts) <= set(members("CreateMultipartUploadRequest"))


def test_the_checksums_known_are_those_of_s3() -> None:
    """No algorithm that S3 has is passed over."""
    algorithms = get_session().get_service_model("s3").shape_for("ChecksumAlgorithm")

    assert isinstance(algorithms, StringShape)
    for algorithm in algorithms.enum:
        assert checksum_algorithm({f"Checksum{algorithm}": "x"}) == algorithm
