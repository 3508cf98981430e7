"""Hundreds of odd answers: none is believed, nothing is deleted without proof, every key has a row."""

from pathlib import Path

import pytest

from tests.conftest import SITUATIONS
from tests.faults.bench import S3_CLIENTS
from tests.faults.hostile.bench import SHARED, Hostile, Record, believed, left_open, run
from tests.faults.hostile.situations import WORKS, Situation, Work, generate

KEYS = {"restore": 90, "copy": 120, "copy with audit": 40}
KEYS_OF_OTHERS = 90
BY_WORK_AND_CLIENT = [
    pytest.param(work, s3_client, id=f"{work.name}-{s3_client}") for work in WORKS for s3_client in S3_CLIENTS
]


def check(work: Work, s3_client: str, seed: int, folder: Path, record_property: Record) -> None:
    """Run a work's situations of a seed, then once more with an S3 that is honest again: nothing is believed."""
    version = Hostile([Situation()]).truth.s3.find(SHARED, "0000")
    hostile = Hostile(generate(work, KEYS.get(work.name, KEYS_OF_OTHERS), seed + S3_CLIENTS.index(s3_client), version))
    record_property(SITUATIONS, len(hostile.situations))
    ended, heard = run(work, s3_client, hostile, folder, 1)

    assert believed(hostile, ended) == {}
    assert heard.swallowed == []
    assert left_open(hostile, folder) == {}
    hostile.honest = True
    ended, _ = run(work, s3_client, hostile, folder, 2)
    assert believed(hostile, ended) == {}
    assert ended.code is not None
    assert hostile.truth.open_uploads() == {}


@pytest.mark.parametrize(("work", "s3_client"), BY_WORK_AND_CLIENT)
def test_no_odd_answer_is_believed(work: Work, s3_client: str, tmp_path: Path, record_property: Record) -> None:
    """No good outcome without the deed, one copy at most, nothing deleted without proof, a row for every key."""
    check(work, s3_client, 1, tmp_path, record_property)


@pytest.mark.system
@pytest.mark.parametrize("seed", [11, 13])
@pytest.mark.parametrize(("work", "s3_client"), BY_WORK_AND_CLIENT)
def test_no_odd_answer_is_believed_by_other_seeds(
    work: Work, s3_client: str, seed: int, tmp_path: Path, record_property: Record
) -> None:
    """The same, with other situations."""
    check(work, s3_client, seed, tmp_path, record_property)
