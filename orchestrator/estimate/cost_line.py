"""One line of an estimate: a quantity times a price, with its formula. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from orchestrator.estimate.sample import Measure

GB = 2**30
"""Bytes in a GB as AWS bills it (the unit of S3's price pages and calculator)."""


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

    what: what is paid for. formula: how its amount comes about, in words and numbers.
    usd: the amount in US dollars (a month, in the storage parts); None when a price in it is unknown.
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
