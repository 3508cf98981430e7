"""The restore phase of one key, request by request."""

import threading

import pytest

from tests.worker.scripted_s3 import Script
from worker.actions.restore import RestoreAction
from worker.contract import LotEntry, Outcome, Phase, ResultRow
from worker.decide.judge_error import RetryAction
from worker.pool.loop import Retry
from worker.pool.pacing import Pace
from worker.s3.ask import S3
from worker.s3.clients import object_client

ENTRY = LotEntry(bucket="bucket", key="a b/é")
BULK = {"GlacierJobParameters": {"Tier": "Bulk"}}
ASKED = {"Bucket": "bucket", "Key": "a b/é", "RestoreRequest": {"Days": 7, **BULK}}


def act(script: Script, entry: LotEntry = ENTRY) -> ResultRow | Retry:
    """Restore the entry for seven days, Bulk."""
    return RestoreAction(script.restore, days=7, tier="Bulk")(entry, None)


@pytest.mark.parametrize(("expected", "status"), [(Outcome.REQUESTED, 202), (Outcome.EXTENDED, 200)])
def test_the_status_tells_a_new_restore_from_an_old_one(expected: Outcome, status: int, script: Script) -> None:
    """202 is a new restore, 200 a restored copy whose expiry is reset."""
    script.stub.add_response("restore_object", {"ResponseMetadata": {"HTTPStatusCode": status}}, ASKED)

    row = act(script)

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.http_status) == (expected, status)


@pytest.mark.parametrize(
    ("expected", "code", "status"),
    [
        (Outcome.IN_PROGRESS, "RestoreAlreadyInProgress", 409),
        (Outcome.NOT_ARCHIVED, "InvalidObjectState", 403),
        (Outcome.NOT_ARCHIVED, "ObjectAlreadyInActiveTierError", 403),
        (Outcome.MISSING, "NoSuchKey", 404),
        (Outcome.DENIED, "AccessDenied", 403),
        (Outcome.ERROR, "InvalidArgument", 400),
        (Outcome.ERROR, "GlacierExpeditedRetrievalNotAvailable", 503),
    ],
)
def test_an_answer_that_settles_the_key(expected: Outcome, code: str, status: int, script: Script) -> None:
    """Each of S3's refusals ends in its outcome, with S3's code and status in the row."""
    script.stub.add_client_error("restore_object", code, "words", status, expected_params=ASKED)

    row = act(script)

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.error_code, row.http_status) == (expected, code, status)


@pytest.mark.parametrize(
    ("retry_action", "code", "status"),
    [
        (RetryAction.SLOW_DOWN, "SlowDown", 503),
        (RetryAction.SLOW_DOWN, "ThrottlingException", 400),
        (RetryAction.LOOK_AGAIN, "InternalError", 500),
        (RetryAction.CREDENTIALS, "ExpiredToken", 400),
    ],
)
def test_an_answer_that_settles_nothing(retry_action: RetryAction, code: str, status: int, script: Script) -> None:
    """Throttling, faults and credentials put the key back; its row, should time run out, is an error."""
    script.stub.add_client_error("restore_object", code, "words", status)

    found = act(script)

    assert isinstance(found, Retry)
    assert (found.retry_action, found.row.outcome, found.row.error_code) == (retry_action, Outcome.ERROR, code)


def test_a_version_is_restored_by_its_id(script: Script) -> None:
    """A line with a version id restores that version, also a noncurrent one."""
    script.stub.add_response(
        "restore_object", {"ResponseMetadata": {"HTTPStatusCode": 202}}, {**ASKED, "VersionId": "v1"}
    )

    row = act(script, LotEntry(bucket="bucket", key="a b/é", version_id="v1"))

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.entry.version_id) == (Outcome.REQUESTED, "v1")


def test_intelligent_tiering_is_restored_without_days(script: Script) -> None:
    """Told that the object takes no Days, the restore is asked for again without them."""
    words = (
        "INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when restoring this object"
    )
    script.stub.add_client_error("restore_object", "InvalidArgument", words, 400, expected_params=ASKED)
    script.stub.add_response(
        "restore_object",
        {"ResponseMetadata": {"HTTPStatusCode": 202}},
        {"Bucket": "bucket", "Key": "a b/é", "RestoreRequest": BULK},
    )

    row = act(script)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.REQUESTED


def test_intelligent_tiering_in_an_active_tier_needs_no_restore(script: Script) -> None:
    """The second answer counts, whatever it is."""
    words = (
        "INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when restoring this object"
    )
    script.stub.add_client_error("restore_object", "InvalidArgument", words, 400)
    script.stub.add_client_error("restore_object", "ObjectAlreadyInActiveTierError", "words", 403)

    row = act(script)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.NOT_ARCHIVED


def test_a_bucket_name_that_cannot_be_is_an_error() -> None:
    """What botocore refuses to send is the key's own error, and isn't tried again."""
    s3 = S3(object_client(1), Pace(0, threading.Event()), Phase.RESTORE)

    row = RestoreAction(s3, days=7, tier="Bulk")(LotEntry(bucket="no bucket/at all", key="k"), None)

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.error_code, row.http_status) == (Outcome.ERROR, "ParamValidationError", None)
