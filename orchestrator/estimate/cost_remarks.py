"""What a user should know before spending, besides an estimate's numbers. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from orchestrator.estimate.cost_s3 import COPY_LIMIT_BYTES, MINIMUM_BYTES, MINIMUM_BYTES_CLASSES, MINIMUM_DAYS
from orchestrator.estimate.prices import Item, PriceTable
from orchestrator.estimate.sample import Proportion, Sample, kinds_of, share_of
from orchestrator.objects.object_head import HeadOutcome
from orchestrator.objects.restore_times import restore_time
from orchestrator.settings.settings import Settings
from worker.contract import ARCHIVE_CLASSES, Phase

SMALL_SAMPLE = 30
"""With fewer objects than this, a 95% interval of a mean is rough."""

MANY_RESTORES = 10_000_000
"""From this many objects on, S3 gives no typical times (S3 User Guide, "Restoring large datasets"; 2026-11)."""

HOURS_PER_DAY = 24


def warnings_on(sample: Sample, settings: Settings, phases: Sequence[Phase]) -> tuple[str, ...]:
    """What the sample warns of before anything starts, the most important first."""
    return (
        *(_on_restore(sample, settings) if Phase.RESTORE in phases else ()),
        *_on_sample(sample),
        *(_on_copy(sample, settings.storage_class) if Phase.COPY in phases else ()),
    )


def notes_on(sample: Sample, settings: Settings, prices: PriceTable, region: str) -> tuple[str, ...]:
    """What the lines leave out, whatever the objects are."""
    elsewhere = f"these are {prices.region} prices: there is no table for {region}, whose prices may differ"
    return (
        *((elsewhere,) if prices.region != region else ()),
        *_on_tasks(settings),
        _batch_operations(sample.keys, prices),
        "not in the lines: KMS requests, the state's own requests and storage, CloudWatch Logs, ECR, taxes, discounts",
    )


def days_too_short(days: int, tier: str) -> Iterator[str]:
    """A sentence on each archive class whose restores may take longer than the restored copies stay."""
    for kind in ARCHIVE_CLASSES:
        time = restore_time(kind, tier)
        if time is not None and days * HOURS_PER_DAY <= time.high_h:
            yield f"if any are in {kind}: {_gone(kind, time.high_h, days, tier)}"


def _gone(kind: str, hours: float, days: int, tier: str) -> str:
    """The copy's days count from the request (RestoreObject, `Days`; S3 User Guide, "Restoring an archived object")."""
    return (
        f"a restored copy may be gone before it is there: {kind} takes up to {hours:g} h with "
        f"{tier}, and --days {days} is counted from the request"
    )


def class_remarks(target: str) -> Iterator[str]:
    """What the class costs besides its price, when nothing is known of the objects."""
    yield from _on_class(target)
    if target in MINIMUM_BYTES_CLASSES:
        yield f"{target} bills an object smaller than 128 KB as 128 KB"


def _on_class(target: str) -> Iterator[str]:
    """The same for every object (S3 User Guide, "Comparing the Amazon S3 storage classes"; 2026-11)."""
    if target in MINIMUM_DAYS:
        yield (
            f"{target} has a minimum duration of {MINIMUM_DAYS[target]} days: an object that is deleted, overwritten "
            "or moved out of it sooner is charged for the rest"
        )
    if target in ARCHIVE_CLASSES:
        yield f"{target} adds 40 KB to each object, 8 KB of them at STANDARD's price"
    if target == "INTELLIGENT_TIERING":
        yield "INTELLIGENT_TIERING leaves objects smaller than 128 KB in its Frequent Access tier"


def _on_restore(sample: Sample, settings: Settings) -> Iterator[str]:
    for kind in sorted({head.kind for head in sample.heads if head.look is HeadOutcome.FOUND and head.archived}):
        time = restore_time(kind, settings.tier)
        if time is None:
            yield f"{kind} has no {settings.tier} tier: S3 will refuse these restores; choose another with --tier"
        elif settings.days * HOURS_PER_DAY <= time.high_h and kind in ARCHIVE_CLASSES:
            yield _gone(kind, time.high_h, settings.days, settings.tier)
    if sample.keys >= MANY_RESTORES:
        yield "restoring tens of millions of objects takes longer than the typical times shown"
    asked = share_of(sample, lambda head: head.restore_asked)
    if asked.seen:
        yield f"a restore was asked for already of {_seen(asked)}: their data isn't in the retrieval lines"


