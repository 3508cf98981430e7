"""What a job costs: every amount here was computed by hand from the price table."""

from datetime import timedelta
from decimal import Decimal

import pytest

from orchestrator.errors import UsageError
from orchestrator.estimate.cost import Estimate, Total, estimate_job, round_usd
from orchestrator.estimate.prices import Part
from orchestrator.estimate.sample import Sample
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.objects.restore_times import RestoreTime
from orchestrator.settings.settings import Settings
from tests.orchestrator.estimate.objects import GB, NOW, a_sample, an_object, some_lots, unseen
from worker.contract import Phase

BOTH = (Phase.RESTORE, Phase.COPY)


def estimate_of(sample: Sample, settings: Settings, phases: tuple[Phase, ...] = BOTH) -> Estimate:
    """The estimate of a job in one lot, on this machine unless the settings say otherwise, in us-east-1."""
    return estimate_job(some_lots(sample.keys), sample, settings, "us-east-1", phases)


def local(storage_class: str = "STANDARD_IA", tier: str = "Bulk", days: int = 7) -> Settings:
    """Settings of a job whose tasks cost nothing."""
    return Settings(storage_class=storage_class, place="local", tier=tier, days=days)


def rows(estimate: Estimate, part: Part) -> list[tuple[str, str, str]]:
    """A part's lines: what, formula, amount."""
    return [(line.what, line.formula, str(line.usd)) for line in estimate.lines if line.part is part]


def test_both_phases_of_a_deep_archive_job() -> None:
    """1,200,000 objects of 1 GB from DEEP_ARCHIVE into STANDARD_IA: each line's formula, and the totals."""
    estimate = estimate_of(a_sample(an_object(), keys=1_200_000, assumed=True), local())

    assert rows(estimate, Part.RESTORE) == [
        ("Bulk restore requests, DEEP_ARCHIVE", "1,200,000 / 1,000 x $0.025", "30.00"),
        ("Bulk retrieval, DEEP_ARCHIVE", "1,200,000.00 GB x $0.0025", "3000.00"),
        (
            "Restored copies at STANDARD, beside DEEP_ARCHIVE, at most",
            "1,200,000.00 GB x 7 days / 30 x $0.023",
            "6440.00",
        ),
    ]
    assert rows(estimate, Part.COPY) == [
        ("HEAD, DEEP_ARCHIVE", "1,200,000 / 1,000 x $0.0004", "0.4800"),
        ("COPY into STANDARD_IA, DEEP_ARCHIVE", "1,200,000 / 1,000 x $0.01", "12.00"),
    ]
    assert rows(estimate, Part.NOW) == [
        ("DEEP_ARCHIVE", "1,200,036.62 GB x $0.00099", "1188.04"),
        ("DEEP_ARCHIVE: 8 KB of each object at STANDARD", "9.16 GB x $0.023", "0.2107"),
    ]
    assert rows(estimate, Part.THEN) == [("STANDARD_IA, from DEEP_ARCHIVE", "1,200,000.00 GB x $0.0125", "15000.00")]
    assert estimate.total(Phase.RESTORE).usd == Decimal("9470.00")
    assert estimate.total(Phase.COPY).usd == Decimal("12.48")
    assert estimate.all_phases().usd == Decimal("9482.48")
    assert estimate.storage_change().usd == Decimal("13811.7493")
    assert estimate.tasks() == Total(usd=Decimal(0), error_usd=Decimal(0), unknown=0)


@pytest.mark.parametrize(
    ("requests", "retrieval", "storage_class", "tier"),
    [
        ("0.000000", "0.000000", "GLACIER", "Bulk"),
        ("50.00", "10000.00", "GLACIER", "Standard"),
        ("10000.00", "30000.00", "GLACIER", "Expedited"),
        ("25.00", "2500.00", "DEEP_ARCHIVE", "Bulk"),
        ("100.00", "20000.00", "DEEP_ARCHIVE", "Standard"),
        ("None", "None", "DEEP_ARCHIVE", "Expedited"),
    ],
)
def test_restores_by_class_and_tier(requests: str, retrieval: str, storage_class: str, tier: str) -> None:
    """A million objects of 1 GB: requests and data have their own prices; a tier without one is unknown, never 0."""
    sample = a_sample(an_object(storage_class), keys=1_000_000, assumed=True)

    lines = rows(estimate_of(sample, local(tier=tier), (Phase.RESTORE,)), Part.RESTORE)

    assert [amount for _, _, amount in lines][:2] == [requests, retrieval]


