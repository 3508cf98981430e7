"""The tags of a copy in parts: those that it was given, those that are lost, and those that others gave since."""

import pytest

from tests.worker.actions.checked import AFTER, HERE, NEW, ROW, checks, copied, look
from tests.worker.scripted_s3 import Script
from worker.actions.copied import Carried
from worker.contract import COPY_DIFFERS, Outcome

TAGS = [{"Key": "a", "Value": "b"}]


def test_tags_that_others_gave_since_are_left_alone(script: Script) -> None:
    """Other tags than those that the copy was given aren't ours to judge or to put back."""
    script.stub.add_response("get_object_tagging", {"TagSet": [{"Key": "newer", "Value": "theirs"}]}, NEW)
    look(script)

    assert checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True) == ROW


def test_tags_that_a_server_forgot_are_given_again(script: Script) -> None:
    """To the version that the copy made, by a server that isn't AWS."""
    script.stub.add_response("get_object_tagging", {"TagSet": []}, NEW)
    script.stub.add_response("put_object_tagging", {}, {**NEW, "Tagging": {"TagSet": TAGS}})
    look(script)

    assert checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True) == ROW


def test_tags_that_are_gone_from_aws_are_an_error(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 forgets none, so another deleted them since: the row says so, and nothing is put."""
    monkeypatch.setattr(script.copy.client.meta, "_endpoint_url", "https://s3.eu-west-1.amazonaws.com")
    script.stub.add_response("get_object_tagging", {"TagSet": []}, NEW)
    look(script)

    row = checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True)

    assert (row.outcome, row.error_code) == (Outcome.ERROR, COPY_DIFFERS)
    assert "its tags are lost" in row.message


def test_tags_that_cannot_be_given_again_are_an_error(script: Script) -> None:
    """They are lost, and the row says so."""
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_client_error("put_object_tagging", "AccessDenied", "", 403)
    look(script)

    row = checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert "its tags are lost" in row.message


def test_what_a_newer_object_lacks_is_not_the_copys_fault(script: Script) -> None:
    """Without versions a newer object, which has no tags, may stand in the copy's place already."""
    script.stub.add_response("get_object_tagging", {"TagSet": []}, HERE)
    script.stub.add_response("head_object", {**AFTER, "ETag": '"theirs"'}, {**HERE, "ChecksumMode": "ENABLED"})

    row = checks(script)(copied(source=HERE, answer={}, carried=Carried(arguments={}, tags=TAGS)), thorough=True)

    assert row.outcome is Outcome.COPIED
    assert row.message == f"{ROW.message}; not checked: by now the object there is another one than the copy"


def test_what_is_wrong_is_told_though_the_rest_cannot_be_looked_at(script: Script) -> None:
    """A difference that was found isn't lost to a check that can't be made."""
    script.stub.add_response("get_object_tagging", {"TagSet": []}, NEW)
    script.stub.add_client_error("put_object_tagging", "AccessDenied", "", 403)
    script.stub.add_client_error("head_object", "403", "", 403)

    row = checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert "its tags are lost" in row.message
