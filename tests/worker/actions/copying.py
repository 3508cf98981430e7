"""What the tests of the copy phase share: one object, and what is asked and answered when it is copied."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.worker.actions.stores import MemoryStore
from tests.worker.scripted_s3 import Script
from worker.actions.copy import CopyAction
from worker.actions.upload_notes import UploadNotes
from worker.contract import MIB, LotEntry, Options, Phase, ResultRow
from worker.decide.head_facts import ObjectFacts, facts_of
from worker.pool.loop import MoveToLongPool, Retry

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
THEN = NOW - timedelta(days=400)
ENTRY = LotEntry(bucket="bucket", key="a b/é")
NAMED = {"Bucket": "bucket", "Key": "a b/é"}
HEAD = {"ContentLength": 3, "ETag": '"e"', "LastModified": THEN, "ContentType": "text/plain"}
READY = {"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="Mon, 23 Nov 2026 00:00:00 GMT"'}
COPY = {
    **NAMED,
    "CopySource": NAMED,
    "CopySourceIfMatch": '"e"',
    "IfMatch": '"e"',
    "ServerSideEncryption": "AES256",
    "StorageClass": "STANDARD_IA",
    "MetadataDirective": "COPY",
    "TaggingDirective": "COPY",
}
MADE = {"CopyObjectResult": {"ETag": '"e"'}}


def copy_options(threshold_bytes: int, part_bytes: int, **more: Any) -> Options:
    """The options of a copy into STANDARD_IA."""
    return Options(
        phase=Phase.COPY,
        lot="lot",
        results="results",
        attempt=1,
        storage_class="STANDARD_IA",
        multipart_threshold_bytes=threshold_bytes,
        part_size_bytes=part_bytes,
        **more,
    )


def action(script: Script, **more: Any) -> CopyAction:
    """What copies into STANDARD_IA."""
    return CopyAction(
        script.copy, copy_options(1_000, 5 * MIB, **more), uploads=UploadNotes(MemoryStore(), 1), now=lambda: NOW
    )


def act(script: Script, entry: LotEntry = ENTRY, memory: ObjectFacts | None = None, **more: Any) -> ResultRow | Retry:
    """Copy the entry into STANDARD_IA."""
    found = action(script, **more)(entry, memory)
    assert not isinstance(found, MoveToLongPool)
    return found


def result(found: ResultRow | Retry) -> ResultRow:
    """The result, which it must be."""
    assert isinstance(found, ResultRow)
    return found


BEFORE = facts_of({**HEAD, **READY})
