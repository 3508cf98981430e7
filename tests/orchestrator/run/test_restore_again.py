"""The job of the keys that a copy phase left pending: the same results make the same job."""

from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import TaskRequest
from orchestrator.run.job import Job
from orchestrator.run.plan import begin, make_plan
from orchestrator.run.restore_again import pending_keys_of
from tests.orchestrator.run.worlds import ScriptedPlace, WorldClock, finish, job_state, lot_bytes, lots_of
from worker.contract import Outcome, Phase, PhaseSettings, ResultRow, StatePaths, format_result_rows

COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD_IA")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job of three lots of two keys: one copied, one pending in part, one not begun."""
    lots = lots_of(3)
    place = ScriptedPlace(tmp_path / "state", lambda _: None)
    job = Job(
        lots=lots,
        state=job_state(tmp_path / "state", lots),
        place=place,
        read_lot=lot_bytes,
        lots_in_image="/lots",
    )
    begin(job, make_plan(job, COPY, None), WorldClock().clock())
    copied(job, tmp_path, "lot-00000", 1, {Outcome.COPIED: 2})
    copied(job, tmp_path, "lot-00001", 1, {Outcome.COPIED: 1, Outcome.PENDING: 1})
    return job


def copied(job: Job, root: Path, lot: str, attempt: int, outcomes: dict[Outcome, int]) -> None:
    """Let an attempt at a lot's copy end so."""
    request = TaskRequest(job=job.lots.job, phase=Phase.COPY, lot=lot, attempt=attempt, command=())
    finish(root / "state", request, outcomes)


def test_pending_keys_are_a_job_of_their_own(job: Job, tmp_path: Path) -> None:
    """Their lots keep their names, travel through the state, and hold nothing else."""
    again = pending_keys_of(job, tmp_path)

    assert again
    assert [(lot.name, lot.keys) for lot in again.job.lots.lots] == [("lot-00001", 1)]
    assert (tmp_path / "lot-00001.csv").read_bytes() == b"bucket,lot-00001/1\n"
    assert [entry.key for entry in again.some] == ["lot-00001/1"]
    assert again.job.lots.job != job.lots.job
    assert again.job.lot_uri(again.job.lots.lots[0]).endswith(f"{again.job.lots.job}/lots/lot-00001.csv")
    assert again.job.state.lot_statuses(again.job.lots, Phase.RESTORE)[0].files.attempt == 0


def test_the_same_results_are_the_same_job(job: Job, tmp_path: Path) -> None:
    """So a kill in between loses nothing; once the copy phase has looked anew, it is another."""
    first, second = pending_keys_of(job, tmp_path), pending_keys_of(job, tmp_path)
    copied(job, tmp_path, "lot-00001", 2, {Outcome.COPIED: 1, Outcome.PENDING: 1})
    third = pending_keys_of(job, tmp_path)

    assert first and second and third  # noqa: PT018 (for mypy)
    assert first.job.lots == second.job.lots
    assert third.job.lots.job != first.job.lots.job


def test_nothing_pending_is_no_job(job: Job, tmp_path: Path) -> None:
    """Keys that are copied, failed, or not looked at yet are none of its."""
    copied(job, tmp_path, "lot-00001", 2, {Outcome.COPIED: 1, Outcome.DENIED: 1})

    assert pending_keys_of(job, tmp_path) is None


def test_a_damaged_part_is_named(job: Job, tmp_path: Path) -> None:
    """And no job is made of what could be read."""
    folder = tmp_path / "state" / StatePaths(job.lots.job).results_folder(Phase.COPY, "lot-00001")
    (folder / "results-1-00001.csv").write_text("torn")

    with pytest.raises(S3ReclassError, match=r"results-1-00001\.csv is damaged"):
        pending_keys_of(job, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(job: Job, tmp_path: Path) -> None:
    """A full or missing disk is an error in a line."""
    with pytest.raises(S3ReclassError, match=r"can't be written to .*nowhere: No such file"):
        pending_keys_of(job, tmp_path / "nowhere")


def test_any_key_can_be_pending(job: Job, tmp_path: Path) -> None:
    """Its line is that of a lot."""
    odd = 'new\nline,"quote" %'
    folder = tmp_path / "state" / StatePaths(job.lots.job).results_folder(Phase.COPY, "lot-00001")
    (entry,) = pending_keys_of(job, tmp_path).some  # type: ignore[union-attr]  # there is one
    row = ResultRow(entry=type(entry)(bucket="bucket", key=odd, version_id="v1"), outcome=Outcome.PENDING)
    (folder / "results-1-00001.csv").write_text(format_result_rows([row]))

    again = pending_keys_of(job, tmp_path)

    assert again
    assert again.some == (row.entry,)
    assert (tmp_path / "lot-00001.csv").read_bytes() == b"bucket,new%0Aline%2C%22quote%22%20%25,v1\n"