def test_an_unknown_price_is_missing_from_the_total_and_told() -> None:
    """The total counts what it leaves out, and the formula says `unknown`."""
    sample = a_sample(an_object(), keys=1000, assumed=True)

    estimate = estimate_of(sample, local(tier="Expedited"), (Phase.RESTORE,))

    assert estimate.total(Phase.RESTORE).unknown == 2
    assert estimate.total(Phase.RESTORE).usd == Decimal("5.37")  # 1,000 GB x 7 / 30 x 0.023
    assert rows(estimate, Part.RESTORE)[0][1] == "1,000 / 1,000 x unknown"
    assert "DEEP_ARCHIVE has no Expedited tier" in estimate.remarks[0]
    assert estimate.waits == (("DEEP_ARCHIVE", None),)


def test_intelligent_tiering_restores_are_free_and_make_no_copy() -> None:
    """An object in an archive tier of Intelligent-Tiering moves back for nothing, and no restored copy is billed."""
    tiered = an_object("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS")

    estimate = estimate_of(a_sample(tiered, keys=1000, assumed=True), local(tier="Standard"), (Phase.RESTORE,))

    assert rows(estimate, Part.RESTORE) == [
        ("Standard restore requests, INTELLIGENT_TIERING ARCHIVE_ACCESS", "1,000 / 1,000 x $0", "0.000000"),
        ("Standard retrieval, INTELLIGENT_TIERING ARCHIVE_ACCESS", "1,000.00 GB x $0", "0.000000"),
    ]
    assert estimate.waits == (("INTELLIGENT_TIERING ARCHIVE_ACCESS", RestoreTime(low_h=3, high_h=5)),)


def test_what_was_asked_for_before_is_not_retrieved_again() -> None:
    """A repeated restore request costs the request alone."""
    asked = an_object(restore='ongoing-request="true"')

    estimate = estimate_of(a_sample(asked, an_object()), local(), (Phase.RESTORE,))

    assert rows(estimate, Part.RESTORE)[0][1] == "2 / 1,000 x $0.025"
    assert rows(estimate, Part.RESTORE)[1][1] == "1.00 GB x $0.0025"
    assert any(remark.startswith("a restore was asked for already") for remark in estimate.remarks)


def test_what_needs_no_restore_costs_a_refused_request() -> None:
    """S3 bills its 4xx answers: an object that isn't archived and a missing key cost a request, and no data."""
    estimate = estimate_of(a_sample(an_object("GLACIER_IR"), unseen(HeadOutcome.MISSING)), local(), (Phase.RESTORE,))

    assert rows(estimate, Part.RESTORE) == [
        ("Restore requests that S3 refuses, GLACIER_IR", "1 / 1,000 x $0.02", "0.000020"),
        ("Restore requests that S3 refuses, missing", "1 / 1,000 x $0.005", "0.000005"),
    ]


def test_objects_in_the_target_class_cost_only_a_head() -> None:
    """What is in the class already isn't copied, nor is its storage counted; a key that is missing is told."""
    heads = (an_object("STANDARD_IA"), unseen(HeadOutcome.MISSING), unseen(HeadOutcome.DENIED, "AccessDenied"))

    estimate = estimate_of(a_sample(*heads), local(), (Phase.COPY,))

    assert rows(estimate, Part.COPY) == [
        ("HEAD, STANDARD_IA", "1 / 1,000 x $0.001", "0.000001"),
        ("HEAD, denied", "1 / 1,000 x $0.0004", "0.000000"),
        ("HEAD, missing", "1 / 1,000 x $0.0004", "0.000000"),
    ]
    assert rows(estimate, Part.NOW) == rows(estimate, Part.THEN) == []
    assert estimate.times[Phase.COPY].requests == 3
    assert [remark.split(":")[0] for remark in estimate.remarks[:3]] == [
        "missing",
        "denied",
        "in STANDARD_IA already",
    ]


