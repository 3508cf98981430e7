"""What becomes of the version that a copy superseded."""

from typing import Any

import pytest

from tests.worker.actions.checked import AFTER, HEAD, HERE, LATER, OLD, ROW, checks, copied, look
from tests.worker.actions.conftest import Script
from worker.contract import Outcome


def test_the_superseded_version_is_deleted_after_the_check(script: Script) -> None:
    """Exactly the version that was copied, and the row says so."""
    look(script)
    script.stub.add_response("delete_object", {}, OLD)

    row = checks(script, delete=True)(copied(), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert row.message == "copied; its old version v1 is deleted"


@pytest.mark.parametrize(
    ("says", "lock"),
    [
        (
            "COMPLIANCE retention until 2026-11-23 00:00 UTC",
            {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER},
        ),
        ("GOVERNANCE", {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}),
        ("legal hold", {"ObjectLockLegalHoldStatus": "ON"}),
        ("event hold", {"ObjectLockEventHold": "ON"}),
    ],
)
def test_a_locked_version_is_never_deleted(says: str, lock: dict[str, Any], script: Script) -> None:
    """No request for it is sent at all; the message says that it stays, and why."""
    look(script, **lock)

    row = checks(script, delete=True)(copied(head={**HEAD, "VersionId": "v1", **lock}), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert "its old version v1 stays: " in row.message
    assert says in row.message


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ({**HERE, "VersionId": "null"}, {"VersionId": "v2"}),
        ({**HERE, "VersionId": "null"}, {"VersionId": "null"}),
        (OLD, {"VersionId": "null"}),
        (OLD, {}),
    ],
)
def test_a_version_without_an_id_of_its_own_is_never_deleted(
    source: dict[str, str], answer: dict[str, str], script: Script
) -> None:
    """`null` may be another object by now, written while versioning was suspended."""
    script.stub.add_response("head_object", AFTER)

    row = checks(script, delete=True)(copied(source=source, answer=answer), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert "stays: only versions with an id of their own" in row.message


def test_nothing_is_deleted_where_there_are_no_versions(script: Script) -> None:
    """The copy replaced the object: there is nothing left of it, and no word of it."""
    script.stub.add_response("head_object", AFTER)

    assert checks(script, delete=True)(copied(source=HERE, answer={}), thorough=False) == ROW


def test_nothing_is_deleted_for_a_copy_that_differs(script: Script) -> None:
    """The old version is the only good one left."""
    look(script, Metadata={})

    row = checks(script, delete=True)(copied(), thorough=False)

    assert row.outcome is Outcome.ERROR
    assert row.message.endswith("; its old version v1 stays")


def test_nothing_is_deleted_for_a_copy_that_cannot_be_checked(script: Script) -> None:
    """It may be good; nobody looked."""
    script.stub.add_client_error("head_object", "403", "", 403)

    row = checks(script, delete=True)(copied(), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert row.message.endswith("; its old version v1 stays")


def test_a_deletion_that_fails_is_told_and_the_key_stays_copied(script: Script) -> None:
    """The copy is there; what stays is in the message, with S3's reason."""
    look(script)
    script.stub.add_client_error("delete_object", "AccessDenied", "no policy allows it", 403)

    row = checks(script, delete=True)(copied(), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert row.message == "copied; its old version v1 stays: AccessDenied no policy allows it"
