"""Pictures of objects: what is kept, and what counts as a difference."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.contract import (
    ContractError,
    LotEntry,
    ObjectSnapshot,
    bare_etag,
    differences,
    format_snapshot_line,
    parse_snapshot_lines,
    proves_content,
    snapshot_of,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MD5_A, MD5_B = "a" * 32, "b" * 32
PLAIN = ObjectSnapshot(size_bytes=7, etag=MD5_A)
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-1"}
CRC = {"CRC32": "AAAA"}


def test_a_picture_is_what_head_shows_but_for_what_a_copy_changes() -> None:
    """Class, date and version are left out; so is a setting that is off."""
    head = {
        "ContentLength": 7,
        "ETag": f'"{MD5_A}"',
        "StorageClass": "GLACIER",
        "LastModified": NOW,
        "VersionId": "v1",
        "Metadata": {"a": "b"},
        "ContentType": "image/jpeg",
        "TagCount": 2,
        "ServerSideEncryption": "AES256",
        "BucketKeyEnabled": False,
        "ObjectLockMode": "GOVERNANCE",
        "ObjectLockRetainUntilDate": NOW,
        "WebsiteRedirectLocation": "/x",
        "ChecksumCRC32": "AAAA",
        "ChecksumType": "FULL_OBJECT",
    }

    assert snapshot_of(head) == ObjectSnapshot(
        size_bytes=7,
        etag=MD5_A,
        metadata={"a": "b"},
        headers={"ContentType": "image/jpeg"},
        tag_count=2,
        encryption={"ServerSideEncryption": "AES256"},
        lock={"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2026-06-01T00:00:00+00:00"},
        website_redirect="/x",
        checksums=CRC,
        checksum_type="FULL_OBJECT",
    )


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        ([], {}, {}),
        (["size 7 became 8"], {}, {"size_bytes": 8}),
        ([f"ETag {MD5_A} became {MD5_B}"], {}, {"etag": MD5_B}),
        ([], {"etag": f"{MD5_A}-3"}, {"etag": MD5_B}),
        ([], {"encryption": KMS}, {"encryption": KMS, "etag": MD5_B}),
        (["metadata a: b became none"], {"metadata": {"a": "b"}}, {}),
        (["metadata a: b became c"], {"metadata": {"a": "b"}}, {"metadata": {"a": "c"}}),
        (["metadata a: none became b"], {}, {"metadata": {"a": "b"}}),
        (["header ContentType: x became y"], {"headers": {"ContentType": "x"}}, {"headers": {"ContentType": "y"}}),
        (["2 tags became 0"], {"tag_count": 2}, {}),
        (
            ["encryption SSEKMSKeyId: key-1 became key-2"],
            {"encryption": KMS},
            {"encryption": {**KMS, "SSEKMSKeyId": "key-2"}},
        ),
        ([], {}, {"encryption": {"ServerSideEncryption": "AES256"}}),
        (
            ["encryption SSEKMSKeyId: key-1 became none", "encryption ServerSideEncryption: aws:kms became AES256"],
            {"encryption": KMS},
            {},
        ),
        (["lock ObjectLockLegalHoldStatus: ON became none"], {"lock": {"ObjectLockLegalHoldStatus": "ON"}}, {}),
        ([], {"lock": {"ObjectLockLegalHoldStatus": "OFF"}}, {}),
        (
            [],
            {"lock": {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2026-05-31T00:00:00+00:00"}},
            {},
        ),
        (
            [
                "lock ObjectLockMode: GOVERNANCE became none",
                "lock ObjectLockRetainUntilDate: 2026-07-01T00:00:00+00:00 became none",
            ],
            {"lock": {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2026-07-01T00:00:00+00:00"}},
            {},
        ),
        (["website redirect /x became none"], {"website_redirect": "/x"}, {}),
        (["checksum CRC32 became none"], {"checksums": CRC}, {}),
        ([], {}, {"checksums": CRC}),
        (["checksum CRC32: AAAA became BBBB"], {"checksums": CRC}, {"checksums": {"CRC32": "BBBB"}}),
        ([], {"checksums": CRC, "checksum_type": "COMPOSITE"}, {"checksums": {"CRC32": "BBBB"}}),
    ],
)
def test_each_difference_is_told_in_words(expected: list[str], before: dict[str, Any], after: dict[str, Any]) -> None:
    """What can't be compared isn't called a difference; all else is."""
    assert list(differences(replace(PLAIN, **before), replace(PLAIN, **after), now=NOW)) == expected


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        (True, {}, {}),
        (True, {"size_bytes": 0}, {"size_bytes": 0, "etag": MD5_B, "encryption": KMS}),
        (True, {"etag": f"{MD5_A}-3"}, {"etag": f"{MD5_A}-3"}),
        (True, {"checksums": CRC}, {"checksums": CRC, "etag": MD5_B, "encryption": KMS}),
        (True, {"checksums": {**CRC, "MD5": "m"}}, {"checksums": CRC, "etag": f"{MD5_B}-2"}),
        (False, {}, {"size_bytes": 8}),
        (False, {"etag": ""}, {"etag": ""}),
        (False, {}, {"etag": MD5_B}),
        (False, {"etag": f"{MD5_A}-3"}, {"etag": f"{MD5_A}-2"}),
        (False, {"encryption": KMS}, {"encryption": KMS}),
        (False, {}, {"encryption": {"ServerSideEncryption": "aws:kms:dsse"}}),
        (False, {"etag": MD5_B, "checksums": CRC}, {"checksums": {"CRC32": "BBBB"}}),
        (False, {"etag": MD5_B, "checksums": CRC}, {"checksums": {"CRC32C": "AAAA"}}),
        (False, {"etag": MD5_B, "checksums": CRC, "checksum_type": "COMPOSITE"}, {"checksums": CRC}),
        (False, {"etag": MD5_B, "checksums": {"CRC32": "AAAA-2"}}, {"checksums": {"CRC32": "AAAA-2"}}),
    ],
)
def test_what_proves_the_content(expected: bool, before: dict[str, Any], after: dict[str, Any]) -> None:  # noqa: FBT001 (a table)
    """Only what S3 computed of all of it, the same in both pictures."""
    assert expected is proves_content(replace(PLAIN, **before), replace(PLAIN, **after))


@pytest.mark.parametrize("etag", [MD5_A, f'"{MD5_A}"', f'W/"{MD5_A}"'])
def test_an_etag_is_the_same_with_and_without_quotes(etag: str) -> None:
    """Servers and proxies write it in more than one way."""
    assert bare_etag(etag) == MD5_A


@given(
    key=st.text(min_size=1),
    metadata=st.dictionaries(st.text(min_size=1), st.text()),
    tag_count=st.integers(0, 10),
)
def test_a_picture_survives_its_line(key: str, metadata: dict[str, str], tag_count: int) -> None:
    """What goes into an audit part comes out, one line for each object, whatever is in its key and metadata."""
    entry = LotEntry(bucket="b", key=key, version_id="v")
    snapshot = replace(PLAIN, metadata=metadata, tag_count=tag_count)
    line = format_snapshot_line(entry, snapshot)

    assert line.count("\n") == 1
    assert list(parse_snapshot_lines(line * 2)) == [(entry, snapshot)] * 2


@pytest.mark.parametrize("line", ["{", "{}", '{"bucket": "b", "key": "k", "version_id": "", "before": {"odd": 1}}'])
def test_a_damaged_line_is_named(line: str) -> None:
    """The error names the line."""
    good = format_snapshot_line(LotEntry(bucket="b", key="k"), PLAIN)

    with pytest.raises(ContractError, match="line 2 is not a picture"):
        list(parse_snapshot_lines(f"{good}{line}\n"))
