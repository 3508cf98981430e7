"""
Which keys to probe, and what these few say about all of them. Pure.

Every estimate has its 95% error bar; a sample of the whole job is exact and has none.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import fmean, stdev

from orchestrator.lots.sample_keys import DEFAULT_SEED
from orchestrator.objects.object_head import ObjectHead

Z_95 = 1.96
"""Standard errors on each side of a mean that hold 95% of the samples."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """
    Some of a job's objects, probed.

    keys: in the whole job.
    heads: of the keys probed; never empty.
    taken_at: when, with its time zone; the rest of a minimum storage duration is counted from here.
    assumed: nothing was probed: `heads` holds one made-up object that stands for all.
    """

    keys: int
    heads: tuple[ObjectHead, ...]
    taken_at: datetime
    seed: int = DEFAULT_SEED
    assumed: bool = False

    @property
    def complete(self) -> bool:
        """Whether every key was probed, so that nothing is an estimate."""
        return not self.assumed and len(self.heads) == self.keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """
    A quantity of the whole job, estimated.

    error: half its 95% interval; 0 when exact; None when it can't be known (one object probed, or assumed).
    """

    value: Decimal
    error: Decimal | None = Decimal(0)

    @property
    def percent(self) -> Decimal | None:
        """The error as a percentage of the value, or None when it isn't known."""
        if self.error is None:
            return None
        return self.error / self.value * 100 if self.value else Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proportion:
    """
    The part of the job's keys that something is true of.

    seen, of: keys in the sample that it is true of, and keys in the sample.
    keys: the same of the whole job, estimated.
    low, high: the 95% interval of the part, between 0 and 1 (Wilson's, which stays honest near both ends).
    """

    seen: int
    of: int
    keys: int
    low: float
    high: float


def total_of(sample: Sample, value: Callable[[ObjectHead], int | float]) -> Measure:
    """
    The sum of a value over all of the job's objects.

    The error is that of a simple random sample without replacement (Cochran, Sampling Techniques, 2.11).
    """
    values = [value(head) for head in sample.heads]
    seen = len(values)
    total = Decimal(sum(values)) * sample.keys / seen
    if sample.complete:
        return Measure(value=total)
    if sample.assumed or seen == 1:
        return Measure(value=total, error=None)
    left_out = (sample.keys - seen) / sample.keys
    error = Z_95 * sample.keys * stdev(values, fmean(values)) / math.sqrt(seen) * math.sqrt(left_out)
    return Measure(value=total, error=Decimal(error))


def share_of(sample: Sample, holds: Callable[[ObjectHead], bool]) -> Proportion:
    """The part of the job's keys that `holds` is true of."""
    seen, of = sum(map(holds, sample.heads)), len(sample.heads)
    keys = round(Decimal(sample.keys) * seen / of)
    if sample.complete or sample.assumed:
        return Proportion(seen=seen, of=of, keys=keys, low=seen / of, high=seen / of)
    # A sample that is a large part of the job knows more than its size says.
    size = of * (sample.keys - 1) / (sample.keys - of)
    z2 = Z_95**2
    middle = (seen / of + z2 / (2 * size)) / (1 + z2 / size)
    half = Z_95 * math.sqrt(seen / of * (1 - seen / of) / size + z2 / (4 * size**2)) / (1 + z2 / size)
    return Proportion(seen=seen, of=of, keys=keys, low=max(0.0, middle - half), high=min(1.0, middle + half))


def kinds_of(sample: Sample) -> tuple[tuple[str, Proportion], ...]:
    """Each kind of object in the sample with its share, the commonest first."""
    kinds = {head.kind for head in sample.heads}
    shares = [(kind, share_of(sample, lambda head, kind=kind: head.kind == kind)) for kind in kinds]  # type: ignore[misc]  # mypy can't infer a lambda's default
    return tuple(sorted(shares, key=lambda one: (-one[1].seen, one[0])))
