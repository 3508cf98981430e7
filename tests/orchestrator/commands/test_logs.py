"""`s3reclass logs`: a lot's own log, wherever a note in the state leads."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.cli import run
from orchestrator.state.job_file import new_job
from tests.orchestrator.lots.lots_on_disk import write_lots


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of a local job of one lot in the current folder, whose log says "ours"."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3reclass.toml").write_text('place = "local"\n')
    lots = write_lots(tmp_path / "lots", ["a"])
    folder = tmp_path / ".s3reclass" / lots.job
    (folder / "copy/lot-00000").mkdir(parents=True)
    begun = {"storage_class": "STANDARD_IA", "begun_at": "2026-11-28T00:00:00+00:00"}
    told = {**new_job(lots, datetime(2026, 11, 28, tzinfo=UTC)), "phases": {"copy": begun}}
    (folder / "job.json").write_text(json.dumps(told))
    log = tmp_path / ".s3reclass/tasks" / lots.job / "copy/lot-00000-1.log"
    log.parent.mkdir(parents=True)
    log.write_text("ours\n\x1b[31m\u200e\n")
    (tmp_path / "secret.log").write_text("secret\n")
    return folder


def note(job: Path, task: object) -> None:
    """Write the note of the lot's first attempt."""
    told = {"command": ["copy"], "place": "local", "task": task, "spot": False, "interruptions": 0}
    (job / "copy/lot-00000/started-1.json").write_text(json.dumps(told))


def test_a_log_is_shown_and_steers_no_terminal(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, escapes for what shows nothing."""
    note(job, f"{job.name}/copy/lot-00000-1")

    assert run(["logs", "0"]) == 0
    assert capsys.readouterr().out == "ours\n\\x1b[31m\\u200e\n"


@pytest.mark.parametrize("task", ["../../secret", "/secret", "a/../../../secret", 7, "x" * 600])
def test_a_note_that_leads_elsewhere_is_damaged(job: Path, task: object, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the note."""
    note(job, task)

    assert run(["logs", "0"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "started-1.json is damaged" in shown.err


def test_the_name_of_a_log_comes_from_no_note(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A note that names another job's task shows the lot's own log."""
    note(job, "0123456789ab/copy/lot-00007-1")

    assert run(["logs", "lot-00000"]) == 0
    assert capsys.readouterr().out.startswith("ours\n")
