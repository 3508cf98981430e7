"""Made-up objects and jobs for the tests of estimates and verdicts."""

from datetime import UTC, datetime

from orchestrator.estimate.sample import Sample
from orchestrator.model import Lot, Lots
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from worker.contract import LotEntry, lot_name

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = datetime(2020, 1, 1, tzinfo=UTC)
GB = 2**30


def an_object(  # noqa: PLR0913 (each a property of an object, with a default)
    storage_class: str = "DEEP_ARCHIVE",
    size_bytes: int = GB,
    *,
    key: str = "key",
    last_modified: datetime = OLD,
    archive_status: str = "",
    restore: str = "",
    version_id: str = "",
) -> ObjectHead:
    """An object that was found."""
    return ObjectHead(
        entry=LotEntry(bucket="bucket", key=key),
        look=HeadOutcome.FOUND,
        storage_class=storage_class,
        size_bytes=size_bytes,
        last_modified=last_modified,
        archive_status=archive_status,
        restore=restore,
        version_id=version_id,
    )


def unseen(look: HeadOutcome, message: str = "no such key") -> ObjectHead:
    """A key that was not found."""
    return ObjectHead(entry=LotEntry(bucket="bucket", key="key"), look=look, message=message)


def a_sample(*heads: ObjectHead, keys: int | None = None, assumed: bool = False) -> Sample:
    """A sample of these objects; the whole job, unless it has more keys."""
    return Sample(keys=keys or len(heads), heads=heads, taken_at=NOW, assumed=assumed)


def some_lots(keys: int, lots: int = 1) -> Lots:
    """A job of so many keys in lots of the same size."""
    return Lots(
        lots=tuple(Lot(name=lot_name(number), keys=keys // lots, sha256="00") for number in range(lots)),
        digest="0123456789abcdef",
        buckets=("bucket",),
        source="keys.txt",
    )
