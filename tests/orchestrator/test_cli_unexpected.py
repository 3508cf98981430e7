"""What no command foresees: one line, a file with the traceback, and no secret in it."""

import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from orchestrator.cli import Commands, run
from orchestrator.common.crash_report import crash_text, quiet_libraries, tell_crash


class Failing(Commands):
    """A group whose every command does the same."""

    def __init__(self, fails: Callable[[], Any]) -> None:
        super().__init__("s3reclass")
        self._fails = fails

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The failing command."""
        del ctx
        return click.Command(cmd_name, callback=self._fails)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def raising(error: BaseException) -> Failing:
    """A group whose commands raise this."""

    def fails() -> None:
        raise error

    return Failing(fails)


def deep(depth: int = 0) -> int:
    """Never returns."""
    return deep(depth + 1) + 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("Rules"), "KeyError: 'Rules'"),
        (MemoryError("no room"), "MemoryError: no room"),
        (AssertionError("two\nlines \x1b[31m"), r"AssertionError: two\nlines \x1b[31m"),
        # click takes the first for Ctrl-D, and ends at the second without a word.
        (EOFError("no more"), "EOFError: no more"),
        (BrokenPipeError(32, "Broken pipe"), "BrokenPipeError: [Errno 32] Broken pipe"),
    ],
)
def test_the_unexpected_is_one_line_and_a_file(
    error: Exception, told: str, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1; the file, which only its owner can read, has the traceback and the versions."""
    code = run(["report"], raising(error))

    shown = capsys.readouterr()
    (file,) = temporary.iterdir()
    assert code == 1
    assert shown.out == ""
    assert shown.err == (
        f"s3reclass: report: unexpected: {told}; please report it with {file}, which has its traceback "
        "(S3RECLASS_DEBUG=1 shows it)\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert f"Python {sys.version}" in text
    assert all(f"\n{package} " in text for package in ("s3reclass", "boto3", "botocore", "platform"))
    assert "command ['report']" in text
    assert "in fails\n" in text


def test_endless_recursion_is_told_like_the_rest(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its traceback isn't a thousand times the same line."""
    code = run(["report"], Failing(deep))

    (file,) = temporary.iterdir()
    assert code == 1
    assert capsys.readouterr().err.startswith("s3reclass: report: unexpected: RecursionError: ")
    assert "[Previous line repeated" in file.read_text()


def test_debug_shows_the_traceback(
    temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the line, and its control characters as escapes."""
    monkeypatch.setenv("S3RECLASS_DEBUG", "1")

    run(["report"], raising(KeyError("\x1b")))

    lines = capsys.readouterr().err.splitlines()
    assert "Traceback (most recent call last):" in lines
    assert r"KeyError: '\x1b'" in lines
    assert [*temporary.iterdir()]


def test_a_file_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line comes all the same."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))

    assert run(["report"], raising(KeyError("Rules"))) == 1
    assert capsys.readouterr().err == (
        "s3reclass: report: unexpected: KeyError: 'Rules'; no file takes its traceback (No such file or directory): "
        "S3RECLASS_DEBUG=1 shows it\n"
    )


def test_ctrl_c_is_130_wherever_it_comes(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One word, and no traceback."""
    assert run(["report"], raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err.strip() == "s3reclass: interrupted"
    assert [*temporary.iterdir()] == []


# Put together here, so that no scanner takes them for real ones.
KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE" + "Lz+/abc123" * 30 + "=="


@pytest.mark.parametrize(
    "words",
    [
        f"an error that tells {SECRET}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/20261128, Signature=0123abcd",
        "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123abcd&x=1",
        f"{{'SessionToken': '{TOKEN}'}}",
        "http://user:hunter2x@proxy:3128/",
        "password = hunter2x",
        "what the variable holds: from-the-environment",
        "URL-encoded: from%2Dthe%2Denvironment from-the-environment",
        "what the worker is told: from-the-settings",
        "in the user's file: from-the-file",
    ],
)
def test_no_secret_is_told_or_kept(
    words: str, temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither in the line, nor in the file, nor in the traceback that S3RECLASS_DEBUG shows."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "from-the-environment")
    monkeypatch.setenv("S3RECLASS_DEBUG", "1")
    (tmp_path / "no-aws-credentials").write_text("[default]\naws_secret_access_key = from-the-file\n")
    (tmp_path / "s3reclass.toml").write_text("[fargate.environment]\nPLAIN = 'from-the-settings'\n")

    error = RuntimeError(words)
    error.__cause__ = ValueError(words)
    tell_crash(error, ["list", words], os.environ)

    (file,) = temporary.iterdir()
    told = file.read_text() + capsys.readouterr().err
    hidden = (
        KEY_ID,
        SECRET,
        TOKEN,
        "0123abcd",
        "hunter2x",
        "from-the-environment",
        "from-the-settings",
        "from-the-file",
    )
    assert [secret for secret in hidden if secret in told] == []
    assert "RuntimeError" in told


def test_a_thread_that_fails_is_told_in_one_line(
    temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python would print its traceback."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(sys, "argv", ["s3reclass", "run"])
    quiet_libraries({})

    def fails() -> None:
        raise KeyError("Rules")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join(30)

    assert capsys.readouterr().err.startswith("s3reclass: run: unexpected: KeyError: 'Rules'; please report it with ")
    assert len([*temporary.iterdir()]) == 1


def test_what_is_kept_of_an_error_without_words() -> None:
    """An exception whose own text fails doesn't end the telling."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert "MuteError: <exception str() failed>" in crash_text(MuteError(), [])
