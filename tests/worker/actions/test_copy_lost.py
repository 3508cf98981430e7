"""The copy phase of one key when the copy's answer is lost: it may have happened, and is looked for."""

from dataclasses import replace

import pytest

from tests.worker.actions.copying import BEFORE, COPY, HEAD, MADE, NAMED, NOW, READY, act, result
from tests.worker.scripted_s3 import Script
from worker.contract import Outcome
from worker.decide.head_facts import facts_of
from worker.decide.judge_error import RetryAction
from worker.pool.loop import Retry


@pytest.mark.parametrize(
    ("retry_action", "code", "status", "remembers"),
    [
        (RetryAction.SLOW_DOWN, "SlowDown", 503, False),
        (RetryAction.LOOK_AGAIN, "InternalError", 500, True),
    ],
)
def test_a_copy_of_unknown_fate_is_remembered(
    retry_action: RetryAction,
    code: str,
    status: int,
    remembers: bool,  # noqa: FBT001 (a table)
    script: Script,
) -> None:
    """A throttled copy didn't happen; one that failed in any other passing way may have: what was seen is kept."""
    head = {**HEAD, **READY}
    script.stub.add_response("head_object", head)
    script.bucket()
    script.stub.add_client_error("copy_object", code, "words", status)

    found = act(script)

    assert isinstance(found, Retry)
    assert found.retry_action is retry_action
    assert found.memory == (facts_of(head) if remembers else None)


def test_a_lost_copy_that_happened_is_not_sent_again(script: Script) -> None:
    """Looking again, the object is in the class: copied, and S3 isn't asked for a second copy."""
    after = {**HEAD, "StorageClass": "STANDARD_IA", "LastModified": NOW, "VersionId": "v2"}
    script.stub.add_response("head_object", after, NAMED)

    row = result(act(script, memory=BEFORE))

    assert (row.outcome, row.new_version_id) == (Outcome.COPIED, "v2")


def test_what_is_asked_before_a_copy_is_no_lost_copy(script: Script) -> None:
    """When the answer to another question is lost nothing was copied: what is in the class later isn't ours."""
    script.stub.add_response("head_object", {**HEAD, **READY})
    script.stub.add_client_error("get_bucket_ownership_controls", "InternalError", "", 500)

    found = act(script)

    assert isinstance(found, Retry)
    assert (found.retry_action, found.memory) == (RetryAction.LOOK_AGAIN, None)


def test_an_answer_without_an_etag_is_a_lost_one(script: Script) -> None:
    """S3 tells the ETag of each copy that it made."""
    head = {**HEAD, **READY}
    script.stub.add_response("head_object", head)
    script.bucket()
    script.stub.add_response("copy_object", {"CopyObjectResult": {}})

    found = act(script)

    assert isinstance(found, Retry)
    assert (found.retry_action, found.memory) == (RetryAction.LOOK_AGAIN, facts_of(head))


def test_a_lost_copy_that_did_not_happen_is_sent_again(script: Script) -> None:
    """Looking again, nothing has changed: the copy is made."""
    script.stub.add_response("head_object", {**HEAD, **READY}, NAMED)
    script.bucket()
    script.stub.add_response("copy_object", MADE, COPY)

    assert result(act(script, memory=BEFORE)).outcome is Outcome.COPIED


def test_an_object_overwritten_after_a_lost_copy_is_left_alone(script: Script) -> None:
    """The second look shows another's object: changed, and not copied."""
    script.stub.add_response("head_object", {**HEAD, "LastModified": NOW, "ETag": '"other"'}, NAMED)

    assert result(act(script, memory=BEFORE)).outcome is Outcome.CHANGED


def test_a_guard_that_our_own_late_copy_trips_is_looked_at_again(script: Script) -> None:
    """412 after a lost copy may mean that it came through at last: the key is looked at once more."""
    script.stub.add_response("head_object", {**HEAD, **READY})
    script.bucket()
    script.stub.add_client_error("copy_object", "PreconditionFailed", "words", 412)

    found = act(script, memory=BEFORE)

    assert isinstance(found, Retry)
    assert (found.memory, found.row.outcome) == (BEFORE, Outcome.CHANGED)


def test_a_throttled_look_keeps_the_memory_of_a_lost_copy(script: Script) -> None:
    """While HEAD is refused for the rate, what is to be looked for isn't forgotten."""
    script.stub.add_client_error("head_object", "503", "", 503)

    found = act(script, memory=BEFORE)

    assert isinstance(found, Retry)
    assert found.memory == BEFORE


def test_a_lost_copy_that_is_found_deletes_nothing(script: Script) -> None:
    """As good as certain that it was ours isn't enough; the row says that the old version stays."""
    after = {**HEAD, "StorageClass": "STANDARD_IA", "LastModified": NOW, "VersionId": "v2"}
    script.stub.add_response("head_object", after, {**NAMED, "ChecksumMode": "ENABLED"})

    row = result(act(script, memory=replace(BEFORE, version_id="v1"), delete_superseded=True))

    assert row.outcome is Outcome.COPIED
    assert row.message.endswith("its old version v1 stays")
