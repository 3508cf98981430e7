"""Reading the folder of lots."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import iter_lot, read_lots, sample_entries, verify_lots
from orchestrator.model import Lots
from tests.orchestrator.lots.lots_on_disk import iter_entries, write_lots
from worker.contract import LotEntry

KEYS = ["a", "b\nc", "d e", "ü", "f", "g"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three lots."""
    write_lots(tmp_path / "lots", KEYS[:3], KEYS[3:5], KEYS[5:], version_id="v1")
    return tmp_path / "lots"


@pytest.fixture
def lots(folder: Path) -> Lots:
    """What its lots.json says."""
    return read_lots(folder)


def entry(key: str) -> LotEntry:
    """A line of those lots."""
    return LotEntry(bucket="bucket", key=key, version_id="v1")


def test_lots_are_read(folder: Path, lots: Lots) -> None:
    """lots.json is read, the files are what it says, and every entry comes in order; the folder may be a string."""
    verify_lots(folder, lots)

    assert read_lots(str(folder)) == lots
    assert lots.keys == 6
    assert list(iter_entries(str(folder), lots)) == [entry(key) for key in KEYS]
    assert list(iter_lot(folder, lots.lots[1])) == [entry("ü"), entry("f")]


@pytest.mark.parametrize(
    ("expected", "indexes"),
    [([], []), (["a"], [0]), (["g"], [5]), (["a", "d e", "ü", "g"], [5, 0, 3, 2, 3]), (KEYS, range(6))],
)
def test_a_sample_is_sorted_by_place(folder: Path, lots: Lots, expected: list[str], indexes: list[int]) -> None:
    """The entries at any places are found, across lots."""
    assert sample_entries(folder, lots, indexes) == tuple(entry(key) for key in expected)


def test_a_sample_reads_only_its_lots(folder: Path, lots: Lots) -> None:
    """Lots without a wanted entry aren't opened."""
    (folder / "lot-00000.csv").unlink()
    (folder / "lot-00002.csv").unlink()

    assert sample_entries(folder, lots, [4]) == (entry("f"),)


@pytest.mark.parametrize("make", [lambda _path: None, lambda path: path.mkdir(), lambda path: path.touch()])
def test_no_lots(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Without the folder, or its lots.json, the error says to split first."""
    make(tmp_path / "lots")

    with pytest.raises(S3ReclassError, match=r"there are no lots in .*lots/: run `s3reclass split` first"):
        read_lots(tmp_path / "lots")


def test_a_damaged_lots_json(folder: Path) -> None:
    """A lots.json that isn't one is an error that says so."""
    (folder / "lots.json").write_text("{", encoding="utf-8")

    with pytest.raises(S3ReclassError, match=r"lots\.json is damaged \(.*\): run `s3reclass split --force`"):
        read_lots(folder)


def test_a_lots_json_that_cannot_be_read(folder: Path) -> None:
    """A lots.json that is a directory can't be read."""
    (folder / "lots.json").unlink()
    (folder / "lots.json").mkdir()

    with pytest.raises(S3ReclassError, match=r"lots\.json can't be read: Is a directory"):
        read_lots(folder)


def test_a_changed_lot_is_named(folder: Path, lots: Lots) -> None:
    """A lot with one byte changed is named, and so is a missing one."""
    path = folder / "lot-00001.csv"
    path.write_bytes(path.read_bytes().replace(b",f,", b",F,"))

    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv isn't the lot that lots\.json names"):
        verify_lots(folder, lots)

    path.unlink()
    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv is missing"):
        verify_lots(folder, lots)
    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv is missing"):
        list(iter_entries(folder, lots))
    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv can't be read"):
        sample_entries(folder, lots, [3])


def test_a_lot_that_is_a_directory(folder: Path, lots: Lots) -> None:
    """A lot that can't be read is an error, too."""
    (folder / "lot-00000.csv").unlink()
    (folder / "lot-00000.csv").mkdir()

    with pytest.raises(S3ReclassError, match=r"lot-00000\.csv can't be read: Is a directory"):
        verify_lots(folder, lots)
    with pytest.raises(S3ReclassError, match=r"lot-00000\.csv can't be read: Is a directory"):
        list(iter_entries(folder, lots))


def test_a_line_that_is_none_is_named(folder: Path, lots: Lots) -> None:
    """A line of a lot that isn't a manifest's is named; a lot that is too short is told."""
    (folder / "lot-00001.csv").write_bytes(b"bucket,ok\nbucket\n")

    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv, line 2: not a manifest line"):
        list(iter_entries(folder, lots))
    with pytest.raises(S3ReclassError, match=r"lot-00001\.csv can't be read \(not a manifest line"):
        sample_entries(folder, lots, [4])

    (folder / "lot-00001.csv").write_bytes(b"bucket,ok\n")
    with pytest.raises(S3ReclassError, match="has fewer lines"):
        sample_entries(folder, lots, [4])
