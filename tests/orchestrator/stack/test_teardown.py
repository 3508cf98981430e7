"""Taking the stack down: nothing of the user's goes unasked."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.settings.settings import FargateSettings, Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.teardown import plan_teardown, take_down
from tests.orchestrator.stack.fake_cloudformation import PARTS, FakeCloudFormation

OURS = {"TemplateVersion": "1"}


@pytest.fixture
def state(aws: str) -> Any:
    """S3 with the stack's state bucket, empty."""
    s3 = boto3.client("s3", endpoint_url=aws)
    s3.create_bucket(Bucket=PARTS["StateBucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3


def stack_of(service: FakeCloudFormation) -> CloudFormation:
    """CloudFormation without waiting."""
    clock = Clock(monotonic=lambda: 0.0, sleep=lambda _: None)
    return CloudFormation("s3reclass", cloudformation=service, clock=clock)


def tear_down(service: FakeCloudFormation, *, delete_state: bool = False) -> list[str]:
    """Take it down; what was said."""
    said: list[str] = []
    teardown = plan_teardown(Settings(), cloudformation=stack_of(service))
    assert teardown
    take_down(teardown, delete_state=delete_state, say=said.append, cloudformation=stack_of(service))
    return said


def run_task(aws: str, cluster: str, family: str) -> None:
    """A task that runs on the cluster."""
    ecs = boto3.client("ecs", endpoint_url=aws)
    ecs.create_cluster(clusterName=cluster)
    container: Any = {"name": "worker", "image": "i", "memory": 128}
    ecs.register_task_definition(family=family, containerDefinitions=[container], cpu="256", memory="512")
    ecs.run_task(
        cluster=cluster,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": []}},
    )


def test_no_stack_is_nothing_to_do() -> None:
    """Not an error: it is as asked."""
    assert plan_teardown(Settings(), cloudformation=stack_of(FakeCloudFormation())) is None


def test_an_empty_state_bucket_goes_with_the_stack(state: Any) -> None:
    """The stack first, then the bucket that it left behind."""
    service = FakeCloudFormation("CREATE_COMPLETE", OURS)

    assert tear_down(service) == [
        "stack s3reclass: deleting it",
        "  Cluster DELETE_COMPLETE",
        "stack s3reclass: gone",
        "state bucket the-state: gone",
    ]
    assert [operation for operation, _ in service.calls] == ["delete_stack"]
    assert state.list_buckets()["Buckets"] == []


def test_a_state_bucket_with_jobs_in_it_is_kept(state: Any) -> None:
    """And its name told, with how to go on with it."""
    state.put_object(Bucket="the-state", Key="job/job.json", Body=b"{}")
    service = FakeCloudFormation("CREATE_COMPLETE", OURS)
    teardown = plan_teardown(Settings(), cloudformation=stack_of(service))

    assert teardown
    assert not teardown.state_is_empty
    said = tear_down(service)[-1]
    assert 'state = "s3://the-state" in s3reclass.toml' in said
    # The stack's bucket is versioned: without its files, S3 still doesn't delete it.
    assert said.endswith("to remove it, delete all versions in it, then the bucket")
    assert [one["Key"] for one in state.list_objects_v2(Bucket="the-state")["Contents"]] == ["job/job.json"]


def test_a_state_bucket_goes_when_asked(state: Any) -> None:
    """Emptied only after the stack is gone, when nothing can write to it any more."""
    state.put_object(Bucket="the-state", Key="job/job.json", Body=b"{}")
    said = tear_down(FakeCloudFormation("CREATE_COMPLETE", OURS), delete_state=True)

    assert said[-3:] == [
        "stack s3reclass: gone",
        "state bucket the-state: emptied (1 deleted)",
        "state bucket the-state: gone",
    ]
    assert state.list_buckets()["Buckets"] == []


def test_a_stack_that_cannot_be_deleted_keeps_the_state(state: Any) -> None:
    """Its reason is told, and nothing is emptied."""
    state.put_object(Bucket="the-state", Key="k", Body=b"")
    service = FakeCloudFormation("CREATE_COMPLETE", OURS)
    service.ends["delete_stack"] = "DELETE_FAILED"
    service.reason = "resource sg-1 has a dependent object"

    with pytest.raises(S3ReclassError, match=r"could not be deleted \(DELETE_FAILED\): Cluster: resource sg-1 .*again"):
        tear_down(service, delete_state=True)
    assert state.list_objects_v2(Bucket="the-state")["KeyCount"] == 1


@pytest.mark.usefixtures("state")
def test_a_broken_stack_can_be_taken_down() -> None:
    """It is what the error of a rolled-back stack says to do."""
    assert tear_down(FakeCloudFormation("ROLLBACK_COMPLETE", OURS))[2] == "stack s3reclass: gone"


def test_a_stack_of_somebody_else_is_left_alone() -> None:
    """Whatever its name."""
    service = FakeCloudFormation("CREATE_COMPLETE", {"Domain": "example.org"})

    with pytest.raises(S3ReclassError, match=r"isn't s3reclass's: it is left alone"):
        plan_teardown(Settings(), cloudformation=stack_of(service))
    assert service.calls == []


@pytest.mark.usefixtures("state")
def test_a_stack_whose_tasks_run_is_left_alone(aws: str) -> None:
    """They would lose their role in the middle of the work."""
    service = FakeCloudFormation("CREATE_COMPLETE", OURS)
    run_task(aws, "the-cluster", "anything")

    with pytest.raises(S3ReclassError, match=r"1 tasks still run .*run `s3reclass stop`"):
        plan_teardown(Settings(), cloudformation=stack_of(service))
    assert service.calls == []


@pytest.mark.usefixtures("state")
def test_our_tasks_on_a_named_cluster_count_too(aws: str) -> None:
    """They use the stack's roles; other people's tasks there don't matter."""
    settings = Settings(fargate=FargateSettings(cluster="theirs"))
    stack = stack_of(FakeCloudFormation("CREATE_COMPLETE", OURS))
    run_task(aws, "theirs", "web")

    assert plan_teardown(settings, cloudformation=stack)
    run_task(aws, "theirs", "s3reclass-copy")
    with pytest.raises(S3ReclassError, match=r"1 tasks still run"):
        plan_teardown(settings, cloudformation=stack)


def register(aws: str, family: str, log_group: str) -> None:
    """A revision of a task definition whose tasks log there."""
    log = {"logDriver": "awslogs", "options": {"awslogs-group": log_group}}
    container: Any = {"name": "worker", "image": "i", "memory": 128, "logConfiguration": log}
    boto3.client("ecs", endpoint_url=aws).register_task_definition(family=family, containerDefinitions=[container])


def registered(aws: str) -> list[str]:
    """Every revision that can be run."""
    ecs = boto3.client("ecs", endpoint_url=aws)
    return sorted(arn.rpartition("/")[2] for arn in ecs.list_task_definitions()["taskDefinitionArns"])


@pytest.mark.usefixtures("state")
def test_task_definitions_of_the_stack_go_with_it(aws: str) -> None:
    """Every revision that refers to it, also an old one; another stack's in the same family, and strangers', stay."""
    service = FakeCloudFormation("CREATE_COMPLETE", OURS)
    for log_group in ("the-logs", "another-stack's", "the-logs"):
        register(aws, "s3reclass-copy", log_group)
    register(aws, "s3reclass-restore", "the-logs")
    register(aws, "s3reclass-copy-of-mine", "the-logs")
    old = boto3.client("ecs", endpoint_url=aws)
    old.deregister_task_definition(taskDefinition="s3reclass-copy:1")

    said = tear_down(service)

    assert "task definitions: 3 removed" in said
    assert registered(aws) == ["s3reclass-copy-of-mine:1", "s3reclass-copy:2"]


@pytest.mark.usefixtures("state")
def test_a_stack_goes_though_its_task_definitions_may_not_be_removed() -> None:
    """The denial is told, with what it costs: nothing; the state bucket goes all the same."""
    teardown = plan_teardown(Settings(), cloudformation=stack_of(FakeCloudFormation("CREATE_COMPLETE", OURS)))
    ecs = boto3.client("ecs")
    said: list[str] = []
    with Stubber(ecs) as stub:
        stub.add_client_error("list_task_definitions", "AccessDeniedException", "not authorized")

        assert teardown
        service = stack_of(FakeCloudFormation("CREATE_COMPLETE", OURS))
        take_down(teardown, delete_state=False, say=said.append, cloudformation=service, ecs=Ecs(ecs))

    assert said[-2].startswith("task definitions: some stay, which cost nothing: removing the task definitions")
    assert "ListTaskDefinitions" in said[-2]
    assert said[-1] == "state bucket the-state: gone"
