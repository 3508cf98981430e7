"""What starts when: on Spot or on-demand, with the lease or without, and how the request rate is divided."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.model import Lots, Refused, Task, TaskRequest, TaskState, TaskStatus
from orchestrator.planning.lease import LeaseLostError
from orchestrator.planning.shares import SETTLE_S
from orchestrator.watch import Ending, Limits, Watch
from tests.orchestrator.worlds import Ear, Fate, ScriptedPlace, WorldClock, job_state, lots_of
from worker.contract import Outcome, Phase, Share

GOOD: Fate = {Outcome.REQUESTED: 2}
JOB = "0123456789ab"
TAKEN_BACK = TaskState(status=TaskStatus.STOPPED, exit_code=75, interrupted=True, reason="AWS took it back")
FULL = "AWS has no Fargate capacity free"


class Lease:
    """A right that a test gives and takes."""

    def __init__(self) -> None:
        """It is ours."""
        self.answers: list[bool] = []
        self.lost = False

    def check(self) -> bool:
        """The next answer, else yes."""
        if self.lost:
            raise LostError
        return self.answers.pop(0) if self.answers else True


class LostError(Exception):
    """What a lost lease raises here."""


class World:
    """Launchers, one after the other, over one state and one place."""

    def __init__(self, root: Path, lots: Lots, fate: Callable[[TaskRequest], Fate], **place: object) -> None:
        """Make the world."""
        self.lots, self.ear, self.clock, self.right = lots, Ear(), WorldClock(), Lease()
        self.place = ScriptedPlace(root, fate, **place)  # type: ignore[arg-type]  # each test names a field it knows
        self.state = job_state(root, lots)

    def run(self, limits: Limits = Limits(), rate: float = 0) -> Ending:
        """Run a launcher to its end."""
        watch = Watch(
            state=self.state,
            place=self.place,
            phase=Phase.RESTORE,
            request_for=lambda lot, attempt: TaskRequest(
                job=JOB,
                phase=Phase.RESTORE,
                lot=lot.name,
                attempt=attempt,
                command=("restore", lot.name, str(attempt)),
                spot=self.place.spot,
            ),
            audience=self.ear,
            clock=self.clock.clock(),
            limits=limits,
            right=self.right,
            rate=rate,
        )
        return watch.run(self.state.standings(self.lots, Phase.RESTORE), JOB)

    def starts(self) -> list[tuple[int, bool]]:
        """The attempt and the capacity of each start: whether on Spot."""
        return [(request.attempt, request.spot) for request in self.place.started]

    def share(self) -> Share:
        """What running tasks were told last."""
        share = self.state.share(Phase.RESTORE)
        assert share is not None
        return share


@pytest.mark.parametrize(
    ("starts", "limit"),
    [
        ([(1, True), (2, True), (3, True), (4, False), (5, False)], 3),
        ([(1, True), (2, False), (3, False), (4, False), (5, False)], 1),
        ([(1, True), (2, True), (3, True), (4, True), (5, True)], 0),
    ],
)
def test_a_lot_leaves_spot_after_some_interruptions(tmp_path: Path, starts: list[tuple[int, bool]], limit: int) -> None:
    """Interruptions aren't counted against the failure limit, and after `--spot-interruptions` the lot is on-demand."""
    world = World(tmp_path, lots_of(1), lambda one: TAKEN_BACK if one.attempt < 5 else GOOD, spot=True)

    ending = world.run(Limits(spot_interruptions=limit, lost_per_lot=1))

    assert world.starts() == starts
    assert ending.given_up == {}
    assert sum("on-demand" in line for line in world.ear.remarks) == sum(not spot for _, spot in starts)


