"""Where lots stand: the truth, with as few requests as it takes."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import TaskRequest
from orchestrator.state.job_state import JobState
from orchestrator.state.state_store import DirectoryStore
from tests.orchestrator.run.worlds import finish, lots_of, tally_of
from worker.contract import Outcome, Phase, StatePaths

LOTS = lots_of(3)
GOOD = {Outcome.COPIED: 2}
PENDING = {Outcome.COPIED: 1, Outcome.PENDING: 1}


class CountingStore(DirectoryStore):
    """A state that remembers what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        """The names and sizes, the folder remembered."""
        self.asked.append(folder.split("/", 1)[1])
        return super().sizes(folder)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes, the paths remembered."""
        wanted = sorted(paths)
        self.asked += [path.split("/", 1)[1] for path in wanted]
        return super().read_many(wanted)

    def taken(self) -> list[str]:
        """What it was asked for since the last time."""
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    """An empty state."""
    return CountingStore(tmp_path)


def end(root: Path, lot: int, outcomes: Mapping[Outcome, int], attempt: int = 1) -> None:
    """A task on the lot ends with these outcomes."""
    request = TaskRequest(job=LOTS.job, phase=Phase.COPY, lot=LOTS.lots[lot].name, attempt=attempt, command=())
    finish(root, request, outcomes)


def test_a_tally_is_read_once(tmp_path: Path, store: CountingStore) -> None:
    """Watching a job, each look lists it and reads what is new, not what is finished and known."""
    state = JobState(store, LOTS.job)
    end(tmp_path, 0, GOOD)
    first = state.lot_statuses(LOTS, Phase.COPY)
    assert store.taken() == ["copy/", "copy/lot-00000/done-1.json"]

    end(tmp_path, 1, PENDING)
    (tmp_path / LOTS.job / "copy/lot-00002").mkdir()
    (tmp_path / LOTS.job / "copy/lot-00002/started-1.json").write_text("{}")
    (tmp_path / LOTS.job / "copy/lot-00002/progress.json").write_text(tally_of(1, PENDING).to_json())
    second, asked = state.lot_statuses(LOTS, Phase.COPY), store.taken()

    assert asked == ["copy/", "copy/lot-00001/done-1.json", "copy/lot-00002/progress.json"]
    assert [one.complete for one in first] == [True, False, False]
    assert [one.outcomes for one in second] == [GOOD, PENDING, PENDING]
    assert second == JobState(store, LOTS.job).lot_statuses(LOTS, Phase.COPY)


def test_a_lot_whose_task_left_its_tally_isnt_listed(tmp_path: Path, store: CountingStore) -> None:
    """One request tells that it is finished."""
    state = JobState(store, LOTS.job)
    [before, *_] = state.lot_statuses(LOTS, Phase.COPY)
    store.taken()
    end(tmp_path, 0, PENDING)
    after = state.standing_after(before, Phase.COPY, 1)

    assert store.taken() == ["copy/lot-00000/done-1.json"]
    assert after == state.lot_status(LOTS.lots[0], Phase.COPY)

    end(tmp_path, 0, GOOD, attempt=2)
    store.taken()
    last = state.standing_after(after, Phase.COPY, 2)

    assert store.taken() == ["copy/lot-00000/done-2.json"]
    assert last == JobState(store, LOTS.job).lot_status(LOTS.lots[0], Phase.COPY)
    assert last.complete


def test_a_lot_whose_task_left_no_tally_is_listed(tmp_path: Path, store: CountingStore) -> None:
    """What a lost task left otherwise says which attempt comes next."""
    state = JobState(store, LOTS.job)
    [before, *_] = state.lot_statuses(LOTS, Phase.COPY)
    folder = tmp_path / StatePaths(LOTS.job).results_folder(Phase.COPY, "lot-00000")
    folder.mkdir(parents=True)
    (folder / "results-1-00001.csv").write_text("")
    store.taken()

    after = state.standing_after(before, Phase.COPY, 1)

    assert store.taken() == ["copy/lot-00000/done-1.json", "copy/lot-00000/", "copy/lot-00000/progress.json"]
    assert (after.files.attempt, after.files.done, after.complete) == (1, (), False)


def test_an_earlier_success_is_believed_after_a_later_failure(tmp_path: Path, store: CountingStore) -> None:
    """Two tasks were on one lot, and the one that came second found its keys changed."""
    state = JobState(store, LOTS.job)
    end(tmp_path, 0, GOOD)
    [before, *_] = state.lot_statuses(LOTS, Phase.COPY)
    end(tmp_path, 0, {Outcome.CHANGED: 2}, attempt=2)

    after = state.standing_after(before, Phase.COPY, 2)

    assert after.complete
    assert after == JobState(store, LOTS.job).lot_status(LOTS.lots[0], Phase.COPY)


def test_a_damaged_tally_is_named(tmp_path: Path, store: CountingStore) -> None:
    """Whichever way it is met."""
    state = JobState(store, LOTS.job)
    [before, *_] = state.lot_statuses(LOTS, Phase.COPY)
    end(tmp_path, 0, GOOD)
    (tmp_path / LOTS.job / "copy/lot-00000/done-1.json").write_text("{")

    for look in (
        lambda: state.lot_statuses(LOTS, Phase.COPY),
        lambda: state.lot_status(LOTS.lots[0], Phase.COPY),
        lambda: state.standing_after(before, Phase.COPY, 1),
    ):
        with pytest.raises(S3ReclassError, match=r"done-1\.json is damaged"):
            look()
