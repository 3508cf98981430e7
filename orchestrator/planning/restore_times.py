"""How long S3 takes to restore an object, by class and tier."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreTime:
    """
    What S3 says a restore typically takes, in hours.

    low_h: 0 where S3 names only the upper end.
    """

    low_h: float
    high_h: float


def restore_time(kind: str, tier: str) -> RestoreTime | None:
    """
    The typical time of one restore, or None when S3 offers no such tier for the class.

    kind: as `ObjectHead.kind` names it: the class, and for Intelligent-Tiering its archive tier.
    tier: Bulk, Standard or Expedited.
    """
    return _TIMES.get((kind, tier))


_ARCHIVE = {
    "Expedited": RestoreTime(low_h=1 / 60, high_h=5 / 60),
    "Standard": RestoreTime(low_h=3, high_h=5),
    "Bulk": RestoreTime(low_h=5, high_h=12),
}
_DEEP_ARCHIVE = {
    "Standard": RestoreTime(low_h=0, high_h=12),
    "Bulk": RestoreTime(low_h=0, high_h=48),
}

_TIMES: Mapping[tuple[str, str], RestoreTime] = {
    (kind, tier): time
    for kinds, times in (
        (("GLACIER", "INTELLIGENT_TIERING ARCHIVE_ACCESS"), _ARCHIVE),
        (("DEEP_ARCHIVE", "INTELLIGENT_TIERING DEEP_ARCHIVE_ACCESS"), _DEEP_ARCHIVE),
    )
    for kind in kinds
    for tier, time in times.items()
}
"""S3 User Guide, "Understanding archive retrieval options" (2026-11); tens of millions of objects take longer."""
