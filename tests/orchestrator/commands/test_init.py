"""`s3reclass init`, as typed."""

import io
import sys
from pathlib import Path

import pytest

from orchestrator.cli import run
from orchestrator.settings.settings import Settings
from orchestrator.settings.settings_file import load_settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the process in it, and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    for name in ("S3RECLASS_BUCKET", "S3RECLASS_STORAGE_CLASS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def written() -> Settings:
    """The settings of the file in this folder."""
    return load_settings(flags={}, environ={}, toml=Path("s3reclass.toml").read_text(encoding="utf-8"))


class Terminal(io.StringIO):
    """Standard input at a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_nothing_is_asked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass init --bucket my-bucket --storage-class standard_ia` writes the file."""
    assert run(["init", "--bucket", "my-bucket", "--storage-class", "standard_ia"]) == 0

    assert written() == Settings(bucket="my-bucket", storage_class="STANDARD_IA")
    assert [path.name for path in here.iterdir()] == ["s3reclass.toml"]
    assert capsys.readouterr().out.endswith("next: s3reclass split KEY_FILE --lots 20\n")


def test_further_settings() -> None:
    """Place, state and stack can be named, too."""
    line = "init --bucket my-bucket --storage-class GLACIER_IR --place local --state s3://my-state/x --stack mine"

    assert run(line.split()) == 0
    assert written() == Settings(
        bucket="my-bucket", storage_class="GLACIER_IR", place="local", state="s3://my-state/x", stack="mine"
    )


def test_a_file_is_not_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there stays, even a damaged one, unless --force is said."""
    (here / "s3reclass.toml").write_text("mine", encoding="utf-8")

    assert run(["init", "--bucket", "my-bucket", "--storage-class", "STANDARD"]) == 1
    assert "is there already: edit it, or say --force" in capsys.readouterr().err
    assert (here / "s3reclass.toml").read_text(encoding="utf-8") == "mine"

    assert run(["init", "--bucket", "my-bucket", "--storage-class", "STANDARD", "--force"]) == 0
    assert written().bucket == "my-bucket"


def test_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is asked for, and a bad answer is asked for again."""
    monkeypatch.setattr(sys, "stdin", Terminal("a b\nmy-bucket\nSTANDRD_IA\nSTANDARD_IA\n"))

    assert run(["init"]) == 0
    assert written() == Settings(bucket="my-bucket", storage_class="STANDARD_IA")
    told = "".join(capsys.readouterr())
    assert "'a b' is no bucket's name" in told
    assert "did you mean STANDARD_IA?" in told


def test_variables_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names the setting is an answer."""
    monkeypatch.setenv("S3RECLASS_BUCKET", "my-bucket")

    assert run(["init", "--storage-class", "STANDARD"]) == 0
    assert written().bucket == "my-bucket"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("--bucket is missing, and there is no terminal to ask on", "init"),
        ("--storage-class is missing, and there is no terminal", "init --bucket my-bucket"),
        ("'X' is unknown", "init --bucket my-bucket --storage-class X"),
        ("--bucket: 's3://b' is no bucket's name", "init --bucket s3://b --storage-class STANDARD"),
        ("'moon' is unknown", "init --bucket my-bucket --storage-class STANDARD --place moon"),
    ],
)
def test_wrong_usage_writes_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], message: str, line: str
) -> None:
    """What is missing or wrong is told with exit code 2, and no file is written."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    assert run(line.split()) == 2
    assert message in capsys.readouterr().err
    assert not list(here.iterdir())
