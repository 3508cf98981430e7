"""Looking at some of a job's objects: the one impure step of an estimate, shared by `estimate` and `run`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.common.clock import Clock
from orchestrator.estimate.sample import DEFAULT_SEED, DEFAULT_SIZE, Sample, choose_indexes
from orchestrator.lots.folder import sample_entries
from orchestrator.model import Lots
from orchestrator.objects.head_objects import THREADS, head_objects


def sample_objects(  # noqa: PLR0913 (what to look at, and three things that tests give: none belongs to another)
    folder: Path,
    lots: Lots,
    size: int = DEFAULT_SIZE,
    seed: int = DEFAULT_SEED,
    *,
    arguments: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    s3: Any = None,
    count: Callable[[int], None] = lambda _: None,
) -> Sample:
    """
    A random sample of the job's objects; the same lots, size and seed give the same keys, in the same order.

    folder: where the lots are. size: keys to look at; all of them when the job has no more.
    arguments: of each request, beside: RequestPayer, ExpectedBucketOwner.
    count: told how many were looked at so far.
    Raises S3ReclassError when a lot can't be read, or looking on is pointless.
    """
    clock = clock or Clock()
    entries = sample_entries(folder, lots, choose_indexes(lots.keys, size, Random(seed)))  # noqa: S311 (no secret)
    places = {id(entry): place for place, entry in enumerate(entries)}
    heads = []
    for head in head_objects(entries, arguments=arguments, clock=clock, threads=min(THREADS, len(entries)), s3=s3):
        heads.append(head)
        count(len(heads))
    # Answers come in any order, and sums of fractions depend on it: sorted, twice is the same to the last digit.
    heads.sort(key=lambda head: places[id(head.entry)])
    return Sample(keys=lots.keys, heads=tuple(heads), taken_at=clock.now(), seed=seed)
