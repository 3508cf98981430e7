"""The local place's own promises: a killed launcher, locks, signals, logs and surroundings."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import Refused, TaskStatus
from orchestrator.places.local import LocalPlace
from tests.orchestrator.places.kits import WORKER, LocalKit, request_for, started, wait_until
from worker.contract import Phase

LAUNCHER = """
import json, os, sys
from pathlib import Path
from orchestrator.model import TaskRequest
from orchestrator.places.local import LocalPlace
from worker.contract import Phase
folder, signs, command = json.loads(sys.argv[1])
place = LocalPlace(Path(folder), program=(sys.executable, "-S", "-E", "-c", sys.argv[2], signs))
place.start(TaskRequest(job="0123456789ab", phase=Phase.RESTORE, lot="lot-00000", attempt=1, command=tuple(command)))
os.kill(os.getpid(), 9)
"""
"""A launcher that is killed with SIGKILL right after it started a worker."""


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[LocalKit]:
    """A local place with power over its tasks."""
    kit = LocalKit(tmp_path)
    yield kit
    kit.close()


def test_a_launcher_killed_and_run_again_finds_its_worker(kit: LocalKit) -> None:
    """After kill -9 the worker lives on; the next launcher finds it, starts no second one, and sees it end."""
    arguments = json.dumps([str(kit.folder), str(kit.signs), request_for().command])
    killed = subprocess.run([sys.executable, "-c", LAUNCHER, arguments, WORKER], check=False)
    place = kit.place()
    found = place.running(request_for().job, Phase.RESTORE)
    again = place.start(request_for())
    kit.ends(found[0], 3)

    assert killed.returncode == -signal.SIGKILL
    assert [(task.lot, task.attempt) for task in found] == [("lot-00000", 1)]
    assert again == found[0]
    assert kit.count("lot-00000") == 1
    assert place.states(found)[found[0].id].status is TaskStatus.STOPPED
    assert place.running(request_for().job, Phase.RESTORE) == []


def test_a_launcher_killed_before_it_made_the_process_starts_it_the_next_time(kit: LocalKit) -> None:
    """A lock file that names an attempt but no process is a start that never came to be."""
    lock = kit.folder / request_for().job / "restore" / "lot-00000.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text('{"attempt": 1, "pid": null, "host": "here"}')
    task = started(kit.place().start(request_for()))
    kit.runs(task)

    assert kit.count("lot-00000") == 1


def test_an_attempt_that_was_never_started_is_unknown(kit: LocalKit) -> None:
    """A lot whose first attempt was the last says nothing of a second one."""
    place = kit.place()
    task = started(place.start(request_for()))
    kit.ends(task, 0)
    second = replace(task, id=task.id.replace("-00000-1", "-00000-2"), attempt=2)

    assert kit.place().states([second])[second.id].status is TaskStatus.UNKNOWN


def test_a_damaged_lock_file_is_as_good_as_none(kit: LocalKit) -> None:
    """A lock file that says nothing doesn't keep a lot from starting."""
    lock = kit.folder / request_for().job / "restore" / "lot-00000.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("{")
    place = kit.place()
    kit.runs(started(place.start(request_for())))

    assert len(place.running(request_for().job, Phase.RESTORE)) == 1


def test_a_worker_that_doesnt_stop_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    """SIGTERM first; asked after two minutes, the place sends SIGKILL, and calls it an interruption."""
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    now = [0.0]
    place = LocalPlace(tmp_path, program=(sys.executable, "-S", "-E", "-c", deaf), clock=lambda: now[0])
    task = started(place.start(request_for()))
    wait_until(lambda: place.log_file(task).read_text() == "deaf\n")
    place.stop([task], "enough")
    now[0] = 119
    before = place.states([task])[task.id]
    now[0] = 121
    wait_until(lambda: place.states([task])[task.id].status is TaskStatus.STOPPED)
    after = place.states([task])[task.id]

    assert before.status is TaskStatus.RUNNING
    assert (after.exit_code, after.interrupted) == (137, True)
    assert after.reason == "the worker didn't stop in time, and was killed"


def test_a_worker_killed_from_outside_was_not_interrupted(kit: LocalKit) -> None:
    """SIGKILL that nobody asked for (the out-of-memory killer's, say) is a lost task."""
    place = kit.place()
    task = started(place.start(request_for()))
    kit.runs(task)
    os.kill(_pid_of(kit, "lot-00000"), signal.SIGKILL)
    wait_until(lambda: place.states([task])[task.id].status is TaskStatus.STOPPED)
    state = place.states([task])[task.id]

    assert (state.exit_code, state.interrupted) == (137, False)
    assert "out of memory" in state.reason


def test_a_process_of_another_machine_is_never_signalled(kit: LocalKit) -> None:
    """A folder may be shared: a process id that another machine wrote down is some other process here."""
    task = started(kit.place().start(request_for()))
    kit.runs(task)
    lock = kit.folder / request_for().job / "restore" / "lot-00000.lock"
    lock.write_text(lock.read_text().replace(json.loads(lock.read_text())["host"], "elsewhere"))
    second = kit.place()
    second.stop([task], "enough")

    assert second.states([task])[task.id].status is TaskStatus.RUNNING
    assert json.loads(lock.read_text())["host"] == "elsewhere"


def test_a_workers_words_go_to_its_log_file(tmp_path: Path) -> None:
    """Standard output and error of each attempt are kept in a file of its own."""
    program = (sys.executable, "-S", "-E", "-c", "import sys; print('out', flush=True); sys.exit('err')")
    place = LocalPlace(tmp_path, program=program)
    task = started(place.start(request_for(attempt=2)))
    wait_until(lambda: place.states([task])[task.id].status is TaskStatus.STOPPED)

    assert place.log_file(task) == tmp_path / "0123456789ab" / "restore" / "lot-00000-2.log"
    assert place.log_file(task).read_text() == "out\nerr\n"
    assert place.states([task])[task.id].reason == "the worker could not proceed: `s3reclass logs lot-00000` says why"


def test_a_worker_gets_the_given_environment_and_a_session_of_its_own(tmp_path: Path) -> None:
    """Variables are the given ones alone, and a terminal's Ctrl-C doesn't reach the worker."""
    words = "import os; print(os.environ.get('AWS_PROFILE'), os.environ.get('HOME'), os.getsid(0) == os.getpid())"
    place = LocalPlace(tmp_path, program=(sys.executable, "-S", "-E", "-c", words), environ={"AWS_PROFILE": "archive"})
    task = started(place.start(request_for()))
    wait_until(lambda: place.states([task])[task.id].status is TaskStatus.STOPPED)

    assert place.log_file(task).read_text() == "archive None True\n"


def test_calls_tell_the_workers_command_line(tmp_path: Path) -> None:
    """A dry run shows the process that a start makes."""
    (call,) = LocalPlace(tmp_path).calls(request_for())

    assert (call.service, call.operation) == ("local", "popen")
    assert call.parameters["args"][1:] == ["-P", "-m", "worker", *request_for().command]


def test_a_program_that_isnt_there_is_a_refusal(tmp_path: Path) -> None:
    """A process that can't be made is told, not raised, and isn't asked for again."""
    place = LocalPlace(tmp_path, program=(str(tmp_path / "nothing"),))
    answer = place.start(request_for())

    assert isinstance(answer, Refused)
    assert not answer.retry
    assert "can't be started" in answer.reason
    assert place.running(request_for().job, Phase.RESTORE) == []


def test_a_folder_that_cant_be_written_is_an_error(tmp_path: Path) -> None:
    """A place whose folder is a file says so before anything starts."""
    (tmp_path / "taken").write_text("")

    with pytest.raises(S3ReclassError, match="taken: workers can't run here"):
        LocalPlace(tmp_path / "taken").prepare(Phase.RESTORE)


def test_one_task_on_each_core_unless_told_otherwise(tmp_path: Path) -> None:
    """`--max-tasks` counts, and without it the cores that we may use."""
    assert LocalPlace(tmp_path, max_tasks=3).max_tasks == 3
    assert 1 <= LocalPlace(tmp_path).max_tasks <= (os.cpu_count() or 1)


def _pid_of(kit: LocalKit, lot: str) -> int:
    (sign,) = kit.signs.glob(f"{lot}-*.began")
    return int(sign.stem.rsplit("-", 1)[1])
