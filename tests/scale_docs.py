"""
docs/scale.md: the plan for a billion objects, its figures computed by what `estimate` computes with.

    python -m tests.scale_docs > docs/scale.md

`make docs` does this; tests/test_scale.py fails when the page says something else than is computed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from math import ceil
from pathlib import Path

import click

from orchestrator.estimate.cost import Estimate, estimate_job
from orchestrator.estimate.cost_remarks import MANY_RESTORES
from orchestrator.estimate.cost_tasks import (
    COPIES_PER_SECOND,
    CPU_UNITS_PER_VCPU,
    REQUESTS_PER_VCPU_SECOND,
    TASK_START_S,
)
from orchestrator.estimate.estimate_text import size_words, time_words, usd_words
from orchestrator.estimate.prices import US_EAST_1, Part
from orchestrator.estimate.sample import Sample
from orchestrator.lots.manifest import DEFAULT_LOT_KEYS, MAX_LOTS, lot_sizes
from orchestrator.model import RESTORE_REQUESTS_PER_SECOND, Lot, Lots
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.objects.restore_times import RestoreTime, restore_time
from orchestrator.settings.settings import FargateSettings, Settings
from worker.contract import LotEntry, Phase, lot_name

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"

OBJECTS = 1_000_000_000
JOBS = 10
JOB_KEYS = OBJECTS // JOBS
OBJECT_BYTES = 2**20
TARGET = "STANDARD_IA"
ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
PREFIXES = (1, 4, 16)
LISTED_AT_ONCE = 1_000
"""Keys that ListObjectsV2 answers with, at most (botocore 1.44.5)."""

ASSUMED = "2026-11-01"
"""When the made-up objects are looked at: only an object's age would depend on it, and they have none."""

S3_GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
ECS_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide"
SOURCES = {
    "restoring": f"{S3_GUIDE}/restoring-objects.html",
    "large datasets": f"{S3_GUIDE}/restoring-objects-large-datasets.html",
    "performance": f"{S3_GUIDE}/optimizing-performance.html",
    "inventory": f"{S3_GUIDE}/storage-inventory.html",
    "ECS quotas": f"{ECS_GUIDE}/service-quotas.html",
    "launch rates": f"{ECS_GUIDE}/throttling.html",
    "KMS quotas": "https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html",
}
"""The names that the page links by."""


@cache
def lots_of(keys: int) -> Lots:
    """The lots that this number of keys is cut into by default, as `estimate` sees them."""
    sizes = lot_sizes(keys)
    return Lots(
        lots=tuple(Lot(name=lot_name(number), keys=size, sha256="") for number, size in enumerate(sizes)),
        digest="0" * 64,
        buckets=("my-bucket",),
        source="keys.txt",
        source_path="",
        source_sha256="",
        blank_lines=0,
        duplicates=0,
    )


@cache
def estimate_of(keys: int, storage_class: str, phases: tuple[Phase, ...], max_tasks: int) -> Estimate:
    """What `s3reclass estimate --no-sample` says of this number of objects of one class and size."""
    head = ObjectHead(
        entry=LotEntry(bucket="my-bucket", key=""),
        look=HeadOutcome.FOUND,
        storage_class=storage_class,
        size_bytes=OBJECT_BYTES,
    )
    taken_at = datetime.fromisoformat(ASSUMED).replace(tzinfo=UTC)
    sample = Sample(keys=keys, heads=(head,), taken_at=taken_at, assumed=True)
    settings = Settings(storage_class=TARGET, max_tasks=max_tasks)
    return estimate_job(lots_of(keys), sample, settings, US_EAST_1.region, phases)


@cache
def tasks_needed(phase: Phase) -> int:
    """The fewest tasks at once, of the default size, with which S3 is what holds a phase back."""
    tasks, before = 1, 0.0
    while (now := estimate_of(JOB_KEYS, ARCHIVES[0], (phase,), tasks).times[phase].per_second) > before:
        tasks, before = tasks + 1, now
    return tasks - 1


def vcpus(tasks: int) -> float:
    """What this number of tasks of the default size needs at once."""
    return tasks * FargateSettings().cpu / CPU_UNITS_PER_VCPU


def wait_of(storage_class: str) -> RestoreTime:
    """How long S3 typically takes to restore an object of the class, with the default tier."""
    wait = restore_time(storage_class, Settings().tier)
    if wait is None:
        raise LookupError(f"{storage_class} has no {Settings().tier} tier")
    return wait


