"""
ECS's operations under AWS's names: asked in bulk, throttles waited out. Calls ECS.

What the answers mean is for `places/fargate_run_task.py` and `places/task_states.py` to say.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from orchestrator.common.aws_sessions import EXPIRED, UNKNOWN_CREDENTIALS, error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_run_task import Patience, Rejection, judge_rejection, started_task

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

MAX_TASKS_DESCRIBED = 100
"""Tasks in one DescribeTasks call (ECS API Reference; botocore 1.44.5)."""

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
    A token bucket: `take` returns when one more call may be made. Safe to share between threads.

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
            # A debt is a place in the queue: the next caller waits behind this one.
            wait_s = max(0.0, -self._tokens / self._rate)
        if wait_s:
            self._sleep(wait_s)


class Ecs:
    """
    A boto3 ECS client that waits out throttles and passing faults beyond botocore's own retries.

    A launcher lives for hours: a minute without network must not end it. Safe to share between threads.

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

    def describe_task_definition(self, family: str) -> Mapping[str, Any] | None:
        """The family's newest active revision, or None when there is none."""
        try:
            answer = self._send("describe_task_definition", {"taskDefinition": family})
        except ClientError as error:
            # ECS has no code of its own for this: "ClientException: Unable to describe task definition."
            if error_code(error) == "ClientException":
                return None
            raise explain(error, f"reading task definition {family}") from error
        definition: Mapping[str, Any] = answer["taskDefinition"]
        return definition

    def register_task_definition(self, parameters: Mapping[str, Any]) -> str:
        """Register a revision; its ARN."""
        family = parameters["family"]
        try:
            answer = self._send("register_task_definition", parameters)
        except ClientError as error:
            raise explain(error, f"registering task definition {family}") from error
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def run_task(self, parameters: Mapping[str, Any]) -> str | Rejection:
        """
        Start a task: its ARN, or why ECS doesn't start it.

        A ConflictException says that an earlier call with this token, by a launcher with other
        settings, has started the task: that one's ARN.
        Raises S3ReclassError only when the credentials are no good.
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
            if code in EXPIRED | UNKNOWN_CREDENTIALS:
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
        filters = {"cluster": cluster, "startedBy": started_by, "desiredStatus": desired_status}
        arns: list[str] = []
        token: dict[str, str] = {}
        while True:
            try:
                answer = self._send("list_tasks", {**filters, **token})
            except ClientError as error:
                raise _explain(error, f"listing the tasks of job {started_by} in cluster {cluster}") from error
            arns += answer["taskArns"]
            if not answer.get("nextToken"):
                return arns
            token = {"nextToken": answer["nextToken"]}

    def describe_tasks(self, cluster: str, tasks: Sequence[str]) -> list[Mapping[str, Any]]:
        """
        What ECS says of the tasks, tags included, in calls of 100.

        A task that it doesn't know (any more, or yet) is absent.
        """
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(tasks), MAX_TASKS_DESCRIBED):
            some = list(tasks[start : start + MAX_TASKS_DESCRIBED])
            try:
                answer = self._send("describe_tasks", {"cluster": cluster, "tasks": some, "include": ["TAGS"]})
            except ClientError as error:
                raise _explain(error, f"asking for the tasks in cluster {cluster}") from error
            found += answer["tasks"]
        return found

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        """Ask ECS to stop a task; one that has stopped already, or that ECS doesn't know, is left alone."""
        try:
            self._send("stop_task", {"cluster": cluster, "task": task, "reason": reason})
        except ClientError as error:
            if error_code(error) == "InvalidParameterException" and "not found" in _words(error):
                return
            raise _explain(error, f"stopping task {task} in cluster {cluster}") from error

    def _send(self, operation: str, parameters: Mapping[str, Any]) -> Any:
        """
        The answer to one call, asked again while the fault is one that passes.

        Raises ClientError for a refusal, and S3ReclassError when there is no way to AWS.
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
        """Seconds to wait before each further try: growing, and scattered so that launchers don't march in step."""
        for number in range(TRIES - 1):
            longest_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2**number)
            yield self._uniform(longest_s / 2, longest_s)


def _words(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _explain(error: ClientError, doing: str) -> S3ReclassError:
    """The error in words, where a missing cluster is what a user can do something about."""
    if error_code(error) == "ClusterNotFoundException":
        return S3ReclassError(f"{doing}: {judge_rejection('ClusterNotFoundException', _words(error)).reason}")
    return explain(error, doing)
