"""Attempt after attempt: the next one goes on where the worker ended, was stopped or was killed."""

import signal
import time
from collections.abc import Callable

from tests.worker.proxy import faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, restore, run_here, start
from worker.contract import Outcome, Tally, TaskStatus

COPY = ("copy", "--storage-class", "STANDARD_IA")
SLOWLY = (*COPY, "--rate", "30", "--threads", "4")
"""This leaves time to end the worker in the middle of the lot."""


def test_a_second_attempt_does_only_what_is_left(aws: str, job: Job) -> None:
    """Keys that succeeded aren't touched again; pending and failed ones are; the tally counts them all."""
    make_bucket()
    put("good")
    put("pending", storage_class="GLACIER")
    job.write_lot(map(entry, ["good", "pending", "missing"]))
    assert run_here(job.arguments(*COPY), aws) == 3
    restore("pending")
    put("missing")

    with faulty(aws, lambda _: None) as seen:
        assert run_here(job.arguments(*COPY, attempt=2), seen.endpoint) == 0

    assert {request.key for request in seen.requests if request.key} == {"pending", "missing"}
    done = job.done(2)
    assert done
    assert (done.keys, done.processed, done.outcomes) == (3, 2, {Outcome.COPIED: 3})
    assert [row.entry.key for row in job.rows(1)] != []
    assert sorted(row.entry.key for row in job.rows(2)) == ["missing", "pending"]


def lay(job: Job) -> list[str]:
    """Lay a lot of keys in a versioned bucket; the keys."""
    make_bucket(versioned=True)
    keys = [f"k{number}" for number in range(24)]
    put(*keys)
    job.write_lot(map(entry, keys))
    return keys


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; a test that waits in vain fails by its assertions."""
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.01)


def test_sigterm_records_what_was_done_and_the_next_attempt_goes_on(aws: str, job: Job) -> None:
    """Exit code 75, a row for every key that was copied, no tally; then only the others are copied."""
    keys = lay(job)

    with faulty(aws, lambda _: None) as seen:
        with start(job.arguments(*SLOWLY), AWS_ENDPOINT_URL=seen.endpoint) as process:
            wait_for(lambda: seen.count("CopyObject") >= 4)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=300)

        assert process.returncode == 75, log
        sent = {request.key for request in seen.requests if request.operation == "CopyObject"}
        assert 4 <= len(sent) < 24
        assert {row.entry.key for row in job.rows() if row.outcome is Outcome.COPIED} == sent
        assert job.done() is None
        progress = Tally.from_json((job.results / "progress.json").read_bytes())
        assert (progress.keys, progress.exit_code) == (len(sent), 75)

    assert run_here(job.arguments(*COPY, attempt=2), aws) == 0
    assert versions(keys) == dict.fromkeys(keys, 2)


def versions(keys: list[str]) -> dict[str, int]:
    """How many versions each key has."""
    found = dict.fromkeys(keys, 0)
    for version in fake_s3().list_object_versions(Bucket="bucket")["Versions"]:
        found[version["Key"]] += 1
    return found


def test_a_killed_worker_is_followed_by_one_that_finishes(aws: str, job: Job) -> None:
    """After SIGKILL between parts the next attempt ends with every key good, and none copied twice."""
    keys = lay(job)

    with (
        faulty(aws, lambda _: None) as seen,
        start(job.arguments(*SLOWLY), AWS_ENDPOINT_URL=seen.endpoint) as process,
    ):
        wait_for(lambda: seen.count("CopyObject") >= 4)
        process.kill()
        process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    assert job.rows() == []

    assert run_here(job.arguments(*COPY, attempt=2), aws, speed=50) == 0

    assert versions(keys) == dict.fromkeys(keys, 2)
    assert set(job.outcomes().values()) == {Outcome.COPIED, Outcome.ALREADY}
    assert {row.outcome.status for row in job.rows()} == {TaskStatus.SUCCEEDED}