def _title() -> Iterator[str]:
    size = size_words(Decimal(OBJECTS) * OBJECT_BYTES)
    yield f"""\
# A billion objects

Made by `make docs`. The functions of `s3reclass estimate` compute every figure on this page.

- The objects: {OBJECTS:,} of {size_words(Decimal(OBJECT_BYTES))}, {size} in all, in one bucket, to go into {TARGET}.
- The settings: the defaults but for `--max-tasks`. The tier is {Settings().tier}, restored copies stay for
  {Settings().days} days, and tasks have {vcpus(1):g} vCPU.
- The prices: {US_EAST_1.region}'s of {US_EAST_1.date}. For your own objects, let `estimate` look at a sample.
- The tasks: each is assumed to send {REQUESTS_PER_VCPU_SECOND:,} requests a second for each vCPU, and to start in
  {TASK_START_S} seconds.

S3's limits decide how long it takes, not the tasks:

- S3 takes {RESTORE_REQUESTS_PER_SECOND:,} restore requests a second for the account in a Region, all callers together
  ([restoring]). A job takes nine tenths of that.
- S3 takes at least {COPIES_PER_SECOND:,} copies a second for each prefix ([performance]). It scales to more by itself,
  gradually, and answers 503 meanwhile, which makes workers slow down.
"""


def _plan() -> Iterator[str]:
    lots = len(lot_sizes(JOB_KEYS))
    asking = time_words(JOBS * _elapsed_h(ARCHIVES[0], Phase.RESTORE) * 3600)
    yield f"""\
## The plan: {JOBS} jobs of {JOB_KEYS:,} keys

A restored copy's {Settings().days} days count from its request, and asking for a billion restores takes {asking}.
So the keys go through in {JOBS} jobs. Each job is copied while the next one's restores are asked for. A job has
{lots:,} lots of {DEFAULT_LOT_KEYS:,} keys, and so {lots:,} tasks in each phase, some of which run at once. (A job can
have {MAX_LOTS:,} lots.)

1. The keys come from S3 Inventory ([inventory]). Listing them would take {OBJECTS // LISTED_AT_ONCE:,} requests, one
   after the other. coreutils cuts the keys into the jobs' files:

       zcat inventory/*.csv.gz | split -l {JOB_KEYS} - part-

2. Each part becomes lots in a folder of their own. `split` takes no more memory for more keys
   ([measured](../benchmarks/split.md)):

       s3reclass split part-aa --format csv --bucket-column 1 --key-column 2 --url-encoded --lots-dir lots-aa
       s3reclass estimate --lots-dir lots-aa

3. Then, one part after the other:

       s3reclass run --phase restore --lots-dir lots-aa --max-tasks {tasks_needed(Phase.RESTORE)}

4. While the next part's restores are asked for, and when S3 has had its time:

       s3reclass run --phase copy --lots-dir lots-aa --max-tasks {tasks_needed(Phase.COPY)}

Don't let two restore phases run at once, as each would take nine tenths of the limit. Or give each its part with
`--rate`.
"""


def _one_job() -> Iterator[str]:
    yield """\
## One of the jobs

The number of tasks at once is the smallest with which S3's limits decide; more tasks would only wait for S3.

| from | phase | requests | a second | tasks at once | vCPU | time | S3's part | Fargate's part |
|---|---|---|---|---|---|---|---|---|"""
    for storage_class in ARCHIVES:
        for phase in Phase:
            yield _phase_row(storage_class, phase)
    yield ""


_TASKS = {Phase.RESTORE: Part.RESTORE_TASKS, Phase.COPY: Part.COPY_TASKS}


def _phase_row(storage_class: str, phase: Phase) -> str:
    estimate = estimate_of(JOB_KEYS, storage_class, (phase,), tasks_needed(phase))
    time = estimate.times[phase]
    tasks_usd = estimate.tasks().usd
    cells = (
        storage_class,
        phase,
        f"{time.requests:,}",
        f"{time.per_second:,.0f}",
        f"{time.tasks:,}",
        f"{vcpus(time.tasks):g}",
        time_words(time.elapsed_s),
        usd_words(estimate.total(phase).usd - tasks_usd),
        usd_words(tasks_usd),
    )
    return f"| {' | '.join(cells)} |"


def hours_of_all(storage_class: str) -> tuple[float, float]:
    """From a job's first restore request to its last copy, and the same of all jobs; in hours."""
    times = {phase: _elapsed_h(storage_class, phase) for phase in Phase}
    behind = wait_of(storage_class).high_h + times[Phase.COPY]
    return times[Phase.RESTORE] + behind, JOBS * times[Phase.RESTORE] + behind


