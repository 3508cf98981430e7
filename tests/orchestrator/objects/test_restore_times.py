"""How often it is worth looking at restores."""

import pytest

from orchestrator.objects.restore_times import look_every_s, restore_time


@pytest.mark.parametrize(
    ("expected_s", "kinds", "tier"),
    [
        (15, ["GLACIER"], "Expedited"),
        (750, ["GLACIER"], "Standard"),
        (1_800, ["GLACIER"], "Bulk"),
        (1_800, ["DEEP_ARCHIVE"], "Standard"),
        (3_600, ["DEEP_ARCHIVE"], "Bulk"),
        (1_800, ["DEEP_ARCHIVE", "GLACIER"], "Bulk"),
        (1_800, ["DEEP_ARCHIVE"], "Expedited"),
        (1_800, ["GLACIER"], ""),
        (1_800, [], "Bulk"),
    ],
)
def test_the_longest_time_between_looks(expected_s: float, kinds: list[str], tier: str) -> None:
    """A 24th of what the soonest restores take, within bounds; half an hour when that isn't known."""
    assert look_every_s(kinds, tier) == expected_s


@pytest.mark.parametrize(
    ("expected", "kind", "tier"),
    [
        ("1 to 5 min", "GLACIER", "Expedited"),
        ("5 to 12 h", "GLACIER", "Bulk"),
        ("up to 48 h", "DEEP_ARCHIVE", "Bulk"),
    ],
)
def test_a_typical_time_in_words(expected: str, kind: str, tier: str) -> None:
    """As the user guide puts it."""
    assert str(restore_time(kind, tier)) == expected
