"""Progress read in turns: every task has its turn, and a thousand tasks take no more requests than fifty."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.model import Task
from orchestrator.run.watch_tasks import MOST_AT_ONCE, READS_A_SECOND, ProgressReader
from orchestrator.state.job_state import JobState
from orchestrator.state.state_store import DirectoryStore
from tests.orchestrator.run.worlds import JOB, WorldClock
from worker.contract import Phase


class CountingStore(DirectoryStore):
    """A state that remembers what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Remember the lots, find nothing."""
        self.asked += [path.split("/")[2] for path in paths]
        return {}


def tasks(*names: str) -> list[Task]:
    """A running task of each lot."""
    return [Task(id=name, phase=Phase.COPY, lot=name, attempt=1) for name in names]


def reader_of(tmp_path: Path) -> tuple[ProgressReader, CountingStore, WorldClock]:
    """A reader, the state that it reads, and its clock."""
    store, clock = CountingStore(tmp_path), WorldClock()
    reader = ProgressReader(JobState(store, JOB), Phase.COPY, clock.clock())
    return reader, store, clock


def test_a_few_tasks_are_read_at_every_look(tmp_path: Path) -> None:
    """As many as there may be in the time between two looks."""
    reader, store, clock = reader_of(tmp_path)

    for _ in range(20):
        reader.read(tasks("a", "b"))
        clock.sleep(2 / READS_A_SECOND)

    assert store.asked == ["a", "b"] * 20


def test_many_tasks_have_their_turns(tmp_path: Path) -> None:
    """However many there are, so many are read a second, and each as often as the others."""
    reader, store, clock = reader_of(tmp_path)
    running = tasks(*(f"lot-{number:05d}" for number in range(1_000)))

    for _ in range(1_000):
        reader.read(running)
        clock.sleep(2)

    assert len(store.asked) <= MOST_AT_ONCE + READS_A_SECOND * clock.seconds
    assert len(store.asked) >= READS_A_SECOND * (clock.seconds - 2)
    assert {store.asked.count(task.lot) for task in running} <= {10, 11}


def test_a_task_that_ended_is_forgotten_and_a_new_one_waits_its_turn(tmp_path: Path) -> None:
    """Nobody is asked for who isn't running."""
    reader, store, clock = reader_of(tmp_path)
    reader.read(tasks(*(f"old-{number}" for number in range(MOST_AT_ONCE - 1)), "b"))
    store.asked.clear()

    clock.sleep(2 / READS_A_SECOND)
    reader.read(tasks("b", "new", "newer"))
    clock.sleep(1 / READS_A_SECOND)
    reader.read(tasks("b", "new", "newer"))

    assert store.asked == ["b", "new", "newer"]