def _elapsed_h(storage_class: str, phase: Phase) -> float:
    return estimate_of(JOB_KEYS, storage_class, (phase,), tasks_needed(phase)).times[phase].elapsed_s / 3600


def _all_jobs() -> Iterator[str]:
    tasks = tasks_needed(Phase.COPY)
    yield f"""\
## All of them

| from | S3 restores in | one job, first to last | all {JOBS} jobs | cost of all | storage a month, now | then |
|---|---|---|---|---|---|---|"""
    for storage_class in ARCHIVES:
        of_job, of_all = hours_of_all(storage_class)
        estimate = estimate_of(JOB_KEYS, storage_class, tuple(Phase), tasks)
        usd = {
            part: sum(line.usd or 0 for line in estimate.lines if line.part is part) for part in (Part.NOW, Part.THEN)
        }
        cells = (
            storage_class,
            str(wait_of(storage_class)),
            time_words(of_job * 3600),
            time_words(of_all * 3600),
            usd_words(estimate.all_phases().usd * JOBS),
            usd_words(Decimal(usd[Part.NOW]) * JOBS),
            usd_words(Decimal(usd[Part.THEN]) * JOBS),
        )
        yield f"| {' | '.join(cells)} |"
    slowest = max(hours_of_all(storage_class)[0] for storage_class in ARCHIVES)
    spare = Settings().days * 24 - slowest
    yield f"""
The slowest job has {time_words(spare * 3600)} to spare before the first restored copies expire. AWS says that restores
of tens of millions of objects take longer than these times ([large datasets]); `estimate` warns from {MANY_RESTORES:,}
on. Begin with a smaller job, look when its copies are ready, and raise `--days` if that is late. A restored copy costs
its storage for each day. Early deletion isn't in these figures: `estimate` counts it from the objects' ages.
"""


def _copy_alone() -> Iterator[str]:
    keys, tasks = OBJECTS, tasks_needed(Phase.COPY)
    yield """\
## Without a restore

Objects that aren't archived need the copy phase alone. The number of prefixes decides how long it takes. This is for
GLACIER_IR objects, with a job for each prefix and all jobs at once:

| prefixes | lots of each | tasks at once | vCPU | copies a second | time | cost |
|---|---|---|---|---|---|---|"""
    for prefixes in PREFIXES:
        estimate = estimate_of(keys // prefixes, "GLACIER_IR", (Phase.COPY,), tasks)
        time = estimate.times[Phase.COPY]
        cells = (
            f"{prefixes:,}",
            f"{estimate.lots:,}",
            f"{prefixes * time.tasks:,}",
            f"{vcpus(prefixes * time.tasks):g}",
            f"{prefixes * COPIES_PER_SECOND:,}",
            time_words(time.elapsed_s),
            usd_words(estimate.all_phases().usd * prefixes),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _quotas() -> Iterator[str]:
    restore, copy = tasks_needed(Phase.RESTORE), tasks_needed(Phase.COPY)
    needed = ceil(vcpus(restore) + vcpus(copy))
    most = ceil(vcpus(copy * max(PREFIXES)))
    yield f"""\
## Quotas to look at first

| quota | AWS's default | the plan needs |
|---|---|---|
| Fargate On-Demand vCPUs, `L-3032A538` (Spot: `L-36FBB829`) ([ECS quotas]) | as low as 6 for a new account \
| {needed} for a restore phase beside a copy phase; {most} for {max(PREFIXES)} prefixes at once: raise it in Service \
Quotas |
| Fargate task launches ([launch rates]) | 100, then 20 a second | {copy} at once |
| S3 restore requests ([restoring]) | {RESTORE_REQUESTS_PER_SECOND:,} a second for account and Region | all of it: \
nothing else in the account should restore meanwhile |
| S3 requests for a prefix ([performance]) | {COPIES_PER_SECOND:,} writes a second, at least | nothing to raise |
| KMS cryptographic operations ([KMS quotas]) | differs by Region | at least {COPIES_PER_SECOND * 2:,} a second for \
each prefix, if the objects are encrypted with KMS keys and have no bucket key: a copy decrypts and encrypts |
"""
    yield from (f"[{name}]: {source}" for name, source in SOURCES.items())


def scale_page() -> str:
    """The text of docs/scale.md."""
    parts = (_title, _plan, _one_job, _all_jobs, _copy_alone, _quotas)
    return "\n".join(line for part in parts for line in part()) + "\n"


if __name__ == "__main__":
    click.echo(scale_page(), nl=False)
