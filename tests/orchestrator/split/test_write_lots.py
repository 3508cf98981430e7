"""Writing the folder of lots: what is kept, what is refused, and what a fault leaves behind."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import read_lots, verify_lots
from orchestrator.lots.manifest import lot_sizes
from orchestrator.split.key_lines import Batch, read_lines
from orchestrator.split.write_lots import FEW_LOTS, Origin, Written, write_lots
from tests.orchestrator.lots.lots_on_disk import iter_entries

ROOT = Path(__file__).parents[3]


def split(  # noqa: PLR0913 (each with a default)
    text: str,
    folder: Path,
    *,
    lots: int = 2,
    path: str = "/keys.txt",
    digest: str = "ab" * 32,
    force: bool = False,
    batches: Iterator[Batch] | None = None,
) -> Written:
    """Write lots of this key file."""
    return write_lots(
        batches or read_lines([text.encode()], name="keys.txt", bucket="bucket"),
        folder,
        origin=Origin(name="keys.txt", path=path, sha256=lambda: digest),
        sizes=lambda keys: lot_sizes(keys, lots=lots),
        force=force,
        on_step=lambda _step: None,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_lots_are_slices_in_order(tmp_path: Path) -> None:
    """Lots are contiguous slices of the keys, and lots.json says what is in them."""
    written = split("c\n\na\nb\nc\nd d\n", tmp_path / "lots")

    assert written.changed
    assert written.lots == read_lots(tmp_path / "lots")
    assert tree(tmp_path / "lots")["lot-00000.csv"] == b"bucket,c\nbucket,a\n"
    assert tree(tmp_path / "lots")["lot-00001.csv"] == b"bucket,b\nbucket,d%20d\n"
    assert sorted(tree(tmp_path / "lots")) == ["lot-00000.csv", "lot-00001.csv", "lots.json"]
    assert (written.lots.keys, written.lots.blank_lines, written.lots.duplicates) == (4, 1, 1)
    assert (written.lots.source, written.lots.source_path) == ("keys.txt", "/keys.txt")
    verify_lots(tmp_path / "lots", written.lots)


@pytest.mark.parametrize("lots", [1, 7, FEW_LOTS + 1])
def test_many_keys(tmp_path: Path, lots: int) -> None:
    """Many keys out of order, with duplicates far apart, come out once each, in order, in any number of lots."""
    keys = [f"key {number * 7919 % 20_011}" for number in range(25_000)]

    written = split("\n".join(keys), tmp_path / "lots", lots=lots)

    assert [entry.key for entry in iter_entries(tmp_path / "lots", written.lots)] == list(dict.fromkeys(keys))
    assert written.lots.duplicates == 25_000 - 20_011
    assert len(written.lots.lots) == lots
    verify_lots(tmp_path / "lots", written.lots)


def test_duplicates_across_batches(tmp_path: Path) -> None:
    """A key that ends one batch and begins the next is a duplicate, though each batch ascends."""
    batches = (
        batch for text in (b"a\nb\n", b"", b"\n", b"b\nc\n") for batch in read_lines([text], name="k", bucket="b")
    )

    written = split("", tmp_path / "lots", batches=batches)

    assert [entry.key for entry in iter_entries(tmp_path / "lots", written.lots)] == ["a", "b", "c"]
    assert written.lots.duplicates == 1


def test_the_same_lots_are_the_same_job(tmp_path: Path) -> None:
    """The job follows from the lots alone: not from the key file's name, blank lines, or the folder."""
    one = split("a\nb\nc\n", tmp_path / "one", path="/one.txt", digest="one")
    two = split("\na\nb\na\nc", tmp_path / "two", path="/two.txt", digest="two")
    other = split("a\nb\nc\n", tmp_path / "three", lots=3)

    assert one.lots.job == two.lots.job
    assert one.lots.job != other.lots.job


def test_a_second_split_changes_nothing(tmp_path: Path) -> None:
    """The same lots again leave every file as it was; a lot that was damaged is mended."""
    folder = tmp_path / "lots"
    first = split("a\nb\nc\n", folder)
    inode = (folder / "lot-00000.csv").stat().st_ino

    assert split("a\nb\nc\n", folder) == Written(lots=first.lots, changed=False)
    assert (folder / "lot-00000.csv").stat().st_ino == inode

    (folder / "lot-00000.csv").write_bytes(b"bucket,x\n")
    assert split("a\nb\nc\n", folder) == first
    verify_lots(folder, first.lots)


