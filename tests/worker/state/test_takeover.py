"""Who gives way to whom, by claims, and by progress that changes or doesn't: no two clocks are compared."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.clock import Clock
from worker.contract import ExitCode, StatePaths, Tally
from worker.errors import StoppingError, WorkerError
from worker.state.results_store import DirectoryStore
from worker.state.takeover import HOLDS_S, SILENCE_S, Takeover

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SKEWS_S = (-600, 0, 600)


class Waited(Clock):
    """A clock that moves only by waits. meanwhile: called with the time at each."""

    def __init__(self, meanwhile: Callable[[float], None] = lambda _: None) -> None:
        object.__setattr__(self, "time_s", [0.0])
        object.__setattr__(self, "meanwhile", meanwhile)

    time_s: list[float]
    meanwhile: Callable[[float], None]

    def __call__(self) -> float:
        """The seconds waited so far."""
        return self.time_s[0]

    def wait(self, event: threading.Event, seconds: float) -> None:  # noqa: ARG002 (a clock's)
        """Let these seconds pass, and what happens in them."""
        self.time_s[0] += seconds
        self.meanwhile(self.time_s[0])


@dataclass
class World:
    """A results folder, and a worker's turn in it that is told to give way now and then."""

    folder: Path
    gave_way: int = 0
    clock: Waited = field(default_factory=Waited)
    stop: threading.Event = field(default_factory=threading.Event)

    def turns(self, attempt: int = 2, store: DirectoryStore | None = None) -> Takeover:
        """A worker's."""
        return Takeover(
            store or DirectoryStore(self.folder),
            attempt,
            give_way=self._give_way,
            stop=self.stop,
            clock=self.clock,
            now=lambda: NOW,
        )

    def _give_way(self) -> None:
        self.gave_way += 1

    def progress(self, attempt: int, *, after_s: float = 0, exit_code: int | None = None) -> None:
        """What another worker writes, by its own clock."""
        at = (NOW + timedelta(seconds=after_s)).isoformat(timespec="seconds")
        tally = Tally(
            attempt=attempt, keys=0, outcomes={}, processed=0, requests=0, started_at=at, at=at, exit_code=exit_code
        )
        self.write(StatePaths.progress_name(), tally.to_json())

    def claim(self, attempt: int) -> None:
        """What another worker claims."""
        self.write(StatePaths.takeover_name(), json.dumps({"attempt": attempt}))

    def write(self, name: str, content: str) -> None:
        """A file in the folder."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / name).write_text(content)

    @property
    def told(self) -> int:
        """Whose progress is there."""
        return Tally.from_json((self.folder / "progress.json").read_bytes()).attempt

    @property
    def claimed(self) -> int:
        """The attempt whose claim is there, 0 for none."""
        path = self.folder / "takeover.json"
        return int(json.loads(path.read_bytes())["attempt"]) if path.exists() else 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A lot that was never begun."""
    return World(folder=tmp_path / "results")


@pytest.mark.parametrize("attempt", [1, 2, 3])
@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_who_has_ended_is_neither_waited_for_nor_given_way_to(attempt: int, skew_s: float, world: World) -> None:
    """One that said so, of any attempt: nothing is written, and there is no wait."""
    world.progress(attempt, after_s=skew_s, exit_code=75)

    turns = world.turns()
    turns.begin()
    turns.hold()

    assert (world.told, world.claimed, world.gave_way, world.clock()) == (attempt, 0, 0, 0)


def test_the_first_worker_of_all_begins_at_once(world: World) -> None:
    """Without any progress there is nobody; whoever comes now finds this one's."""
    world.turns().begin()

    assert (world.told, world.claimed, world.clock()) == (2, 0, 0)


class TooLate(DirectoryStore):
    """A folder where another is quicker."""

    def names(self) -> list[str]:
        """What was there a moment ago."""
        return []


@pytest.mark.parametrize(("other", "told", "gave_way"), [(1, 2, 0), (3, 3, 1)])
def test_of_two_in_the_same_instant_one_is_first(other: int, told: int, gave_way: int, world: World) -> None:
    """The other finds its progress, and does as with any."""
    world.progress(other)

    world.turns(store=TooLate(world.folder)).begin()

    assert (world.told, world.gave_way) == (told, gave_way)


