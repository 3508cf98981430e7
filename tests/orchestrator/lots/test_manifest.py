"""Lots on paper."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import S3ReclassError
from orchestrator.lots.manifest import format_lots, lot_sizes, lots_digest, parse_lots
from orchestrator.model import Lot, Lots

TWO = (Lot(name="lot-00000", keys=3, sha256="ab" * 32), Lot(name="lot-00001", keys=2, sha256="cd" * 32))
LOTS = Lots(
    lots=TWO,
    digest=lots_digest(TWO),
    buckets=("bucket", "other"),
    source="ключи.txt",
    source_path="/home/me/ключи.txt",
    source_sha256="ef" * 32,
    blank_lines=4,
    duplicates=5,
)


@pytest.mark.parametrize(
    ("expected", "keys", "lots", "lot_keys"),
    [
        ((4, 3, 3), 10, 3, None),
        ((5, 5), 10, 2, None),
        ((1, 1), 2, 20, None),
        ((1,), 1, 1, None),
        ((4, 4, 2), 10, None, 4),
        ((5, 5), 10, None, 5),
        ((10,), 10, None, 11),
        ((50_000, 50_000, 1), 100_001, None, None),
    ],
)
def test_sizes(expected: tuple[int, ...], keys: int, lots: int | None, lot_keys: int | None) -> None:
    """So many lots, equal but for one key; or lots of so many keys, the last one's less."""
    assert lot_sizes(keys, lots=lots, lot_keys=lot_keys) == expected


@given(st.integers(1, 10_000), st.integers(1, 2_000))
def test_sizes_add_up(keys: int, lots: int) -> None:
    """Every key is in one lot, no lot is empty, and lots differ by one key at most."""
    sizes = lot_sizes(keys, lots=lots)

    assert sum(sizes) == keys
    assert len(sizes) == min(keys, lots)
    assert max(sizes) - min(sizes) <= 1 <= min(sizes)


def test_names_have_five_digits() -> None:
    """100,000 lots are the most; more is an error that says which size would do."""
    assert len(lot_sizes(100_000, lot_keys=1)) == 100_000
    with pytest.raises(S3ReclassError, match=r"100,001 lots are too many.*give --lot-size 2 or more"):
        lot_sizes(100_001, lot_keys=1)


def test_the_digest_is_documented() -> None:
    """The digest is sha256 over a line for each lot, and the job is its first 12 digits."""
    text = f"lot-00000 {'ab' * 32}\nlot-00001 {'cd' * 32}\n"

    assert LOTS.digest == hashlib.sha256(text.encode()).hexdigest()
    assert LOTS.job == LOTS.digest[:12]


def test_lots_json_comes_back() -> None:
    """What lots.json says is read back as it was."""
    assert parse_lots(format_lots(LOTS)) == LOTS


def test_lots_json_is_as_documented() -> None:
    """lots.json names job, digest, keys, buckets, source, what was left out, and each lot with its file."""
    assert json.loads(format_lots(LOTS)) == {
        "version": 1,
        "job": LOTS.job,
        "digest": LOTS.digest,
        "keys": 5,
        "buckets": ["bucket", "other"],
        "source": {"name": "ключи.txt", "path": "/home/me/ключи.txt", "sha256": "ef" * 32},
        "blank_lines": 4,
        "duplicates": 5,
        "lots": [
            {"name": "lot-00000", "file": "lot-00000.csv", "keys": 3, "sha256": "ab" * 32},
            {"name": "lot-00001", "file": "lot-00001.csv", "keys": 2, "sha256": "cd" * 32},
        ],
    }


@pytest.mark.parametrize(
    ("complaint", "old", "new"),
    [
        ("not JSON", "}", ""),
        ("its version is 2", '"version": 1', '"version": 2'),
        ("KeyError\\('version'\\)", '"version": 1', '"v": 1'),
        ("KeyError\\('digest'\\)", '"digest"', '"digets"'),
        ("its digest isn't that of its lots", "abab", "abac"),
        ("numbered from 0 without a gap", "lot-00001", "lot-00002"),
        ("numbered from 0 without a gap", "lot-00001", "../../etc"),
        ("not a whole number", '"keys": 3', '"keys": "x"'),
    ],
)
def test_a_damaged_lots_json_is_refused(complaint: str, old: str, new: str) -> None:
    """What isn't a lots.json of ours, whole, is an error that says why."""
    with pytest.raises(ValueError, match=complaint):
        parse_lots(format_lots(LOTS).replace(old, new))


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "", "{}"])
def test_other_json_is_refused(text: str) -> None:
    """Any other JSON is an error, too."""
    with pytest.raises(ValueError, match=r"not JSON|not a JSON object|missing"):
        parse_lots(text)
