"""A file that a command writes: whole, or not there."""

import gzip
import hashlib
import os
import threading
from pathlib import Path

import pytest

from orchestrator.common.atomic_file import whole_file
from orchestrator.errors import S3ReclassError


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Until then the old one stays; nothing else is left behind."""
    path = tmp_path / "rows.csv"
    path.write_text("old")

    with whole_file(path) as write:
        write("å\r\n")
        assert path.read_text() == "old"

    assert path.read_bytes() == "å\r\n".encode()
    assert [*tmp_path.iterdir()] == [path]


def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    """Whatever ended the block."""
    path = tmp_path / "rows.csv"
    path.write_text("old")

    def interrupted() -> None:
        with whole_file(path) as write:
            write("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_gz_is_gzipped(tmp_path: Path) -> None:
    """By the name."""
    with whole_file(tmp_path / "rows.csv.gz") as write:
        write("row")

    assert gzip.decompress((tmp_path / "rows.csv.gz").read_bytes()) == b"row"


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    """What isn't an ordinary file is written to and never replaced."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()), daemon=True)
    reader.start()

    with whole_file(path) as write:
        write("row")
    reader.join(30)

    assert read == ["row"]
    assert path.is_fifo()


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("rows", [9, 3_000])
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_full_disk_leaves_nothing(name: str, rows: int, tmp_path: Path) -> None:
    """Whether it is noticed while rows are written, or at the last one; the old file stays."""
    path = tmp_path / name
    path.write_text("old")

    def written() -> None:
        with whole_file(path) as write:
            for number in range(rows):
                write("".join(hashlib.sha512(f"{number} {part}".encode()).hexdigest() for part in range(16)))

    with pytest.raises(S3ReclassError, match=r"rows\.csv.* can't be written: File too large"):
        written()

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error"), MemoryError()])
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_whatever_ends_the_block_leaves_nothing(name: str, error: BaseException, tmp_path: Path) -> None:
    """The error is the block's own."""

    def ended() -> None:
        with whole_file(tmp_path / name) as write:
            write("row" * 100_000)
            raise error

    with pytest.raises(type(error)) as raised:
        ended()

    assert raised.value is error
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_device_without_room_is_told(size: int) -> None:
    """At once, or when it is closed."""

    def written() -> None:
        with whole_file(Path("/dev/full")) as write:
            write("x" * size)

    with pytest.raises(S3ReclassError, match=r"^/dev/full can't be written: No space left on device$"):
        written()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    told = r"missing/rows\.csv can't be written: No such file or directory"
    with pytest.raises(S3ReclassError, match=told), whole_file(tmp_path / "missing" / "rows.csv"):
        pass
