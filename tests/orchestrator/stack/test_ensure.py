"""The stack's journey: made when missing, updated when it lacks something, left alone when it has everything."""

from orchestrator.settings.settings import FargateSettings, Settings
from orchestrator.stack.ensure import resources
from tests.orchestrator.stack.stacks import READY, World

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


def test_no_stack_is_made_when_every_part_is_named() -> None:
    """What s3reclass.toml names is used as it is; CloudFormation isn't asked."""
    world = World()

    parts = world.ensure(ALL_NAMED)

    assert parts == resources(ALL_NAMED, cloudformation=world.stack)
    assert (parts.state_bucket, parts.cluster, parts.security_groups) == ("their-state", "c", ("g",))
    assert world.changes == []
