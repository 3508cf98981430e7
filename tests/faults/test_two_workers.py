"""Two workers on one lot: the later attempt's goes on alone, and nothing is done twice."""

import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.faults.bench import BUCKET, COPY, IN_PARTS, RESTORE, Work, documented, ended, serve
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, faulty
from tests.worker.running import Job
from worker.clock import Clock
from worker.command_line import parse_command_line
from worker.contract import ExitCode, LotEntry, StatePaths, Tally, TaskStatus, supersedes
from worker.s3.clients import object_client, session, state_client
from worker.task import Task

KEYS = [f"key-{number:03}" for number in range(120)]
HELD = KEYS[10]
"""Where the first worker waits for the second to begin."""

SPEED = 5
PATIENCE_S = 60


def second_has_begun(job: Job) -> bool:
    """Whether the lot's progress is the second attempt's."""
    with suppress(FileNotFoundError):
        return Tally.from_json((job.results / StatePaths.progress_name()).read_bytes()).attempt > 1
    return False


@pytest.mark.parametrize("work", [RESTORE, COPY, IN_PARTS], ids=lambda work: work.name)
def test_a_launcher_that_thought_the_first_was_dead(
    work: Work, s3_client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The first is in the middle of its lot when the second begins: it gives way, and the second does what is left.

    The bucket is versioned and the S3 keeps its guards: these alone wouldn't keep two from copying each object twice.
    """
    keys = KEYS if work is not IN_PARTS else KEYS[:30]
    s3, job = documented(work, keys), Job(tmp_path)
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in keys)
    middle, first = threading.Event(), list[ExitCode]()

    def decide(request: Request) -> Fault:
        if request.key == HELD and not middle.is_set():
            middle.set()
            until = time.monotonic() + PATIENCE_S
            while not second_has_begun(job) and time.monotonic() < until:
                time.sleep(0.01)
        if middle.is_set() and worker.is_alive():
            # Not faster than it looks who is there.
            time.sleep(0.03)
        return None

    def run(attempt: int) -> ExitCode:
        arguments = job.arguments(*work.arguments, "--s3-client", s3_client, "--threads", "1", attempt=attempt)
        objects = partial(object_client, read_timeout_s=PATIENCE_S)
        task = Task(
            parse_command_line(arguments), state_client=state_client, object_client=objects, clock=Clock(speed=SPEED)
        )
        return task.run()

    with faulty(serve(s3), decide) as seen:
        monkeypatch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        session.cache_clear()
        worker = threading.Thread(target=lambda: first.append(run(1)))
        worker.start()
        assert middle.wait(PATIENCE_S)
        second = run(2)
        worker.join(PATIENCE_S)

    rows = job.rows()
    best: dict[str, TaskStatus] = {}
    for row in rows:
        if supersedes(row.outcome.status, best.get(row.entry.key)):
            best[row.entry.key] = row.outcome.status
    assert (first, second) == ([ExitCode.INTERRUPTED], ExitCode.GOOD)
    assert best == dict.fromkeys(keys, TaskStatus.SUCCEEDED)
    assert ended(s3, second, rows, keys, seen).not_right(keys, work.copies) == {}
    assert not {row.entry.key for row in job.rows(1)} & {row.entry.key for row in job.rows(2)}
    done = job.done(2)
    assert done
    assert sum(done.outcomes.values()) == len(keys)
