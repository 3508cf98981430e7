"""What HeadObject said of one object, for `estimate` and `verify`. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.contract import ARCHIVE_CLASSES, LotEntry, ObjectSnapshot


class HeadOutcome(StrEnum):
    """How looking at an object went."""

    FOUND = "found"
    MISSING = "missing"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectHead:
    """
    One object as HeadObject showed it.

    entry: the lot's line.
    storage_class: STANDARD too, which S3 leaves out; "" unless found.
    archive_status: Intelligent-Tiering's archive tier (ARCHIVE_ACCESS, DEEP_ARCHIVE_ACCESS), or "".
    restore: S3's x-amz-restore header as it came, or "".
    version_id: on a versioned bucket the version that was looked at, or "".
    picture: all that a change of class must leave as it was; None unless asked for.
    message: why it wasn't found, in words; "" when it was.
    """

    entry: LotEntry
    look: HeadOutcome
    storage_class: str = ""
    size_bytes: int = 0
    last_modified: datetime | None = None
    archive_status: str = ""
    restore: str = ""
    version_id: str = ""
    snapshot: ObjectSnapshot | None = None
    message: str = ""

    @property
    def archived(self) -> bool:
        """Whether the object must be restored before it can be copied."""
        return self.storage_class in ARCHIVE_CLASSES or bool(self.archive_status)

    @property
    def restore_asked(self) -> bool:
        """Whether a restore is under way or done, so that its data isn't paid for again."""
        return "ongoing-request" in self.restore

    @property
    def versioned(self) -> bool:
        """Whether a copy makes a new version and leaves this one, and its bill, where it is."""
        # "null" is the version of a bucket whose versioning is suspended: a copy replaces it.
        return self.version_id not in ("", "null")

    @property
    def kind(self) -> str:
        """The class, and behind it Intelligent-Tiering's archive tier; for an object not found, how looking went."""
        if self.look is not HeadOutcome.FOUND:
            return self.look.value
        return f"{self.storage_class} {self.archive_status}".rstrip()