def test_leaving_an_infrequent_access_class_costs_its_retrieval() -> None:
    """Copying out of STANDARD_IA, ONEZONE_IA and GLACIER_IR is billed per GB."""
    heads = (an_object("STANDARD_IA"), an_object("ONEZONE_IA"), an_object("GLACIER_IR"), an_object("STANDARD"))

    lines = rows(estimate_of(a_sample(*heads), local("DEEP_ARCHIVE"), (Phase.COPY,)), Part.COPY)

    assert [line for line in lines if line[0].startswith("Retrieval")] == [
        ("Retrieval, GLACIER_IR", "1.00 GB x $0.03", "0.0300"),
        ("Retrieval, ONEZONE_IA", "1.00 GB x $0.01", "0.0100"),
        ("Retrieval, STANDARD_IA", "1.00 GB x $0.01", "0.0100"),
    ]


@pytest.mark.parametrize(
    ("formula", "head"),
    [
        ("8.00 GB-months left of 90 days x $0.0036", an_object("GLACIER", 4 * GB, last_modified=NOW - timedelta(30))),
        ("18.00 GB-months left of 180 days x $0.00099", an_object("DEEP_ARCHIVE", 3 * GB, last_modified=NOW)),
        ("1.00 GB-months left of 30 days x $0.01", an_object("ONEZONE_IA", 2 * GB, last_modified=NOW - timedelta(15))),
        (None, an_object("GLACIER", last_modified=NOW - timedelta(90))),
        (None, an_object("STANDARD", last_modified=NOW)),
        # On a versioned bucket the old version isn't deleted.
        (None, an_object("GLACIER", last_modified=NOW, version_id="v1")),
        ("3.00 GB-months left of 90 days x $0.0036", an_object("GLACIER", last_modified=NOW, version_id="null")),
    ],
)
def test_early_deletion(formula: str | None, head: ObjectHead) -> None:
    """The rest of the minimum storage duration is charged, counted in whole days from Last-Modified."""
    lines = rows(estimate_of(a_sample(head), local(), (Phase.COPY,)), Part.COPY)

    assert [line[1] for line in lines if line[0].startswith("Early deletion")] == ([formula] if formula else [])


def test_small_objects_are_billed_as_128_kb() -> None:
    """8,192 objects of 1 KB fill 1 GB of STANDARD_IA, and 0.0078125 GB of STANDARD."""
    sample = a_sample(an_object("STANDARD", 1024), keys=8192, assumed=True)

    assert rows(estimate_of(sample, local()), Part.THEN)[0][1] == "1.00 GB x $0.0125"
    assert rows(estimate_of(sample, local()), Part.NOW)[0][1] == "0.007813 GB x $0.023"
    assert any("bills each as 128 KB" in remark for remark in estimate_of(sample, local()).remarks)


def test_the_old_versions_of_a_versioned_bucket_stay_billed() -> None:
    """On a versioned bucket the storage of the old versions is added to that of the copies, and told."""
    estimate = estimate_of(a_sample(an_object(version_id="v1")), local(), (Phase.COPY,))

    assert rows(estimate, Part.THEN)[1] == (
        "DEEP_ARCHIVE, the old versions, which stay",
        "1.00 GB x $0.00099",
        "0.000990",
    )
    assert any(remark.startswith("versions: 1 of 1") for remark in estimate.remarks)


