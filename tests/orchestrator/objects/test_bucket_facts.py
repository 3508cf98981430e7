"""What is said of a bucket before a phase begins."""

from dataclasses import replace

import pytest

from orchestrator.objects.bucket_facts import OBJECT_LOCK, REQUEST_PAYMENT, VERSIONING, BucketFacts, bucket_remarks
from worker.contract import Phase, PhaseSettings

COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD")
RESTORE = PhaseSettings(phase=Phase.RESTORE)
PLAIN = BucketFacts(bucket="b")
LOCKED = BucketFacts(bucket="b", versioning="Enabled", object_lock=True, default_retention="GOVERNANCE, 30 days")
PAID = BucketFacts(bucket="b", requester_pays=True)
SILENT = BucketFacts(bucket="b", unknown=dict.fromkeys((VERSIONING, OBJECT_LOCK, REQUEST_PAYMENT), "AccessDenied"))


@pytest.mark.parametrize(
    ("expected", "facts", "settings"),
    [
        ([], PLAIN, COPY),
        ([], LOCKED, RESTORE),
        (["it stays, and is billed"], BucketFacts(bucket="b", versioning="Enabled"), COPY),
        (
            ["--delete-superseded deletes it"],
            BucketFacts(bucket="b", versioning="Enabled"),
            replace(COPY, delete_superseded=True),
        ),
        (["now suspended"], BucketFacts(bucket="b", versioning="Suspended"), COPY),
        (["is versioned", "has Object Lock", "(GOVERNANCE, 30 days) would lock their copies"], LOCKED, COPY),
        (["without --request-payer requester"], PAID, COPY),
        (["without --request-payer requester"], PAID, RESTORE),
        ([], PAID, replace(RESTORE, request_payer="requester")),
        (
            [
                "about versioning, Object Lock, who pays (AccessDenied); the question needs s3:GetBucketVersioning, ",
                "if it is versioned",
            ],
            SILENT,
            COPY,
        ),
        (["couldn't be asked about who pays"], SILENT, RESTORE),
        ([], SILENT, replace(RESTORE, request_payer="requester")),
    ],
)
def test_what_is_said(expected: list[str], facts: BucketFacts, settings: PhaseSettings) -> None:
    """Versions and locks before a copy, who pays before both phases, and what couldn't be asked."""
    said = list(bucket_remarks(facts, settings))

    assert len(said) == len(expected)
    assert [words for words, line in zip(expected, said, strict=True) if words not in line] == []


@pytest.mark.parametrize(
    ("expected", "facts"),
    [(True, PLAIN), (False, LOCKED), (False, BucketFacts(bucket="b", versioning="Suspended")), (False, SILENT)],
)
def test_a_bucket_without_versions(expected: bool, facts: BucketFacts) -> None:  # noqa: FBT001 (a table's column)
    """What couldn't be asked isn't taken for never."""
    assert facts.never_versioned is expected
