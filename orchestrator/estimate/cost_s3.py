"""What S3 charges for both phases, and for the storage before and after. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from itertools import chain

from orchestrator.estimate.prices import GB, Item, Line, Part, PriceTable, data_line, in_gb, price_words, requests_line
from orchestrator.estimate.sample import Measure, Sample, kinds_of, total_of
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from worker.contract import ARCHIVE_CLASSES

DAYS_PER_MONTH = 30
"""A GB-month counts as 30 days here."""

MINIMUM_DAYS = {"GLACIER": 90, "GLACIER_IR": 90, "DEEP_ARCHIVE": 180, "STANDARD_IA": 30, "ONEZONE_IA": 30}
"""Minimum storage duration, in days (S3 User Guide, "Comparing the Amazon S3 storage classes"; 2026-11)."""

MINIMUM_BYTES = 128 * 1024
"""What a smaller object is billed as in the classes below (the same page)."""

MINIMUM_BYTES_CLASSES = ("STANDARD_IA", "ONEZONE_IA", "GLACIER_IR")

ARCHIVE_INDEX_BYTES = 32 * 1024
STANDARD_INDEX_BYTES = 8 * 1024
"""
What S3 adds to each archived object: 32 KB at its own class's price and 8 KB at STANDARD's.

S3 User Guide, "Understanding archival storage in S3 Glacier Flexible Retrieval and S3 Glacier Deep Archive" (2026-11).
"""

COPY_LIMIT_BYTES = 5 * GB
"""The largest object that CopyObject takes; larger ones are copied in parts (CopyObject, botocore 1.44.5)."""

PART_BYTES = GB // 2
"""The size of a part as workers make them unless told otherwise; of objects over 5 TB they make larger ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """One kind of object in the sample. in_target: already in the target class."""

    name: str
    found: bool
    in_target: bool

    @property
    def storage_class(self) -> str:
        return self.name.split(" ")[0]

    @property
    def billed_as(self) -> str:
        """The class whose request prices apply; STANDARD for a key that isn't found."""
        return self.storage_class if self.found else "STANDARD"

    @property
    def archived(self) -> bool:
        """In an archive class, or in an archive tier of Intelligent-Tiering."""
        return self.storage_class in ARCHIVE_CLASSES or (self.found and " " in self.name)

    @property
    def moves(self) -> bool:
        """Whether the copy phase copies such an object."""
        return self.found and not self.in_target

    def measure(self, sample: Sample, value: Callable[[ObjectHead], int | float] = lambda _: 1) -> Measure:
        """The sum of a value over the job's objects of this kind; without a value, their number."""
        return total_of(sample, lambda head: value(head) if head.kind == self.name else 0)

    def data(self, sample: Sample) -> Measure:
        """Their bytes."""
        return self.measure(sample, lambda head: head.size_bytes)


def _kinds(sample: Sample, target: str = "") -> list[_Kind]:
    not_found = {look.value for look in HeadOutcome} - {HeadOutcome.FOUND.value}
    # An object in one of Intelligent-Tiering's archive tiers is in the class, too.
    return [
        _Kind(name=name, found=name not in not_found, in_target=name.split(" ")[0] == target and name not in not_found)
        for name, _ in kinds_of(sample)
    ]


def restore_lines(sample: Sample, prices: PriceTable, tier: str, days: int) -> list[Line]:
    """
    The restore phase: one RestoreObject for every key, the data, and the restored copies' storage.

    tier: Bulk, Standard or Expedited. days: how long a restored copy stays.
    """
    kinds = _kinds(sample)
    archived = [kind for kind in kinds if kind.archived]
    return [
        *chain.from_iterable(_retrieval_lines(kind, sample, prices, tier) for kind in archived),
        *(
            # S3 bills most 4xx answers like any request (S3 User Guide, "Billing for Amazon S3 error responses").
            requests_line(
                Part.RESTORE,
                f"Restore requests that S3 refuses, {kind.name}",
                kind.measure(sample),
                prices.price(Item.WRITE_REQUESTS, kind.billed_as),
            )
            for kind in kinds
            if kind not in archived
        ),
        *(
            # An object of Intelligent-Tiering moves back to its Frequent Access tier: no copy is made.
            data_line(
                Part.RESTORE,
                f"Restored copies at STANDARD, beside {kind.name}, at most",
                kind.data(sample),
                prices.price(Item.STORAGE_GB_MONTH, "STANDARD"),
                times=(f"{days} days / {DAYS_PER_MONTH}", Decimal(days) / DAYS_PER_MONTH),
            )
            for kind in archived
            if kind.storage_class in ARCHIVE_CLASSES
        ),
    ]


def _retrieval_lines(kind: _Kind, sample: Sample, prices: PriceTable, tier: str) -> Iterator[Line]:
    requests = prices.price(Item.RESTORE_REQUESTS, kind.storage_class, tier)
    yield requests_line(Part.RESTORE, f"{tier} restore requests, {kind.name}", kind.measure(sample), requests)
    # A second request for a restore that goes on costs the request alone (RestoreObject, botocore 1.44.5).
    data = kind.measure(sample, lambda head: 0 if head.restore_asked else head.size_bytes)
    per_gb = prices.price(Item.RESTORE_GB, kind.storage_class, tier)
    yield data_line(Part.RESTORE, f"{tier} retrieval, {kind.name}", data, per_gb)