def test_intelligent_tierings_storage_is_unknown_but_its_monitoring_is_not() -> None:
    """HEAD doesn't tell an object's tier in Intelligent-Tiering; into it, objects from 128 KB on are monitored."""
    leaving = estimate_of(a_sample(an_object("INTELLIGENT_TIERING")), local(), (Phase.COPY,))
    entering = estimate_of(
        a_sample(an_object("STANDARD"), an_object("STANDARD", 100)), local("INTELLIGENT_TIERING"), (Phase.COPY,)
    )

    assert rows(leaving, Part.NOW) == [("INTELLIGENT_TIERING", "1.00 GB x unknown", "None")]
    assert rows(entering, Part.THEN)[1] == (
        "INTELLIGENT_TIERING, from STANDARD: monitoring",
        "1 / 1,000 x $0.0025",
        "0.000003",
    )


def test_large_objects_are_counted_in_parts() -> None:
    """An object of 6 GB takes 12 part copies and the two requests around them; one of 5 GB a single copy."""
    sample = a_sample(an_object("STANDARD", 5 * GB), an_object("STANDARD", 6 * GB))

    estimate = estimate_of(sample, local(), (Phase.COPY,))

    assert rows(estimate, Part.COPY)[1][1] == "15 / 1,000 x $0.01"
    assert estimate.times[Phase.COPY].requests == 17


def test_the_samples_error_is_carried_into_the_totals() -> None:
    """An amount that depends on the sample has its error bar; lines' errors add up."""
    sample = a_sample(an_object(size_bytes=GB), an_object(size_bytes=3 * GB), keys=1_000_000)

    estimate = estimate_of(sample, local(), (Phase.RESTORE,))
    requests, retrieval, copies = estimate.lines

    # 1.96 x 1,000,000 x sqrt(2) / sqrt(2) GB (nearly all left out) x 0.0025
    assert retrieval.error_usd == Decimal("4900.00")
    assert requests.error_usd == 0
    assert copies.error_usd is not None
    assert estimate.total(Phase.RESTORE).error_usd == Decimal("4900.00") + copies.error_usd


def test_an_error_that_cannot_be_known_is_not_0() -> None:
    """One object of many tells no error, so neither does the total."""
    estimate = estimate_of(a_sample(an_object(), keys=10), local(), (Phase.RESTORE,))

    assert estimate.total(Phase.RESTORE).error_usd is None


def test_too_few_days_are_told() -> None:
    """A restored copy that may expire before it is there is a remark: Days counts from the request."""
    short = estimate_of(a_sample(an_object()), local(days=2), (Phase.RESTORE,))
    enough = estimate_of(a_sample(an_object()), local(days=3), (Phase.RESTORE,))

    assert any("may be gone before it is there" in remark for remark in short.remarks)
    assert not any("may be gone before it is there" in remark for remark in enough.remarks)


def test_another_regions_prices_are_told() -> None:
    """A Region without a table is priced as us-east-1, and the estimate says so."""
    sample = a_sample(an_object())
    elsewhere = estimate_job(some_lots(1), sample, local(), "eu-west-1", BOTH)

    assert any(
        remark.startswith("these are us-east-1 prices: there is no table for eu-west-1") for remark in elsewhere.remarks
    )
    assert not any("us-east-1 prices" in remark for remark in estimate_of(sample, local()).remarks)


def test_the_copy_phase_needs_a_target() -> None:
    """Without a target class the restore can be estimated, the copy can't."""
    sample = a_sample(an_object())

    assert estimate_of(sample, local(storage_class=""), (Phase.RESTORE,)).target == ""
    with pytest.raises(UsageError, match="no target class is named"):
        estimate_of(sample, local(storage_class=""))


def test_the_same_arguments_give_the_same_estimate() -> None:
    """`estimate` and `run` show the same numbers: nothing but the arguments decides."""
    sample = a_sample(an_object(), an_object("GLACIER", 7), keys=100)

    assert estimate_of(sample, local()) == estimate_of(sample, local())


@pytest.mark.parametrize(
    ("expected", "usd"),
    [("30.00", "30.004"), ("0.4801", "0.48005"), ("-1.01", "-1.005"), ("0.000001", "0.0000009"), ("1.00", "0.99999")],
)
def test_amounts_are_rounded_to_what_is_worth_showing(expected: str, usd: str) -> None:
    """Cents from a dollar on, finer below: little never looks like nothing."""
    assert round_usd(Decimal(usd)) == Decimal(expected)