def _on_sample(sample: Sample) -> Iterator[str]:
    reasons = {
        HeadOutcome.MISSING: "no such key",
        HeadOutcome.DENIED: "access denied; without s3:ListBucket, S3 says so of missing keys, too",
        HeadOutcome.ERROR: "couldn't be looked at",
    }
    for look, why in reasons.items():
        share = share_of(sample, lambda head, look=look: head.look is look)  # type: ignore[misc]  # mypy can't infer a lambda's default
        if share.seen:
            yield f"{look}: {_seen(share)} ({why}): they cost requests, and are in no other line"
    if sample.assumed:
        yield "nothing was looked at: missing keys, other classes and early deletion aren't in the lines"
    if not sample.complete and not sample.assumed and len(sample.heads) < SMALL_SAMPLE:
        yield f"{len(sample.heads)} objects are a small sample: take its intervals as rough (--sample N looks at more)"


def _on_copy(sample: Sample, target: str) -> Iterator[str]:
    already = share_of(sample, lambda head: head.storage_class == target)
    if already.seen:
        yield f"in {target} already: {_seen(already)}: they cost a HEAD request in the copy phase"
    versioned = share_of(sample, lambda head: head.versioned)
    if versioned.seen:
        yield (
            f"versions: {_seen(versioned)} are on a versioned bucket: beside the copy, a new version, the old one is "
            "billed until it is deleted"
        )
    leaving = [kind for kind, _ in kinds_of(sample) if kind in MINIMUM_DAYS and kind != target]
    if leaving:
        yield (
            f"leaving {', '.join(leaving)} before its minimum duration "
            f"({', '.join(str(MINIMUM_DAYS[kind]) for kind in leaving)} days) is charged for the rest; it is counted "
            "from Last-Modified here, so for an object that a lifecycle rule moved it can be more"
        )
    if target in MINIMUM_BYTES_CLASSES:
        small = share_of(sample, lambda head: head.look is HeadOutcome.FOUND and head.size_bytes < MINIMUM_BYTES)
        if small.seen:
            yield f"smaller than 128 KB: {_seen(small)}: {target} bills each as 128 KB"
    yield from _on_class(target)
    large = share_of(sample, lambda head: head.size_bytes > COPY_LIMIT_BYTES)
    if large.seen:
        yield f"larger than 5 GB: {_seen(large)}: copied in parts (of 512 MB), for longer than the time says"


def _on_tasks(settings: Settings) -> Iterator[str]:
    if settings.place != "fargate":
        yield "tasks run on this machine: no charge of AWS's for them"
        return
    if settings.fargate.spot:
        yield "Spot costs up to 70% less than the on-demand prices shown, which aren't lowered here: it varies"
    if not settings.fargate.assign_public_ip:
        yield "tasks without a public IP address need a NAT gateway or VPC endpoints: their cost isn't in the lines"


def _batch_operations(keys: int, prices: PriceTable) -> str:
    job, million = prices.price(Item.BATCH_JOB), prices.price(Item.BATCH_MILLION)
    if job is None or million is None:
        return "for comparison: what S3 Batch Operations charges is unknown here"
    usd = job + Decimal(keys) / 1_000_000 * million
    return (
        f"for comparison: S3 Batch Operations charges ${job} + {keys:,} / 1,000,000 x ${million} = ${usd:,.2f} "
        "for each phase in place of the tasks, besides the same requests"
    )


def _seen(share: Proportion) -> str:
    """How many keys something is true of, as seen: `3 of 200 looked at (about 18,000 keys)`."""
    return f"{share.seen:,} of {share.of:,} looked at (about {share.keys:,} keys)"
