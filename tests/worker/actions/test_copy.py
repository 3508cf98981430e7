"""The copy phase of one key, request by request."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody

from tests.worker.actions.copying import (
    BEFORE,
    COPY,
    ENTRY,
    HEAD,
    MADE,
    NAMED,
    NOW,
    READY,
    act,
    action,
    copy_options,
    result,
)
from tests.worker.actions.stores import MemoryStore
from tests.worker.scripted_s3 import Script
from worker.actions.copy import DOUBTS, CopyAction
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, ObjectSnapshot, Outcome, ResultRow, snapshot_of
from worker.decide.judge_error import RetryAction
from worker.pool.loop import MoveToLongPool, Retry
from worker.s3.ask import UNSAID_PAUSES_S

PRIVATE = {
    "Owner": {"ID": "me"},
    "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "me"}, "Permission": "FULL_CONTROL"}],
}
HEADS_AGAIN = len(UNSAID_PAUSES_S) + 1


def test_a_copy_is_pinned_to_what_was_seen(script: Script) -> None:
    """HEAD, then a copy onto itself that holds only for the ETag seen, at its source and its destination."""
    script.stub.add_response("head_object", {**HEAD, **READY}, NAMED)
    script.bucket()
    script.stub.add_response("copy_object", MADE, COPY)

    row = result(act(script))

    assert row == ResultRow(
        entry=ENTRY,
        outcome=Outcome.COPIED,
        http_status=200,
        message="copied from GLACIER to STANDARD_IA",
        size_bytes=3,
    )


def test_on_a_versioned_bucket_the_version_is_pinned_too(script: Script) -> None:
    """The version that HEAD saw is the copy's source, and the new version stands in the result."""
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, NAMED)
    script.bucket(versioned=True)
    script.stub.add_response(
        "copy_object", {**MADE, "VersionId": "v2"}, {**COPY, "CopySource": {**NAMED, "VersionId": "v1"}}
    )

    assert result(act(script)).new_version_id == "v2"


def test_what_a_copy_would_drop_is_given(script: Script) -> None:
    """Encryption, redirect and locks that HEAD shows go into the copy's request."""
    kept = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "arn:key",
        "BucketKeyEnabled": True,
        "WebsiteRedirectLocation": "/elsewhere",
        "ObjectLockMode": "GOVERNANCE",
        "ObjectLockRetainUntilDate": NOW + timedelta(days=1),
        "ObjectLockLegalHoldStatus": "ON",
    }
    script.stub.add_response("head_object", {**HEAD, **kept}, NAMED)
    script.bucket()
    script.stub.add_response("copy_object", MADE, {**COPY, **kept})

    assert result(act(script)).outcome is Outcome.COPIED


