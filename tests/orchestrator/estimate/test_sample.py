"""Which keys are looked at, and what they say about all of them."""

import math
from decimal import Decimal

import pytest

from orchestrator.estimate.sample import Measure, kinds_of, share_of, total_of
from orchestrator.objects.object_head import HeadOutcome
from tests.orchestrator.estimate.objects import a_sample, an_object, unseen


def test_a_complete_sample_is_exact() -> None:
    """With every key looked at a total has no error and a share no interval."""
    sample = a_sample(an_object(size_bytes=10), an_object(size_bytes=30))

    assert total_of(sample, lambda head: head.size_bytes) == Measure(value=Decimal(40), error=Decimal(0))
    assert share_of(sample, lambda head: head.size_bytes == 10).low == 0.5
    assert share_of(sample, lambda head: head.size_bytes == 10).high == 0.5


def test_a_total_is_scaled_up_with_its_error() -> None:
    """4 of 100 objects: mean 25, standard deviation 12.909944; 1.96 x 100 x 12.909944 / 2 x sqrt(0.96) = 1239.60."""
    sample = a_sample(*(an_object(size_bytes=size) for size in (10, 20, 30, 40)), keys=100)

    measure = total_of(sample, lambda head: head.size_bytes)

    assert measure.value == 2500
    assert measure.error is not None
    assert float(measure.error) == pytest.approx(1.96 * 100 * 12.909944487 / 2 * math.sqrt(0.96))
    assert measure.percent is not None
    assert float(measure.percent) == pytest.approx(49.584, abs=0.01)


@pytest.mark.parametrize("assumed", [True, False])
def test_one_object_tells_no_error(assumed: bool) -> None:  # noqa: FBT001 (a table's column)
    """One object, looked at or assumed, says nothing of how far off the total is: unknown, not 0."""
    measure = total_of(a_sample(an_object(size_bytes=7), keys=10, assumed=assumed), lambda head: head.size_bytes)

    assert measure == Measure(value=Decimal(70), error=None)
    assert measure.percent is None


def test_a_share_has_wilsons_interval() -> None:
    """All 20 of 20 in a class, of very many, is not certainty: Wilson's interval goes down to 0.8389."""
    share = share_of(a_sample(*[an_object()] * 20, keys=10**9), lambda _: True)

    assert (share.seen, share.of, share.keys) == (20, 20, 10**9)
    assert share.low == pytest.approx(0.8389, abs=1e-4)
    assert share.high == 1.0


def test_a_sample_that_is_most_of_the_job_knows_more() -> None:
    """The interval shrinks as the sample becomes the job."""
    few = share_of(a_sample(*[an_object()] * 20, keys=10**9), lambda _: True)
    most = share_of(a_sample(*[an_object()] * 20, keys=21), lambda _: True)

    assert most.low > few.low


def test_kinds_are_counted_the_commonest_first() -> None:
    """Classes, Intelligent-Tiering's archive tiers and keys not found each are a kind of their own."""
    tiered = an_object("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS")
    sample = a_sample(an_object("GLACIER"), tiered, an_object("GLACIER"), unseen(HeadOutcome.MISSING), keys=400)

    kinds = [(kind, share.keys) for kind, share in kinds_of(sample)]

    assert kinds == [("GLACIER", 200), ("INTELLIGENT_TIERING ARCHIVE_ACCESS", 100), ("missing", 100)]
