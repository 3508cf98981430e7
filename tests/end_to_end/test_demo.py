"""`s3reclass demo`, as `make demo` runs it."""

import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_accounts_for_every_key_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """It shows each command, ends with exit code 0, needs no credentials, and cleans up."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "TMPDIR": str(scratch)
    }

    done = subprocess.run(
        [sys.executable, "-P", "-m", "orchestrator", "demo"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "$ s3reclass split keys.txt --lots 4",
        "$ s3reclass run --phase restore",
        "$ s3reclass run --phase copy --wait",
        "$ s3reclass report --csv report.csv",
        "$ s3reclass verify",
    ):
        assert line in done.stdout
    assert "report.csv has a row for each of the 254 keys" in done.stdout
    assert list(scratch.iterdir()) == []
    assert list(tmp_path.iterdir()) == [scratch]
