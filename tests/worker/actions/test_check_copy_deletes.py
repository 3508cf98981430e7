"""What becomes of the version that a copy superseded: deleted only after all of both versions was compared."""

from dataclasses import replace
from typing import Any

import pytest

from tests.worker.actions.checked import AFTER, HEAD, HERE, KMS, LATER, NEW, OLD, ROW, checks, copied, look
from tests.worker.scripted_s3 import Script
from worker.actions.copied import Carried
from worker.actions.delete_superseded import UNPROVEN
from worker.contract import Outcome, ResultRow
from worker.decide.carry_over import acl_of

BEFORE = {**HEAD, "VersionId": "v1"}
DELETED = {"VersionId": "v1"}
ACL = {
    "Owner": {"ID": "me"},
    "Grants": [{"Grantee": {"ID": "me", "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}],
}
GRANTED = {"Grantee": {"ID": "you", "Type": "CanonicalUser"}, "Permission": "READ"}


def look_at_the_old(script: Script, **changed: Any) -> None:
    """The HEAD of the old version."""
    script.stub.add_response("head_object", {**BEFORE, **changed}, {**OLD, "ChecksumMode": "ENABLED"})


def tags(script: Script, old: str = "", new: str = "") -> None:
    """The tags of both versions, the value of one of them."""
    for place, value in ((OLD, old), (NEW, new)):
        found = [{"Key": "t", "Value": value}] if value else []
        script.stub.add_response("get_object_tagging", {"TagSet": found}, place)


def compared(script: Script) -> None:
    """Everything that is asked of two versions which are the same."""
    look(script)
    look_at_the_old(script)
    tags(script)


def act(script: Script, **changed: Any) -> ResultRow:
    """Check a copy, and delete what it superseded."""
    return checks(script, delete=True)(copied(**changed), thorough=False)


def test_the_superseded_version_is_deleted_after_the_comparison(script: Script) -> None:
    """Exactly the version that was copied, and the row says so."""
    compared(script)
    script.stub.add_response("delete_object", DELETED, OLD)

    row = act(script)

    assert row.outcome is Outcome.COPIED
    assert row.message == f"{ROW.message}; its old version v1 is deleted"


@pytest.mark.parametrize("shown", ['"other"', "other", '"other-2"', '"e-1"', ""])
@pytest.mark.parametrize("changed", [{}, {"ContentLength": 0}, {"StorageClass": "GLACIER"}, {"Metadata": {}}])
def test_a_version_that_is_shown_with_another_etag_is_a_difference(
    shown: str, changed: dict[str, Any], script: Script
) -> None:
    """It was asked for by its id, so it is no other's newer object, and nothing is deleted."""
    look(script, ETag=shown, **changed)

    row = act(script)

    assert row.outcome is Outcome.ERROR
    assert row.message.endswith("; its old version v1 stays")


@pytest.mark.parametrize("shown", [{"ETag": "e"}, {"ETag": 'W/"e"'}])
def test_quotes_make_no_difference(shown: dict[str, str], script: Script) -> None:
    """Some servers send ETags without them."""
    look(script, **shown)
    look_at_the_old(script, **shown)
    tags(script)
    script.stub.add_response("delete_object", DELETED, OLD)

    assert act(script).message == f"{ROW.message}; its old version v1 is deleted"


@pytest.mark.parametrize("shown", ["v1", "v3", ""])
def test_nothing_is_deleted_when_another_version_is_shown(shown: str, script: Script) -> None:
    """A look at any other version than the copy is none at the copy."""
    look(script, VersionId=shown)

    row = act(script)

    assert row.outcome is Outcome.COPIED
    assert "not checked: " in row.message
    assert row.message.endswith("; its old version v1 stays")


WHOLE = {"ChecksumCRC64NVME": "c", "ChecksumType": "FULL_OBJECT"}
OF_PARTS = {"ChecksumSHA256": "c-2", "ChecksumType": "COMPOSITE"}


@pytest.mark.parametrize(
    ("proven", "before", "after"),
    [
        (True, {"ETag": '"e-2"'}, {"ETag": '"e-2"'}),
        (True, {"ETag": '"e-2"', **WHOLE}, {"ETag": '"copy"', **WHOLE}),
        (True, {**KMS, **WHOLE}, {**KMS, **WHOLE, "ETag": '"other"'}),
        (False, {"ETag": '"e-2"'}, {"ETag": '"copy"'}),
        (False, {"ETag": '"e-2"'}, {"ETag": '"copy-3"', **WHOLE}),
        (False, {"ETag": '"e-2"', **OF_PARTS}, {"ETag": '"copy-3"', **OF_PARTS}),
        (False, KMS, {**KMS, "ETag": '"other"'}),
        (False, KMS, KMS),
    ],
)
def test_nothing_is_deleted_without_proof_of_the_content(
    proven: bool,  # noqa: FBT001 (a table)
    before: dict[str, Any],
    after: dict[str, Any],
    script: Script,
) -> None:
    """The same ETag where it tells, or the same checksum of the whole object; the size alone is none."""
    look(script, **after)
    look_at_the_old(script, **before)
    if proven:
        tags(script)
        script.stub.add_response("delete_object", DELETED, OLD)

    row = act(script, head={**BEFORE, **before}, etag=after.get("ETag", '"e"'))

    assert row.outcome is Outcome.COPIED
    assert row.message.endswith("is deleted" if proven else f"its old version v1 stays: {UNPROVEN}")


@pytest.mark.parametrize(
    ("says", "changed"),
    [
        ("metadata a: b became c", {"Metadata": {"a": "c"}}),
        ("size 3 became 4", {"ContentLength": 4}),
        ("0 tags became 1", {"TagCount": 1}),
        ("COMPLIANCE retention until 2026-11-23", {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": LATER}),
        ("it is under a legal hold", {"ObjectLockLegalHoldStatus": "ON"}),
        ("mode and date go together", {"ObjectLockMode": "COMPLIANCE"}),
        ("version v9, and v1 was asked for", {"VersionId": "v9"}),
    ],
)
def test_an_old_version_that_is_not_what_was_copied_stays(says: str, changed: dict[str, Any], script: Script) -> None:
    """It is looked at once more, right before: it may have been locked since, or be another."""
    look(script)
    look_at_the_old(script, **changed)

    row = act(script)

    assert row.outcome is Outcome.COPIED
    assert "its old version v1 stays: " in row.message
    assert says in row.message


@pytest.mark.parametrize(("old", "new"), [("1", ""), ("1", "2"), ("", "1")])
def test_an_old_version_with_other_tags_stays(old: str, new: str, script: Script) -> None:
    """HEAD tells their number only, and not to all; they may have been changed since, too."""
    look(script)
    look_at_the_old(script)
    tags(script, old, new)

    assert "its old version v1 stays: the copy's tags" in act(script).message


def test_an_old_version_with_another_acl_stays(script: Script) -> None:
    """Where ACLs matter both are compared, the owner's own alone too."""
    script.stub.add_response("get_object_acl", ACL, NEW)
    compared(script)
    script.stub.add_response("get_object_acl", {**ACL, "Grants": [*ACL["Grants"], GRANTED]}, OLD)
    script.stub.add_response("get_object_acl", ACL, NEW)

    row = act(script, carried=Carried(arguments={}, acl=acl_of(ACL)))

    assert row.message == f'{ROW.message}; its old version v1 stays: its ACL lost id="you" READ'


def test_an_old_version_with_other_annotations_stays(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS is asked for them."""
    monkeypatch.setattr(script.copy.client.meta, "_endpoint_url", "https://s3.eu-west-1.amazonaws.com")
    compared(script)
    note = {"AnnotationName": "n", "LastModified": LATER, "Size": 1, "ETag": "a"}
    script.stub.add_response("list_object_annotations", {"Annotations": [note]}, OLD)
    script.stub.add_response("list_object_annotations", {"Annotations": []}, NEW)

    assert "its old version v1 stays: the copy's annotations" in act(script).message


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
    look_at_the_old(script, **lock)

    row = act(script, head={**BEFORE, **lock})

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

    row = act(script, source=source, answer=answer)

    assert row.outcome is Outcome.COPIED
    assert "stays: only versions with an id of their own" in row.message


def test_nothing_is_deleted_where_there_are_no_versions(script: Script) -> None:
    """The copy replaced the object: there is nothing left of it, and no word of it."""
    script.stub.add_response("head_object", AFTER)

    assert act(script, source=HERE, answer={}) == replace(ROW, new_version_id="")


def test_nothing_is_deleted_for_a_copy_that_differs(script: Script) -> None:
    """The old version is the only good one left."""
    look(script, Metadata={})

    row = act(script)

    assert row.outcome is Outcome.ERROR
    assert row.message.endswith("; its old version v1 stays")


@pytest.mark.parametrize("asked", ["head_object", "the old one", "get_object_tagging"])
def test_nothing_is_deleted_for_a_copy_that_cannot_be_checked(asked: str, script: Script) -> None:
    """It may be good, but it was not looked at."""
    if asked != "head_object":
        look(script)
    if asked == "get_object_tagging":
        look_at_the_old(script)
    script.stub.add_client_error(asked if asked.startswith("get") else "head_object", "403", "", 403)

    row = act(script)

    assert row.outcome is Outcome.COPIED
    assert "its old version v1 stays" in row.message
