"""Who gives way to whom, by what the lot's progress says."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.clock import Clock
from worker.contract import ExitCode, Tally
from worker.errors import WorkerError
from worker.store import DirectoryStore
from worker.turns import SILENCE_S, Turns

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
QUICK = Clock(speed=1_000)


def progress(folder: Path, attempt: int, *, age_s: float = 1, exit_code: int | None = None) -> None:
    """What another attempt's worker wrote so long ago."""
    at = (NOW - timedelta(seconds=age_s)).isoformat(timespec="seconds")
    tally = Tally(
        attempt=attempt, keys=0, outcomes={}, processed=0, requests=0, started_at=at, at=at, exit_code=exit_code
    )
    folder.mkdir(exist_ok=True)
    (folder / "progress.json").write_text(tally.to_json())


@pytest.fixture
def gave_way() -> list[bool]:
    """True for each time that the worker was told to."""
    return []


@pytest.fixture
def turns(tmp_path: Path, gave_way: list[bool]) -> Callable[[], Turns]:
    """The second attempt's."""

    def make() -> Turns:
        return Turns(
            DirectoryStore(tmp_path / "results"),
            2,
            give_way=lambda: gave_way.append(True),
            stop=threading.Event(),
            clock=QUICK,
            now=lambda: NOW,
        )

    return make


def attempt_told(folder: Path) -> int:
    """Whose progress is there."""
    return Tally.from_json((folder / "results" / "progress.json").read_bytes()).attempt


@pytest.mark.parametrize(
    ("attempt", "age_s", "exit_code"),
    [(1, 1, 75), (1, SILENCE_S + 5, None), (2, 1, None), (3, SILENCE_S + 5, None), (3, 1, 75)],
)
def test_who_has_ended_is_neither_waited_for_nor_given_way_to(
    attempt: int, age_s: float, exit_code: int | None, tmp_path: Path, turns: Callable[[], Turns], gave_way: list[bool]
) -> None:
    """One that said so, one that is silent, an earlier run of the same attempt: nothing is written, nobody waits."""
    progress(tmp_path / "results", attempt, age_s=age_s, exit_code=exit_code)

    turns().begin()

    assert attempt_told(tmp_path) == attempt
    assert not gave_way


def test_the_first_worker_of_all_begins_at_once(tmp_path: Path, turns: Callable[[], Turns]) -> None:
    """Without any progress there is nobody; whoever comes now finds this one's."""
    turns().begin()

    assert attempt_told(tmp_path) == 2


class TooLate(DirectoryStore):
    """A folder where somebody else is quicker."""

    def names(self) -> list[str]:
        """What was there a moment ago."""
        return []


@pytest.mark.parametrize(("other", "told", "gives_way"), [(1, 2, False), (3, 3, True)])
def test_of_two_in_the_same_instant_one_is_first(
    other: int, told: int, *, gives_way: bool, tmp_path: Path, gave_way: list[bool]
) -> None:
    """The other finds its progress, and does as with any."""
    progress(tmp_path / "results", other)

    store = TooLate(tmp_path / "results")
    Turns(
        store, 2, give_way=lambda: gave_way.append(True), stop=threading.Event(), clock=QUICK, now=lambda: NOW
    ).begin()

    assert attempt_told(tmp_path) == told
    assert bool(gave_way) == gives_way


def test_a_later_attempt_is_given_way_to(tmp_path: Path, turns: Callable[[], Turns], gave_way: list[bool]) -> None:
    """At the beginning as in the middle."""
    progress(tmp_path / "results", 3)

    turns().begin()
    turns().check()

    assert gave_way == [True, True]


def test_an_earlier_attempt_is_told_and_waited_for(
    tmp_path: Path, turns: Callable[[], Turns], gave_way: list[bool]
) -> None:
    """It finds our progress, and we go on when it has given way; or is silent, as one that was killed."""
    progress(tmp_path / "results", 1)

    turns().begin()

    assert attempt_told(tmp_path) == 2
    assert not gave_way


@pytest.mark.parametrize("attempt", [1, 2])
def test_no_earlier_attempt_is_given_way_to(
    attempt: int, tmp_path: Path, turns: Callable[[], Turns], gave_way: list[bool]
) -> None:
    """Nor is our own."""
    progress(tmp_path / "results", attempt, exit_code=ExitCode.INTERRUPTED)

    turns().check()

    assert not gave_way


@pytest.mark.parametrize("content", ["", "{", '{"version": 99}'])
def test_a_progress_that_says_nothing_is_nobody(
    content: str, tmp_path: Path, turns: Callable[[], Turns], gave_way: list[bool]
) -> None:
    """It is only ever written whole, and what is no progress is written over."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "progress.json").write_text(content)

    turns().begin()
    turns().check()

    assert not gave_way


def test_a_state_that_cannot_be_read_stops_nobody_in_the_middle(tmp_path: Path, turns: Callable[[], Turns]) -> None:
    """Only at the beginning, where nothing is done yet."""
    (tmp_path / "results").touch()

    turns().check()

    with pytest.raises(WorkerError):
        turns().begin()


class WrittenOver(DirectoryStore):
    """A folder where an earlier worker, which had looked just before, writes its progress over our first claim."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._place = folder
        self._written_over = False

    def replace(self, name: str, content: bytes) -> None:
        """Write the file, and, once, what the other writes."""
        super().replace(name, content)
        if not self._written_over:
            self._written_over = True
            progress(self._place, 1)


def test_a_claim_that_was_written_over_is_made_again(tmp_path: Path, gave_way: list[bool]) -> None:
    """Else the earlier worker would find its own progress at its next look, and go on beside this one."""
    folder, stop = tmp_path / "results", threading.Event()
    progress(folder, 1)

    Turns(
        WrittenOver(folder), 2, give_way=lambda: gave_way.append(True), stop=stop, clock=QUICK, now=lambda: NOW
    ).begin()

    assert attempt_told(tmp_path) == 2
    assert not gave_way
