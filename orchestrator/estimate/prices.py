"""
What AWS charges, as data: a dated table for each Region; and a line of an estimate, a quantity at a price. Pure.

A price that isn't in a table is None, and is shown as "unknown", never as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from orchestrator.estimate.sample import Measure

GB = 2**30
"""Bytes in a GB as AWS bills it (the unit of S3's price pages and calculator)."""


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
        """The price in US dollars, or None when the table doesn't have it."""
        return self.prices.get((item, *which))


def prices_for(region: str) -> PriceTable:
    """The Region's table, or us-east-1's when there is none: `table.region` says which it is."""
    return _TABLES.get(region, US_EAST_1)


def _table(rows: Mapping[Item, str]) -> Mapping[tuple[str, ...], Decimal]:
    """The prices in these rows: `class tier price, class tier price`, where class and tier matter."""
    cells = ((item, cell.split()) for item, row in rows.items() for cell in row.split(","))
    return {(item, *which): Decimal(usd) for item, (*which, usd) in cells}


US_EAST_1 = PriceTable(
    region="us-east-1",
    date="2026-11",
    source="https://aws.amazon.com/s3/pricing/, https://aws.amazon.com/fargate/pricing/, "
    "https://aws.amazon.com/vpc/pricing/",
    prices=_table(
        {
            # Standard and Bulk retrievals from Intelligent-Tiering's archive tiers are free (S3 User Guide,
            # "Understanding archive retrieval options"); Expedited isn't, and its price isn't in this table.
            Item.RESTORE_REQUESTS: "GLACIER Bulk 0, GLACIER Standard 0.05, GLACIER Expedited 10, "
            "DEEP_ARCHIVE Bulk 0.025, DEEP_ARCHIVE Standard 0.10, "
            "INTELLIGENT_TIERING Bulk 0, INTELLIGENT_TIERING Standard 0",
            Item.RESTORE_GB: "GLACIER Bulk 0, GLACIER Standard 0.01, GLACIER Expedited 0.03, "
            "DEEP_ARCHIVE Bulk 0.0025, DEEP_ARCHIVE Standard 0.02, "
            "INTELLIGENT_TIERING Bulk 0, INTELLIGENT_TIERING Standard 0",
            Item.WRITE_REQUESTS: "STANDARD 0.005, INTELLIGENT_TIERING 0.005, STANDARD_IA 0.01, ONEZONE_IA 0.01, "
            "GLACIER_IR 0.02, GLACIER 0.03, DEEP_ARCHIVE 0.05",
            Item.READ_REQUESTS: "STANDARD 0.0004, INTELLIGENT_TIERING 0.0004, STANDARD_IA 0.001, ONEZONE_IA 0.001, "
            "GLACIER_IR 0.01, GLACIER 0.0004, DEEP_ARCHIVE 0.0004",
            Item.READ_GB: "STANDARD_IA 0.01, ONEZONE_IA 0.01, GLACIER_IR 0.03",
            # STANDARD's is the price of the first 50 TB: more costs a little less a GB.
            # A copy into Intelligent-Tiering starts in its Frequent Access tier.
            Item.STORAGE_GB_MONTH: "STANDARD 0.023, INTELLIGENT_TIERING 0.023, STANDARD_IA 0.0125, ONEZONE_IA 0.01, "
            "GLACIER_IR 0.004, GLACIER 0.0036, DEEP_ARCHIVE 0.00099",
            Item.MONITORING: "0.0025",
            Item.VCPU_HOUR: "X86_64 0.04048, ARM64 0.03238",
            Item.MEMORY_GB_HOUR: "X86_64 0.004445, ARM64 0.00356",
            Item.PUBLIC_IPV4_HOUR: "0.005",
            Item.BATCH_JOB: "0.25",
            Item.BATCH_MILLION: "1.00",
        }
    ),
)
"""A dated copy: AWS bills what its price pages say on the day."""

_TABLES: Mapping[str, PriceTable] = {US_EAST_1.region: US_EAST_1}


class Part(StrEnum):
    """What a line belongs to."""

    RESTORE = "restore"
    RESTORE_TASKS = "restore tasks"
    COPY = "copy"
    COPY_TASKS = "copy tasks"
    NOW = "storage now"
    THEN = "storage then"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """
    One line of an estimate.

    what: what is paid for. formula: how the amount is worked out, in words and numbers.
    usd: the amount in US dollars, each month in the storage parts; None when a price in it is unknown.
    error_usd: half its 95% interval; None when that can't be known.
    """

    part: Part
    what: str
    formula: str
    usd: Decimal | None
    error_usd: Decimal | None = Decimal(0)


def requests_line(part: Part, what: str, requests: Measure, price: Decimal | None) -> Line:
    """Requests at a price per 1,000."""
    count = requests.value.to_integral_value(ROUND_HALF_UP)
    return Line(
        part=part,
        what=what,
        formula=f"{count:,} / 1,000 x {price_words(price)}",
        usd=None if price is None else count / 1000 * price,
        error_usd=None if price is None or requests.error is None else requests.error / 1000 * price,
    )


def data_line(
    part: Part, what: str, data: Measure, price: Decimal | None, times: tuple[str, Decimal] | None = None
) -> Line:
    """
    Bytes at a price per GB.

    times: a further factor in words and as a number.
    """
    gb = in_gb(data.value)
    words, factor = times or ("", Decimal(1))
    return Line(
        part=part,
        what=what,
        formula=f"{gb:,} GB {f'x {words} ' if words else ''}x {price_words(price)}",
        usd=None if price is None else gb * factor * price,
        error_usd=None if price is None or data.error is None else data.error / GB * factor * price,
    )


def in_gb(size_bytes: Decimal) -> Decimal:
    """The size in GB with as many digits as are shown, so that a formula can be done again by hand."""
    gb = size_bytes / GB
    return gb.quantize(Decimal("0.01") if gb >= 1 else Decimal("0.000001"), ROUND_HALF_UP)


def price_words(price: Decimal | None) -> str:
    """The price as a formula shows it."""
    return "unknown" if price is None else f"${price}"
