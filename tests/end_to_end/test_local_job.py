"""A whole job on the local place, each command as the user types it."""

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.end_to_end.conftest import BUCKET, User

KEYS = [f"2019/{number:03d}.jpg" for number in range(24)]
ODD = ["with space", "a,b", 'say "hi"', "100%+1", "línea/数据", "line\u2028separator", "$(touch pwned)", "../up"]


def rows_of(path: Path) -> list[list[str]]:
    """The report's rows."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_main_job(user: User) -> None:
    """Split, restore, copy, report, verify: every object in the class, all else as it was."""
    user.archives([*KEYS, *ODD])
    user.writes("keys.txt", "".join(f"{key}\n" for key in [*KEYS, *ODD]))

    split = user.types("s3reclass split keys.txt --lots 4")
    restore = user.types("s3reclass run --phase restore")
    copy = user.types("s3reclass run --phase copy")
    report = user.types("s3reclass report --csv report.csv")
    verify = user.types("s3reclass verify")

    assert [typed.code for typed in (split, restore, copy, report, verify)] == [0] * 5, (restore.err, copy.err)
    assert user.classes([*KEYS, *ODD]) == {"STANDARD_IA"}
    head = user.s3.head_object(Bucket=BUCKET, Key=ODD[0])
    assert (head["Metadata"], head["ContentType"]) == ({"made-by": "camera"}, "image/jpeg")
    assert user.s3.get_object_tagging(Bucket=BUCKET, Key=ODD[0])["TagSet"] == [{"Key": "keep", "Value": "yes"}]
    rows = rows_of(user.folder / "report.csv")
    assert [unquote(row[1]) for row in rows] == [*KEYS, *ODD]
    assert {(row[0], row[3], row[7]) for row in rows} == {(BUCKET, "succeeded", "copied")}
    assert not (user.folder / "pwned").exists()


def test_a_finished_phase_starts_nothing(user: User) -> None:
    """The second `s3reclass run --phase restore` says so and exits with 0."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 2")
    user.types("s3reclass run --phase restore")
    before = sorted(path.name for path in (user.folder / ".s3reclass").rglob("*"))

    again = user.types("s3reclass run --phase restore")

    assert again.code == 0
    assert "is finished: nothing to start" in again.out
    assert sorted(path.name for path in (user.folder / ".s3reclass").rglob("*")) == before


def test_a_dry_run_changes_nothing(user: User) -> None:
    """`s3reclass run --phase copy --dry-run` prints each request as JSON and leaves no trace."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 3")

    typed = user.types("s3reclass run --phase copy --dry-run")

    calls = [json.loads(line) for line in typed.out.splitlines()]
    assert typed.code == 0
    assert [call["operation"] for call in calls] == ["copy_file"] * 3 + ["popen"] * 3
    assert calls[-1]["parameters"]["args"][3:5] == ["worker", "copy"]
    assert not (user.folder / ".s3reclass" / json.loads((user.folder / "lots/lots.json").read_text())["job"]).exists()
    assert user.classes(KEYS) == {"GLACIER"}


def test_failed_and_pending_keys_are_told(user: User) -> None:
    """A missing key is exit code 3, an archived one that was never restored 4; the report names them."""
    user.archives(["there"], "GLACIER")
    user.writes("keys.txt", "there\nnot-there\n")
    user.types("s3reclass split keys.txt --lots 1")
    both = user.types("s3reclass run --phase copy")
    report = user.types("s3reclass report --csv report.csv")

    assert (both.code, report.code) == (3, 3)
    assert "no restore phase was run for this job" in both.err
    assert [(row[1], row[3], row[7]) for row in rows_of(user.folder / "report.csv")] == [
        ("there", "pending", "pending"),
        ("not-there", "failed", "missing"),
    ]

    user.writes("only.txt", "there\n")
    user.types("s3reclass split only.txt --lots 1 --force")
    pending = user.types("s3reclass run --phase copy")

    assert pending.code == 4
    assert "1 keys are pending" in pending.err


def test_a_report_before_the_end_says_unprocessed(user: User) -> None:
    """A lot whose results aren't there yet is not taken for done."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 2")
    user.types("s3reclass run --phase restore")
    for path in (user.folder / ".s3reclass").rglob("restore/lot-00001/results-*"):
        path.unlink()

    typed = user.types("s3reclass report --csv -")

    assert typed.code == 3
    assert [line.split(",")[7] for line in typed.out.splitlines()] == ["requested"] * 12 + ["unprocessed"] * 12
    assert "unprocessed" in typed.err


def test_a_damaged_result_is_named(user: User) -> None:
    """A torn part is an error that names the file, not a crash or a silent skip."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 2")
    user.types("s3reclass run --phase restore")
    part = next((user.folder / ".s3reclass").rglob("results-*"))
    part.write_bytes(part.read_bytes()[:-9])

    typed = user.types("s3reclass report")

    assert typed.code == 1
    assert f"{part} is damaged" in typed.err
    assert "Traceback" not in typed.err


def test_status_and_logs_tell_of_the_job(user: User) -> None:
    """`s3reclass status --json`, `s3reclass logs 1`."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 2")
    nothing = user.types("s3reclass status")
    user.types("s3reclass run --phase restore")

    status = user.types("s3reclass status --json")
    logs = user.types("s3reclass logs 1")
    no_lot = user.types("s3reclass logs 7")

    assert (nothing.code, "run `s3reclass run` first" in nothing.err) == (1, True)
    assert json.loads(status.out)["phases"]["restore"]["outcomes"] == {"requested": 24}
    assert [json.loads(line)["message"] for line in logs.out.splitlines()] == ["started", "finished"]
    assert (no_lot.code, "this job has no lot 7" in no_lot.err) == (1, True)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_launcher_that_ends_early_is_run_again(user: User, kill: signal.Signals) -> None:
    """Killed or interrupted in the middle, the same command finishes the job; no key is copied twice."""
    keys = [f"{number:04d}" for number in range(120)]
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    user.archives(keys, "STANDARD")
    user.writes("keys.txt", "\n".join(keys))
    user.types("s3reclass split keys.txt --lots 4")

    launcher = user.starts("s3reclass run --phase copy --rate 20 --max-tasks 2 --no-estimate")
    wait_for(lambda: len(user.s3.list_object_versions(Bucket=BUCKET)["Versions"]) > len(keys))
    os.kill(launcher.pid, kill)
    output, _ = launcher.communicate(timeout=300)
    lease = json.loads(next((user.folder / ".s3reclass").rglob("lease.json")).read_bytes())
    again = user.types("s3reclass run --phase copy --no-estimate")

    assert launcher.returncode == (-signal.SIGKILL if kill == signal.SIGKILL else 130), output
    assert lease["released"] is (kill != signal.SIGKILL)
    assert again.code == 0, again.err
    versions = user.s3.list_object_versions(Bucket=BUCKET, MaxKeys=1000)["Versions"]
    assert len(versions) == 2 * len(keys)
    assert user.types("s3reclass report").code == 0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait, within bounds, until the condition holds."""
    for _ in range(2_400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never came about")
