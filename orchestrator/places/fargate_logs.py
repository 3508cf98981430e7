"""A task's log events, oldest first, and new ones as they come. Calls CloudWatch Logs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.common.aws_sessions import error_code, explain
from orchestrator.errors import S3ReclassError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

POLL_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEvent:
    """
    One line of a task's log.

    timestamp_ms: when it was written, in milliseconds since 1970.
    message: the line, without its end.
    """

    timestamp_ms: int
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """Some events of a stream, and the token of what follows; `last` when nothing follows so far."""

    events: tuple[LogEvent, ...]
    token: str
    last: bool


class Logs:
    """
    A boto3 client of CloudWatch Logs, for reading.

    client: boto3's.
    sleep: waiting, in seconds.
    """

    def __init__(self, client: "CloudWatchLogsClient", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def events(self, group: str, stream: str) -> Iterator[LogEvent]:
        """
        Every event of the stream, oldest first.

        Raises S3ReclassError when the group or the stream isn't there (yet).
        """
        page = self._page(group, stream, "")
        if page is None:
            raise S3ReclassError(
                f"{group} has no log stream {stream}: the task hasn't written a line yet, or its log was deleted "
                "(the log group's retention)"
            )
        yield from page.events
        while not page.last:
            page = self._page(group, stream, page.token) or _Page(events=(), token="", last=True)
            yield from page.events

    def follow(self, group: str, stream: str, ended: Callable[[], bool]) -> Iterator[LogEvent]:
        """
        Every event of the stream, and new ones as they come, until the task has ended.

        ended: whether it has. The stream is read once more after that, as the last lines may arrive after the task has
        stopped. A stream that isn't there yet is waited for.
        """
        token = ""
        while True:
            over = ended()
            page = self._page(group, stream, token)
            while page:
                yield from page.events
                token = page.token
                page = None if page.last else self._page(group, stream, token)
            if over:
                return
            self._sleep(POLL_S)

    def _page(self, group: str, stream: str, token: str) -> _Page | None:
        """
        The events after a token ("" for the oldest), or None when there is no such group or stream.

        A page may be empty although more follows: the end is where the token stays the same
        (CloudWatch Logs API Reference, GetLogEvents, `nextForwardToken`).
        """
        behind: dict[str, Any] = {"nextToken": token} if token else {}
        try:
            answer = self._client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **behind)
        except (BotoCoreError, ClientError) as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise explain(error, f"reading the log {group} {stream}") from error
        events = tuple(
            LogEvent(timestamp_ms=event.get("timestamp", 0), message=event.get("message", "").rstrip("\r\n"))
            for event in answer["events"]
        )
        following = answer["nextForwardToken"]
        return _Page(events=events, token=following, last=bool(token) and following == token)
