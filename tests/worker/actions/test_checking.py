"""After a copy: is it what the object was, and what becomes of the version that it superseded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.worker.actions.conftest import Script
from worker.actions.buckets import Buckets
from worker.actions.carrying import Carried, Carrying
from worker.actions.checking import Checks, Copied, lock_of, same_content
from worker.carry import acl_of
from worker.contract import COPY_DIFFERS, LotEntry, Outcome, ResultRow

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
HERE = {"Bucket": "bucket", "Key": "k"}
OLD, NEW = {**HERE, "VersionId": "v1"}, {**HERE, "VersionId": "v2"}
HEAD = {"ContentLength": 3, "ETag": '"e"', "LastModified": NOW, "Metadata": {"a": "b"}, "StorageClass": "GLACIER"}
AFTER = {**HEAD, "StorageClass": "STANDARD_IA", "VersionId": "v2"}
ROW = ResultRow(
    entry=LotEntry(bucket="bucket", key="k"), outcome=Outcome.COPIED, http_status=200, message="copied", size_bytes=3
)


def copied(**changed: Any) -> Copied:
    """A copy that S3 says it made, on a versioned bucket."""
    made = Copied(
        row=ROW,
        source=OLD,
        head={**HEAD, "VersionId": "v1"},
        answer={"VersionId": "v2"},
        etag='"e"',
        carried=Carried(arguments={}),
        seen_at=NOW,
    )
    return replace(made, **changed)


def checks(script: Script, *, delete: bool = False) -> Checks:
    """What compares copies in STANDARD_IA."""
    carrying = Carrying(script.copy, Buckets(script.copy))
    return Checks(script.copy, carrying, target="STANDARD_IA", delete_superseded=delete)


def look(script: Script, **changed: Any) -> None:
    """The HEAD of the copy."""
    script.stub.add_response("head_object", {**AFTER, **changed}, {**NEW, "ChecksumMode": "ENABLED"})


def test_a_copy_by_one_request_costs_no_other(script: Script) -> None:
    """Its ETag is compared, and that is all."""
    assert checks(script)(copied(), thorough=False) == ROW


KMS = {"ServerSideEncryption": "aws:kms"}


@pytest.mark.parametrize(
    ("same", "head", "answer", "etag"),
    [
        (True, {"ETag": '"a"'}, {}, '"a"'),
        (False, {"ETag": '"a"'}, {}, '"b"'),
        (False, {"ETag": '"a"', "ServerSideEncryption": "AES256"}, {"ServerSideEncryption": "AES256"}, '"b"'),
        (True, {"ETag": '"a-2"'}, {}, '"b"'),
        (True, {"ETag": '"a"'}, {}, '"b-2"'),
        (True, {"ETag": '"a"', **KMS}, KMS, '"b"'),
        (True, {"ETag": '"a"'}, KMS, '"b"'),
        (True, {"ETag": '"a"', "ServerSideEncryption": "aws:kms:dsse"}, {}, '"b"'),
    ],
)
def test_etags_are_compared_where_they_tell(
    same: bool,  # noqa: FBT001 (a table)
    head: dict[str, Any],
    answer: dict[str, Any],
    etag: str,
) -> None:
    """Both must be MD5s of the content: in one part, and not under KMS."""
    assert same_content(head, answer, etag) == same


def test_a_copy_of_other_content_is_an_error_that_names_it(script: Script) -> None:
    """Whatever went wrong, it isn't told as a success."""
    row = checks(script)(copied(etag='"other"'), thorough=False)

    assert row.outcome is Outcome.ERROR
    assert '"e" became "other"' in row.message