def test_the_next_launcher_knows_how_often_a_lot_was_interrupted(tmp_path: Path) -> None:
    """The count is in the notes of the starts, with the capacity of each."""
    world = World(tmp_path, lots_of(1), lambda one: TAKEN_BACK if one.attempt < 3 else None, spot=True)

    def kill(_: float) -> None:
        if len(world.place.started) == 3:
            raise KeyboardInterrupt

    world.clock.on_sleep = kill
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.clock.on_sleep = lambda _: None
    world.place.fate = lambda one: TAKEN_BACK if one.attempt < 4 else GOOD
    world.run()

    assert world.starts() == [(1, True), (2, True), (3, True), (4, False)]
    notes = [world.state.started_note(Phase.RESTORE, "lot-00000", attempt) for attempt in (1, 2, 3, 4)]
    assert [(note.spot, note.interruptions) for note in notes if note] == [(True, 0), (True, 1), (True, 2), (False, 3)]


def test_a_start_on_spot_that_may_have_happened_is_asked_for_on_spot(tmp_path: Path) -> None:
    """To the letter, its capacity too: a place that started it would else be asked for something new."""
    world = World(tmp_path, lots_of(1), lambda _: GOOD)
    noted = TaskRequest(job=JOB, phase=Phase.RESTORE, lot="lot-00000", attempt=2, command=("restore",), spot=True)
    world.state.note_start(noted, "scripted", interruptions=1)

    world.run()

    assert world.place.started == [noted]
    note = world.state.started_note(Phase.RESTORE, "lot-00000", 2)
    assert note is not None
    assert (note.spot, note.interruptions, note.task) == (True, 1, "restore/lot-00000/2")


def test_without_spot_capacity_tasks_start_on_demand_for_a_while(tmp_path: Path) -> None:
    """After a minute without; what was refused has another number then, and Spot is asked again later."""
    world = World(tmp_path, lots_of(3), lambda _: GOOD, spot=True, max_tasks=1)
    full = [True]

    def capacity_comes_back(_: float) -> None:
        if len(world.place.started) == 2:
            full.clear()
            world.clock.seconds += 600

    world.clock.on_sleep = capacity_comes_back
    refuse(world.place, lambda one: FULL if full and one.spot else "", no_capacity=True)

    ending = world.run()

    assert world.starts() == [(2, False), (1, False), (1, True)]
    assert ending.halted == ""
    assert f"waiting to start lot-00000: {FULL}" in world.ear.remarks
    (told,) = [line for line in world.ear.remarks if "Spot has had no capacity" in line]
    assert told == (
        "Spot has had no capacity for 1 min 00 s: tasks start on-demand for the next 10 min 00 s, "
        "then Spot is asked again"
    )
    assert world.clock.seconds > 60


def refuse(place: ScriptedPlace, why: Callable[[TaskRequest], str], *, no_capacity: bool = False) -> None:
    """Let the place refuse, for the time being, the requests that there is a reason for."""
    start = place.start

    def start_or_refuse(request: TaskRequest) -> Task | Refused:
        if reason := why(request):
            return Refused(request=request, reason=reason, retry=True, no_capacity=no_capacity)
        return start(request)

    place.start = start_or_refuse  # type: ignore[method-assign]  # a place with a bottleneck


def test_a_spot_task_that_came_up_on_no_capacity_is_no_failure(tmp_path: Path) -> None:
    """ECS took it, and then there was none: the lot goes on, and on-demand after a few."""
    none = TaskState(status=TaskStatus.STOPPED, reason="Capacity is unavailable", never_started=True, no_capacity=True)
    world = World(tmp_path, lots_of(1), lambda one: none if one.spot else GOOD, spot=True)

    ending = world.run(Limits(lost_per_lot=1))

    assert world.starts() == [(1, True), (2, True), (3, True), (4, False)]
    assert ending.given_up == {}


