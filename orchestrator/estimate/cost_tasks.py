"""How long a phase's tasks run, what limits them, and what Fargate charges for them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from orchestrator.estimate.prices import Item, Line, Part, PriceTable, price_words
from orchestrator.model import RESTORE_MARGIN, RESTORE_REQUESTS_PER_SECOND, Architecture, Lots
from orchestrator.settings.settings import Settings
from worker.contract import Phase

COPIES_PER_SECOND = 3_500
"""
PUT, COPY, POST and DELETE requests a second that S3 takes at least, for each prefix.

S3 User Guide, "Best practices design patterns: optimizing Amazon S3 performance" (2026-11).
"""

REQUESTS_PER_VCPU_SECOND = 400
"""Requests a second that a worker sends on one vCPU: measured with boto3, 64 threads and 30 ms a request (2026-11)."""

TASK_START_S = 30
"""Seconds of a task before its first request, which are billed: it pulls the image and starts Python. A guess."""

TASK_MINIMUM_S = 60
"""The least that Fargate bills a task for, in seconds (AWS Fargate pricing; 2026-11)."""

TASKS_AT_ONCE = {"fargate": 50, "local": 4}
"""Tasks at once for the estimate, unless `max_tasks` is set."""

MINUTES_PER_HOUR = 60
CPU_UNITS_PER_VCPU = 1024
MIB_PER_GB = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTime:
    """
    How long a phase's requests take.

    requests: in the whole phase. tasks: at once. per_second: requests of all tasks together.
    bound: what limits them, in words.
    task_s: seconds of all tasks together, as Fargate bills them. elapsed_s: from the first start to the last end.
    """

    requests: int
    tasks: int
    per_second: float
    bound: str
    task_s: float
    elapsed_s: float


def phase_time(phase: Phase, lots: Lots, *, requests: Decimal, copies: Decimal, settings: Settings) -> PhaseTime:
    """
    How long a phase takes, without the time that S3 needs for the restores.

    requests: of the whole phase. copies: the requests among them that S3 limits as writes.
    """
    wanted = settings.max_tasks or TASKS_AT_ONCE[settings.place]
    tasks = max(1, min(len(lots.lots), wanted))
    per_second, bound = min(_limits(phase, tasks, float(requests), float(copies), settings))
    per_key = float(requests) / max(lots.keys, 1)
    seconds = [TASK_START_S + lot.keys * per_key * tasks / per_second for lot in lots.lots]
    return PhaseTime(
        requests=round(requests),
        tasks=tasks,
        per_second=per_second,
        bound=bound,
        task_s=sum(max(TASK_MINIMUM_S, one) for one in seconds),
        elapsed_s=max(max(seconds, default=0), sum(seconds) / tasks),
    )


def _limits(
    phase: Phase, tasks: int, requests: float, copies: float, settings: Settings
) -> Iterator[tuple[float, str]]:
    """Everything that limits the requests a second of all tasks together, with its name."""
    vcpu = settings.fargate.cpu / CPU_UNITS_PER_VCPU if settings.place == "fargate" else 1
    of_tasks = tasks * vcpu * REQUESTS_PER_VCPU_SECOND
    yield of_tasks, f"{tasks:,} {'task' if tasks == 1 else 'tasks'} at about {of_tasks / tasks:,.0f} a second each"
    if settings.rate:
        yield settings.rate, f"--rate {settings.rate:g}"
    if phase is Phase.RESTORE:
        share = RESTORE_MARGIN if settings.rate is None else 1
        limit = RESTORE_REQUESTS_PER_SECOND * share
        yield (
            limit,
            f"S3's {RESTORE_REQUESTS_PER_SECOND:,} a second per account and Region"
            + (f", of which a job takes {share:.0%}" if share < 1 else ""),
        )
    elif copies:
        limit = COPIES_PER_SECOND * requests / copies
        yield limit, f"S3's {COPIES_PER_SECOND:,} copies a second per prefix, all keys in one; HEAD requests besides"


def task_lines(part: Part, lots: Lots, time: PhaseTime, settings: Settings, prices: PriceTable) -> list[Line]:
    """What Fargate charges for a phase's tasks, at on-demand prices; nothing for tasks on this machine."""
    if settings.place != "fargate":
        return []
    minutes = Decimal(time.task_s / 60).quantize(Decimal("0.1"), ROUND_HALF_UP)
    vcpu = Decimal(settings.fargate.cpu) / CPU_UNITS_PER_VCPU
    memory = Decimal(settings.fargate.memory) / MIB_PER_GB
    per_vcpu = prices.price(Item.VCPU_HOUR, Architecture.X86_64)
    per_gb = prices.price(Item.MEMORY_GB_HOUR, Architecture.X86_64)
    known = per_vcpu is not None and per_gb is not None
    count = len(lots.lots)
    named = f"{count:,} {'task' if count == 1 else 'tasks'}, {minutes:,} minutes in all / 60"
    compute = Line(
        part=part,
        what="Fargate, X86_64, on demand",
        formula=f"{named} x ({vcpu:g} vCPU x {price_words(per_vcpu)} + {memory:g} GB x {price_words(per_gb)})",
        usd=minutes / MINUTES_PER_HOUR * (vcpu * (per_vcpu or 0) + memory * (per_gb or 0)) if known else None,
    )
    if not settings.fargate.assign_public_ip:
        return [compute]
    per_address = prices.price(Item.PUBLIC_IPV4_HOUR)
    address = Line(
        part=part,
        what="Public IPv4 addresses of the tasks",
        formula=f"{minutes:,} minutes / 60 x {price_words(per_address)}",
        usd=None if per_address is None else minutes / MINUTES_PER_HOUR * per_address,
    )
    return [compute, address]
