"""How long tasks run and what Fargate charges: computed by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from orchestrator.estimate.cost_tasks import phase_time, task_lines
from orchestrator.estimate.prices import Part, prices_for
from orchestrator.settings.settings import FargateSettings, Settings
from tests.orchestrator.estimate.objects import some_lots
from worker.contract import Phase

FARGATE = Settings(fargate=FargateSettings(cpu=512, memory=1024))
LOTS = some_lots(1_200_000, 20)


def test_a_restore_is_held_back_by_s3s_account_limit() -> None:
    """20 tasks could send 4,000 a second; S3 takes 1,000, of which a job takes 90%."""
    time = phase_time(Phase.RESTORE, LOTS, requests=Decimal(1_200_000), copies=Decimal(0), settings=FARGATE)

    assert time.per_second == 900
    assert time.bound == "S3's 1,000 a second per account and Region, of which a job takes 90%"
    assert time.tasks == 20
    assert time.elapsed_s == pytest.approx(30 + 60_000 * 20 / 900)
    assert time.task_s == pytest.approx(20 * time.elapsed_s)


@pytest.mark.parametrize(
    ("per_second", "bound", "settings"),
    [
        (4_000, "20 tasks at about 200 a second each", FARGATE),
        (100, "--rate 100", replace(FARGATE, rate=100)),
        (4_000, "20 tasks at about 200 a second each", replace(FARGATE, rate=0)),
        (200, "1 task at about 200 a second each", replace(FARGATE, max_tasks=1)),
        (
            7_000,
            "S3's 3,500 copies a second per prefix, all keys in one; HEAD requests besides",
            Settings(fargate=FargateSettings(cpu=4096, memory=8192)),
        ),
        (1_600, "4 tasks at about 400 a second each", Settings(place="local")),
    ],
)
def test_what_holds_a_copy_back(per_second: float, bound: str, settings: Settings) -> None:
    """The least of the tasks' own speed, `--rate` and S3's limit per prefix, and it is named."""
    time = phase_time(Phase.COPY, LOTS, requests=Decimal(2_400_000), copies=Decimal(1_200_000), settings=settings)

    assert (time.per_second, time.bound) == (per_second, bound)


def test_more_lots_than_tasks_go_in_turns() -> None:
    """With 2 tasks at once for 20 lots the phase takes ten lots' time."""
    settings = replace(FARGATE, max_tasks=2)

    time = phase_time(Phase.COPY, LOTS, requests=Decimal(2_400_000), copies=Decimal(1_200_000), settings=settings)

    assert time.elapsed_s == pytest.approx(10 * (30 + 120_000 / 200))


def test_fargate_bills_vcpu_memory_and_address() -> None:
    """454.4 minutes: x (0.5 x 0.04048 + 1 x 0.004445) / 60 is $0.1869..., and x 0.005 / 60 for the addresses."""
    time = phase_time(Phase.RESTORE, LOTS, requests=Decimal(1_200_000), copies=Decimal(0), settings=FARGATE)

    compute, address = task_lines(Part.RESTORE_TASKS, LOTS, time, FARGATE, prices_for("us-east-1"))

    assert compute.formula == "20 tasks, 454.4 minutes in all / 60 x (0.5 vCPU x $0.04048 + 1 GB x $0.004445)"
    assert compute.usd is not None
    assert compute.usd.quantize(Decimal("0.000001")) == Decimal("0.186948")
    assert address.formula == "454.4 minutes / 60 x $0.005"
    assert address.usd is not None
    assert address.usd.quantize(Decimal("0.000001")) == Decimal("0.037867")


def test_a_task_is_billed_for_a_minute_at_least() -> None:
    """Ten keys take a second, and cost a minute."""
    lots = some_lots(10)
    time = phase_time(Phase.RESTORE, lots, requests=Decimal(10), copies=Decimal(0), settings=FARGATE)

    compute = task_lines(Part.RESTORE_TASKS, lots, time, FARGATE, prices_for("us-east-1"))[0]

    assert compute.formula.startswith("1 task, 1.0 minutes in all / 60 x ")


def test_a_price_that_is_missing_makes_the_line_unknown() -> None:
    """Half a price is no price: the line has no amount rather than too small a one."""
    prices = replace(prices_for("us-east-1"), prices={})
    time = phase_time(Phase.RESTORE, LOTS, requests=Decimal(10), copies=Decimal(0), settings=FARGATE)

    assert [line.usd for line in task_lines(Part.RESTORE_TASKS, LOTS, time, FARGATE, prices)] == [None, None]


def test_tasks_without_an_address_or_on_this_machine_pay_for_none() -> None:
    """A private subnet has no public address to pay for; a local task costs nothing."""
    private = replace(FARGATE, fargate=replace(FARGATE.fargate, assign_public_ip=False))
    time = phase_time(Phase.RESTORE, LOTS, requests=Decimal(10), copies=Decimal(0), settings=private)
    prices = prices_for("us-east-1")

    assert len(task_lines(Part.RESTORE_TASKS, LOTS, time, private, prices)) == 1
    assert task_lines(Part.RESTORE_TASKS, LOTS, time, Settings(place="local"), prices) == []