def copy_requests(sample: Sample, target: str) -> tuple[Decimal, Decimal]:
    """Requests of the copy phase (HEAD for every key, and the copies), and the copies among them."""
    copies = sum((_writes(kind, sample).value for kind in _kinds(sample, target) if kind.moves), Decimal(0))
    return sample.keys + copies, copies


def _writes(kind: _Kind, sample: Sample) -> Measure:
    """CopyObject, or the parts of a large object with the two requests around them."""

    def requests(head: ObjectHead) -> int:
        return 1 if head.size_bytes <= COPY_LIMIT_BYTES else -(-head.size_bytes // PART_BYTES) + 2

    return kind.measure(sample, requests)


def copy_lines(sample: Sample, prices: PriceTable, target: str) -> list[Line]:
    """The copy phase: HEAD for every key, a copy for each outside the target class, and what leaving a class costs."""
    kinds = _kinds(sample, target)
    moving = [kind for kind in kinds if kind.moves]
    lines = []
    for kind in kinds:
        price = prices.price(Item.READ_REQUESTS, kind.billed_as)
        lines.append(requests_line(Part.COPY, f"HEAD, {kind.name}", kind.measure(sample), price))
    for kind in moving:
        price = prices.price(Item.WRITE_REQUESTS, target)
        lines.append(requests_line(Part.COPY, f"COPY into {target}, {kind.name}", _writes(kind, sample), price))
    for kind in moving:
        if kind.name in MINIMUM_BYTES_CLASSES:
            price = prices.price(Item.READ_GB, kind.name)
            lines.append(data_line(Part.COPY, f"Retrieval, {kind.name}", kind.data(sample), price))
    return lines + [line for kind in moving for line in _early_deletion(kind, sample, prices)]


def _early_deletion(kind: _Kind, sample: Sample, prices: PriceTable) -> Iterator[Line]:
    """The charge for the rest of a minimum duration; none on a versioned bucket, where the old version stays."""
    minimum = MINIMUM_DAYS.get(kind.storage_class, 0)

    def byte_months_left(head: ObjectHead) -> float:
        if head.last_modified is None or head.versioned:
            return 0
        # In whole days, so that an estimate and the run after it say the same.
        age_days = (sample.taken_at.astimezone(UTC).date() - head.last_modified.astimezone(UTC).date()).days
        return billed_bytes(head.size_bytes, head.storage_class) * max(0, minimum - age_days) / DAYS_PER_MONTH

    left = kind.measure(sample, byte_months_left)
    if not left.value:
        return
    price = prices.price(Item.STORAGE_GB_MONTH, kind.storage_class)
    gb_months = in_gb(left.value)
    yield Line(
        part=Part.COPY,
        what=f"Early deletion, {kind.name}",
        formula=f"{gb_months:,} GB-months left of {minimum} days x {price_words(price)}",
        usd=None if price is None else gb_months * price,
        error_usd=None if price is None or left.error is None else left.error / GB * price,
    )


def billed_bytes(size_bytes: int, storage_class: str) -> int:
    """The size that storage in the class is billed for."""
    return max(size_bytes, MINIMUM_BYTES) if storage_class in MINIMUM_BYTES_CLASSES else size_bytes


def storage_lines(sample: Sample, prices: PriceTable, target: str) -> list[Line]:
    """A month's storage of the objects that move: as they are now, and as they will be."""
    moving = [kind for kind in _kinds(sample, target) if kind.moves]
    return [
        *(line for kind in moving for line in _storage(Part.NOW, kind.name, kind, sample, prices)),
        *(line for kind in moving for line in _storage(Part.THEN, target, kind, sample, prices)),
        *(line for kind in moving for line in _superseded(kind, sample, prices)),
    ]


def _storage(part: Part, name: str, kind: _Kind, sample: Sample, prices: PriceTable) -> Iterator[Line]:
    """Objects of this kind stored as `name`: a class, or a kind of Intelligent-Tiering's."""
    what = name if part is Part.NOW else f"{name}, from {kind.name}"
    # HEAD names only the archive tiers of Intelligent-Tiering, and their prices aren't in the table.
    tiered = part is Part.NOW and kind.storage_class == "INTELLIGENT_TIERING"
    price = None if tiered else prices.price(Item.STORAGE_GB_MONTH, name)
    index = ARCHIVE_INDEX_BYTES if name in ARCHIVE_CLASSES else 0
    data = kind.measure(sample, lambda head: billed_bytes(head.size_bytes, name) + index)
    yield data_line(part, what, data, price)
    if index:
        yield data_line(
            part,
            f"{what}: 8 KB of each object at STANDARD",
            kind.measure(sample, lambda _: STANDARD_INDEX_BYTES),
            prices.price(Item.STORAGE_GB_MONTH, "STANDARD"),
        )
    if part is Part.THEN and name == "INTELLIGENT_TIERING":
        # Objects under 128 KB aren't monitored, nor charged for it (S3 pricing page; 2026-11).
        monitored = kind.measure(sample, lambda head: int(head.size_bytes >= MINIMUM_BYTES))
        yield requests_line(part, f"{what}: monitoring", monitored, prices.price(Item.MONITORING))


def _superseded(kind: _Kind, sample: Sample, prices: PriceTable) -> Iterator[Line]:
    """On a versioned bucket the copy is a new version: the old one stays, and so does its bill."""
    old = kind.measure(sample, lambda head: head.size_bytes if head.versioned else 0)
    if old.value:
        price = prices.price(Item.STORAGE_GB_MONTH, kind.name)
        yield data_line(Part.THEN, f"{kind.name}, the old versions, which stay", old, price)
