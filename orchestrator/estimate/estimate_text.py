"""An estimate as text and as JSON, for `estimate` and for `run` before it starts. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from orchestrator.estimate.cost import PHASE_PARTS, Estimate, Total, round_usd
from orchestrator.estimate.prices import GB, Line, Part, in_gb
from orchestrator.estimate.sample import Measure, Proportion, Sample, kinds_of, total_of
from orchestrator.objects.object_head import HeadOutcome
from orchestrator.objects.restore_times import RestoreTime
from worker.contract import Phase

_KB_PER_UNIT = 1024
_CENTS = 2  # decimals of an amount, at least
_ENOUGH = 2  # minutes, hours or days: fewer are shown in the smaller unit


def estimate_lines(estimate: Estimate) -> list[str]:
    """The estimate for people: the sample, each phase with its lines, total and time, storage, remarks."""
    width = max((len(line.what) for line in estimate.lines), default=0)
    lines = list(_head_lines(estimate))
    for phase in estimate.phases:
        lines += ["", f"{phase}:"]
        lines += [_line(line, width) for line in estimate.lines if line.part in PHASE_PARTS[phase]]
        lines += [f"  total: {total_words(estimate.total(phase))}", *_time_lines(estimate, phase)]
    lines += ["", f"all phases: {total_words(estimate.all_phases())}"]
    if tasks := estimate.tasks().usd:
        lines[-1] += f", of which the tasks: {usd_words(tasks)}"
    if any(line.part in (Part.NOW, Part.THEN) for line in estimate.lines):
        lines += ["", "storage of the objects that move, each month:"]
        lines += [_line(line, width, "now   ") for line in estimate.lines if line.part is Part.NOW]
        lines += [_line(line, width, "then  ") for line in estimate.lines if line.part is Part.THEN]
        lines += [f"  change: {total_words(estimate.storage_change(), sign=True)}"]
    return [*lines, "", *(f"- {remark}" for remark in estimate.remarks)]


def summary_line(estimate: Estimate, phase: Phase) -> str:
    """One phase's total and time in a line: `restore: $30.00 +- 0.40, requests about 22 min; ...`."""
    time = f"requests about {time_words(estimate.times[phase].elapsed_s)}"
    waits = "; ".join(f"S3 restores {kind} in {_wait_words(wait)}" for kind, wait in estimate.waits)
    tail = f"; {waits}" if phase is Phase.RESTORE and waits else ""
    return f"{phase}: {total_words(estimate.total(phase))}, {time}{tail}"


def _head_lines(estimate: Estimate) -> Iterator[str]:
    prices, sample = estimate.prices, estimate.sample
    lots = "lot" if estimate.lots == 1 else "lots"
    target = f" into {estimate.target}" if estimate.target else ""
    yield f"job {estimate.job}: {estimate.keys:,} keys in {estimate.lots:,} {lots}{target}"
    yield f"{prices.region} prices of {prices.date}, in US dollars without tax; 1 GB is 2^30 bytes"
    if sample.assumed:
        head = sample.heads[0]
        size = size_words(Decimal(head.size_bytes))
        yield f"assumed, not looked at: every object is {size} and in {head.storage_class}"
    else:
        of = f"all {sample.keys:,}" if sample.complete else f"{len(sample.heads):,} of {sample.keys:,}"
        seed = "" if sample.complete else f" (at random, seed {sample.seed}; intervals hold 95%)"
        yield f"looked at {of} keys{seed}:"
        kinds = kinds_of(sample)
        width = max(len(kind) for kind, _ in kinds)
        for kind, share in kinds:
            yield f"  {kind:<{width}}  {_share_words(share)}"
    yield f"data: {data_words(estimate.data)}{_mean_words(sample)}"


def _mean_words(sample: Sample) -> str:
    found = total_of(sample, lambda head: head.look is HeadOutcome.FOUND)
    if sample.assumed or not found.value:
        return ""
    data = total_of(sample, lambda head: head.size_bytes)
    return f"; {size_words(data.value / found.value)} an object"


def _share_words(share: Proportion) -> str:
    interval = "" if share.high == share.low else f" ({share.low:.1%} to {share.high:.1%})"
    return f"{share.seen / share.of:6.1%}{interval}, {'' if share.high == share.low else 'about '}{share.keys:,} keys"


def _line(line: Line, width: int, before: str = "") -> str:
    error = f" +- {_number(line.error_usd)}" if line.error_usd else ""
    amount = "unknown" if line.usd is None else f"{usd_words(line.usd)}{error}"
    return f"  {before}{line.what:<{width}}  {line.formula} = {amount}"


def _time_lines(estimate: Estimate, phase: Phase) -> Iterator[str]:
    time = estimate.times[phase]
    yield (
        f"  time: about {time_words(time.elapsed_s)}: {time.requests:,} requests / {time.per_second:,.0f} a second "
        f"(limit: {time.bound}), {time.tasks:,} tasks at once, their start included"
    )
    if phase is Phase.RESTORE:
        for kind, wait in estimate.waits:
            yield f"  then S3 restores {kind}: {_wait_words(wait)}"