@pytest.mark.parametrize("claimed", [True, False])
@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_a_later_attempt_is_given_way_to_at_the_beginning(*, claimed: bool, skew_s: float, world: World) -> None:
    """By its claim or its progress; without looking at how old that seems."""
    world.progress(1 if claimed else 3, after_s=skew_s)
    if claimed:
        world.claim(3)

    turns = world.turns()
    turns.begin()

    assert world.gave_way
    assert world.clock() == 0
    with pytest.raises(StoppingError):
        turns.hold()


def test_a_claim_is_given_way_to_in_the_middle(world: World) -> None:
    """The next look finds it, and no request is sent after that."""
    turns = world.turns()
    turns.begin()
    turns.hold()
    world.claim(3)

    turns.check()

    assert world.gave_way == 1
    with pytest.raises(StoppingError):
        turns.hold()


@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_a_silent_attempt_is_waited_for_and_taken_over(skew_s: float, world: World) -> None:
    """However old its progress seems: only that it doesn't change says that it was killed."""
    world.progress(1, after_s=skew_s)

    turns = world.turns()
    turns.begin()
    turns.hold()

    assert (world.told, world.claimed, world.gave_way) == (2, 2, 0)
    assert world.clock() == SILENCE_S


@pytest.mark.parametrize("skew_s", SKEWS_S)
@pytest.mark.parametrize(("ends", "waited_s"), [(75, 62), (None, 60 + SILENCE_S)])
def test_an_attempt_that_lives_is_waited_for_until_it_ends(
    skew_s: float, ends: int | None, waited_s: float, world: World
) -> None:
    """However long its last requests take; one that falls silent on the way is waited for no longer than that."""
    world.progress(1, after_s=skew_s)

    def meanwhile(now_s: float) -> None:
        if now_s <= 60 and now_s % 5 == 0:
            world.progress(1, after_s=skew_s + now_s)
        if ends and now_s == 62:
            world.progress(1, after_s=skew_s + now_s, exit_code=ends)

    world.clock = Waited(meanwhile)
    turns = world.turns()
    turns.begin()
    turns.hold()

    assert world.clock() == waited_s
    assert (world.claimed, world.gave_way) == (2, 0)


@pytest.mark.parametrize(("lives", "gave_way", "waited_s"), [(True, 1, 5), (False, 0, SILENCE_S)])
def test_a_twin_that_lives_is_given_way_to(*, lives: bool, gave_way: int, waited_s: float, world: World) -> None:
    """Two workers of one attempt can't tell whose progress is whose: the second watches, and writes nothing."""
    world.progress(2)
    world.clock = Waited(lambda now_s: world.progress(2, after_s=now_s) if lives and now_s % 5 == 0 else None)

    world.turns().begin()

    assert (world.gave_way, world.claimed, world.clock()) == (gave_way, 0, waited_s)


def test_a_stop_ends_the_waiting(world: World) -> None:
    """The task ends before it has begun."""
    world.progress(1)
    world.clock = Waited(lambda _: world.stop.set())

    world.turns().begin()

    assert world.clock() == 1


def test_an_attempt_that_was_taken_over_says_nothing_of_the_one_that_did(world: World) -> None:
    """Its last progress may come long after: the third waits for the second, which may still be at work."""
    world.claim(2)
    world.progress(1, exit_code=75)

    world.turns(attempt=3).begin()

    assert (world.claimed, world.clock()) == (3, SILENCE_S)


@pytest.mark.parametrize("attempt", [1, 2])
def test_no_earlier_attempt_is_given_way_to(attempt: int, world: World) -> None:
    """Nor is our own."""
    world.claim(attempt)

    world.turns().check()

    assert not world.gave_way


@pytest.mark.parametrize("name", [StatePaths.progress_name(), StatePaths.takeover_name()])
@pytest.mark.parametrize(
    "content", ["", "{", '{"version": 99}', "[" * 100_000, '{"attempt": 1e400}', '{"attempt": -9}']
)
def test_what_says_nothing_is_no_worker(name: str, content: str, world: World) -> None:
    """It is only ever written whole, and what it isn't is written over."""
    world.write(name, content)

    turns = world.turns()
    turns.begin()
    turns.check()
    turns.hold()

    assert not world.gave_way


