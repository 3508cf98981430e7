"""The deletion of a version: said to be done where S3 said so, looked for where it didn't."""

from typing import Any

import pytest

from tests.worker.actions.checked import OLD, ROW, checks, copied
from tests.worker.actions.test_check_copy_deletes import BEFORE, DELETED, compared, look_at_the_old
from tests.worker.scripted_s3 import Script
from worker.contract import Outcome


def act(script: Script) -> str:
    """What is said of the old version of a copy that is as it was."""
    row = checks(script, delete=True)(copied(), thorough=False)
    assert row.outcome is Outcome.COPIED
    return row.message.removeprefix(f"{ROW.message}; its old version v1 ")


def answer(script: Script, **changed: Any) -> None:
    """An answer to the deletion."""
    script.stub.add_response("delete_object", {**DELETED, **changed}, OLD)


def gone(script: Script, status: int = 404) -> None:
    """A look at the version, which isn't there."""
    script.stub.add_client_error(
        "head_object", str(status), "", status, expected_params={**OLD, "ChecksumMode": "ENABLED"}
    )


def lose(script: Script) -> None:
    """A deletion whose answer is lost."""
    script.stub.add_client_error("delete_object", "InternalError", "", 500, expected_params=OLD)


def test_a_deletion_that_is_refused_is_told(script: Script) -> None:
    """The copy is there; what stays is in the message, with S3's reason."""
    compared(script)
    script.stub.add_client_error("delete_object", "AccessDenied", "no policy allows it", 403)

    assert act(script) == "stays: AccessDenied no policy allows it"


def test_a_deletion_that_s3_did_not_confirm_is_looked_for(script: Script) -> None:
    """Lost, as any answer is that doesn't prove it: the version is gone, which is all that is said."""
    compared(script)
    lose(script)
    gone(script)

    assert act(script) == "is gone"


def test_a_deletion_that_did_not_happen_is_asked_for_again(script: Script) -> None:
    """The look shows the version; the second answer says that it is deleted."""
    compared(script)
    lose(script)
    look_at_the_old(script)
    answer(script)

    assert act(script) == "is deleted"


def test_a_deletion_that_never_happens_is_never_claimed(script: Script) -> None:
    """After some tries the row says that the version is there."""
    compared(script)
    for _ in range(4):
        lose(script)
        look_at_the_old(script)

    assert act(script).startswith("is still there, and S3 didn't answer that it is deleted")


@pytest.mark.parametrize("other", [{"DeleteMarker": True}, {"VersionId": "v7"}])
def test_an_answer_about_another_version_is_not_asked_for_again(other: dict[str, Any], script: Script) -> None:
    """Something took the version out of the request: once more would make one more delete marker."""
    compared(script)
    answer(script, **other)
    look_at_the_old(script)

    assert act(script).startswith("is still there, and S3 didn't answer that it is deleted")


@pytest.mark.parametrize("status", [403, 405])
def test_what_became_of_a_version_that_may_not_be_seen_is_not_claimed(status: int, script: Script) -> None:
    """It may be there or gone."""
    compared(script)
    lose(script)
    gone(script, status)

    assert act(script).startswith(f"may be deleted: {status}")


def test_a_throttled_deletion_is_waited_for(script: Script) -> None:
    """S3 did nothing, so there is nothing to look for."""
    compared(script)
    script.stub.add_client_error("delete_object", "SlowDown", "", 503)
    answer(script)

    assert act(script) == "is deleted"


def test_a_version_that_another_is_shown_for_is_not_called_gone(script: Script) -> None:
    """A look at any other version tells nothing of this one."""
    compared(script)
    lose(script)
    script.stub.add_response("head_object", {**BEFORE, "VersionId": "v8"}, {**OLD, "ChecksumMode": "ENABLED"})

    assert act(script).startswith("may be deleted: UnexpectedAnswer")
