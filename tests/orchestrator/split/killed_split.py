"""
A split killed before every one of its file operations, by SIGKILL; run as a program of its own, as it forks.

    python -m tests.orchestrator.split.killed_split FOLDER

Each time the folder of lots is what it was or has no lots.json, and the next split mends it. Prints how
many deaths it survived, or fails with what it found.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import LOTS_JSON, read_lots, verify_lots
from orchestrator.lots.manifest import lot_sizes
from orchestrator.split.key_lines import read_lines
from orchestrator.split.write_lots import Origin, Written, write_lots

OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}
OLD = b"".join(b"old-%d\n" % number for number in range(9))
NEW = b"".join(b"new-%d\n" % (number * 7 % 11) for number in range(15))


def split(text: bytes, folder: Path, *, lots: int) -> Written:
    """Write lots of this key file."""
    return write_lots(
        read_lines([text], name="keys.txt", bucket="bucket"),
        folder,
        origin=Origin(name="keys.txt", path="/keys.txt", sha256=lambda: "ab" * 32),
        sizes=lambda keys: lot_sizes(keys, lots=lots),
        force=False,
        on_step=lambda _step: None,
    )


def die_before(count: int) -> None:
    """Have this process killed when it is about to do one more file operation than `count`."""
    left = count

    def watch(event: str, _arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in OPERATIONS:
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)


def was_killed(folder: Path, count: int) -> bool:
    """Whether a split in a process of its own was killed after so many operations."""
    child = os.fork()
    if not child:
        die_before(count)
        split(NEW, folder, lots=2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def job_there(folder: Path) -> str:
    """The job of the lots in the folder, which are whole; "" when there is no lots.json."""
    if not (folder / LOTS_JSON).exists():
        return ""
    lots = read_lots(folder)
    verify_lots(folder, lots)
    return lots.job


def main(folder: Path) -> None:
    """Kill splits into an empty folder and over older lots, at every step."""
    new_job = split(NEW, folder / "new", lots=2).lots.job
    old_job = split(OLD, folder / "old", lots=4).lots.job
    for before, job_before in ((None, ""), (folder / "old", old_job)):
        seen, count, killed = set(), 0, True
        while killed:
            lots = folder / "lots"
            shutil.rmtree(lots, ignore_errors=True)
            if before:
                shutil.copytree(before, lots)
                (lots / "README.md").write_text("ours", encoding="utf-8")
            killed = was_killed(lots, count)
            seen.add(job_there(lots))
            split(NEW, lots, lots=2)
            assert job_there(lots) == new_job, (count, "not mended")
            left = {path.name for path in lots.iterdir()} - {"README.md"}
            assert left == {"lot-00000.csv", "lot-00001.csv", LOTS_JSON}, (count, left)
            assert not before or (lots / "README.md").exists(), (count, "a stranger's file is gone")
            count += killed
        assert seen == {"", job_before, new_job}, seen
        print(f"{count} deaths")  # noqa: T201 (what the test reads)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except S3ReclassError as error:
        sys.exit(f"the folder was broken: {error}")
