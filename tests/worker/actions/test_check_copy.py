"""What is looked at after a copy, and what a difference makes of its result."""

from typing import Any

import pytest

from tests.worker.actions.checked import HEAD, HERE, KMS, NEW, NOW, ROW, checks, copied, look
from tests.worker.scripted_s3 import Script
from worker.actions.copied import Carried, same_content
from worker.actions.delete_superseded import lock_of
from worker.contract import Outcome
from worker.decide.carry_over import acl_of


def test_a_copy_by_one_request_costs_no_other(script: Script) -> None:
    """Its ETag is compared, and that is all."""
    assert checks(script)(copied(), thorough=False) == ROW


@pytest.mark.parametrize(
    ("same", "head", "answer", "etag"),
    [
        (True, {"ETag": '"a"'}, {}, '"a"'),
        (True, {"ETag": '"a"'}, {}, "a"),
        (True, {"ETag": "a"}, {}, 'W/"a"'),
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
        ("its ETag is e-1, and S3 had said e", {"ETag": '"e-1"'}),
        ("metadata that headers can't show", {"MissingMeta": 1}),
        ("a customer's key", {"SSECustomerAlgorithm": "AES256"}),
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
    """Without versions, what is there by now may be another's newer object: the row says that nothing was checked."""
    newer = {**HEAD, "ETag": '"newer"', "Metadata": {}}
    script.stub.add_response("head_object", newer, {**HERE, "ChecksumMode": "ENABLED"})

    row = checks(script)(copied(source=HERE, answer={}), thorough=True)

    assert row.outcome is Outcome.COPIED
    assert row.message == f"{ROW.message}; not checked: by now the object there is another one than the copy"


def test_an_object_that_was_never_copied_is_an_error(script: Script) -> None:
    """Without versions, one that is still what it was is no newer object: S3's answer wasn't true."""
    script.stub.add_response("head_object", {**HEAD, "ETag": '"e-2"'}, {**HERE, "ChecksumMode": "ENABLED"})
    said = copied(source=HERE, answer={}, head={**HEAD, "ETag": '"e-2"'}, etag='"copy"')

    row = checks(script)(said, thorough=True)

    assert row.outcome is Outcome.ERROR
    assert "its ETag is e-2, and S3 had said copy; it is in GLACIER" in row.message


@pytest.mark.parametrize("shown", ["e", 'W/"e"', '"e"'])
def test_quotes_make_no_other_etag(shown: str, script: Script) -> None:
    """Some servers send none, and proxies write `W/` before them; all of it is compared all the same."""
    look(script, ETag=shown, Metadata={})

    row = checks(script)(copied(), thorough=True)

    assert row.outcome is Outcome.ERROR
    assert row.message == f"{ROW.message}; but it isn't as it was: metadata a: b became none"


@pytest.mark.parametrize("shown", [{"VersionId": "v1"}, {"VersionId": "v3"}, {"VersionId": ""}])
def test_another_version_than_the_copys_proves_nothing(shown: dict[str, str], script: Script) -> None:
    """Asked for one version, S3 shows it, by its id; any other answer is no look at the copy."""
    look(script, **shown)

    row = checks(script)(copied(), thorough=True)

    assert row.outcome is Outcome.COPIED
    assert "not checked: UnexpectedAnswer looking at the copy" in row.message


def test_a_copy_of_another_version_is_an_error(script: Script) -> None:
    """S3 names the version that it copied."""
    look(script)

    row = checks(script)(copied(answer={"VersionId": "v2", "CopySourceVersionId": "v0"}), thorough=False)

    assert row.outcome is Outcome.ERROR
    assert "it is a copy of version v0, and was to be one of v1" in row.message


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
