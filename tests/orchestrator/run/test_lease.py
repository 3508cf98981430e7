"""A launcher's lease on its job, over both kinds of state, in time that passes only when it is told to."""

import threading
from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.run.lease import held
from orchestrator.state.lease_file import LASTS_S, LeaseHeldError, LeaseLostError
from orchestrator.state.s3_state import S3Store
from tests.orchestrator.run.leases import ANA, BEN, World


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

    threads = [threading.Thread(target=want, args=(number,), daemon=True) for number in range(1, 9)]
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
