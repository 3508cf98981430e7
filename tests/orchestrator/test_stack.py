"""The stack's journey: made when missing, updated when it lacks something, refused when it is broken."""

import pytest

from orchestrator.clients.cloudformation import CloudFormation
from orchestrator.clock import Clock
from orchestrator.errors import NoStateError, S3ReclassError, UsageError
from orchestrator.model import Resources
from orchestrator.planning.stack import TEMPLATE_VERSION, Network
from orchestrator.settings import FargateSettings, Settings
from orchestrator.stack import Account, ensure_stack, resources
from tests.orchestrator.fake_cloudformation import FakeCloudFormation

SETTINGS = Settings(bucket="my-bucket")
READY = {
    "TemplateVersion": str(TEMPLATE_VERSION),
    "BucketArns": "arn:aws:s3:::my-bucket",
    "ObjectArns": "arn:aws:s3:::my-bucket/*",
    "StateArns": "",
    "KmsKeyArns": "",
    "VpcId": "vpc-1",
    "SubnetIds": "subnet-1,subnet-2",
    "MakeTaskRole": "true",
    "MakeExecutionRole": "true",
    "DeleteSuperseded": "false",
    "RepositoryName": "",
    "LogGroupName": "",
    "StateRetentionDays": "90",
}
ALL_NAMED = Settings(
    bucket="my-bucket",
    state="s3://their-state/jobs",
    fargate=FargateSettings(
        cluster="c",
        repository="r",
        log_group="l",
        task_role_arn="t",
        execution_role_arn="e",
        subnets=("s",),
        security_groups=("g",),
    ),
)


class World:
    """A CloudFormation, an EC2 and an S3 that note what they are asked, and a clock that doesn't tick."""

    def __init__(self, status: str = "", parameters: dict[str, str] | None = None) -> None:
        self.service = FakeCloudFormation(status, parameters)
        self.said: list[str] = []
        self.looked_at: list[str] = []
        self.networks: list[tuple[str, ...]] = []

    @property
    def stack(self) -> CloudFormation:
        """CloudFormation for the stack."""
        clock = Clock(monotonic=lambda: 0.0, sleep=lambda _: None)
        return CloudFormation("s3reclass", cloudformation=self.service, clock=clock)

    def ensure(
        self,
        settings: Settings = SETTINGS,
        *,
        buckets: tuple[str, ...] = (),
        delete_superseded: bool | None = None,
        look_again: bool = False,
    ) -> Resources:
        """`ensure_stack` in this world."""

        def network(subnets: tuple[str, ...]) -> Network:
            self.networks.append(subnets)
            return Network(vpc_id="vpc-1", subnets=subnets or ("subnet-1", "subnet-2"))

        return ensure_stack(
            settings,
            say=self.said.append,
            buckets=buckets,
            delete_superseded=delete_superseded,
            look_again=look_again,
            cloudformation=self.stack,
            account=Account(look_at_bucket=self.looked_at.append, network=network),
        )

    @property
    def changes(self) -> list[str]:
        """The operations that changed something."""
        return [operation for operation, _ in self.service.calls]


def test_a_missing_stack_is_made_and_said() -> None:
    """The bucket is looked at first, then the stack is made and waited for; what it does is told."""
    world = World()

    parts = world.ensure()

    assert world.changes == ["create_stack"]
    assert world.looked_at == ["my-bucket"]
    assert world.said == [
        "stack s3reclass: making it in eu-west-1 (about two minutes)",
        "  Cluster CREATE_COMPLETE",
        "stack s3reclass: ready",
    ]
    assert (parts.cluster, parts.state_bucket, parts.subnets) == ("the-cluster", "the-state", ("subnet-1", "subnet-2"))


def test_a_stack_that_has_everything_is_left_alone() -> None:
    """No change, no word, no question to EC2 or S3."""
    world = World("CREATE_COMPLETE", READY)

    world.ensure()

    assert (world.changes, world.said, world.looked_at, world.networks) == ([], [], [], [])


def test_up_looks_for_the_subnets_again() -> None:
    """`up` asks EC2 though the stack has subnets, and changes nothing when they are the same."""
    world = World("CREATE_COMPLETE", READY)

    world.ensure(look_again=True)

    assert (world.changes, world.networks) == ([], [()])