@pytest.mark.parametrize(
    ("expected", "head"),
    [
        (Outcome.ALREADY, {"StorageClass": "STANDARD_IA"}),
        (Outcome.PENDING, {"StorageClass": "GLACIER"}),
        (Outcome.PENDING, {"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}),
        (Outcome.UNSUPPORTED, {"SSECustomerAlgorithm": "AES256"}),
        (Outcome.UNSUPPORTED, {"MissingMeta": 1}),
    ],
)
def test_an_object_that_is_not_to_be_copied_is_not_touched(
    expected: Outcome, head: dict[str, Any], script: Script
) -> None:
    """After a HEAD that settles it, nothing else is sent; the size is told."""
    script.stub.add_response("head_object", {**HEAD, **head}, NAMED)

    row = result(act(script))

    assert (row.outcome, row.size_bytes) == (expected, 3)
    assert row.message


@pytest.mark.parametrize("status", [404, 405])
def test_a_missing_object_is_missing(status: int, script: Script) -> None:
    """HEAD's 404, and its 405 for a delete marker."""
    script.stub.add_client_error("head_object", str(status), "Not Found", status)

    row = result(act(script))

    assert (row.outcome, row.http_status) == (Outcome.MISSING, 404)


@pytest.mark.parametrize(
    ("expected", "head_status", "code", "status", "says"),
    [
        (Outcome.DENIED, 403, "AccessDenied", 403, "no policy allows"),
        (Outcome.MISSING, 403, "NoSuchKey", 404, "no such object"),
        (
            Outcome.UNSUPPORTED,
            400,
            "InvalidRequest",
            400,
            "SSE-C",
        ),
        (Outcome.ERROR, 400, "InvalidObjectState", 403, "SSE-C"),
        (Outcome.DENIED, 403, "InvalidObjectState", 403, "access denied"),
    ],
)
def test_a_refused_head_is_explained_by_a_get(
    expected: Outcome, head_status: int, code: str, status: int, says: str, script: Script
) -> None:
    """HEAD's refusal has no words; a GET of one byte has."""
    words = "no policy allows it" if code == "AccessDenied" else "stored using a form of Server Side Encryption."
    script.stub.add_client_error("head_object", str(head_status), "Bad", head_status)
    script.stub.add_client_error("get_object", code, words, status, expected_params={**NAMED, "Range": "bytes=0-0"})
    if code == "InvalidObjectState":
        for _ in range(HEADS_AGAIN if head_status == 400 else 1):
            script.stub.add_client_error("head_object", str(head_status), "Bad", head_status)

    row = result(act(script))

    assert row.outcome is expected
    assert says in row.message


def test_a_bare_400_that_passes_fails_no_key(script: Script) -> None:
    """A fault on the way may meet the second HEAD, too, and the third."""
    script.stub.add_client_error("head_object", "400", "Bad", 400)
    script.stub.add_response("get_object", {"Body": StreamingBody(BytesIO(b"x"), 1)})
    for _ in range(HEADS_AGAIN - 1):
        script.stub.add_client_error("head_object", "400", "Bad", 400)
    script.stub.add_response("head_object", {**HEAD, "StorageClass": "STANDARD_IA"}, NAMED)

    assert result(act(script)).outcome is Outcome.ALREADY


@pytest.mark.parametrize("head_status", [400, 403])
@pytest.mark.parametrize("code", ["InvalidObjectState", "InvalidRange"])
def test_a_refused_head_whose_reason_has_passed_is_asked_for_again(code: str, head_status: int, script: Script) -> None:
    """Credentials renewed between HEAD and GET: the object may be read, and the second HEAD shows it."""
    script.stub.add_client_error("head_object", str(head_status), "Bad", head_status)
    script.stub.add_client_error("get_object", code, "", 403, expected_params={**NAMED, "Range": "bytes=0-0"})
    script.stub.add_response("head_object", {**HEAD, "StorageClass": "STANDARD_IA"}, NAMED)

    assert result(act(script)).outcome is Outcome.ALREADY


def test_a_head_refused_for_no_reason_keeps_its_own_answer(script: Script) -> None:
    """When a GET works and HEAD still doesn't, HEAD's answer is what counts."""
    script.stub.add_client_error("head_object", "403", "Forbidden", 403)
    script.stub.add_response("get_object", {"Body": StreamingBody(BytesIO(b"x"), 1)})
    script.stub.add_client_error("head_object", "403", "Forbidden", 403)

    row = result(act(script))

    assert (row.outcome, row.error_code) == (Outcome.DENIED, "403")


@pytest.mark.parametrize(("code", "status"), [("ExpiredToken", 400), ("InvalidAccessKeyId", 403)])
def test_credentials_refused_are_no_fault_of_the_key(code: str, status: int, script: Script) -> None:
    """An expired token looks like a bad request, and a wrong key id like a denied one: both are told apart."""
    script.stub.add_client_error("head_object", str(status), "", status)
    script.stub.add_client_error("get_object", code, "words", status)

    found = act(script)

    assert isinstance(found, Retry)
    assert found.retry_action is RetryAction.CREDENTIALS


@pytest.mark.parametrize(
    ("expected", "code", "status"),
    [
        (Outcome.CHANGED, "PreconditionFailed", 412),
        (Outcome.CHANGED, "ConditionalRequestConflict", 409),
        (Outcome.MISSING, "NoSuchKey", 404),
        (Outcome.DENIED, "AccessDenied", 403),
        (Outcome.ERROR, "InvalidRequest", 400),
    ],
)
def test_a_refused_copy(expected: Outcome, code: str, status: int, script: Script) -> None:
    """Each of S3's refusals ends in its outcome, with S3's code and the size in the row."""
    script.stub.add_response("head_object", {**HEAD, **READY})
    script.bucket()
    script.stub.add_client_error("copy_object", code, "words", status)

    row = result(act(script))

    assert (row.outcome, row.error_code, row.http_status, row.size_bytes) == (expected, code, status, 3)


@pytest.mark.parametrize("operation", ["get_object_acl", "copy_object"])
@pytest.mark.parametrize("code", ["InvalidObjectState", "ObjectNotInActiveTierError"])
def test_a_restore_that_not_every_answer_knows_of_is_looked_at_again(operation: str, code: str, script: Script) -> None:
    """HEAD says restored, and another answer that it isn't: a race, which is over at the next look."""
    script.stub.add_response("head_object", {**HEAD, **READY})
    script.ownership("ObjectWriter")
    script.stub.add_response("get_bucket_acl", {"Owner": {"ID": "me"}})
    if operation == "copy_object":
        script.stub.add_response("get_object_acl", PRIVATE)
    script.stub.add_client_error(operation, code, "words", 403)
    copy = action(script)
    found = copy(ENTRY, None)
    assert isinstance(found, Retry)
    assert (found.retry_action, found.row.outcome, found.memory) == (RetryAction.LOOK_AGAIN, Outcome.PENDING, None)

    script.stub.add_response("head_object", {**HEAD, **READY})
    script.stub.add_response("get_object_acl", PRIVATE)
    script.stub.add_response("copy_object", MADE)
    script.stub.add_response("get_object_acl", PRIVATE)
    row = copy(ENTRY, None)

    assert isinstance(row, ResultRow)
    assert row.outcome is Outcome.COPIED


def test_a_restore_that_most_answers_do_not_know_of_is_pending_in_the_end(script: Script) -> None:
    """After some looks at a key it is `pending`, with S3's code; memory of a lost copy is kept."""
    copy = action(script)
    for time in range(2):
        found: list[ResultRow | Retry | MoveToLongPool] = []
        for look in range(DOUBTS + 1):
            script.stub.add_response("head_object", {**HEAD, **READY})
            if time == look == 0:
                script.bucket()
            script.stub.add_client_error("copy_object", "InvalidObjectState", "words", 403)
            found.append(copy(ENTRY, BEFORE))

        row = found.pop()
        assert [one.memory for one in found if isinstance(one, Retry)] == [BEFORE] * DOUBTS
        assert isinstance(row, ResultRow)
        assert (row.outcome, row.error_code) == (Outcome.PENDING, "InvalidObjectState")


def test_a_large_object_goes_elsewhere(script: Script) -> None:
    """After one HEAD: the threads for keys are not for hours of work."""
    script.stub.add_response("head_object", {**HEAD, **READY, "ContentLength": 1_001})

    assert isinstance(action(script)(ENTRY, None), MoveToLongPool)


def test_a_copy_of_other_content_is_an_error(script: Script) -> None:
    """S3's own answer tells: the ETag of the copy isn't that of the object."""
    script.stub.add_response("head_object", {**HEAD, **READY})
    script.bucket()
    script.stub.add_response("copy_object", {"CopyObjectResult": {"ETag": '"other"'}})

    assert result(act(script)).outcome is Outcome.ERROR


@pytest.mark.parametrize(("snapshots", "code"), [(1, None), (1, "InternalError"), (0, "SlowDown"), (0, "AccessDenied")])
def test_a_snapshot_is_taken_of_what_was_or_may_have_been_copied(
    snapshots: int, code: str | None, script: Script
) -> None:
    """The HEAD that was made anyway shows it, checksums and all; a copy that S3 refused has none."""
    taken: list[tuple[LotEntry, ObjectSnapshot]] = []
    head = {**HEAD, **READY, "ChecksumCRC32": "c", "Metadata": {"a": "b"}}
    script.stub.add_response("head_object", head, {**NAMED, "ChecksumMode": "ENABLED"})
    script.bucket()
    if code:
        script.stub.add_client_error("copy_object", code, "", 500)
    else:
        script.stub.add_response("copy_object", MADE)
    options = copy_options(1_000, 5 * 1024**2)
    copy = CopyAction(
        script.copy,
        options,
        uploads=UploadNotes(MemoryStore(), 1),
        audit=lambda entry, snapshot: taken.append((entry, snapshot)),
        now=lambda: NOW,
    )

    copy(ENTRY, None)

    assert taken == [(ENTRY, snapshot_of(head))] * snapshots