@pytest.mark.parametrize(("path", "digest"), [("/keys.txt", "cd" * 32), ("/copy.txt", "ab" * 32), ("", "ab" * 32)])
def test_the_same_key_files_lots_are_replaced(tmp_path: Path, path: str, digest: str) -> None:
    """Lots of the same path, or of the same content, give way; lots too many go, and a stranger's files stay."""
    folder = tmp_path / "lots"
    old = split("a\nb\nc\n", folder, lots=3)
    (folder / "README.md").write_text("mine", encoding="utf-8")
    (folder / "lot-1.csv").write_text("mine", encoding="utf-8")

    new = split("x\ny\nz\n", folder, lots=2, path=path, digest=digest)

    assert new.replaced == old.lots.job
    assert sorted(tree(folder)) == ["README.md", "lot-00000.csv", "lot-00001.csv", "lot-1.csv", "lots.json"]
    assert read_lots(folder) == new.lots


@pytest.mark.parametrize("path", ["/other.txt", ""])
def test_another_key_files_lots_are_not_replaced(tmp_path: Path, path: str) -> None:
    """Lots of another key file stay as they are unless the user forces it."""
    folder = tmp_path / "lots"
    old = split("a\nb\n", folder, path="")
    before = tree(folder)

    with pytest.raises(S3ReclassError, match=f"another key file .keys.txt, job {old.lots.job}.: say --force"):
        split("x\ny\n", folder, path=path, digest="cd" * 32)

    assert tree(folder) == before
    assert split("x\ny\n", folder, path=path, digest="cd" * 32, force=True).replaced == old.lots.job


@pytest.mark.parametrize("name", ["lot-00007.csv", "lots.json"])
def test_lots_of_nobody_knows_whom_are_not_replaced(tmp_path: Path, name: str) -> None:
    """Lot files without a sound lots.json may be somebody's: they stay unless the user forces it."""
    folder = tmp_path / "lots"
    folder.mkdir()
    (folder / name).write_text("{", encoding="utf-8")

    with pytest.raises(S3ReclassError, match=r"no sound lots\.json names: say --force"):
        split("a\n", folder)

    assert tree(folder) == {name: b"{"}
    split("a\n", folder, force=True)
    assert sorted(tree(folder)) == ["lot-00000.csv", "lots.json"]


@pytest.mark.parametrize("text", ["", "\n\n", "a\n" + "k" * 2000 + "\n"])
def test_a_fault_leaves_nothing(tmp_path: Path, text: str) -> None:
    """No key, or a bad line: no folder appears, and one that was there is as before."""
    with pytest.raises(S3ReclassError, match="nothing was written"):
        split(text, tmp_path / "lots")
    assert not list(tmp_path.iterdir())

    split("a\n", tmp_path / "lots")
    before = tree(tmp_path / "lots")
    with pytest.raises(S3ReclassError, match="nothing was written"):
        split(text, tmp_path / "lots")
    assert tree(tmp_path / "lots") == before


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle takes everything away again."""

    def interrupted() -> Iterator[Batch]:
        yield from read_lines([b"a\n"], name="keys.txt", bucket="bucket")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        split("", tmp_path / "lots", batches=interrupted())

    assert not list(tmp_path.iterdir())


def test_two_splits_at_once(tmp_path: Path) -> None:
    """A second split into the folder in which one is at work is refused and takes nothing of it away."""
    folder = tmp_path / "lots"
    (folder / ".splitting").mkdir(parents=True)
    (folder / ".splitting" / "spool").touch()
    opened = os.open(folder, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_EX)

    with pytest.raises(S3ReclassError, match="another `s3reclass split` is writing"):
        split("a\n", folder)
    assert (folder / ".splitting" / "spool").exists()

    os.close(opened)
    split("a\n", folder)
    assert sorted(tree(folder)) == ["lot-00000.csv", "lots.json"]


def test_a_disk_that_refuses(tmp_path: Path) -> None:
    """A folder that can't be made is an error that names it."""
    (tmp_path / "lots").touch()

    with pytest.raises(S3ReclassError, match="lots/ can't be written: File exists"):
        split("a\n", tmp_path / "lots")


def test_a_kill_at_any_step(tmp_path: Path) -> None:
    """Killed before any file operation, a split leaves whole lots or no lots.json, and the next one mends it."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tests.orchestrator.split.killed_split", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    deaths = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(deaths) == 2
    assert min(deaths) > 15


@pytest.mark.usefixtures("small_files")
def test_a_lots_json_that_has_no_room_leaves_the_old_lots(tmp_path: Path) -> None:
    """Nothing of the new ones stays in the folder; that of 100 lots is over 4,096 bytes."""
    split("a\n", tmp_path / "lots", lots=1)
    before = tree(tmp_path / "lots")

    with pytest.raises(S3ReclassError, match="lots/ can't be written: File too large"):
        split("".join(f"{number:03}\n" for number in range(100)), tmp_path / "lots", lots=100)

    assert tree(tmp_path / "lots") == before
