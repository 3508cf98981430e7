"""The price table and the restore times, as data."""

from decimal import Decimal

import pytest

from orchestrator.estimate.prices import Item, prices_for
from orchestrator.objects.restore_times import RestoreTime, restore_time
from worker.contract import STORAGE_CLASSES


def test_a_price_that_is_not_in_the_table_is_none() -> None:
    """An unknown price is None, which nobody can mistake for free of charge."""
    prices = prices_for("us-east-1")

    assert prices.price(Item.RESTORE_REQUESTS, "DEEP_ARCHIVE", "Expedited") is None
    assert prices.price(Item.RESTORE_REQUESTS, "INTELLIGENT_TIERING", "Expedited") is None
    assert prices.price(Item.STORAGE_GB_MONTH, "REDUCED_REDUNDANCY") is None
    assert prices.price(Item.RESTORE_REQUESTS, "GLACIER", "Bulk") == 0


def test_a_region_without_a_table_gets_us_east_1s_under_its_own_name() -> None:
    """The table says which Region its prices are of, so that the output can."""
    assert prices_for("eu-west-1").region == "us-east-1"
    assert prices_for("us-east-1").source.startswith("https://aws.amazon.com/")


@pytest.mark.parametrize("storage_class", STORAGE_CLASSES)
def test_every_target_class_has_its_prices(storage_class: str) -> None:
    """Writing into, reading of and storing in each class that can be a target has a price above 0."""
    prices = prices_for("us-east-1")

    for item in (Item.WRITE_REQUESTS, Item.READ_REQUESTS, Item.STORAGE_GB_MONTH):
        assert (prices.price(item, storage_class) or Decimal(0)) > 0


@pytest.mark.parametrize(
    ("expected", "kind", "tier"),
    [
        (RestoreTime(low_h=1 / 60, high_h=5 / 60), "GLACIER", "Expedited"),
        (RestoreTime(low_h=3, high_h=5), "GLACIER", "Standard"),
        (RestoreTime(low_h=5, high_h=12), "GLACIER", "Bulk"),
        (None, "DEEP_ARCHIVE", "Expedited"),
        (RestoreTime(low_h=0, high_h=12), "DEEP_ARCHIVE", "Standard"),
        (RestoreTime(low_h=0, high_h=48), "DEEP_ARCHIVE", "Bulk"),
        (RestoreTime(low_h=3, high_h=5), "INTELLIGENT_TIERING ARCHIVE_ACCESS", "Standard"),
        (RestoreTime(low_h=0, high_h=12), "INTELLIGENT_TIERING DEEP_ARCHIVE_ACCESS", "Standard"),
        (None, "STANDARD", "Bulk"),
    ],
)
def test_restore_times(expected: RestoreTime | None, kind: str, tier: str) -> None:
    """Each archived kind and tier has S3's typical time; a tier that S3 doesn't offer has none."""
    assert restore_time(kind, tier) == expected
