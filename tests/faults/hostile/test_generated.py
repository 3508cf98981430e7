"""Hundreds of odd answers: none is believed, nothing is deleted without proof, every key has a row."""

from pathlib import Path

import pytest

from tests.conftest import SITUATIONS
from tests.faults.bench import LANES
from tests.faults.hostile.bench import SHARED, Hostile, Record, believed, left_open, run
from tests.faults.hostile.situations import WORKS, Situation, Work, generate

KEYS = {"restore": 90, "copy": 120, "copy with audit": 40}
KEYS_OF_OTHERS = 90
BY_WORK_AND_LANE = [pytest.param(work, lane, id=f"{work.name}-{lane}") for work in WORKS for lane in LANES]


def check(work: Work, lane: str, seed: int, folder: Path, record_property: Record) -> None:
    """Run a work's situations of a seed, then once more with an S3 that is honest again: nothing is believed."""
    version = Hostile([Situation()]).truth.s3.find(SHARED, "0000")
    hostile = Hostile(generate(work, KEYS.get(work.name, KEYS_OF_OTHERS), seed + LANES.index(lane), version))
    record_property(SITUATIONS, len(hostile.situations))
    ended, heard = run(work, lane, hostile, folder, 1)

    assert believed(hostile, ended) == {}
    assert heard.swallowed == []
    assert left_open(hostile, folder) == {}
    hostile.honest = True
    ended, _ = run(work, lane, hostile, folder, 2)
    assert believed(hostile, ended) == {}
    assert ended.code is not None
    assert hostile.truth.open_uploads() == {}


@pytest.mark.parametrize(("work", "lane"), BY_WORK_AND_LANE)
def test_no_odd_answer_is_believed(work: Work, lane: str, tmp_path: Path, record_property: Record) -> None:
    """No good outcome without the deed, one copy at most, nothing deleted without proof, a row for every key."""
    check(work, lane, 1, tmp_path, record_property)


@pytest.mark.system
@pytest.mark.parametrize("seed", [11, 13])
@pytest.mark.parametrize(("work", "lane"), BY_WORK_AND_LANE)
def test_no_odd_answer_is_believed_by_other_seeds(
    work: Work, lane: str, seed: int, tmp_path: Path, record_property: Record
) -> None:
    """The same, with other situations."""
    check(work, lane, seed, tmp_path, record_property)
