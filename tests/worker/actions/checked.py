"""Copies to check, and what checks them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.worker.scripted_s3 import Script
from worker.actions.bucket_rules import BucketRules
from worker.actions.check_copy import CopyCheck
from worker.actions.copied import Carried, Copied, Observed
from worker.actions.delete_superseded import DeleteSuperseded
from worker.actions.gather_carry_over import CarryOverReader
from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import facts_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
HERE = {"Bucket": "bucket", "Key": "k"}
OLD, NEW = {**HERE, "VersionId": "v1"}, {**HERE, "VersionId": "v2"}
KMS = {"ServerSideEncryption": "aws:kms"}
HEAD = {"ContentLength": 3, "ETag": '"e"', "LastModified": NOW, "Metadata": {"a": "b"}, "StorageClass": "GLACIER"}
AFTER = {**HEAD, "StorageClass": "STANDARD_IA", "VersionId": "v2"}
ENTRY = LotEntry(bucket="bucket", key="k")
ROW = ResultRow(
    entry=ENTRY,
    outcome=Outcome.COPIED,
    http_status=200,
    message="copied from GLACIER to STANDARD_IA",
    size_bytes=3,
    new_version_id="v2",
)
NOTHING = Carried(arguments={})


def copied(
    *,
    source: Mapping[str, str] = OLD,
    head: Mapping[str, Any] = {**HEAD, "VersionId": "v1"},
    answer: Mapping[str, Any] = {"VersionId": "v2", "CopySourceVersionId": "v1"},
    etag: str = '"e"',
    carried: Carried = NOTHING,
    tells_checksum: bool = True,
) -> Copied:
    """A copy that S3 says it made, on a versioned bucket."""
    facts = replace(facts_of(head), version_id=source.get("VersionId", ""))
    seen = Observed(entry=ENTRY, head=head, facts=facts, current_etag=facts.etag, current=True, seen_at=NOW)
    made = {"CopyObjectResult": {"ETag": etag}, **answer}
    return Copied(seen=seen, answer=made, carried=carried, tells_checksum=tells_checksum)


def checks(script: Script, *, delete: bool = False) -> CopyCheck:
    """What compares copies in STANDARD_IA."""
    carry_over = CarryOverReader(script.copy, BucketRules(script.copy))
    deletion = DeleteSuperseded(script.copy, carry_over) if delete else None
    return CopyCheck(script.copy, carry_over, target="STANDARD_IA", delete=deletion)


def look(script: Script, **changed: Any) -> None:
    """The HEAD of the copy."""
    script.stub.add_response("head_object", {**AFTER, **changed}, {**NEW, "ChecksumMode": "ENABLED"})
