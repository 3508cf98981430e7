"""A task's log: every page, also behind an empty one, and on until the task has ended."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from orchestrator.errors import S3ReclassError
from orchestrator.places.fargate_logs import LogEvent, Logs

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


class FakeLogs:
    """
    GetLogEvents over pages that a test gives; the token of each page is its number.

    pages: lines of each; an empty page in the middle is one of CloudWatch's habits.
    missing: how many calls find no stream.
    """

    def __init__(self, pages: list[list[str]], *, missing: int = 0) -> None:
        self.pages = pages
        self.missing = missing

    def get_log_events(self, **parameters: Any) -> dict[str, Any]:
        """The page behind the token; at the end the token stays the same."""
        assert parameters["startFromHead"]
        if self.missing:
            self.missing -= 1
            error = {
                "Error": {"Code": "ResourceNotFoundException", "Message": "The specified log stream does not exist."}
            }
            raise ClientError(error, "GetLogEvents")  # type: ignore[arg-type]  # a dict of the response's shape
        number = int(parameters.get("nextToken", "0"))
        lines = self.pages[number] if number < len(self.pages) else []
        return {
            "events": [{"timestamp": number, "message": line + "\n"} for line in lines],
            "nextForwardToken": str(min(number + 1, len(self.pages))),
        }


def logs_of(fake: FakeLogs) -> Logs:
    """The client over the fake, where waiting takes no time."""
    return Logs(cast("CloudWatchLogsClient", fake), sleep=lambda _: None)


def test_every_page_is_read_also_behind_an_empty_one() -> None:
    """An empty page isn't the end; a token that stays the same is."""
    events = list(logs_of(FakeLogs([["a", "b"], [], ["c"]])).events("group", "stream"))

    assert events == [
        LogEvent(timestamp_ms=0, message="a"),
        LogEvent(timestamp_ms=0, message="b"),
        LogEvent(timestamp_ms=2, message="c"),
    ]


def test_a_stream_that_isnt_there_is_an_error() -> None:
    """Which stream is missing, and why that can be."""
    with pytest.raises(S3ReclassError, match="group has no log stream stream: the task hasn't written a line yet"):
        list(logs_of(FakeLogs([], missing=1)).events("group", "stream"))


def test_a_log_that_may_not_be_read_is_an_error() -> None:
    """Which log it was, and which permission is missing."""
    with mock_aws():
        client = boto3.client("logs", region_name="eu-west-1", endpoint_url="https://logs.eu-west-1.amazonaws.com")
        client.meta.events.register("before-call", _deny)

        with pytest.raises(S3ReclassError, match="reading the log group stream: AWS denied it"):
            list(Logs(client).events("group", "stream"))


def _deny(**_: Any) -> None:
    error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    raise ClientError(error, "GetLogEvents")  # type: ignore[arg-type]  # a dict of the response's shape


def test_following_ends_one_look_after_the_task() -> None:
    """A stream is waited for, and lines that arrive after the task's end are still told."""
    fake = FakeLogs([["a"]], missing=2)

    def endings() -> Iterator[bool]:
        yield from (False, False, False)
        fake.pages.append(["last words"])
        yield True

    ended = endings()

    assert [event.message for event in logs_of(fake).follow("group", "stream", lambda: next(ended))] == [
        "a",
        "last words",
    ]


def test_motos_log_is_read_whole() -> None:
    """Another CloudWatch Logs than our fake agrees."""
    now_ms = int(time.time() * 1000)  # moto, as CloudWatch, takes no events of long ago or to come
    with mock_aws():
        client = boto3.client("logs", region_name="eu-west-1", endpoint_url="https://logs.eu-west-1.amazonaws.com")
        client.create_log_group(logGroupName="/s3reclass")
        client.create_log_stream(logGroupName="/s3reclass", logStreamName="worker/worker/1")
        client.put_log_events(
            logGroupName="/s3reclass",
            logStreamName="worker/worker/1",
            logEvents=[{"timestamp": now_ms + number, "message": f"line {number}"} for number in range(3)],
        )
        events = list(Logs(client).events("/s3reclass", "worker/worker/1"))

    assert [event.message for event in events] == ["line 0", "line 1", "line 2"]
