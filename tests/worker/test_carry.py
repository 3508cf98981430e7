"""What a copy must be told so that the object stays as it was."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.model import Shape, StringShape, StructureShape
from botocore.session import get_session

from worker.carry import checksum_algorithm, dropped_by_copy, dropped_by_multipart, lost_by_multipart

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"


@pytest.mark.parametrize(
    ("expected", "head"),
    [
        ({}, {}),
        ({}, {"ContentType": "text/plain", "Metadata": {"a": "b"}, "TagCount": 2, "StorageClass": "GLACIER"}),
        ({"ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "AES256"}),
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
        ({"WebsiteRedirectLocation": "/x"}, {"WebsiteRedirectLocation": "/x"}),
        (
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER},
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER},
        ),
        ({}, {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": NOW}),
        ({"ObjectLockLegalHoldStatus": "ON"}, {"ObjectLockLegalHoldStatus": "ON"}),
        ({}, {"ObjectLockLegalHoldStatus": "OFF", "ObjectLockEventHold": "OFF"}),
        (
            {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 3},
            {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 3},
        ),
    ],
)
def test_what_every_copy_is_given(expected: dict[str, Any], head: dict[str, Any]) -> None:
    """Encryption as the object has it, redirect, and locks that still hold; nothing that a copy keeps anyway."""
    assert expected == dropped_by_copy(head, NOW)


@pytest.mark.parametrize(
    ("expected", "head", "tags"),
    [
        ({}, {}, {}),
        (
            {"ContentType": "text/x", "CacheControl": "no-store", "Expires": LATER, "ContentEncoding": "gzip"},
            {"ContentType": "text/x", "CacheControl": "no-store", "Expires": LATER, "ContentEncoding": "gzip"},
            {},
        ),
        ({"Metadata": {"a": "b"}}, {"Metadata": {"a": "b"}}, {}),
        ({"Tagging": "a+b=c%26d&e="}, {"TagCount": 2}, {"a b": "c&d", "e": ""}),
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
    assert expected == dropped_by_multipart(head, tags)


def members(shape: str) -> Mapping[str, Shape]:
    """The members of a structure in botocore's model of S3."""
    found = get_session().get_service_model("s3").shape_for(shape)
    assert isinstance(found, StructureShape)
    return found.members


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
    assert set(for_all | dropped_by_multipart(full, {"a": "b"})) <= set(members("CreateMultipartUploadRequest"))


def test_the_checksums_known_are_those_of_s3() -> None:
    """No algorithm that S3 has is passed over."""
    algorithms = get_session().get_service_model("s3").shape_for("ChecksumAlgorithm")

    assert isinstance(algorithms, StringShape)
    for algorithm in algorithms.enum:
        assert checksum_algorithm({f"Checksum{algorithm}": "x"}) == algorithm


@pytest.mark.parametrize(
    ("says", "head"),
    [
        ("", {"Metadata": {"a": "b"}, "Expires": LATER, "ExpiresString": "Mon, 23 Nov 2026 00:00:00 GMT"}),
        ("Expires", {"ExpiresString": "tomorrow"}),
        ("ASCII", {"Metadata": {"a": "=?UTF-8?B?w6k=?="}}),
    ],
)
def test_what_cannot_be_given_again_is_told(says: str, head: dict[str, Any]) -> None:
    """An Expires that is no date, and metadata that S3 shows encoded, can't be given to an upload in parts."""
    assert bool(says) == bool(lost_by_multipart(head))
    assert says in lost_by_multipart(head)
