"""A launcher's lease when something goes wrong: not renewed in time, out of reach, removed, damaged."""

from pathlib import Path

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.run.lease import held
from orchestrator.state.lease_file import LASTS_S, SAFETY_S
from tests.orchestrator.run.leases import ANA, PATH, World


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


def test_it_is_given_back_to_a_state_that_is_gone(world: World) -> None:
    """An error at the end would hide how the work went: the lease just runs out."""
    with held(world.lease(ANA)):
        world.store.down = True

    assert not world.found().released
