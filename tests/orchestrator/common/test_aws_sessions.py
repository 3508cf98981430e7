"""What botocore's errors mean to a user."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)

from orchestrator.common.aws_sessions import aws_errors, client, error_code
from orchestrator.errors import S3ReclassError


def refused(code: str, message: str = "no") -> ClientError:
    """An answer of AWS's that refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeTasks")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NoCredentialsError(), "no AWS credentials were found: set AWS_PROFILE"),
        (NoRegionError(), "no AWS Region is set: set AWS_REGION"),
        (ProfileNotFound(profile="nobody"), "nobody"),
        (UnauthorizedSSOTokenError(), "run `aws sso login`"),
        (EndpointConnectionError(endpoint_url="http://x"), "no connection"),
        (refused("ExpiredToken"), "the AWS credentials have expired"),
        (refused("InvalidClientTokenId"), "AWS doesn't know these credentials (InvalidClientTokenId)"),
        (refused("AccessDenied", "not you"), "not you): the IAM policy of your credentials must allow DescribeTasks"),
        (refused("LimitExceeded", "too many"), "LimitExceeded: too many"),
    ],
)
def test_each_error_says_what_was_tried_and_what_to_do(error: BotoCoreError | ClientError, words: str) -> None:
    """One line: what was being done, then the advice."""
    with pytest.raises(S3ReclassError) as caught, aws_errors("reading the tasks"):
        raise error

    assert str(caught.value).startswith("reading the tasks: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_errors_pass() -> None:
    """A fault in our own code isn't dressed up as AWS's."""
    with pytest.raises(ZeroDivisionError), aws_errors("dividing"):
        _ = 1 / 0


def test_a_client_without_a_region_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a client is the first thing that fails."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(S3ReclassError, match="connecting to ecs: no AWS Region is set"):
        client("ecs")


def test_error_codes_are_those_of_answers_alone() -> None:
    """A fault on the way has none."""
    assert error_code(refused("Throttled")) == "Throttled"
    assert error_code(NoRegionError()) == ""
