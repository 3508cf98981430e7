"""The Fargate place against what ECS really does: one test for each of its traps."""

from dataclasses import replace

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.model import Refused
from orchestrator.places.fargate import MAX_TASKS, FargatePlace
from tests.orchestrator.places.fake_ecs import FakeEcs, refusal
from tests.orchestrator.places.kits import (
    IMAGE,
    RESOURCES,
    SETTINGS,
    ecs_of,
    fargate_settings,
    place_on,
    request_for,
    started,
)
from worker.contract import Phase


def test_start_sends_what_calls_told() -> None:
    """A dry run's RunTask is the one that is sent, to the letter."""
    fake = FakeEcs()
    place = place_on(fake)
    (call,) = place.calls(request_for())
    place.start(request_for())

    assert (call.service, call.operation) == ("ecs", "run_task")
    assert fake.called("run_task") == [call.parameters]


def test_prepare_sends_what_plan_told() -> None:
    """A dry run's RegisterTaskDefinition is the one that is sent, to the letter."""
    fake = FakeEcs()
    place = FargatePlace(ecs_of(fake), SETTINGS, RESOURCES, IMAGE)
    (call,) = place.plan(Phase.COPY)
    place.prepare(Phase.COPY)

    assert fake.called("register_task_definition") == [call.parameters]


def test_before_prepare_the_family_stands_for_the_revision() -> None:
    """A dry run that would register a definition shows its family in the run request, and changes nothing."""
    fake = FakeEcs()
    place = FargatePlace(ecs_of(fake), SETTINGS, RESOURCES, IMAGE)
    place.plan(Phase.RESTORE)
    (call,) = place.calls(request_for())

    assert call.parameters["taskDefinition"] == "s3reclass-restore"
    assert {operation for operation, _ in fake.calls} == {"describe_task_definition"}


def test_a_revision_is_registered_only_when_the_content_changed() -> None:
    """The same settings run the revision that is there; other memory makes a new one (prefect#16485)."""
    fake = FakeEcs()
    place_on(fake)
    place_on(fake)
    again = len(fake.revisions["s3reclass-restore"])
    FargatePlace(ecs_of(fake), fargate_settings(memory=2048), RESOURCES, IMAGE).prepare(Phase.RESTORE)

    assert again == 1
    assert len(fake.revisions["s3reclass-restore"]) == 2


def test_the_pinned_revision_is_run() -> None:
    """A revision that somebody registers after we prepared isn't what runs."""
    fake = FakeEcs()
    place = place_on(fake)
    FargatePlace(ecs_of(fake), fargate_settings(memory=2048), RESOURCES, IMAGE).prepare(Phase.RESTORE)
    place.start(request_for())

    assert fake.called("run_task")[0]["taskDefinition"].endswith(":task-definition/s3reclass-restore:1")


def test_without_an_image_nothing_is_planned() -> None:
    """A place that was made to look says what is missing when asked to run."""
    place = FargatePlace(ecs_of(FakeEcs()), SETTINGS, RESOURCES, None)

    with pytest.raises(S3ReclassError, match="run `s3reclass push-image`"):
        place.prepare(Phase.RESTORE)


@pytest.mark.parametrize(
    ("retry", "words", "reason"),
    [
        (True, "Capacity is unavailable at this time. Please try again later", "no Fargate capacity free"),
        (True, "You've reached the limit on the number of vCPUs you can run concurrently", "L-3032A538"),
        (False, "The requested CPU configuration is above your limit", "below one task"),
        (False, "MISSING", "MISSING"),
    ],
)
def test_failures_in_a_good_answer_are_refusals(words: str, reason: str, *, retry: bool) -> None:
    """HTTP 200 with no task and the reason in `failures` (dask#299) is a refusal, asked once."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [{"tasks": [], "failures": [{"reason": words}]}]
    answer = place.start(request_for())

    assert isinstance(answer, Refused)
    assert answer.retry is retry
    assert reason in answer.reason
    assert len(fake.called("run_task")) == 1


def test_a_refused_request_can_be_asked_again() -> None:
    """After a lack of capacity the same request, with the same token, starts the task."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [{"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time."}]}]

    assert isinstance(place.start(request_for()), Refused)
    assert started(place.start(request_for())).lot == "lot-00000"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ThrottlingException", "Rate exceeded"),
        ("InvalidParameterException", "Error retrieving subnet information for [subnet-1]: Rate exceeded"),
        ("InvalidParameterException", "Error retrieving security group information: Request limit exceeded."),
        ("ServerException", "Service Unavailable. Please try again later."),
    ],
)
def test_throttles_and_faults_are_waited_out(code: str, message: str) -> None:
    """A throttle, also one wrapped in InvalidParameterException (dagster#33439), delays a start and nothing else."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [refusal("RunTask", code, message) for _ in range(3)]
    started(place.start(request_for()))

    assert len({call["clientToken"] for call in fake.called("run_task")}) == 1
    assert len(fake.called("run_task")) == 4


def test_a_throttle_that_doesnt_end_is_a_refusal_for_now() -> None:
    """After a few tries the caller is told, and may ask again."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [refusal("RunTask", "ThrottlingException", "Rate exceeded") for _ in range(50)]
    answer = place.start(request_for())

    assert isinstance(answer, Refused)
    assert answer.retry
    assert len(fake.called("run_task")) == 5


