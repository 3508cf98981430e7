"""The ECS client: how fast it launches, what it waits out, and moto's ECS as a second opinion."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_ecs import MAX_DEFINITIONS_DELETED, Ecs, LaunchRate
from orchestrator.places.fargate_run_task import Patience, Rejection
from orchestrator.places.fargate_task_definition import same_definition, task_definition
from tests.orchestrator.places.fake_ecs import CLUSTER, FakeEcs, refusal
from tests.orchestrator.places.kits import IMAGE, RESOURCES, ecs_of, fargate_settings
from worker.contract import Phase

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient


class Timeline:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds


def test_twenty_launches_at_once_then_twenty_a_second() -> None:
    """The first 20 calls don't wait; 100 more take 5 seconds; after a rest there are 20 again."""
    time = Timeline()
    rate = LaunchRate(20, clock=time.clock, sleep=time.sleep)
    moments = []
    for _ in range(120):
        rate.take()
        moments.append(time.now)
    time.now += 60
    waits = len(time.slept)
    for _ in range(20):
        rate.take()

    assert moments[:20] == [100.0] * 20
    assert moments[119] == pytest.approx(105.0)
    assert len(time.slept) == waits


def reading(fake: FakeEcs, time: Timeline) -> Ecs:
    """A client over the fake on this timeline."""
    return Ecs(cast("ECSClient", fake), clock=time.clock, sleep=time.sleep, uniform=lambda low, _: low)


READS: list[tuple[str, Callable[[Ecs], object]]] = [
    ("list_tasks", lambda ecs: ecs.list_tasks(CLUSTER, "job", "RUNNING")),
    ("describe_tasks", lambda ecs: ecs.describe_tasks(CLUSTER, ["arn:1"])),
    ("stop_task", lambda ecs: ecs.stop_task(CLUSTER, "arn:1", "enough")),
    ("describe_task_definition", lambda ecs: ecs.describe_task_definition("s3reclass-restore")),
]


@pytest.mark.parametrize(("operation", "call"), READS)
def test_passing_faults_are_waited_out(operation: str, call: Callable[[Ecs], object]) -> None:
    """A throttle and a lost connection delay an answer, ever longer, and change nothing else."""
    fake, time = FakeEcs(), Timeline()
    expected = call(reading(fake, time))
    fake.faults[operation] = [
        refusal(operation, "ThrottlingException", "Rate exceeded"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
        refusal(operation, "ServerException", ""),
    ]

    assert call(reading(fake, time)) == expected
    assert time.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(("operation", "call"), READS)
def test_faults_that_dont_pass_are_told(operation: str, call: Callable[[Ecs], object]) -> None:
    """After five tries, or at once when asking again can't help, the error says what was tried."""
    fake, time = FakeEcs(), Timeline()
    fake.faults[operation] = [refusal(operation, "ThrottlingException", "Rate exceeded") for _ in range(9)]

    with pytest.raises(S3ReclassError, match="ThrottlingException: Rate exceeded"):
        call(reading(fake, time))
    assert len(fake.called(operation)) == 5
    fake.faults[operation] = [refusal(operation, "AccessDeniedException", "no")]
    with pytest.raises(S3ReclassError, match="AWS denied it"):
        call(reading(fake, time))
    assert len(fake.called(operation)) == 6


def test_no_connection_is_told_after_a_while() -> None:
    """A network that is gone for good is an error that says so."""
    fake, time = FakeEcs(), Timeline()
    fake.faults["list_tasks"] = [EndpointConnectionError(endpoint_url="http://127.0.0.1:9") for _ in range(9)]

    with pytest.raises(S3ReclassError, match="no connection"):
        reading(fake, time).list_tasks(CLUSTER, "job", "RUNNING")


def test_a_start_without_connection_is_refused_for_now() -> None:
    """RunTask over a network that is away can be asked again later; without credentials it can't."""
    fake = FakeEcs()
    fake.faults["run_task"] = [EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), NoCredentialsError()]
    answer = ecs_of(fake).run_task({"taskDefinition": "x"})

    assert isinstance(answer, Rejection)
    assert answer.patience is Patience.LATER
    with pytest.raises(S3ReclassError, match="no AWS credentials"):
        ecs_of(fake).run_task({"taskDefinition": "x"})


