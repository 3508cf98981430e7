"""The copy phase of a line that names a version."""

from dataclasses import replace

from tests.worker.actions.copying import COPY, ENTRY, HEAD, MADE, NAMED, NOW, READY, act, result
from tests.worker.scripted_s3 import Script
from worker.contract import Outcome
from worker.pool.loop import Retry

VERSIONED = replace(ENTRY, version_id="v1")


def test_the_current_version_is_copied(script: Script) -> None:
    """A line that names the current version costs no request more than one that names none."""
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, NAMED)
    script.bucket(versioned=True)
    script.stub.add_response(
        "copy_object", {**MADE, "VersionId": "v2"}, {**COPY, "CopySource": {**NAMED, "VersionId": "v1"}}
    )

    assert result(act(script, VERSIONED)).outcome is Outcome.COPIED


def test_the_null_version_of_an_unversioned_bucket_is_the_object(script: Script) -> None:
    """A line with version `null` means the object of a bucket that was never versioned."""
    script.stub.add_response("head_object", HEAD, NAMED)
    script.bucket()
    script.stub.add_response("copy_object", MADE, COPY)

    assert result(act(script, replace(ENTRY, version_id="null"))).outcome is Outcome.COPIED


def test_a_noncurrent_version_is_not_copied(script: Script) -> None:
    """A copy would make it current: refused, after a look at both versions."""
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v2", "ETag": '"other"'}, NAMED)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, {**NAMED, "VersionId": "v1"})

    row = result(act(script, VERSIONED))

    assert row.outcome is Outcome.UNSUPPORTED
    assert "would make it current" in row.message


def test_a_version_under_a_delete_marker_is_not_copied(script: Script) -> None:
    """A copy would bring a deleted object back: refused."""
    script.stub.add_client_error("head_object", "404", "", 404, expected_params=NAMED)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, {**NAMED, "VersionId": "v1"})

    assert result(act(script, VERSIONED)).outcome is Outcome.UNSUPPORTED


def test_another_version_than_the_one_asked_for_is_not_copied_for_it(script: Script) -> None:
    """A HEAD that shows another is no look at that one: it is looked at again."""
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v2"}, NAMED)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v3"}, {**NAMED, "VersionId": "v1"})

    found = act(script, VERSIONED)

    assert isinstance(found, Retry)
    assert "v1 was asked for" in found.row.message


def test_a_version_that_was_copied_before_is_already_there(script: Script) -> None:
    """An attempt whose result was lost made a newer version with the same content in the class."""
    newer = {**HEAD, "VersionId": "v2", "StorageClass": "STANDARD_IA", "LastModified": NOW}
    script.stub.add_response("head_object", newer, NAMED)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, {**NAMED, "VersionId": "v1"})

    assert result(act(script, VERSIONED)).outcome is Outcome.ALREADY


def test_a_version_that_is_gone_is_missing(script: Script) -> None:
    """No such version, though there is a current one."""
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v2"}, NAMED)
    script.stub.add_client_error("head_object", "404", "", 404, expected_params={**NAMED, "VersionId": "v1"})

    assert result(act(script, VERSIONED)).outcome is Outcome.MISSING


CURRENT = {**HEAD, "VersionId": "v2", "ETag": '"other"'}


def test_a_noncurrent_version_is_copied_when_asked_for(script: Script) -> None:
    """Its version is the source, what is current is the guard, and the row says that the copy is current now."""
    script.stub.add_response("head_object", CURRENT, NAMED)
    script.stub.add_response("head_object", {**HEAD, **READY, "VersionId": "v1"}, {**NAMED, "VersionId": "v1"})
    script.bucket(versioned=True)
    script.stub.add_response(
        "copy_object",
        {**MADE, "VersionId": "v3"},
        {**COPY, "CopySource": {**NAMED, "VersionId": "v1"}, "IfMatch": '"other"'},
    )

    row = result(act(script, VERSIONED, allow_noncurrent=True))

    assert (row.outcome, row.new_version_id) == (Outcome.COPIED, "v3")
    assert row.message.endswith("it was not the current version, and its copy is")


def test_a_version_under_a_delete_marker_is_copied_when_asked_for(script: Script) -> None:
    """The guard is then that nothing stands at the key."""
    script.stub.add_client_error("head_object", "404", "", 404, expected_params=NAMED)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"}, {**NAMED, "VersionId": "v1"})
    script.bucket(versioned=True)
    guarded = {**COPY, "CopySource": {**NAMED, "VersionId": "v1"}, "IfNoneMatch": "*"}
    del guarded["IfMatch"]
    script.stub.add_response("copy_object", {**MADE, "VersionId": "v3"}, guarded)

    assert result(act(script, VERSIONED, allow_noncurrent=True)).outcome is Outcome.COPIED


def test_an_archived_noncurrent_version_is_pending_like_any_other(script: Script) -> None:
    """It must have been restored first."""
    script.stub.add_response("head_object", CURRENT, NAMED)
    script.stub.add_response("head_object", {**HEAD, "StorageClass": "GLACIER", "VersionId": "v1"})

    assert result(act(script, VERSIONED, allow_noncurrent=True)).outcome is Outcome.PENDING


def test_a_lost_copy_of_a_noncurrent_version_is_known_by_its_content(script: Script) -> None:
    """Nothing is remembered of it: a newer version with the same content in the class says that it was made."""
    script.stub.add_response("head_object", CURRENT)
    script.stub.add_response("head_object", {**HEAD, "VersionId": "v1"})
    script.bucket(versioned=True)
    script.stub.add_client_error("copy_object", "InternalError", "", 500)

    found = act(script, VERSIONED, allow_noncurrent=True)

    assert isinstance(found, Retry)
    assert found.memory is None
