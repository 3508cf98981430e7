"""What HeadObject tells of an object."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.contract import RestoreStatus, parse_restore
from worker.decide.head_facts import ObjectFacts, facts_of

THEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_plain_head_is_a_standard_object() -> None:
    """HEAD without a class is STANDARD, without a version id unversioned, without all else plain."""
    expected = ObjectFacts(storage_class="STANDARD", size_bytes=3, etag='"e"', last_modified=THEN)

    assert expected == facts_of({"ContentLength": 3, "ETag": '"e"', "LastModified": THEN})


def test_every_fact_is_read() -> None:
    """Class, version, restore, archive tier, customer key and missing metadata all come from their headers."""
    facts = facts_of(
        {
            "ContentLength": 3,
            "ETag": '"e"',
            "LastModified": THEN,
            "StorageClass": "INTELLIGENT_TIERING",
            "VersionId": "v",
            "Restore": 'ongoing-request="true"',
            "ArchiveStatus": "DEEP_ARCHIVE_ACCESS",
            "SSECustomerAlgorithm": "AES256",
            "MissingMeta": 2,
        }
    )

    assert (facts.storage_class, facts.version_id, facts.archive_status) == (
        "INTELLIGENT_TIERING",
        "v",
        "DEEP_ARCHIVE_ACCESS",
    )
    assert (facts.restore, facts.customer_key, facts.missing_metadata) == (RestoreStatus(ongoing=True), True, 2)


@pytest.mark.parametrize(
    ("expected", "header"),
    [
        (None, ""),
        (RestoreStatus(ongoing=True), 'ongoing-request="true"'),
        (
            RestoreStatus(ongoing=False, expires_at=datetime(2012, 12, 21, tzinfo=UTC)),
            'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"',
        ),
        (RestoreStatus(ongoing=False), 'ongoing-request="false"'),
        (RestoreStatus(ongoing=False), 'ongoing-request="false", expiry-date="some day"'),
        (RestoreStatus(ongoing=True), "gibberish"),
    ],
)
def test_the_restore_header_is_read(expected: RestoreStatus | None, header: str) -> None:
    """Both of S3's forms are read; what says nothing plain counts as not ready."""
    assert expected == parse_restore(header)


@given(st.text(max_size=200) | st.text(alphabet='aon-gireqst="fl, 0123456789:GMT', max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_restore_header_is_read(header: str) -> None:
    """No error, and ready only when it says so letter by letter."""
    status = parse_restore(header)

    assert (status is None) == (header == "")
    assert status is None or status.ongoing or 'ongoing-request="false"' in header


@pytest.mark.parametrize("header", ["a" * 10_000_000, '="' * 1_000_000, "a-" * 1_000_000 + '"', '"' * 1_000_000])
def test_a_long_restore_header_is_read_in_proportion(header: str) -> None:
    """What is longer than S3 ever says isn't read to its end, and counts as not ready."""
    assert parse_restore(header) == RestoreStatus(ongoing=True)
