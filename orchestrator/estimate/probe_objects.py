"""Probe some of a job's objects: an estimate's one step that sends requests, for `estimate` and `run`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.common.clock import Clock
from orchestrator.estimate.sample import Sample
from orchestrator.lots.folder import sample_entries
from orchestrator.lots.sample_keys import DEFAULT_SEED, DEFAULT_SIZE, choose_indexes
from orchestrator.model import Lots
from orchestrator.objects.head_objects import THREADS, head_objects


def sample_objects(  # noqa: PLR0913 (what to probe, and three things that tests give)
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

    folder: where the lots are. size: keys to probe; all of them when the job has no more.
    arguments: RequestPayer and ExpectedBucketOwner, for each request.
    count: takes how many were probed so far.
    Raises S3ReclassError when a lot can't be read, or when further probes are pointless.
    """
    clock = clock or Clock()
    entries = sample_entries(folder, lots, choose_indexes(lots.keys, size, Random(seed)))  # noqa: S311 (no secret)
    places = {id(entry): place for place, entry in enumerate(entries)}
    heads = []
    for head in head_objects(entries, arguments=arguments, clock=clock, threads=min(THREADS, len(entries)), s3=s3):
        heads.append(head)
        count(len(heads))
    # Answers come in any order, and sums of fractions depend on it: sorted, they are the same to the last digit.
    heads.sort(key=lambda head: places[id(head.entry)])
    return Sample(keys=lots.keys, heads=tuple(heads), taken_at=clock.now(), seed=seed)
