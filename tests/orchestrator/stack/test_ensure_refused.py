"""A stack that can't be used or can't be made: the error says why, and nothing more is tried."""

import pytest

from orchestrator.common.clock import Clock
from orchestrator.errors import NoStateError, S3ReclassError, UsageError
from orchestrator.settings.settings import Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.ensure import Account, ensure_stack, resources
from orchestrator.stack.parameters import Network
from tests.orchestrator.stack.fake_cloudformation import FakeCloudFormation
from tests.orchestrator.stack.stacks import READY, SETTINGS, World


def test_a_stack_that_rolls_back_says_why_and_what_to_do() -> None:
    """The first failed part's reason, not the ones that follow from it."""
    world = World()
    world.service.ends["create_stack"] = "ROLLBACK_COMPLETE"
    world.service.reason = "you may not"

    with pytest.raises(S3ReclassError) as caught:
        world.ensure()

    assert str(caught.value) == (
        "the stack s3reclass can't be used (ROLLBACK_COMPLETE): Cluster: you may not: "
        "put that right, run `s3reclass down` and then `s3reclass up`"
    )


def test_a_stack_that_rolled_back_yesterday_is_refused() -> None:
    """The same words for a stack found broken; nothing is tried on it."""
    world = World("ROLLBACK_COMPLETE", READY)

    with pytest.raises(S3ReclassError, match=r"ROLLBACK_COMPLETE.*`s3reclass down` and then `s3reclass up`"):
        world.ensure()
    with pytest.raises(S3ReclassError, match=r"ROLLBACK_COMPLETE.*`s3reclass down` and then `s3reclass up`"):
        resources(SETTINGS, cloudformation=world.stack)
    assert world.changes == []


def test_an_update_that_rolls_back_is_an_error_too() -> None:
    """The stack is as before, so it lacks what was asked for."""
    world = World("CREATE_COMPLETE", READY)
    world.service.ends["update_stack"] = "UPDATE_ROLLBACK_COMPLETE"

    with pytest.raises(
        S3ReclassError, match=r"could not be updated and is as it was before .*Cluster: Resource handler"
    ):
        world.ensure(buckets=("second",))


def test_a_stack_of_somebody_else_is_left_alone() -> None:
    """A stack of that name without our parameters isn't ours to change."""
    world = World("CREATE_COMPLETE", {"Domain": "example.org"})

    with pytest.raises(S3ReclassError, match=r"isn't s3reclass's: choose another name"):
        world.ensure()
    with pytest.raises(S3ReclassError, match=r"isn't s3reclass's: choose another name"):
        resources(SETTINGS, cloudformation=world.stack)
    assert world.changes == []


def test_nothing_is_made_when_the_bucket_is_not_there() -> None:
    """The bucket is looked at before anything is made."""
    world = World()

    def nowhere(bucket: str) -> None:
        raise S3ReclassError(f"there is no bucket {bucket}")

    with pytest.raises(S3ReclassError, match=r"there is no bucket my-bucket"):
        ensure_stack(
            SETTINGS,
            say=world.said.append,
            cloudformation=world.stack,
            account=Account(probe_bucket=nowhere, network=lambda _: Network(vpc_id="v", subnets=("s",))),
        )
    assert (world.changes, world.said) == ([], [])


def test_a_stack_without_any_bucket_is_not_made() -> None:
    """There is nothing that its tasks could work on."""
    world = World()

    with pytest.raises(UsageError, match=r"no bucket is named"):
        world.ensure(Settings())
    assert world.changes == []


def test_looking_at_resources_makes_nothing() -> None:
    """`status`, `report` and `logs` only look: without a stack they say how to make one."""
    world = World()

    with pytest.raises(NoStateError, match=r"no stack s3reclass in eu-west-1: run `s3reclass up`"):
        resources(SETTINGS, cloudformation=world.stack)
    assert world.changes == []


def test_a_stack_being_made_has_no_resources_yet() -> None:
    """Nor is it broken: the command is to be run again."""
    world = World("CREATE_IN_PROGRESS", READY)

    with pytest.raises(S3ReclassError, match=r"is CREATE_IN_PROGRESS: run the command again"):
        resources(SETTINGS, cloudformation=world.stack)


def test_a_stack_that_is_always_busy_is_given_up() -> None:
    """After half an hour of waiting, with what to look at."""
    service = FakeCloudFormation("UPDATE_IN_PROGRESS", READY)
    times = iter(range(0, 100_000, 1000))
    clock = Clock(monotonic=lambda: float(next(times)), sleep=lambda _: None)

    with pytest.raises(S3ReclassError, match=r"still UPDATE_IN_PROGRESS after 30 minutes"):
        ensure_stack(
            SETTINGS,
            say=lambda _: None,
            cloudformation=CloudFormation("s3reclass", cloudformation=service, clock=clock),
        )
