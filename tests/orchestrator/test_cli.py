"""The command line as a whole: help, exit codes, and errors in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import run


def test_help_names_every_command_in_the_order_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass --help`."""
    code = run(["--help"])
    shown = capsys.readouterr().out

    assert code == 0
    words = [
        "init",
        "list",
        "split",
        "estimate",
        "up",
        "push-image",
        "run",
        "status",
        "logs",
        "stop",
        "report",
        "verify",
    ]
    places = [shown.index(f"\n  {word} ") for word in words]
    assert places == sorted(places)


def test_help_does_not_wait_for_boto3() -> None:
    """Commands are imported when they are called."""
    program = "import sys; from orchestrator.cli import run; run(['--help']); sys.exit('boto3' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.returncode == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["run"], "Missing option '--phase'"),
        (["run", "--phase", "melt"], "'melt' is not one of 'restore', 'copy'"),
        (["run", "--phase", "restore", "--wait"], "--wait goes with --phase copy"),
        (["run", "--phase", "restore", "--audit"], "--audit goes with --phase copy"),
        (["run", "--phase", "restore", "--delete-superseded"], "--delete-superseded goes with --phase copy"),
        (["run", "--phase", "copy", "--delete-superseded", "--allow-noncurrent"], "don't go together"),
        (["run", "--phase", "copy", "--storage-class", "SNOW"], "'SNOW' can't be a target: it is the class of S3 on"),
        (["run", "--phase", "copy", "--bucket-owner", "me"], "'me' is no account"),
        (["run", "--phase", "copy"], "no target class is named"),
        (["run", "--phase", "restore", "--days", "x"], "--days"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    line: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A command called wrongly says how to call it."""
    monkeypatch.chdir(tmp_path)

    code = run(line)

    assert code == 2
    assert message in capsys.readouterr().err


def test_an_error_is_one_line_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`s3reclass run --phase restore` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    code = run(["run", "--phase", "restore"])

    assert code == 1
    assert capsys.readouterr().err == "s3reclass: there are no lots in lots/: run `s3reclass split` first\n"


def test_a_file_of_settings_that_isnt_utf8_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`s3reclass status` beside a damaged s3reclass.toml."""
    (tmp_path / "s3reclass.toml").write_bytes(b"bucket = '\xff'")
    monkeypatch.chdir(tmp_path)

    assert run(["status"]) == 2
    assert "s3reclass.toml can't be read" in capsys.readouterr().err
