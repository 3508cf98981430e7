"""How long S3 takes to restore an object, by class and tier, and how often to look. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreTime:
    """
    What S3 says a restore typically takes, in hours.

    low_h: 0 where S3 names only the upper end.
    """

    low_h: float
    high_h: float

    def __str__(self) -> str:
        """The time in words: `5 to 12 h`."""
        if self.high_h < 1:
            return f"{self.low_h * 60:.0f} to {self.high_h * 60:.0f} min"
        return f"{self.low_h:g} to {self.high_h:g} h" if self.low_h else f"up to {self.high_h:g} h"


def restore_time(kind: str, tier: str) -> RestoreTime | None:
    """
    The typical time of one restore, or None when S3 offers no such tier for the class.

    kind: as `ObjectHead.kind` names it: the class, and for Intelligent-Tiering its archive tier.
    tier: Bulk, Standard or Expedited.
    """
    return _TIMES.get((kind, tier))


LOOKS_PER_RESTORE = 24
"""Looks, at most, in the time that a restore typically takes: so what is ready waits for 4% of that time, no more."""

LEAST_S, MOST_S = 15, 3_600
UNKNOWN_MOST_S = 1_800


def look_every_s(kinds: Iterable[str], tier: str) -> float:
    """
    The longest time between two looks, in seconds; the class that comes soonest decides.

    kinds: of the objects whose restores are under way, as in `restore_time`; tier: that was asked for, "" if unknown.

    | | Expedited | Standard | Bulk |
    |---|---|---|---|
    | GLACIER | 15 s | 12.5 min | 30 min |
    | DEEP_ARCHIVE | | 30 min | 1 h |
    """
    times = [time.high_h for kind in kinds if (time := restore_time(kind, tier))]
    if not times:
        return UNKNOWN_MOST_S
    return min(max(min(times) * 3_600 / LOOKS_PER_RESTORE, LEAST_S), MOST_S)


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
