"""A task's share of the job's rate: read when there is something to read, and left alone when there isn't."""

import logging
import threading
from pathlib import Path

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, faulty
from tests.worker.running import Job, entry, make_bucket, put, run_here
from worker.clock import Clock
from worker.contract import Outcome, RateShare
from worker.pool.rate_share import ShareReader, following
from worker.state.results_store import DirectoryStore


def share(rate: float) -> str:
    """What the launcher writes."""
    return RateShare(rate=rate, most=rate, tasks=1, at="2026-01-02T03:04:05Z").to_json()


def nothing() -> None:
    """No client is needed for a directory."""
    raise AssertionError


@pytest.mark.parametrize(
    "content",
    [None, "", "{", "[]", "{}", share(5).replace("5", "0", 1), share(5).replace("5", "-5", 1), '{"rate": "x"}'],
)
def test_what_cant_be_read_changes_nothing(tmp_path: Path, content: str | None) -> None:
    """The rate stays as it was: no file, a torn one, a rate that is none."""
    rates: list[float] = []
    reader = ShareReader(DirectoryStore(tmp_path), "rate.json", rates.append)
    (tmp_path / "rate.json").write_text(share(7))
    reader.read()
    (tmp_path / "rate.json").unlink()
    if content is not None:
        (tmp_path / "rate.json").write_text(content)
    reader.read()

    assert rates == [7]


def test_a_share_is_handed_on_when_it_is_new(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And told in the log, once, when it isn't the one to begin with."""
    rates: list[float] = []
    reader = ShareReader(DirectoryStore(tmp_path), "rate.json", rates.append)
    with caplog.at_level(logging.INFO, "worker"):
        for rate in (7, 7, 9):
            (tmp_path / "rate.json").write_text(share(rate))
            reader.read()

    assert rates == [7, 9]
    assert [record.getMessage() for record in caplog.records] == ["rate share"]


def test_the_share_is_followed_while_the_task_runs(tmp_path: Path) -> None:
    """Read before the first request, then now and then, and not any more when the task is over."""
    rates: list[float] = []
    came = threading.Event()

    def take(rate: float) -> None:
        rates.append(rate)
        if rate == 9:
            came.set()

    path = tmp_path / "rate.json"
    path.write_text(share(7))
    with following(str(path), take, state_client=nothing, clock=Clock(speed=5_000)):  # type: ignore[arg-type]  # not called
        assert rates == [7]
        path.write_text(share(9))
        assert came.wait(60)
    threads = [thread for thread in threading.enumerate() if thread.name == "share"]
    for thread in threads:
        thread.join(60)

    assert rates == [7, 9]
    assert not any(thread.is_alive() for thread in threads)


def test_a_task_without_a_share_has_no_thread_for_it(tmp_path: Path) -> None:
    """It was started by hand, or without a limit."""
    assert tmp_path
    with following("", lambda _: None, state_client=nothing, clock=Clock()):  # type: ignore[arg-type]  # not called
        assert "share" not in [thread.name for thread in threading.enumerate()]


# python -m worker restore --lot lot.csv --results results --attempt 1 --rate 0.01 --rate-from rate.json
def test_a_worker_goes_by_its_share(aws: str, job: Job) -> None:
    """With a rate of one request in 100 seconds of its own, it is done at once with the share that it finds."""
    make_bucket()
    keys = [f"key {number}" for number in range(10)]
    put(*keys, storage_class="GLACIER")
    job.write_lot(map(entry, keys))
    (job.folder / "rate.json").write_text(share(5_000))

    code = run_here(job.arguments("restore", "--rate", "0.01", "--rate-from", str(job.folder / "rate.json")), aws)

    assert code == 0
    assert set(job.outcomes().values()) == {Outcome.REQUESTED}


# python -m worker restore --lot lot.csv --results results --attempt 1 --rate 5000 --rate-from s3://bucket/rate.json
def test_a_share_that_cant_be_read_fails_no_key(aws: str, job: Job) -> None:
    """Denied or gone, in S3: the worker goes by the rate that it was started with."""
    make_bucket()
    put("key", storage_class="GLACIER")
    job.write_lot([entry("key")])
    asked: list[str] = []

    def decide(request: Request) -> Fault:
        asked.append(request.key)
        return None

    with faulty(aws, decide) as seen:
        code = run_here(
            job.arguments("restore", "--rate", "5000", "--rate-from", "s3://bucket/job/restore/rate.json"),
            seen.endpoint,
        )

    assert code == 0
    assert "job/restore/rate.json" in asked