def test_a_definition_that_ecs_refuses_is_an_error() -> None:
    """The family and ECS's words are told."""
    fake = FakeEcs()
    fake.faults["register_task_definition"] = [
        refusal("RegisterTaskDefinition", "ClientException", "Role is not valid")
    ]
    call = task_definition(Phase.RESTORE, fargate_settings(), RESOURCES, IMAGE, "eu-west-1")

    with pytest.raises(S3ReclassError, match=r"registering task definition s3reclass-restore: .*Role is not valid"):
        ecs_of(fake).register_task_definition(call.parameters)


def test_moto_keeps_a_definition_as_it_was_registered() -> None:
    """Another ECS than our fake agrees: nothing there at first, then the same content under revision 1."""
    with mock_aws():
        ecs = Ecs(boto3.client("ecs", region_name="eu-west-1", endpoint_url="https://ecs.eu-west-1.amazonaws.com"))
        before = ecs.describe_task_definition("s3reclass-restore")
        call = task_definition(Phase.RESTORE, fargate_settings(), RESOURCES, IMAGE, ecs.region)
        arn = ecs.register_task_definition(call.parameters)
        after = ecs.describe_task_definition("s3reclass-restore")

    assert before is None
    assert arn.endswith(":task-definition/s3reclass-restore:1")
    assert after is not None
    assert same_definition(call.parameters, after)


def test_tasks_are_counted_over_all_pages() -> None:
    """Those that are to run, of one family if asked."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        asked = {"cluster": "c", "desiredStatus": "RUNNING", "family": "s3reclass-copy"}
        stub.add_response("list_tasks", {"taskArns": ["1", "2"], "nextToken": "t"}, asked)
        stub.add_response("list_tasks", {"taskArns": ["3"]}, asked | {"nextToken": "t"})

        assert Ecs(client).count_tasks("c", "s3reclass-copy") == 3


def test_a_cluster_that_is_gone_has_none() -> None:
    """A stack half deleted can still be taken down."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_client_error("list_tasks", "ClusterNotFoundException", "Cluster not found.")

        assert Ecs(client).count_tasks("c") == 0


def test_a_denial_is_told() -> None:
    """Not taken for a cluster without tasks."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_client_error("list_tasks", "AccessDeniedException", "no")

        with pytest.raises(S3ReclassError, match=r"listing the tasks of the cluster c: AWS denied it"):
            Ecs(client).count_tasks("c")


def test_revisions_are_deleted_a_few_at_a_time() -> None:
    """As many as a request takes, over all pages; those that were deregistered before are deleted only."""
    client = boto3.client("ecs")
    inactive = [f"f:{number}" for number in range(1, MAX_DEFINITIONS_DELETED + 1)]
    active = [f"f:{MAX_DEFINITIONS_DELETED + 1}", f"f:{MAX_DEFINITIONS_DELETED + 2}"]
    with Stubber(client) as stub:
        asked = {"familyPrefix": "f", "status": "INACTIVE"}
        stub.add_response("list_task_definitions", {"taskDefinitionArns": inactive[:3], "nextToken": "t"}, asked)
        stub.add_response("list_task_definitions", {"taskDefinitionArns": inactive[3:]}, asked | {"nextToken": "t"})
        for arn in inactive:
            stub.add_response("describe_task_definition", {"taskDefinition": {}}, {"taskDefinition": arn})
        stub.add_response("list_task_definitions", {"taskDefinitionArns": active}, asked | {"status": "ACTIVE"})
        for arn in active:
            stub.add_response("describe_task_definition", {"taskDefinition": {}}, {"taskDefinition": arn})
            stub.add_response("deregister_task_definition", {}, {"taskDefinition": arn})
        for some in (inactive, active):
            stub.add_response("delete_task_definitions", {"failures": []}, {"taskDefinitions": some})

        assert Ecs(client).remove_task_definitions(["f"], lambda _: True) == MAX_DEFINITIONS_DELETED + 2
        stub.assert_no_pending_responses()


def test_a_revision_that_stays_is_told() -> None:
    """With ECS's reason, which comes with a success."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_response("list_task_definitions", {"taskDefinitionArns": ["f:1"]})
        stub.add_response("describe_task_definition", {"taskDefinition": {}})
        stub.add_response("list_task_definitions", {"taskDefinitionArns": []})
        failure = {"arn": "f:1", "reason": "The specified task definition is still in ACTIVE status."}
        stub.add_response("delete_task_definitions", {"failures": [failure]})

        with pytest.raises(S3ReclassError, match=r"removing the task definition f:1: The specified .* ACTIVE status"):
            Ecs(client).remove_task_definitions(["f"], lambda _: True)
