"""
ECS's operations under AWS's names: asked in bulk, throttles waited out. Calls ECS.

`fargate_run_task.py` and `task_states.py` say what the answers mean.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from orchestrator.common.aws_sessions import error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_run_task import Patience, Rejection, judge_rejection, started_task
from worker.contract import EXPIRED_CREDENTIALS, UNKNOWN_CREDENTIALS

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

MAX_TASKS_DESCRIBED = 100
"""Tasks in one DescribeTasks call (ECS API Reference; botocore 1.44.5)."""

MAX_DEFINITIONS_DELETED = 10
"""Revisions in one DeleteTaskDefinitions call (ECS API Reference; botocore 1.44.5)."""

RUN_TASK_RATE = 20
"""
RunTask calls a second, which is also the burst.

Fargate launches 20 tasks a second after a burst of 100, but takes only 20 RunTask calls a second
from the first on (ECS Developer Guide, "AWS Fargate throttling quotas", 2026-11).
"""

_UNREACHABLE = (HTTPClientError, BotoConnectionError)
"""What botocore raises when no answer came."""

TRIES = 5
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 20.0


class LaunchRate:
    """
    A token bucket: `take` returns when one more call may be made. Threads may share it.

    rate: tokens a second, and the most that are saved up.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._tokens = float(rate)
        self._at = clock()

    def take(self) -> None:
        """Take a token, waiting for it when there is none."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate) - 1
            self._at = now
            # A negative balance is a place in the queue: the next caller waits behind this one.
            wait_s = max(0.0, -self._tokens / self._rate)
        if wait_s:
            self._sleep(wait_s)


class Ecs:
    """
    A boto3 ECS client that waits out throttles and passing faults beyond botocore's own retries.

    A launcher lives for hours: a minute without network must not end it. Threads may share it.

    client: boto3's.
    clock, sleep, uniform: seconds that only grow, waiting, and a random number between two; tests pass their own.
    """

    def __init__(
        self,
        client: "ECSClient",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._uniform = uniform
        self._launches = LaunchRate(RUN_TASK_RATE, clock=clock, sleep=sleep)

    @property
    def region(self) -> str:
        """The Region that the client talks to."""
        return self._client.meta.region_name

    def describe_task_definition(self, name: str) -> Mapping[str, Any] | None:
        """A revision by its ARN, or a family's newest active one; None when there is none."""
        try:
            answer = self._send("describe_task_definition", {"taskDefinition": name})
        except ClientError as error:
            # ECS has no code of its own for this: "ClientException: Unable to describe task definition."
            if error_code(error) == "ClientException":
                return None
            raise explain(error, f"reading task definition {name}") from error
        definition: Mapping[str, Any] = answer["taskDefinition"]
        return definition

    def register_task_definition(self, parameters: Mapping[str, Any]) -> str:
        """Register a revision; its ARN."""
        with _explained(f"registering task definition {parameters['family']}"):
            answer = self._send("register_task_definition", parameters)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def remove_task_definitions(self, families: Iterable[str], chosen: Callable[[Mapping[str, Any]], bool]) -> int:
        """
        Deregister and delete the chosen revisions of these families: how many there were.

        chosen: takes what DescribeTaskDefinition says of a revision. Revisions that are inactive already count too.
        Raises S3ReclassError for a refusal. What was done by then stays done, and asking again goes on from there.
        """
        names = ", ".join(families := tuple(families))
        with _explained(f"removing the task definitions {names}"):
            found = [arn for family in families for arn in self._deregistered(family, chosen)]
            for first in range(0, len(found), MAX_DEFINITIONS_DELETED):
                some = found[first : first + MAX_DEFINITIONS_DELETED]
                for failure in self._send("delete_task_definitions", {"taskDefinitions": some}).get("failures", ()):
                    raise S3ReclassError(
                        f"removing the task definition {failure.get('arn')}: {failure.get('reason')} "
                        f"{failure.get('detail', '')}".rstrip()
                    )
        return len(found)

    def _deregistered(self, family: str, chosen: Callable[[Mapping[str, Any]], bool]) -> Iterator[str]:
        """The ARN of each chosen revision, which is deregistered if it is active: only then can it be deleted."""
        for status in ("INACTIVE", "ACTIVE"):
            filters = {"familyPrefix": family, "status": status}
            # The whole list first: a list that shrinks while it is read skips some.
            for arn in self._list("list_task_definitions", "taskDefinitionArns", filters):
                if chosen(self._send("describe_task_definition", {"taskDefinition": arn})["taskDefinition"]):
                    if status == "ACTIVE":
                        self._send("deregister_task_definition", {"taskDefinition": arn})
                    yield arn

    def run_task(self, parameters: Mapping[str, Any]) -> str | Rejection:
        """
        Start a task: its ARN, or why ECS doesn't start it.

        A ConflictException names the task that an earlier call with this token has started, by a launcher with other
        settings: then that is the ARN.
        Raises S3ReclassError only for bad credentials.
        """
        rejection = self._run_task_once(parameters)
        for delay_s in self._delays():
            if isinstance(rejection, str) or rejection.patience is not Patience.MOMENT:
                break
            self._sleep(delay_s)
            rejection = self._run_task_once(parameters)
        return rejection

    def _run_task_once(self, parameters: Mapping[str, Any]) -> str | Rejection:
        self._launches.take()
        try:
            return started_task(self._client.run_task(**parameters))
        except ClientError as error:
            code = error_code(error)
            if code in EXPIRED_CREDENTIALS | UNKNOWN_CREDENTIALS:
                raise explain(error, "starting a task") from error
            existing: Sequence[str] = error.response.get("resourceIds", ())  # type: ignore[assignment]  # ConflictException's own member
            if code == "ConflictException" and existing:
                return existing[0]
            return judge_rejection(code, _words(error))
        except _UNREACHABLE as error:
            # botocore has tried for a while already.
            return Rejection(patience=Patience.LATER, reason=f"ECS can't be reached ({error}): check the network")
        except BotoCoreError as error:
            raise explain(error, "starting a task") from error

    def list_tasks(self, cluster: str, started_by: str, desired_status: str) -> list[str]:
        """The ARNs of a job's tasks; desired_status: RUNNING or STOPPED, which is also a stopping one's."""
        with _explained(f"listing the tasks of job {started_by} in cluster {cluster}"):
            filters = {"cluster": cluster, "startedBy": started_by, "desiredStatus": desired_status}
            return self._list("list_tasks", "taskArns", filters)

    def count_tasks(self, cluster: str, family: str = "") -> int:
        """Tasks on the cluster that are to run, of one task definition family if given. A deleted cluster has none."""
        filters = {"cluster": cluster, "desiredStatus": "RUNNING"} | ({"family": family} if family else {})
        with _explained(f"listing the tasks of the cluster {cluster}"):
            try:
                return len(self._list("list_tasks", "taskArns", filters))
            except ClientError as error:
                if error_code(error) == "ClusterNotFoundException":
                    return 0
                raise

    def describe_tasks(self, cluster: str, tasks: Sequence[str]) -> list[Mapping[str, Any]]:
        """
        What ECS says of the tasks, tags included, in calls of 100.

        A task that ECS doesn't know (any more, or yet) is absent.
        """
        found: list[Mapping[str, Any]] = []
        with _explained(f"asking for the tasks in cluster {cluster}"):
            for start in range(0, len(tasks), MAX_TASKS_DESCRIBED):
                some = list(tasks[start : start + MAX_TASKS_DESCRIBED])
                found += self._send("describe_tasks", {"cluster": cluster, "tasks": some, "include": ["TAGS"]})["tasks"]
        return found

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        """Ask ECS to stop a task. Nothing happens to one that has stopped, or that ECS doesn't know."""
        with _explained(f"stopping task {task} in cluster {cluster}"):
            try:
                self._send("stop_task", {"cluster": cluster, "task": task, "reason": reason})
            except ClientError as error:
                if error_code(error) != "InvalidParameterException" or "not found" not in _words(error):
                    raise

    def _list(self, operation: str, member: str, filters: Mapping[str, str]) -> list[str]:
        """This member of a list's pages, all of them."""
        answer = self._send(operation, filters)
        found: list[str] = answer[member]
        while token := answer.get("nextToken"):
            answer = self._send(operation, {**filters, "nextToken": token})
            found += answer[member]
        return found

    def _send(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """
        The answer to one call, which is repeated while its fault is one that passes.

        Raises ClientError for a refusal, S3ReclassError when AWS can't be reached.
        """
        delays = self._delays()
        while True:
            try:
                return getattr(self._client, operation)(**parameters)
            except ClientError as error:
                delay_s = next(delays, None)
                if delay_s is None or judge_rejection(error_code(error), _words(error)).patience is not Patience.MOMENT:
                    raise
            except BotoCoreError as error:
                delay_s = next(delays, None)
                if delay_s is None or not isinstance(error, _UNREACHABLE):
                    raise explain(error, f"calling ECS ({operation})") from error
            self._sleep(delay_s)

    def _delays(self) -> Iterator[float]:
        """Seconds to wait before each further try: growing, and random so that launchers don't call in step."""
        for number in range(TRIES - 1):
            longest_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2**number)
            yield self._uniform(longest_s / 2, longest_s)


def _words(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """A block whose refusals become an S3ReclassError; a missing cluster is one that a user can do something about."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code == "ClusterNotFoundException":
            raise S3ReclassError(f"{doing}: {judge_rejection(code, _words(error)).reason}") from error
        raise explain(error, doing) from error