def _wait_words(wait: RestoreTime | None) -> str:
    if wait is None:
        return "never, with this tier"
    if wait.high_h < 1:
        return f"{wait.low_h * 60:.0f} to {wait.high_h * 60:.0f} minutes"
    return f"up to {wait.high_h:g} h" if not wait.low_h else f"{wait.low_h:g} to {wait.high_h:g} h"


def total_words(total: Total, *, sign: bool = False) -> str:
    """A total: `$30.00 +- 0.40`; one that lacks lines says so."""
    amount = usd_words(total.usd, sign=sign)
    if total.error_usd is None:
        amount += " (no error bar)"
    elif total.error_usd:
        amount += f" +- {_number(total.error_usd)}"
    if total.unknown:
        amount += f" and {total.unknown} {'line' if total.unknown == 1 else 'lines'} of unknown price"
    return amount


def usd_words(usd: Decimal, *, sign: bool = False) -> str:
    """An amount of US dollars with the decimals that it was rounded to, cents at least."""
    before = "-" if usd < 0 else "+" if sign and usd > 0 else ""
    return f"{before}${_number(abs(usd))}"


def _number(usd: Decimal) -> str:
    shown = round_usd(usd).normalize()
    return f"{shown:,.{max(_CENTS, -int(shown.as_tuple().exponent))}f}"


def data_words(data: Measure) -> str:
    """A quantity of data with its error bar: `1.20 TB +- 8%`."""
    if data.percent is None:
        return size_words(data.value)
    percent = f"{data.percent:.0f}" if data.percent >= 1 else f"{float(data.percent):.1g}"
    return size_words(data.value) + (f" +- {percent}%" if data.percent else "")


def size_words(size_bytes: Decimal) -> str:
    """A size in the largest unit that it fills: `1.20 TB`."""
    size, units = size_bytes, iter(("KB", "MB", "GB", "TB", "PB"))
    unit = "bytes"
    while size >= _KB_PER_UNIT and (larger := next(units, None)):
        size, unit = size / _KB_PER_UNIT, larger
    return f"{size:,.0f} bytes" if unit == "bytes" else f"{size:,.2f} {unit}"


def time_words(seconds: float) -> str:
    """A rough length of time: `22 min`."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if minutes < _ENOUGH:
        return f"{seconds:.0f} s"
    if hours < _ENOUGH:
        return f"{minutes:.0f} min"
    return f"{hours:.1f} h" if days < _ENOUGH else f"{days:.1f} days"


def estimate_json(estimate: Estimate) -> dict[str, Any]:
    """The estimate for programs: amounts as strings of US dollars, null where unknown."""
    return {
        "job": estimate.job,
        "keys": estimate.keys,
        "lots": estimate.lots,
        "storage_class": estimate.target,
        "region": estimate.region,
        "prices": {"region": estimate.prices.region, "date": estimate.prices.date, "source": estimate.prices.source},
        "sample": _sample_json(estimate.sample),
        "data": {
            "gb": str(in_gb(estimate.data.value)),
            "error_gb": None if estimate.data.error is None else f"{estimate.data.error / GB:.6f}",
        },
        "phases": {phase.value: _phase_json(estimate, phase) for phase in estimate.phases},
        "tasks": _total_json(estimate.tasks()),
        "all_phases": _total_json(estimate.all_phases()),
        "storage_change_per_month": _total_json(estimate.storage_change()),
        "lines": [
            {
                "part": line.part.value,
                "what": line.what,
                "formula": line.formula,
                "usd": None if line.usd is None else str(line.usd),
                "error_usd": None if line.error_usd is None or line.usd is None else str(line.error_usd),
            }
            for line in estimate.lines
        ],
        "remarks": list(estimate.remarks),
    }


def _sample_json(sample: Sample) -> dict[str, Any]:
    return {
        "size": 0 if sample.assumed else len(sample.heads),
        "of": sample.keys,
        "seed": sample.seed,
        "kinds": {
            kind: {"seen": share.seen, "keys": share.keys, "low": share.low, "high": share.high}
            for kind, share in kinds_of(sample)
        },
    }


def _phase_json(estimate: Estimate, phase: Phase) -> dict[str, Any]:
    time = estimate.times[phase]
    waits = {kind: wait and [wait.low_h, wait.high_h] for kind, wait in estimate.waits}
    return {
        **_total_json(estimate.total(phase)),
        "requests": time.requests,
        "requests_per_second": time.per_second,
        "tasks_at_once": time.tasks,
        "seconds": round(time.elapsed_s),
        **({"restore_hours": waits} if phase is Phase.RESTORE else {}),
    }


def _total_json(total: Total) -> dict[str, Any]:
    return {
        "usd": str(total.usd),
        "error_usd": None if total.error_usd is None else str(total.error_usd),
        "unknown_lines": total.unknown,
    }