def test_a_state_that_cannot_be_read_stops_no_worker_at_once(world: World) -> None:
    """Only at the beginning, where nothing is done yet, and when it has been so for too long."""
    turns = world.turns()
    world.folder.touch()

    turns.check()
    turns.hold()

    with pytest.raises(WorkerError):
        turns.begin()
    world.clock.wait(world.stop, HOLDS_S)
    with pytest.raises(WorkerError):
        turns.hold()


class WrittenOver(DirectoryStore):
    """A folder where another worker writes over our first file of this name. then: what it writes."""

    def __init__(self, folder: Path, name: str, then: Callable[[], None]) -> None:
        super().__init__(folder)
        self._name, self._then, self._written_over = name, then, False

    def replace(self, name: str, content: bytes) -> None:
        """Write the file, and, once, what the other writes."""
        super().replace(name, content)
        if name == self._name and not self._written_over:
            self._written_over = True
            self._then()


def test_a_progress_that_was_written_over_is_written_again(world: World) -> None:
    """The earlier worker had looked just before; it lives, and is waited for from then on."""
    world.progress(1)

    world.turns(store=WrittenOver(world.folder, "progress.json", lambda: world.progress(1))).begin()

    assert (world.told, world.gave_way) == (2, 0)
    assert world.clock() == 1 + SILENCE_S


def test_a_claim_that_was_written_over_is_made_again(world: World) -> None:
    """Two that take over at once both claim the lot: the higher attempt's stays."""
    world.progress(1)

    world.turns(3, store=WrittenOver(world.folder, "takeover.json", lambda: world.claim(2))).begin()

    assert (world.claimed, world.gave_way) == (3, 0)


def test_only_a_worker_that_has_not_looked_for_long_looks_before_a_request(world: World) -> None:
    """Up to that a claim may wait for the next look; then it is seen, whatever the other's clock says."""
    turns = world.turns()
    turns.begin()
    world.claim(3)

    world.clock.wait(world.stop, HOLDS_S - 1)
    turns.hold()
    world.clock.wait(world.stop, 1)

    with pytest.raises(StoppingError):
        turns.hold()
    assert world.gave_way == 1


@dataclass
class Copier:
    """
    A worker that copies a key each second: it looks at the object, and in the next second copies what isn't copied.

    Its progress is written every five seconds, after a look for a claim.
    """

    turns: Takeover
    world: World
    attempt: int
    copies: list[int]
    key: int = 0
    is_to_copy: bool = False

    def begin(self) -> None:
        """Take the turn, and look at the first key."""
        self.turns.begin()
        self._look()

    @property
    def over(self) -> bool:
        """Whether it has ended: all is done, or it gave way."""
        return self.key == len(self.copies)

    def second(self, now_s: float) -> None:
        """What it does in a second: the copy that it is about to make, then the look at the next object."""
        if self.over:
            return
        try:
            self.turns.hold()
        except StoppingError:
            self.world.progress(self.attempt, after_s=now_s, exit_code=ExitCode.INTERRUPTED)
            self.key = len(self.copies)
            return
        self.copies[self.key] += self.is_to_copy
        self.key += 1
        self._look()
        if now_s % 5 == 0:
            self.turns.check()
            self.world.progress(self.attempt, after_s=now_s)

    def _look(self) -> None:
        self.is_to_copy = not self.over and self.copies[self.key] == 0


@pytest.mark.parametrize("away_s", [0, 3, 10, 16, 27, 300])
@pytest.mark.parametrize("since_s", [20, 24])
@pytest.mark.parametrize("begins_s", [18, 26])
def test_each_key_is_copied_once_though_one_was_away(away_s: int, since_s: int, begins_s: int, tmp_path: Path) -> None:
    """The first worker is stopped for a while, the second takes over before, in it or after, by clocks of their own."""
    first, second = World(folder=tmp_path / "results"), World(folder=tmp_path / "results")
    copies = [0] * 120
    one = Copier(first.turns(1), first, 1, copies)
    one.begin()

    def pass_second(_: float = 0) -> None:
        first.clock.time_s[0] += 1
        if not since_s <= first.clock() < since_s + away_s:
            one.second(first.clock())

    while first.clock() < begins_s:
        pass_second()
    second.clock = Waited(pass_second)
    two = Copier(second.turns(2), second, 2, copies)
    two.begin()
    while not two.over:
        second.clock.wait(second.stop, 1)
        two.second(second.clock())
    while not one.over:
        pass_second()

    assert copies == [1] * 120
    assert first.gave_way
    assert not second.gave_way
