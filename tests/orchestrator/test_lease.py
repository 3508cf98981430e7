"""A launcher's lease on its job, over both kinds of state, in time that passes only when it is told to."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from orchestrator.clients.state_store import DirectoryStore, S3Store, Stamped, StateStore
from orchestrator.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.job_state import JobState
from orchestrator.lease import JobLease, held
from orchestrator.planning.lease import LASTS_S, SAFETY_S, Holder, Lease, LeaseHeldError, LeaseLostError
from worker.contract import StatePaths

JOB = "0123456789ab"
PATH = StatePaths(JOB).lease_file
ANA = Holder(host="h", machine="m", pid=1, process="p", user="ana", command="run", since="now")
BEN = replace(ANA, pid=2, user="ben")


class Aging:
    """A store whose files are as old as a test says. down: whether it can't be reached."""

    def __init__(self, store: StateStore) -> None:
        """Make it over another store."""
        self.store = store
        self.older_s = 0.0
        self.down = False
        self.lost_answers = 0

    def read_stamped(self, path: str) -> Stamped | None:
        """The file, older."""
        self._reach()
        found = self.store.read_stamped(path)
        return found and replace(found, age_s=found.age_s + self.older_s)

    def write_if(self, path: str, data: bytes, tag: str | None) -> str | None:
        """Write, which makes the file new; the answer may get lost."""
        self._reach()
        written = self.store.write_if(path, data, tag)
        if written:
            self.older_s = 0
        if self.lost_answers:
            self.lost_answers -= 1
            raise S3ReclassError("no answer")
        return written

    def uri(self, path: str) -> str:
        """The path."""
        return self.store.uri(path)

    def _reach(self) -> None:
        if self.down:
            raise S3ReclassError("no connection")


class World:
    """A state, and launchers that want its job."""

    def __init__(self, store: StateStore) -> None:
        """Make a world in which no time has passed."""
        self.store = Aging(store)
        self.awake_s = self.asleep_s = 0.0
        self.dead: set[str] = set()

    def passes(self, seconds: float, *, asleep: bool = False) -> None:
        """Let time pass; the launchers' machine may sleep through it."""
        self.store.older_s += seconds
        if asleep:
            self.asleep_s += seconds
        else:
            self.awake_s += seconds

    def lease(self, holder: Holder) -> JobLease:
        """A launcher's lease, not taken yet."""
        clock = Clock(
            monotonic=lambda: self.awake_s,
            sleep=self.passes,
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.awake_s + self.asleep_s),
        )
        state = JobState(self.store, JOB)  # type: ignore[arg-type]  # it has what a lease needs
        return JobLease(state, holder, clock=clock, ended=lambda one, _: one.user in self.dead)

    def taken(self, holder: Holder) -> JobLease:
        """A lease that is taken."""
        lease = self.lease(holder)
        lease.take()
        return lease

    def found(self) -> Lease:
        """The lease as the state holds it."""
        stamped = self.store.store.read_stamped(PATH)
        assert stamped is not None
        return Lease.from_json(stamped.data)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world whose state is a directory."""
    return World(DirectoryStore(tmp_path))


def test_one_launcher_has_the_job(world: World) -> None:
    """The second is refused by name, and the first goes on."""
    first = world.taken(ANA)

    with pytest.raises(LeaseHeldError, match=r"of ana on h \(pid 1"):
        world.lease(BEN).take()
    assert first.check()


def test_a_leases_life_in_s3(aws: str) -> None:
    """Taken, refused to another, renewed, run out, taken over, found lost, given back, taken again."""
    assert aws
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    world = World(S3Store("state", "p"))
    first = world.taken(ANA)
    first.renew()
    with pytest.raises(LeaseHeldError):
        world.lease(BEN).take()
    world.passes(LASTS_S + 1)
    second = world.taken(BEN)
    first.renew()
    with pytest.raises(LeaseLostError):
        first.check()
    second.release()

    assert world.taken(ANA).check()


def test_a_released_lease_is_anybodys(world: World) -> None:
    """At once."""
    world.taken(ANA).release()

    assert world.taken(BEN).check()


def test_a_dead_launchers_lease_is_taken_at_once(world: World) -> None:
    """Killed a moment ago on this machine: the same command again doesn't wait."""
    world.taken(ANA)
    world.dead.add("ana")

    assert world.taken(BEN).check()
    assert world.found().holder == BEN