def test_expired_credentials_end_the_run() -> None:
    """Credentials that are no good aren't one task's matter."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [refusal("RunTask", "ExpiredTokenException", "The security token has expired")]

    with pytest.raises(S3ReclassError, match="credentials have expired"):
        place.start(request_for())


def test_denied_is_a_refusal_for_good() -> None:
    """Without iam:PassRole no task starts, and the reason names what is needed."""
    fake = FakeEcs()
    place = place_on(fake)
    fake.faults["run_task"] = [refusal("RunTask", "AccessDeniedException", "not authorized to perform: iam:PassRole")]
    answer = place.start(request_for())

    assert isinstance(answer, Refused)
    assert not answer.retry
    assert "iam:PassRole on the task role" in answer.reason


def test_a_conflict_is_the_task_of_an_earlier_launcher() -> None:
    """The token with other parameters (a launcher with other settings started it): that launcher's task is taken."""
    fake = FakeEcs()
    first = started(place_on(fake).start(request_for()))
    other = FargatePlace(ecs_of(fake), fargate_settings(memory=2048), RESOURCES, IMAGE)
    other.prepare(Phase.RESTORE)

    assert other.start(request_for()) == first
    assert len(fake.tasks) == 1


def test_spot_needs_a_cluster_that_has_it() -> None:
    """A cluster without FARGATE_SPOT refuses, and the reason says how to add it."""
    fake = FakeEcs(has_spot=False)
    place = FargatePlace(ecs_of(fake), fargate_settings(spot=True), RESOURCES, IMAGE)
    place.prepare(Phase.RESTORE)
    answer = place.start(replace(request_for(), spot=place.spot))

    assert isinstance(answer, Refused)
    assert not answer.retry
    assert "put-cluster-capacity-providers" in answer.reason


def test_spot_without_capacity_is_told_apart() -> None:
    """A refusal for want of capacity says so; one for the quota doesn't."""
    fake = FakeEcs()
    place = FargatePlace(ecs_of(fake), fargate_settings(spot=True), RESOURCES, IMAGE)
    place.prepare(Phase.RESTORE)
    words = [
        "Capacity is unavailable at this time. Please try again later",
        "You've reached the limit on the number of vCPUs",
    ]
    fake.faults["run_task"] = [{"tasks": [], "failures": [{"reason": one}]} for one in words]
    answers = [place.start(request_for()) for _ in words]

    assert [(answer.retry, answer.no_capacity) for answer in answers if isinstance(answer, Refused)] == [
        (True, True),
        (True, False),
    ]


def test_a_missing_cluster_says_what_to_do() -> None:
    """A cluster that isn't there is an error with a way out, for looking as for starting."""
    place = FargatePlace(ecs_of(FakeEcs()), SETTINGS, replace(RESOURCES, cluster="gone"), IMAGE)
    answer = place.start(request_for())

    with pytest.raises(S3ReclassError, match=r"listing the tasks of job .* in cluster gone: .*run `s3reclass up`"):
        place.running(request_for().job, Phase.RESTORE)
    assert isinstance(answer, Refused)
    assert not answer.retry
    assert "run `s3reclass up`" in answer.reason


@pytest.mark.parametrize(("expected", "max_tasks"), [(MAX_TASKS, None), (7, 7)])
def test_max_tasks_is_the_users_or_fifty(expected: int, max_tasks: int | None) -> None:
    """`--max-tasks` counts, and without it the place's own number."""
    settings = replace(SETTINGS, max_tasks=max_tasks)

    assert FargatePlace(ecs_of(FakeEcs()), settings, RESOURCES, IMAGE).max_tasks == expected
