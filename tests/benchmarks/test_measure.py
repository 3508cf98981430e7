"""One client's run: counted at the stub, accounted for by the kernel, and worth nothing unless it did all its work."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.clients import BARE, Client, Work, clients, worker
from benchmarks.measure import Command, environment, measure
from benchmarks.side_by_side import Bench, Cell, side_by_side
from benchmarks.stub import COMPILERS, Stub
from worker.contract import parse_lot_line

needs_compiler = pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="there is no C compiler")


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    """A stub, compiled and started once."""
    with Stub() as running:
        yield running


def work(folder: Path, phase: str = "copy", objects: int = 3, endpoint: str = "") -> Work:
    """Some work in a folder."""
    return Work(phase=phase, objects=objects, endpoint=endpoint, folder=folder, attempt=1)


def bare() -> Client:
    """The client that is quickest to start."""
    return next(one for one in clients({}) if one.name == BARE)


def test_a_lot_has_so_many_keys_of_the_phases_kind(tmp_path: Path) -> None:
    """In the worker's own format."""
    entries = [parse_lot_line(line) for line in work(tmp_path).lot.read_text(encoding="utf-8").splitlines()]

    assert [(one.bucket, one.key) for one in entries] == [("bench", f"ready/000000000{number}") for number in range(3)]


def test_the_worker_is_run_as_a_user_runs_it(tmp_path: Path) -> None:
    """Without a flag that tunes it."""
    arguments = worker(work(tmp_path, phase="restore")).arguments

    assert arguments[1:4] == ["-m", "worker", "restore"]
    assert not {"--threads", "--rate"} & set(arguments)


def test_clients_that_arent_installed_have_no_row() -> None:
    """And those that are ours have theirs."""
    names = [one.name for one in clients({"s5cmd": Path("/x/s5cmd")})]

    assert "s5cmd" in names
    assert "rclone" not in names


def test_clients_get_nobodys_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nothing else of the user's own settings."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    found = environment("http://127.0.0.1:2", tmp_path)

    assert "mine" not in found.values()
    assert "HTTPS_PROXY" not in found
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"


@needs_compiler
@pytest.mark.parametrize(("requests", "phase"), [(2, "copy"), (1, "restore")])
def test_a_run_is_counted_at_the_stub(stub: Stub, tmp_path: Path, requests: int, phase: str) -> None:
    """Requests, seconds, CPU and memory of a client that does its work."""
    some = work(tmp_path, phase, 30, stub.endpoint)

    run = measure(
        stub,
        bare().command(some),
        environment(stub.endpoint, tmp_path),
        objects=some.objects,
        settings={"delay_ms": 5},
    )

    assert run.failure == ""
    assert run.counts.requests == requests * 30
    assert run.requests_per_s == pytest.approx(requests * run.objects_per_s)
    assert run.took_s >= 0.005 * requests
    assert run.start_s > 0
    assert run.cpu_s > run.start_cpu_s > 0
    assert run.peak_mib > 1


@needs_compiler
@pytest.mark.parametrize(
    ("failure", "program", "limit_s"),
    [
        ("exit code 3: 2 keys failed", "import sys; print('2 keys failed'); sys.exit(3)", 60),
        ("it changed 0 of 5 objects: all is well", "print('all is well')", 60),
        ("not done after 1 s", "import time; time.sleep(600)", 1),
    ],
)
def test_a_run_that_did_less_than_its_work_is_a_failure(
    stub: Stub, tmp_path: Path, failure: str, program: str, limit_s: float
) -> None:
    """It says why: an exit code, too few requests, too much time."""
    command = Command(arguments=[sys.executable, "-c", program])

    run = measure(stub, command, environment(stub.endpoint, tmp_path), objects=5, settings={}, limit_s=limit_s)

    assert run.failure == failure


@needs_compiler
def test_a_program_that_isnt_there_is_a_failure_too(stub: Stub, tmp_path: Path) -> None:
    """And not the end of the benchmark."""
    command = Command(arguments=[str(tmp_path / "nowhere")])

    run = measure(stub, command, environment(stub.endpoint, tmp_path), objects=5, settings={})

    assert "No such file" in run.failure


MEASURING = """
import sys
from pathlib import Path
from benchmarks.measure import Command, environment, run_all

programs = ("x = b'x' * 200_000_000", "pass")
commands = [Command(arguments=[sys.executable, "-c", one]) for one in programs]
for ended in run_all(commands, environment("", Path(sys.argv[1]))):
    print(ended.code, ended.peak_mib)
"""
"""In a process of its own: what a process counts from its fork is the memory of the one that measures, too."""


def test_each_process_has_an_account_of_its_own(tmp_path: Path) -> None:
    """One that used a lot of memory doesn't make the next one's peak."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURING, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )

    (greedy_code, greedy), (modest_code, modest) = (map(float, line.split()) for line in done.stdout.splitlines())
    assert (greedy_code, modest_code) == (0, 0)
    assert greedy > 190 > modest


@needs_compiler
def test_a_client_that_fails_is_left_out_of_the_rounds(stub: Stub, tmp_path: Path) -> None:
    """And the others go on."""
    broken = Client(name="broken", command=lambda _: Command(arguments=["false"]), phases=frozenset({"copy"}))
    good = replace(bare(), first=20, phases=frozenset({"copy"}))

    found = side_by_side(Bench(stub, tmp_path, [0]), [broken, good], rounds=2, seconds=0, delays_ms=[0])

    assert found[Cell(client="broken", phase="copy", delay_ms=0)].failure.startswith("exit code 1")
    assert [len(measured.runs) for measured in found.values()] == [0, 2]
