"""Looking at a sample of a job's objects."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.estimate.probe_objects import sample_objects
from tests.orchestrator.lots.lots_on_disk import write_lots

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class HastyS3:
    """S3 whose answers come in any order: an object's size is its key's number."""

    def head_object(self, **which: str) -> dict[str, Any]:
        """The object's head, a moment later."""
        time.sleep(random.random() / 500)  # noqa: S311 (no secret)
        return {"ContentLength": int(which["Key"]), "LastModified": NOW, "StorageClass": "GLACIER"}


def test_twice_is_the_same_sample(tmp_path: Path) -> None:
    """The same lots, size and seed give the same objects in the same order, whatever order answers come in."""
    lots = write_lots(tmp_path, [str(number) for number in range(600)], [str(number) for number in range(600, 1000)])
    clock = Clock(now=lambda: NOW)
    counted: list[int] = []

    sample = sample_objects(tmp_path, lots, 50, clock=clock, s3=HastyS3(), count=counted.append)

    sizes = [head.size_bytes for head in sample.heads]
    assert sample == sample_objects(tmp_path, lots, 50, clock=clock, s3=HastyS3())
    assert sizes == sorted(set(sizes))
    assert (len(sizes), sample.keys, sample.taken_at) == (50, 1000, NOW)
    assert counted == list(range(1, 51))


def test_another_seed_is_another_sample(tmp_path: Path) -> None:
    """The seed decides which objects are looked at."""
    lots = write_lots(tmp_path, [str(number) for number in range(1000)])

    samples = {sample_objects(tmp_path, lots, 5, seed, s3=HastyS3()).heads for seed in (1, 2)}

    assert len(samples) == 2


def test_a_lot_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    """A lot with fewer lines than lots.json says is named."""
    lots = write_lots(tmp_path, ["1", "2", "3"])
    (tmp_path / "lot-00000.csv").write_text("bucket,1\n", encoding="utf-8")

    with pytest.raises(S3ReclassError, match=r"lot-00000\.csv has fewer lines"):
        sample_objects(tmp_path, lots, 3, s3=HastyS3())
