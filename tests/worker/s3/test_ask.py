"""One request to S3: what goes with each, and what is waited for."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, SSLError

from tests.worker.scripted_s3 import Script
from worker.s3.ask import RefusedError, answer_of

ALWAYS = {
    "RequestPayer": "requester",
    "ExpectedBucketOwner": "012345678901",
    "ExpectedSourceBucketOwner": "012345678901",
}
HERE = {"Bucket": "bucket", "Key": "k"}


@pytest.mark.parametrize(
    ("goes", "operation", "asked"),
    [
        (ALWAYS.keys(), "copy_object", {**HERE, "CopySource": "bucket/k"}),
        (
            ALWAYS.keys(),
            "upload_part_copy",
            {**HERE, "CopySource": "bucket/k", "UploadId": "u", "PartNumber": 1},
        ),
        ({"RequestPayer", "ExpectedBucketOwner"}, "head_object", HERE),
        ({"RequestPayer", "ExpectedBucketOwner"}, "get_object_acl", HERE),
        ({"RequestPayer", "ExpectedBucketOwner"}, "restore_object", HERE),
        ({"RequestPayer", "ExpectedBucketOwner"}, "create_multipart_upload", HERE),
        ({"RequestPayer", "ExpectedBucketOwner"}, "delete_object", HERE),
        ({"ExpectedBucketOwner"}, "get_bucket_ownership_controls", {"Bucket": "bucket"}),
        ({"ExpectedBucketOwner"}, "get_object_lock_configuration", {"Bucket": "bucket"}),
    ],
)
def test_who_pays_and_whose_bucket_go_with_every_request(
    goes: set[str], operation: str, asked: dict[str, object], script: Script
) -> None:
    """As far as the operation takes them."""
    script.stub.add_response(operation, {}, {**asked, **{name: ALWAYS[name] for name in goes}})

    replace(script.copy, always=ALWAYS).ask(operation, **asked)


def test_they_go_with_an_abort_too(script: Script) -> None:
    """It is refused without them like any other request."""
    asked = {**HERE, "UploadId": "u"}
    given = {name: ALWAYS[name] for name in ("RequestPayer", "ExpectedBucketOwner")}
    script.stub.add_response("abort_multipart_upload", {}, {**asked, **given})

    replace(script.copy, always=ALWAYS).ask_on_the_way_out("abort_multipart_upload", **asked)


def test_a_refusal_after_a_lost_answer_counts_as_lost(script: Script) -> None:
    """It may be about what the lost request did."""
    script.stub.add_client_error("complete_multipart_upload", "InternalError", "", 500)
    script.stub.add_client_error("complete_multipart_upload", "SlowDown", "", 503)
    script.stub.add_client_error("complete_multipart_upload", "PreconditionFailed", "", 412)

    with pytest.raises(RefusedError) as refused:
        script.copy.ask_patiently("complete_multipart_upload", **HERE, UploadId="u")

    assert refused.value.answer.lost


@pytest.mark.parametrize("error", [EndpointConnectionError, ConnectTimeoutError, SSLError])
def test_no_connection_is_no_fault_of_the_key(error: type[BotoCoreError]) -> None:
    """Nobody resolves the name, nobody answers, or with no certificate that we know: it may pass."""
    assert answer_of(error(endpoint_url="https://s3", error="why")).lost


def test_a_refusal_after_throttling_does_not(script: Script) -> None:
    """A throttled request did nothing."""
    script.stub.add_client_error("complete_multipart_upload", "SlowDown", "", 503)
    script.stub.add_client_error("complete_multipart_upload", "PreconditionFailed", "", 412)

    with pytest.raises(RefusedError) as refused:
        script.copy.ask_patiently("complete_multipart_upload", **HERE, UploadId="u")

    assert not refused.value.answer.lost


@pytest.mark.parametrize(("status", "operation"), [(404, "head_object"), (503, "get_object"), (502, "get_object")])
def test_an_error_that_needs_no_code(status: int, operation: str, script: Script) -> None:
    """A HEAD's never has one; of a server's own failure, the status says all."""
    script.stub.add_client_error(operation, str(status), "", status)

    with pytest.raises(RefusedError) as refused:
        script.copy.ask(operation, **HERE)

    assert (refused.value.answer.code, refused.value.answer.lost) == (str(status), False)


@pytest.mark.parametrize(
    ("lost", "operation", "asked", "told"),
    [
        (False, "delete_object", {**HERE, "VersionId": "v1"}, {"VersionId": "v1"}),
        (True, "delete_object", {**HERE, "VersionId": "v1"}, {}),
        (False, "copy_object", {**HERE, "CopySource": {**HERE, "VersionId": "v1"}}, {"VersionId": "v2"}),
        (False, "copy_object", {**HERE, "CopySource": {**HERE, "VersionId": "v1"}}, {}),
    ],
)
def test_an_answer_that_deletes_a_version_names_it(
    *, lost: bool, operation: str, asked: dict[str, Any], told: dict[str, Any], script: Script
) -> None:
    """Without, it isn't known that it is this one. A copy names none where versioning is suspended."""
    script.stub.add_response(operation, told)

    with pytest.raises(RefusedError) if lost else nullcontext() as refused:
        script.copy.ask(operation, **asked)

    assert not refused or refused.value.answer.lost
