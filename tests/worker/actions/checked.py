"""Copies to check, and what checks them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.worker.scripted_s3 import Script
from worker.actions.bucket_rules import BucketRules
from worker.actions.check_copy import CopyCheck
from worker.actions.copied import Carried, Copied
from worker.actions.delete_superseded import Superseded
from worker.actions.gather_carry_over import CarryOverReader
from worker.contract import LotEntry, Outcome, ResultRow

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
HERE = {"Bucket": "bucket", "Key": "k"}
OLD, NEW = {**HERE, "VersionId": "v1"}, {**HERE, "VersionId": "v2"}
KMS = {"ServerSideEncryption": "aws:kms"}
HEAD = {"ContentLength": 3, "ETag": '"e"', "LastModified": NOW, "Metadata": {"a": "b"}, "StorageClass": "GLACIER"}
AFTER = {**HEAD, "StorageClass": "STANDARD_IA", "VersionId": "v2"}
ROW = ResultRow(
    entry=LotEntry(bucket="bucket", key="k"), outcome=Outcome.COPIED, http_status=200, message="copied", size_bytes=3
)


def copied(**changed: Any) -> Copied:
    """A copy that S3 says it made, on a versioned bucket."""
    made = Copied(
        row=ROW,
        source=OLD,
        head={**HEAD, "VersionId": "v1"},
        answer={"VersionId": "v2", "CopySourceVersionId": "v1"},
        etag='"e"',
        carried=Carried(arguments={}),
        seen_at=NOW,
    )
    return replace(made, **changed)


def checks(script: Script, *, delete: bool = False) -> CopyCheck:
    """What compares copies in STANDARD_IA."""
    carrying = CarryOverReader(script.copy, BucketRules(script.copy))
    superseded = Superseded(script.copy, carrying) if delete else None
    return CopyCheck(script.copy, carrying, target="STANDARD_IA", superseded=superseded)


def look(script: Script, **changed: Any) -> None:
    """The HEAD of the copy."""
    script.stub.add_response("head_object", {**AFTER, **changed}, {**NEW, "ChecksumMode": "ENABLED"})
