"""`s3reclass demo`, as `make demo` runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestrator.places.kits import wait_until

# A minute's work, most of which is Python starting twenty times: some minutes on a busy machine.
pytestmark = pytest.mark.timeout(600)

DEMO = (sys.executable, "-P", "-m", "orchestrator", "demo")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The folder for temporary files."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return scratch


def environ(scratch: Path) -> dict[str, str]:
    """This process's variables, without AWS's, and with this folder for temporary files."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {"TMPDIR": str(scratch)}


def test_the_demo_accounts_for_every_key_and_leaves_nothing_behind(tmp_path: Path, scratch: Path) -> None:
    """It shows each command, ends with exit code 0, needs no credentials, and cleans up."""
    done = subprocess.run(
        DEMO, cwd=tmp_path, env=environ(scratch), capture_output=True, text=True, check=False, timeout=500
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "$ s3reclass split keys.txt --lots 4",
        "$ s3reclass run --phase restore",
        "$ s3reclass run --phase copy --wait --wait-limit 2m",
        "$ s3reclass report --csv report.csv",
        "$ s3reclass verify",
    ):
        assert line in done.stdout
    assert "report.csv has a row for each of the 254 keys" in done.stdout
    assert list(scratch.iterdir()) == []
    assert list(tmp_path.iterdir()) == [scratch]


def processes_about(folder: Path) -> list[str]:
    """The command lines that name the folder."""
    told = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True, timeout=60)
    return [line for line in told.stdout.splitlines() if str(folder) in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_demo_that_is_ended_leaves_nothing_behind(number: signal.Signals, tmp_path: Path, scratch: Path) -> None:
    """Ctrl-C or SIGKILL while tasks run: neither they nor the demo's folder are there afterwards."""
    with (tmp_path / "log").open("wb") as log:
        demo = subprocess.Popen(DEMO, cwd=tmp_path, env=environ(scratch), stdout=log, stderr=log)

    wait_until(lambda: any("-m worker" in line for line in processes_about(scratch)), most_s=300)
    demo.send_signal(number)

    assert demo.wait(60) == (130 if number is signal.SIGINT else -number)
    wait_until(lambda: processes_about(scratch) == [])
    assert list(scratch.iterdir()) == []
