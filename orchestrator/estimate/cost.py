"""
What a job costs and how long it takes: `estimate_job`. Pure.

Each line shows its formula in words and numbers, so that a reader can check it. A line whose price isn't known has no
amount, and the totals say that it is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from orchestrator.estimate.cost_remarks import notes_on, warnings_on
from orchestrator.estimate.cost_s3 import copy_lines, copy_requests, restore_lines, storage_lines
from orchestrator.estimate.cost_tasks import PhaseTime, phase_time, task_lines
from orchestrator.estimate.prices import Line, Part, PriceTable, prices_for
from orchestrator.estimate.sample import Measure, Sample, kinds_of, total_of
from orchestrator.model import Lots
from orchestrator.objects.object_head import HeadOutcome
from orchestrator.objects.restore_times import RestoreTime, restore_time
from orchestrator.settings.settings import Settings
from worker.contract import Phase

_UNITS = ((Decimal(1), Decimal("0.01")), (Decimal("0.01"), Decimal("0.0001")))
_SMALLEST_UNIT = Decimal("0.000001")
"""What an amount is rounded to: cents from a dollar on, and finer below, so that little never looks like 0."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Total:
    """
    Some lines' sum in US dollars.

    error_usd: half its 95% interval, from the sample's size; None when that can't be known.
    unknown: how many lines have no known price and so aren't in `usd`.
    """

    usd: Decimal
    error_usd: Decimal | None
    unknown: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """
    What a job costs and how long it takes.

    phases: those it covers. target: the class that objects go into; "" when only the restore is estimated.
    region: where the job runs; the prices are those of `prices.region`.
    data: bytes of all objects.
    lines: in the order to show them. times: of the requests of each phase.
    waits: how long S3 takes to restore each archived kind of object; None for a tier it doesn't offer.
    warnings: what the sample warns of. notes: what the lines leave out. A sentence each.
    """

    job: str
    keys: int
    lots: int
    phases: tuple[Phase, ...]
    target: str
    region: str
    prices: PriceTable
    sample: Sample
    data: Measure
    lines: tuple[Line, ...]
    times: Mapping[Phase, PhaseTime]
    waits: tuple[tuple[str, RestoreTime | None], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """Warnings, then notes."""
        return (*self.warnings, *self.notes)

    def total(self, phase: Phase) -> Total:
        """What a phase costs: S3's part and its tasks'."""
        return total_of_lines(line for line in self.lines if line.part in PHASE_PARTS[phase])

    def tasks(self) -> Total:
        """What the tasks of all phases cost: a part of the phases' totals."""
        return total_of_lines(line for line in self.lines if line.part in (Part.RESTORE_TASKS, Part.COPY_TASKS))

    def all_phases(self) -> Total:
        """What the job costs once: all phases."""
        return total_of_lines(line for line in self.lines if line.part not in (Part.NOW, Part.THEN))

    def storage_change(self) -> Total:
        """What the objects' storage costs more (or, below 0, less) each month after the job."""
        return total_of_lines(
            replace(line, usd=-line.usd) if line.part is Part.NOW and line.usd is not None else line
            for line in self.lines
            if line.part in (Part.NOW, Part.THEN)
        )


PHASE_PARTS: Mapping[Phase, tuple[Part, Part]] = {
    Phase.RESTORE: (Part.RESTORE, Part.RESTORE_TASKS),
    Phase.COPY: (Part.COPY, Part.COPY_TASKS),
}


def estimate_job(lots: Lots, sample: Sample, settings: Settings, region: str, phases: Sequence[Phase]) -> Estimate:
    """
    What these phases of a job cost and how long they take.

    The same arguments give the same estimate: `estimate` and `run` show the same numbers.
    Raises UsageError when the copy phase is asked for and no target class is named.
    """
    prices = prices_for(region)
    target = settings.require_storage_class() if Phase.COPY in phases else ""
    lines: list[Line] = []
    times: dict[Phase, PhaseTime] = {}
    if Phase.RESTORE in phases:
        lines += restore_lines(sample, prices, settings.tier, settings.days)
        requests, copies = Decimal(lots.keys), Decimal(0)
        times[Phase.RESTORE] = phase_time(Phase.RESTORE, lots, requests=requests, copies=copies, settings=settings)
        lines += task_lines(Part.RESTORE_TASKS, lots, times[Phase.RESTORE], settings, prices)
    if Phase.COPY in phases:
        requests, copies = copy_requests(sample, target)
        lines += copy_lines(sample, prices, target)
        times[Phase.COPY] = phase_time(Phase.COPY, lots, requests=requests, copies=copies, settings=settings)
        lines += task_lines(Part.COPY_TASKS, lots, times[Phase.COPY], settings, prices)
        lines += storage_lines(sample, prices, target)
    return Estimate(
        job=lots.job,
        keys=lots.keys,
        lots=len(lots.lots),
        phases=tuple(phases),
        target=target,
        region=region,
        prices=prices,
        sample=sample,
        data=total_of(sample, lambda head: head.size_bytes),
        lines=tuple(map(_rounded, lines)),
        times=times,
        waits=_waits(sample, settings.tier) if Phase.RESTORE in phases else (),
        warnings=warnings_on(sample, settings, phases),
        notes=notes_on(sample, settings, prices, region),
    )


def total_of_lines(lines: Iterable[Line]) -> Total:
    """
    The sum of the lines.

    Errors are added up: lines from the same objects are wrong in the same direction.
    """
    summed = tuple(lines)
    errors = [line.error_usd for line in summed if line.usd is not None]
    known = [error for error in errors if error is not None]
    return Total(
        usd=sum((line.usd for line in summed if line.usd is not None), Decimal(0)),
        error_usd=sum(known, Decimal(0)) if len(known) == len(errors) else None,
        unknown=sum(line.usd is None for line in summed),
    )


def _rounded(line: Line) -> Line:
    """The line with its amounts as they are shown, so that the lines shown add up to the totals."""
    return replace(
        line,
        usd=None if line.usd is None else round_usd(line.usd),
        error_usd=None if line.error_usd is None else round_usd(line.error_usd),
    )


def round_usd(usd: Decimal) -> Decimal:
    """The amount, rounded to as many decimals as an amount of its size should show."""
    unit = next((unit for least, unit in _UNITS if abs(usd) >= least), _SMALLEST_UNIT)
    return usd.quantize(unit, ROUND_HALF_UP)


def _waits(sample: Sample, tier: str) -> tuple[tuple[str, RestoreTime | None], ...]:
    archived = {head.kind for head in sample.heads if head.look is HeadOutcome.FOUND and head.archived}
    return tuple((kind, restore_time(kind, tier)) for kind, _ in kinds_of(sample) if kind in archived)
