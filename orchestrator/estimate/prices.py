"""
What AWS charges, as data: one dated table for each Region that we have prices of. Pure.

A price that isn't in a table is None: whoever uses it says "unknown", never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Item(StrEnum):
    """What is paid for; what else a price depends on (class, tier) stands beside it in the table."""

    RESTORE_REQUESTS = "restore requests, per 1,000"
    RESTORE_GB = "restored data, per GB"
    WRITE_REQUESTS = "PUT, COPY, POST and LIST requests, per 1,000"
    READ_REQUESTS = "HEAD, GET and other requests, per 1,000"
    READ_GB = "retrieved data, per GB"
    STORAGE_GB_MONTH = "storage, per GB and month"
    MONITORING = "Intelligent-Tiering monitoring, per 1,000 objects and month"
    VCPU_HOUR = "Fargate vCPU, per hour"
    MEMORY_GB_HOUR = "Fargate memory, per GB and hour"
    PUBLIC_IPV4_HOUR = "public IPv4 address, per hour"
    BATCH_JOB = "S3 Batch Operations job"
    BATCH_MILLION = "S3 Batch Operations, per million objects"


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceTable:
    """
    The prices of one Region.

    date: when they were read, as year and month. source: where.
    prices: US dollars by item, and by class and tier where these matter; 0 means free of charge.
    """

    region: str
    date: str
    source: str
    prices: Mapping[tuple[str, ...], Decimal]

    def price(self, item: Item, *which: str) -> Decimal | None:
        """The price in US dollars, or None when the table doesn't know it."""
        return self.prices.get((item, *which))


def prices_for(region: str) -> PriceTable:
    """The Region's table, or us-east-1's when there is none: `table.region` says which it is."""
    return _TABLES.get(region, US_EAST_1)


def _table(*rows: tuple[tuple[str, ...], str]) -> Mapping[tuple[str, ...], Decimal]:
    return {what: Decimal(usd) for what, usd in rows}


US_EAST_1 = PriceTable(
    region="us-east-1",
    date="2026-11",
    source="https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/fargate/pricing/, "
    "https://aws.amazon.com/vpc/pricing/",
    prices=_table(
        ((Item.RESTORE_REQUESTS, "GLACIER", "Bulk"), "0"),
        ((Item.RESTORE_REQUESTS, "GLACIER", "Standard"), "0.05"),
        ((Item.RESTORE_REQUESTS, "GLACIER", "Expedited"), "10"),
        ((Item.RESTORE_REQUESTS, "DEEP_ARCHIVE", "Bulk"), "0.025"),
        ((Item.RESTORE_REQUESTS, "DEEP_ARCHIVE", "Standard"), "0.10"),
        ((Item.RESTORE_GB, "GLACIER", "Bulk"), "0"),
        ((Item.RESTORE_GB, "GLACIER", "Standard"), "0.01"),
        ((Item.RESTORE_GB, "GLACIER", "Expedited"), "0.03"),
        ((Item.RESTORE_GB, "DEEP_ARCHIVE", "Bulk"), "0.0025"),
        ((Item.RESTORE_GB, "DEEP_ARCHIVE", "Standard"), "0.02"),
        # Standard and Bulk retrievals from Intelligent-Tiering's archive tiers are free (S3 User Guide,
        # "Understanding archive retrieval options"); Expedited isn't, and its price isn't in this table.
        ((Item.RESTORE_REQUESTS, "INTELLIGENT_TIERING", "Bulk"), "0"),
        ((Item.RESTORE_REQUESTS, "INTELLIGENT_TIERING", "Standard"), "0"),
        ((Item.RESTORE_GB, "INTELLIGENT_TIERING", "Bulk"), "0"),
        ((Item.RESTORE_GB, "INTELLIGENT_TIERING", "Standard"), "0"),
        ((Item.WRITE_REQUESTS, "STANDARD"), "0.005"),
        ((Item.WRITE_REQUESTS, "INTELLIGENT_TIERING"), "0.005"),
        ((Item.WRITE_REQUESTS, "STANDARD_IA"), "0.01"),
        ((Item.WRITE_REQUESTS, "ONEZONE_IA"), "0.01"),
        ((Item.WRITE_REQUESTS, "GLACIER_IR"), "0.02"),
        ((Item.WRITE_REQUESTS, "GLACIER"), "0.03"),
        ((Item.WRITE_REQUESTS, "DEEP_ARCHIVE"), "0.05"),
        ((Item.READ_REQUESTS, "STANDARD"), "0.0004"),
        ((Item.READ_REQUESTS, "INTELLIGENT_TIERING"), "0.0004"),
        ((Item.READ_REQUESTS, "STANDARD_IA"), "0.001"),
        ((Item.READ_REQUESTS, "ONEZONE_IA"), "0.001"),
        ((Item.READ_REQUESTS, "GLACIER_IR"), "0.01"),
        ((Item.READ_REQUESTS, "GLACIER"), "0.0004"),
        ((Item.READ_REQUESTS, "DEEP_ARCHIVE"), "0.0004"),
        ((Item.READ_GB, "STANDARD_IA"), "0.01"),
        ((Item.READ_GB, "ONEZONE_IA"), "0.01"),
        ((Item.READ_GB, "GLACIER_IR"), "0.03"),
        # Of STANDARD, the price of the first 50 TB: those above cost a little less.
        ((Item.STORAGE_GB_MONTH, "STANDARD"), "0.023"),
        # A copy into Intelligent-Tiering starts in its Frequent Access tier.
        ((Item.STORAGE_GB_MONTH, "INTELLIGENT_TIERING"), "0.023"),
        ((Item.STORAGE_GB_MONTH, "STANDARD_IA"), "0.0125"),
        ((Item.STORAGE_GB_MONTH, "ONEZONE_IA"), "0.01"),
        ((Item.STORAGE_GB_MONTH, "GLACIER_IR"), "0.004"),
        ((Item.STORAGE_GB_MONTH, "GLACIER"), "0.0036"),
        ((Item.STORAGE_GB_MONTH, "DEEP_ARCHIVE"), "0.00099"),
        ((Item.MONITORING,), "0.0025"),
        ((Item.VCPU_HOUR, "X86_64"), "0.04048"),
        ((Item.VCPU_HOUR, "ARM64"), "0.03238"),
        ((Item.MEMORY_GB_HOUR, "X86_64"), "0.004445"),
        ((Item.MEMORY_GB_HOUR, "ARM64"), "0.00356"),
        ((Item.PUBLIC_IPV4_HOUR,), "0.005"),
        ((Item.BATCH_JOB,), "0.25"),
        ((Item.BATCH_MILLION,), "1.00"),
    ),
)
"""A snapshot: what AWS bills is what its price pages say on the day."""

_TABLES: Mapping[str, PriceTable] = {US_EAST_1.region: US_EAST_1}