def test_a_bucket_that_the_stack_lacks_is_added_to_those_there() -> None:
    """The role gains the bucket and loses none; parameters that aren't ours to say keep their value."""
    world = World("UPDATE_ROLLBACK_COMPLETE", READY)

    world.ensure(buckets=("second",))

    assert world.looked_at == ["second"]
    assert world.said[0] == (
        "stack s3reclass: updating it (BucketArns + arn:aws:s3:::second; ObjectArns + arn:aws:s3:::second/*)"
    )
    assert world.service.parameters == READY | {
        "BucketArns": "arn:aws:s3:::my-bucket,arn:aws:s3:::second",
        "ObjectArns": "arn:aws:s3:::my-bucket/*,arn:aws:s3:::second/*",
    }


def test_a_stack_of_an_older_template_is_updated() -> None:
    """It gets the permissions that this version's worker needs, and no more than were asked for."""
    older = {name: value for name, value in READY.items() if name != "DeleteSuperseded"} | {"TemplateVersion": "1"}
    world = World("CREATE_COMPLETE", older)

    world.ensure()

    assert world.changes == ["update_stack"]
    assert world.service.parameters == READY


def test_deleting_versions_is_allowed_by_name_and_said() -> None:
    """`run --delete-superseded` updates the stack; the next run without it leaves the permission to its owner."""
    world = World("CREATE_COMPLETE", READY)

    world.ensure(delete_superseded=True)
    world.ensure()

    assert world.said[0] == "stack s3reclass: updating it (DeleteSuperseded = true)"
    assert world.service.parameters["DeleteSuperseded"] == "true"
    assert world.changes == ["update_stack"]


def test_a_newer_template_is_not_replaced_by_an_older_one() -> None:
    """A stack that a later s3reclass made gets the bucket and keeps its template."""
    world = World("CREATE_COMPLETE", READY | {"TemplateVersion": "1000"})

    world.ensure(buckets=("second",))

    (_, request), *_ = world.service.calls
    assert request["UsePreviousTemplate"] is True
    assert "TemplateBody" not in request
    assert world.service.parameters["TemplateVersion"] == "1000"


def test_an_update_that_changes_nothing_is_fine() -> None:
    """CloudFormation's "No updates are to be performed" is no error."""
    world = World("CREATE_COMPLETE", READY)
    world.service.refusals["update_stack"] = ("ValidationError", "No updates are to be performed.")

    assert world.ensure(buckets=("second",)).cluster == "the-cluster"


def test_what_another_launcher_does_is_waited_for() -> None:
    """A stack in progress is waited for, then looked at again."""
    world = World("CREATE_IN_PROGRESS", READY)
    world.service.next_statuses = ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]

    world.ensure()

    assert world.changes == []
    assert world.said == ["stack s3reclass: waiting, it is CREATE_IN_PROGRESS"]


def test_two_launchers_that_make_the_stack_at_once_make_one() -> None:
    """The slower one's AlreadyExistsException sends it back to look."""
    world = World()
    world.service.refusals["create_stack"] = ("AlreadyExistsException", "Stack [s3reclass] already exists")

    world.ensure()

    assert world.changes == ["create_stack", "create_stack"]


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
            account=Account(look_at_bucket=nowhere, network=lambda _: Network(vpc_id="v", subnets=("s",))),
        )
    assert (world.changes, world.said) == ([], [])


def test_a_stack_without_any_bucket_is_not_made() -> None:
    """There is nothing that its tasks could work on."""
    world = World()

    with pytest.raises(UsageError, match=r"no bucket is named"):
        world.ensure(Settings())
    assert world.changes == []


def test_no_stack_is_made_when_every_part_is_named() -> None:
    """What s3reclass.toml names is used as it is; CloudFormation isn't asked."""
    world = World()

    parts = world.ensure(ALL_NAMED)

    assert parts == resources(ALL_NAMED, cloudformation=world.stack)
    assert (parts.state_bucket, parts.cluster, parts.security_groups) == ("their-state", "c", ("g",))
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