def test_a_lease_of_who_knows_whom_runs_out(world: World) -> None:
    """Its launcher was on another machine, and nobody can say whether it lives."""
    world.taken(ANA)
    world.passes(LASTS_S - 1)
    with pytest.raises(LeaseHeldError):
        world.lease(BEN).take()
    world.passes(2)

    assert world.taken(BEN).check()


def test_a_renewed_lease_does_not_run_out(world: World) -> None:
    """As long as its launcher runs."""
    first = world.taken(ANA)
    for _ in range(10):
        world.passes(LASTS_S / 2)
        first.renew()

        assert first.check()
        with pytest.raises(LeaseHeldError):
            world.lease(BEN).take()


def test_of_two_that_find_it_free_one_gets_it(world: World) -> None:
    """However close they are: eight launchers at once, one holder."""
    world.taken(ANA).release()
    gate, got = threading.Barrier(8), []

    def want(number: int) -> None:
        lease = world.lease(replace(BEN, pid=number))
        gate.wait(30)
        try:
            lease.take()
        except S3ReclassError:
            return
        got.append(number)

    threads = [threading.Thread(target=want, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert got == [world.found().holder.pid]


def test_a_launcher_finds_its_lease_lost(world: World) -> None:
    """It was stopped for so long that another one took over: it says so, and leaves the other's lease alone."""
    first = world.taken(ANA)
    world.passes(LASTS_S + 1)
    second = world.taken(BEN)

    assert not first.check()
    first.renew()
    with pytest.raises(LeaseLostError, match="taken over by `run` of ben"):
        first.check()
    first.release()
    assert second.check()
    assert world.found().holder == BEN
    assert not world.found().released


@pytest.mark.parametrize("asleep", [False, True])
def test_a_lease_that_isnt_renewed_isnt_counted_on(world: World, *, asleep: bool) -> None:
    """Some time before it ends nothing is started on it any more, also on a machine that slept meanwhile."""
    lease = world.taken(ANA)
    world.passes(LASTS_S - SAFETY_S - 1, asleep=asleep)
    assert lease.check()
    world.passes(2, asleep=asleep)

    assert not lease.check()


def test_a_lease_that_ran_out_untaken_is_renewed(world: World) -> None:
    """Nobody else wanted the job: its launcher goes on."""
    lease = world.taken(ANA)
    world.passes(10 * LASTS_S)
    lease.renew()

    assert lease.check()


def test_a_state_out_of_reach_for_a_while_does_no_harm(world: World) -> None:
    """Renewals fail, the lease holds; when the state is back it is renewed."""
    lease = world.taken(ANA)
    world.store.down = True
    for _ in range(3):
        world.passes(30)
        with pytest.raises(S3ReclassError):
            lease.renew()
    assert lease.check()
    world.store.down = False
    lease.renew()
    world.passes(30)

    assert lease.check()


def test_a_renewal_whose_answer_was_lost_is_no_loss(world: World) -> None:
    """The state holds our next lease already: it is ours."""
    lease = world.taken(ANA)
    world.store.lost_answers = 1
    with pytest.raises(S3ReclassError):
        lease.renew()
    lease.renew()
    lease.renew()

    assert lease.check()
    lease.release()
    assert world.found().released


def test_a_lease_that_somebody_removed_is_put_back(world: World) -> None:
    """By hand, say: nobody else has it."""
    lease = world.taken(ANA)
    Path(world.store.uri(PATH)).unlink()
    lease.renew()

    assert lease.check()
    assert world.found().holder == ANA


def test_a_damaged_lease_is_named(world: World) -> None:
    """It isn't taken for a free job."""
    world.store.store.write(PATH, b"{")

    with pytest.raises(S3ReclassError, match=r"lease\.json is damaged .*move it away"):
        world.lease(ANA).take()


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


def fail() -> None:
    """An error that ends a command."""
    raise S3ReclassError("it ends")


@pytest.mark.parametrize("step", [lambda: None, interrupt, fail])
def test_it_is_given_back_however_the_work_ends(world: World, step: Callable[[], None]) -> None:
    """Done, interrupted or failed: the next launcher need not wait."""
    try:
        with held(world.lease(ANA)) as lease:
            assert lease.check()
            step()
    except (KeyboardInterrupt, S3ReclassError):
        pass

    assert world.found().released


def test_it_is_given_back_to_a_state_that_is_gone(world: World) -> None:
    """An error at the end would hide how the work went: the lease just runs out."""
    with held(world.lease(ANA)):
        world.store.down = True

    assert not world.found().released