def test_nothing_starts_while_the_lease_is_in_doubt(tmp_path: Path) -> None:
    """It is said once, and the tasks start when the lease is sure again."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)
    world.right.answers = [False, False, False]

    ending = world.run()

    assert len(world.place.started) == 2
    assert ending.halted == ""
    assert world.ear.remarks == ["the lease on this job couldn't be renewed in time: no task is started until it is"]
    assert world.clock.seconds > 3


def test_a_launcher_without_its_lease_starts_and_stops_nothing(tmp_path: Path) -> None:
    """Another one has the job: its tasks are left alone, and the error comes out."""
    world = World(tmp_path, lots_of(3), lambda _: None, max_tasks=2)

    def lose(_: float) -> None:
        world.right.lost = True

    world.clock.on_sleep = lose
    with pytest.raises(LostError):
        world.run()

    assert len(world.place.started) == 2
    assert len(world.place.live) == 2
    assert world.place.stopped == []


def test_a_lost_lease_is_an_error_for_people() -> None:
    """The command ends with it in one line."""
    assert LeaseLostError.exit_code == 1


def test_the_rate_is_divided_among_the_tasks_and_anew_as_they_end(tmp_path: Path) -> None:
    """Four tasks have a quarter each; as the lots run out, those that are left have more."""
    told: list[tuple[int, float]] = []
    world = World(tmp_path, lots_of(4), lambda one: GOOD if one.lot != "lot-00000" else None, max_tasks=4)

    def note(now: float) -> None:
        told.append((len(world.place.live), world.share().rate))
        if now > 60:
            world.place.fate = lambda _: GOOD

    world.clock.on_sleep = note
    world.run(rate=900)

    assert (told[0], told[-1]) == ((4, 225), (1, 900))
    assert all(tasks * share <= 900 for tasks, share in told)


def test_a_second_row_of_tasks_has_the_first_ones_share(tmp_path: Path) -> None:
    """While lots wait, an ended task's share is the next one's: nothing new is told."""
    world = World(tmp_path, lots_of(9), lambda _: GOOD, max_tasks=3)
    told: set[float] = set()

    def note(_: float) -> None:
        if len(world.place.started) < 9:
            told.add(world.share().rate)

    world.clock.on_sleep = note
    world.run(rate=900)

    assert told == {300}


def test_tasks_of_an_earlier_launcher_are_told_to_send_less_before_others_start(tmp_path: Path) -> None:
    """One task had all of it; the others start when it has surely read that it has less."""
    world = World(tmp_path, lots_of(3), lambda _: None)
    world.place.start(TaskRequest(job=JOB, phase=Phase.RESTORE, lot="lot-00001", attempt=1, command=()))
    world.state.tell_share(Phase.RESTORE, Share(rate=900, most=900, tasks=1, at=""))
    started_at: list[float] = []

    def note(now: float) -> None:
        assert world.share().rate == 300 or now > SETTLE_S
        if len(world.place.started) == 3 and not started_at:
            started_at.append(now)
            world.place.fate = lambda _: GOOD

    world.clock.on_sleep = note
    world.run(rate=900)

    assert started_at[0] > SETTLE_S
    assert [line for line in world.ear.remarks if "told to send less" in line] == [
        "the running tasks are told to send less, so that others can start: this takes a minute"
    ]


def test_tasks_that_find_no_room_get_no_share(tmp_path: Path) -> None:
    """The account's quota is two tasks: these have most of the rate, and not a fiftieth each."""
    world = World(tmp_path, lots_of(50), lambda _: None, max_tasks=50)
    refuse(world.place, lambda _: "the quota is used up" if len(world.place.live) >= 2 else "")

    def note(now: float) -> None:
        if now > 100:
            assert world.share().rate == 300
            raise KeyboardInterrupt

    world.clock.on_sleep = note
    with pytest.raises(KeyboardInterrupt):
        world.run(rate=900)

    assert len(world.place.live) == 2


def test_without_a_rate_nothing_is_told(tmp_path: Path) -> None:
    """No limit, no shares."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD)
    world.run()

    assert world.state.share(Phase.RESTORE) is None


def test_a_damaged_share_is_replaced(tmp_path: Path) -> None:
    """Tasks can't read it any better: it is told anew, and until all have read that, one may go by anything."""
    world = World(tmp_path, lots_of(2), lambda _: GOOD if len(world.place.started) == 2 else None)
    world.place.start(TaskRequest(job=JOB, phase=Phase.RESTORE, lot="lot-00001", attempt=1, command=()))
    path = tmp_path / JOB / "restore" / "rate.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{")

    world.run(rate=900)

    assert world.share()
    assert len(world.place.started) == 2
    assert world.clock.seconds > SETTLE_S
