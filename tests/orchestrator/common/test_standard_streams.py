"""Standard output on a full disk, in a pipe that nobody reads, or closed: a real process each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

S3RECLASS = f"{sys.executable} -m orchestrator"
FULL = "s3reclass: standard output can't be written: No space left on device\n"


def types(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What came of a line in a shell; `$S` is s3reclass."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "S": S3RECLASS, "PYTHONPATH": str(Path(__file__).parents[3])},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with lots of a local job."""
    (tmp_path / "keys.txt").write_text("a\nb\n")
    done = types("$S init --bucket my-bucket --storage-class STANDARD_IA --place local && $S split keys.txt", tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "split keys.txt --force",
        "init --force --bucket my-bucket --storage-class STANDARD_IA",
        "estimate --no-sample --mean-size 5 --from-class GLACIER --json",
        "estimate --no-sample --mean-size 5 --from-class GLACIER",
    ],
)
def test_a_full_disk_under_standard_output_is_one_line(line: str, folder: Path) -> None:
    """Exit code 1, whatever the command; and nothing of Python's."""
    done = types(f"$S {line} > /dev/full", folder)

    assert (done.returncode, done.stderr.splitlines(keepends=True)[-1]) == (1, FULL)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_reader_that_has_gone_is_no_news(folder: Path) -> None:
    """As with `head`: it has all that it wanted."""
    done = types("($S --help; echo $? >&2) | true", folder)

    assert done.stderr in ("1\n", "0\n")


def test_a_closed_standard_output_is_told(folder: Path) -> None:
    """What was to be printed is lost, which is no success."""
    done = types("$S split keys.txt >&-", folder)

    assert (done.returncode, done.stderr) == (1, "s3reclass: standard output can't be written: Bad file descriptor\n")


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-", "<&-", "2>&- <&-"])
def test_remarks_that_nobody_can_read_end_no_command(where: str, folder: Path) -> None:
    """A job goes on when the disk of its log is full."""
    done = types(f"$S split keys.txt {where}", folder)

    assert done.returncode == 0
    assert done.stdout.startswith("1 lot of 2 keys")


def test_a_closed_stream_is_not_taken_for_a_file(folder: Path) -> None:
    """With standard error closed, the next file that is opened would be number 2, and get what goes there."""
    done = types("$S report 2>&- >&- <&-", folder)

    assert done.returncode == 1
    assert (folder / "lots/lot-00000.csv").read_text() == "my-bucket,a\nmy-bucket,b\n"


def test_an_encoding_that_lacks_a_character_shows_its_escape(folder: Path) -> None:
    """Not a traceback."""
    done = types("PYTHONIOENCODING=latin-1 $S init --force --bucket my-bucket --storage-class 數", folder)

    assert done.returncode == 2
    assert r"'\u6578'" in done.stderr