@pytest.mark.parametrize(
    ("says", "changed"),
    [
        ("metadata a: b became none", {"Metadata": {}}),
        ("size 3 became 4", {"ContentLength": 4}),
        ("it is in STANDARD_IR", {"StorageClass": "STANDARD_IR"}),
        ("0 tags became 1", {"TagCount": 1}),
    ],
)
def test_a_copy_in_parts_is_looked_at(says: str, changed: dict[str, Any], script: Script) -> None:
    """All of it was given by hand: each difference is in the row, which is an error."""
    look(script, **changed)

    row = checks(script)(copied(), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert says in row.message


def test_a_copy_in_parts_that_is_as_it_was_is_copied(script: Script) -> None:
    """No word more."""
    look(script)

    assert checks(script)(copied(), thorough=True) == ROW


def test_a_check_that_cannot_be_made_is_told(script: Script) -> None:
    """The copy was made all the same."""
    script.stub.add_client_error("head_object", "403", "", 403)

    row = checks(script)(copied(), thorough=True)

    assert row.outcome is Outcome.COPIED
    assert "not checked: 403 looking at the copy" in row.message


def test_an_object_overwritten_after_its_copy_is_not_compared(script: Script) -> None:
    """Without versions, what is there by now may be somebody's newer object."""
    newer = {**HEAD, "ETag": '"newer"', "Metadata": {}}
    script.stub.add_response("head_object", newer, {**HERE, "ChecksumMode": "ENABLED"})

    assert checks(script)(copied(source=HERE, answer={}), thorough=True) == ROW


def test_a_lost_grant_is_an_error(script: Script) -> None:
    """Where ACLs matter, the copy's is compared."""
    acl = acl_of(
        {
            "Owner": {"ID": "me"},
            "Grants": [{"Grantee": {"ID": "you", "Type": "CanonicalUser"}, "Permission": "READ"}],
        }
    )
    script.stub.add_response("get_object_acl", {"Owner": {"ID": "me"}, "Grants": []}, NEW)
    look(script)

    row = checks(script)(copied(carried=Carried(arguments={}, acl=acl)), thorough=False)

    assert row.outcome is Outcome.ERROR
    assert 'lost id="you" READ' in row.message


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


def test_a_task_told_to_stop_still_records_its_copy(script: Script) -> None:
    """The copy was made: it has its row, which says that nothing was checked or deleted."""
    script.stop.set()

    row = checks(script, delete=True)(copied(), thorough=False)

    assert row.outcome is Outcome.COPIED
    assert "not checked: the task was told to stop; its old version v1 stays" in row.message


def test_a_lock_that_has_ended_protects_nothing() -> None:
    """Retention up to now, and holds that are off."""
    ended = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": NOW, "ObjectLockLegalHoldStatus": "OFF"}

    assert lock_of(ended, NOW) == ""


def test_a_checksum_that_is_lost_is_an_error(script: Script) -> None:
    """Of a server that told of one, as S3 does, while it made the copy."""
    look(script)

    row = checks(script)(copied(head={**HEAD, "ChecksumCRC32": "c"}), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert "checksum CRC32 became none" in row.message


def test_a_checksum_that_the_server_never_took_is_told(script: Script) -> None:
    """Not S3: the copy is as good as that server can make it, and the row says what it lacks."""
    before = {**HEAD, "VersionId": "v1", "ChecksumCRC32": "c"}
    look(script)

    row = checks(script)(copied(head=before, tells_checksum=False), thorough=True)

    assert row.outcome is Outcome.COPIED
    assert "its checksum is gone" in row.message


TAGS = [{"Key": "a", "Value": "b"}]


def test_tags_that_somebody_gave_since_are_left_alone(script: Script) -> None:
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
    """S3 forgets none, so somebody deleted them since: the row says so, and nothing is put."""
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
    """Without versions somebody's newer object, which has no tags, may stand in the copy's place already."""
    script.stub.add_response("get_object_tagging", {"TagSet": []}, HERE)
    script.stub.add_response("head_object", {**AFTER, "ETag": '"theirs"'}, {**HERE, "ChecksumMode": "ENABLED"})

    assert (
        checks(script)(copied(source=HERE, answer={}, carried=Carried(arguments={}, tags=TAGS)), thorough=True) == ROW
    )


def test_what_is_wrong_is_told_though_the_rest_cannot_be_looked_at(script: Script) -> None:
    """A difference that was found isn't lost to a check that can't be made."""
    script.stub.add_response("get_object_tagging", {"TagSet": []}, NEW)
    script.stub.add_client_error("put_object_tagging", "AccessDenied", "", 403)
    script.stub.add_client_error("head_object", "403", "", 403)

    row = checks(script)(copied(carried=Carried(arguments={}, tags=TAGS)), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert "its tags are lost" in row.message
