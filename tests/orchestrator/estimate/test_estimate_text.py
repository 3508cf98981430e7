"""An estimate as text and as JSON."""

import json
from decimal import Decimal

import pytest

from orchestrator.estimate.cost import Total, estimate_job
from orchestrator.estimate.estimate_text import (
    data_words,
    estimate_json,
    estimate_lines,
    size_words,
    summary_line,
    time_words,
    total_words,
    usd_words,
)
from orchestrator.estimate.sample import Measure, Sample
from orchestrator.settings.settings import Settings
from tests.orchestrator.estimate.objects import a_sample, an_object, some_lots
from worker.contract import Phase

SETTINGS = Settings(storage_class="STANDARD_IA", place="local")
ASSUMED = a_sample(an_object(), keys=1_200_000, assumed=True)


def text_of(sample: Sample, settings: Settings = SETTINGS) -> list[str]:
    """The lines of an estimate of both phases in us-east-1."""
    phases = (Phase.RESTORE, Phase.COPY)
    return estimate_lines(estimate_job(some_lots(sample.keys), sample, settings, "us-east-1", phases))


def test_each_line_carries_its_formula() -> None:
    """A line reads as its computation does, and each phase ends with its total."""
    lines = text_of(ASSUMED)

    assert lines[0] == "job 0123456789ab: 1,200,000 keys in 1 lot into STANDARD_IA"
    assert "us-east-1 prices of 2026-11" in lines[1]
    assert [line for line in lines if line.startswith("  Bulk restore requests")] == [
        "  Bulk restore requests, DEEP_ARCHIVE                        1,200,000 / 1,000 x $0.025 = $30.00"
    ]
    assert "  total: $9,470.00 (no error bar)" in lines
    assert "  then S3 restores DEEP_ARCHIVE: up to 48 h" in lines
    assert "  change: +$13,811.75 (no error bar)" in lines


def test_the_sample_and_its_error_are_told() -> None:
    """How many of how many were looked at, with which seed, and how far off the data may be."""
    lines = text_of(a_sample(*[an_object(size_bytes=size) for size in (10, 20, 30, 40)], keys=100))

    assert lines[2] == "looked at 4 of 100 keys (at random, seed 1; intervals hold 95%):"
    assert lines[3] == "  DEEP_ARCHIVE  100.0% (51.8% to 100.0%), about 100 keys"
    assert lines[4] == "data: 2.44 KB +- 50%; 25 bytes an object"


def test_a_complete_sample_has_no_intervals() -> None:
    """When every key was looked at nothing is about."""
    lines = text_of(a_sample(an_object("GLACIER"), an_object("GLACIER")))

    assert lines[2:5] == ["looked at all 2 keys:", "  GLACIER  100.0%, 2 keys", "data: 2.00 GB; 1.00 GB an object"]
    assert not any("+-" in line for line in lines)


def test_an_unknown_price_is_said_in_line_and_total() -> None:
    """`unknown` stands where an amount would, and the total says how many lines it lacks."""
    lines = text_of(ASSUMED, Settings(storage_class="STANDARD_IA", place="local", tier="Expedited"))

    assert any(line.endswith("1,200,000 / 1,000 x unknown = unknown") for line in lines)
    assert any(line.endswith("and 2 lines of unknown price") for line in lines)
    assert "  then S3 restores DEEP_ARCHIVE: never, with this tier" in lines


def test_the_summary_line_has_the_same_total() -> None:
    """What `run` shows in a line is the phase's total of the whole estimate."""
    estimate = estimate_job(some_lots(2), a_sample(an_object(), an_object()), SETTINGS, "us-east-1", (Phase.RESTORE,))

    assert summary_line(estimate, Phase.RESTORE) == (
        "restore: $0.0158, requests about 30 s; S3 restores DEEP_ARCHIVE in up to 48 h"
    )
    assert "  total: $0.0158" in estimate_lines(estimate)


def test_json_has_amounts_as_strings_and_unknown_as_null() -> None:
    """Programs get exact decimals, and null where people read `unknown`."""
    settings = Settings(storage_class="STANDARD_IA", tier="Expedited")
    estimate = estimate_job(some_lots(1_200_000), ASSUMED, settings, "eu-west-1", (Phase.RESTORE, Phase.COPY))

    data = json.loads(json.dumps(estimate_json(estimate)))

    assert data["region"] == "eu-west-1"
    assert data["prices"]["region"] == "us-east-1"
    assert data["lines"][0]["usd"] is None
    assert data["lines"][2]["usd"] == "6440.00"
    assert data["phases"]["restore"]["unknown_lines"] == 2
    assert data["phases"]["restore"]["restore_hours"] == {"DEEP_ARCHIVE": None}
    assert data["data"] == {"gb": "1200000.00", "error_gb": None}
    assert data["sample"]["size"] == 0


@pytest.mark.parametrize(
    ("expected", "usd"),
    [("$30.00", "30.00"), ("-$1,234.50", "-1234.5"), ("$0.0024", "0.0024"), ("$0.48", "0.4800"), ("$0.00", "0")],
)
def test_amounts(expected: str, usd: str) -> None:
    """Cents at least, more for small amounts, no needless zeros."""
    assert usd_words(Decimal(usd)) == expected


def test_totals() -> None:
    """An error, an unknown one and missing lines are each told."""
    assert total_words(Total(usd=Decimal(5), error_usd=Decimal("0.5"), unknown=0)) == "$5.00 +- 0.50"
    assert total_words(Total(usd=Decimal(5), error_usd=None, unknown=1)) == (
        "$5.00 (no error bar) and 1 line of unknown price"
    )
    assert total_words(Total(usd=Decimal(5), error_usd=Decimal(0), unknown=0), sign=True) == "+$5.00"


@pytest.mark.parametrize(
    ("expected", "size_bytes"),
    [("0 bytes", 0), ("1,023 bytes", 1023), ("1.00 KB", 1024), ("1.20 TB", 1_319_413_953_331), ("2,048.00 PB", 2**61)],
)
def test_sizes(expected: str, size_bytes: int) -> None:
    """The largest unit of which there is at least one."""
    assert size_words(Decimal(size_bytes)) == expected


def test_data_with_its_error_bar() -> None:
    """1.2 TB, give or take 8%."""
    tb = Decimal(2**40)

    assert data_words(Measure(value=tb * Decimal("1.2"), error=tb * Decimal("0.096"))) == "1.20 TB +- 8%"
    assert data_words(Measure(value=tb, error=tb / 500)) == "1.00 TB +- 0.2%"
    assert data_words(Measure(value=tb)) == "1.00 TB"


@pytest.mark.parametrize(
    ("expected", "seconds"), [("30 s", 30), ("22 min", 1333), ("2.8 h", 10_000), ("2.3 days", 200_000)]
)
def test_times(expected: str, seconds: float) -> None:
    """A length of time in the unit that says most."""
    assert time_words(seconds) == expected
