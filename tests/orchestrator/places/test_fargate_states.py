"""What ECS tells of tasks that were started, and what the Fargate place makes of it: one test for each trap."""

from orchestrator.model import TaskState, TaskStatus
from orchestrator.places.fargate import FargatePlace
from tests.orchestrator.places.fake_ecs import FakeEcs
from tests.orchestrator.places.kits import RESOURCES, SETTINGS, ecs_of, place_on, request_for, started
from worker.contract import Phase


def test_a_new_task_may_be_missing_for_a_while() -> None:
    """DescribeTasks is eventually consistent: a task just started is UNKNOWN, then what it is."""
    fake = FakeEcs(unseen=2)
    place = place_on(fake)
    task = started(place.start(request_for()))
    seen = [place.states([task])[task.id].status for _ in range(3)]

    assert seen == [TaskStatus.UNKNOWN, TaskStatus.UNKNOWN, TaskStatus.PENDING]


def test_a_task_that_ecs_has_forgotten_is_unknown() -> None:
    """An hour after it stopped a task is gone from ECS, and isn't taken for running or failed."""
    fake = FakeEcs()
    place = place_on(fake)
    task = started(place.start(request_for()))
    fake.end(task.id, 0)
    fake.forget(task.id)

    assert place.states([task]) == {task.id: TaskState(status=TaskStatus.UNKNOWN)}


def test_a_pending_container_shows_no_exit_code() -> None:
    """ECS shows 0 for a container that hasn't begun: that isn't success."""
    fake = FakeEcs()
    place = place_on(fake)
    task = started(place.start(request_for()))
    fake.pull(task.id)

    assert place.states([task])[task.id] == TaskState(status=TaskStatus.PENDING)


def test_a_missing_exit_code_is_not_success() -> None:
    """A stopped task without an exit code (airflow#4039) has none, and says so."""
    fake = FakeEcs()
    place = place_on(fake)
    task = started(place.start(request_for()))
    fake.begin(task.id)
    fake.end(task.id, None)
    state = place.states([task])[task.id]

    assert state.exit_code is None
    assert state.reason == "how the worker ended isn't known"


def test_a_task_that_never_started_says_so() -> None:
    """A pull that failed tells what the network lacks, and isn't the worker's failure."""
    fake = FakeEcs()
    place = place_on(fake)
    task = started(place.start(request_for()))
    fake.end(task.id, None, "TaskFailedToStart", "CannotPullContainerError: ref pull has been retried: i/o timeout")
    state = place.states([task])[task.id]

    assert state.never_started
    assert not state.interrupted
    assert "fargate.assign_public_ip = false" in state.reason


def test_hundreds_of_states_are_asked_in_hundreds() -> None:
    """250 tasks are three calls, each with tags, and every one of them is in the answer."""
    fake = FakeEcs()
    place = place_on(fake)
    tasks = [started(place.start(request_for(f"lot-{number:05d}"))) for number in range(250)]
    states = place.states(tasks)

    assert [len(call["tasks"]) for call in fake.called("describe_tasks")] == [100, 100, 50]
    assert {state.status for state in states.values()} == {TaskStatus.PENDING}
    assert len(states) == 250


def test_a_stopping_task_is_still_found_although_its_tags_are_gone() -> None:
    """StopTask deletes tags and hides the task from the default list, while the worker still writes its results."""
    fake = FakeEcs()
    place = place_on(fake)
    task = started(place.start(request_for("lot-00042", attempt=2)))
    fake.begin(task.id)
    place.stop([task], "enough")
    found = FargatePlace(ecs_of(fake), SETTINGS, RESOURCES, None).running(request_for().job, Phase.RESTORE)

    assert found == [task]
    assert place.states([task])[task.id].status is TaskStatus.RUNNING


def test_reattaching_lists_by_job_alone_and_page_by_page() -> None:
    """Beside startedBy ECS takes no filter but the desired status; every page is read."""
    fake = FakeEcs(page_size=3)
    place = place_on(fake)
    tasks = [started(place.start(request_for(f"lot-{number:05d}"))) for number in range(7)]

    assert place.running(request_for().job, Phase.RESTORE) == tasks
    assert [call.get("nextToken") for call in fake.called("list_tasks")] == [None, "3", "6", None]
