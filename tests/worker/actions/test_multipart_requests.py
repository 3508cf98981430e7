"""One large object, copied in parts, request by request."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.worker.actions.stores import MemoryStore
from tests.worker.scripted_s3 import Script
from worker.actions.bucket_rules import BucketRules
from worker.actions.copied import Observed
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.multipart import Multipart, UnsentError
from worker.actions.upload_notes import UploadNotes, abort_left_behind
from worker.contract import LotEntry, Outcome, ResultRow, format_result_rows
from worker.decide.carry_over import UnsupportedError
from worker.decide.head_facts import facts_of
from worker.pool.part_threads import PartThreads
from worker.s3.ask import RefusedError
from worker.state.results import read_earlier

MIB = 1024**2
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HEAD = {"ContentLength": 12 * MIB, "ETag": '"e"', "LastModified": NOW}
HERE = {"Bucket": "bucket", "Key": "k"}
SOURCE = {**HERE, "VersionId": "v1"}
WHOLE = {**HEAD, "VersionId": "v1", "ChecksumSHA256": "whole", "ChecksumType": "COMPOSITE", "TagCount": 1}
LARGE = Observed(
    entry=LotEntry(bucket="bucket", key="k"),
    head=WHOLE,
    facts=facts_of(WHOLE),
    current_etag='"e"',
    current=True,
    seen_at=NOW,
)
TAGS = {"TagSet": [{"Key": "t", "Value": "1"}]}


def multipart(script: Script, store: MemoryStore | None = None) -> Multipart:
    """What copies large objects, in one part at a time."""
    return Multipart(
        script.copy,
        CarryOverReader(script.copy, BucketRules(script.copy)),
        UploadNotes(store or MemoryStore(), 1),
        threads=PartThreads(1),
        target="STANDARD",
        part_bytes=512 * MIB,
    )


def up_to_the_part(script: Script) -> None:
    """The requests until the one part has been copied."""
    script.bucket(versioned=True)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_response(
        "create_multipart_upload",
        {"UploadId": "u"},
        {
            **HERE,
            "StorageClass": "STANDARD",
            "ServerSideEncryption": "AES256",
            "Tagging": "t=1",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumType": "COMPOSITE",
        },
    )
    script.stub.add_response(
        "upload_part_copy",
        {"CopyPartResult": {"ETag": '"p"', "ChecksumSHA256": "part"}},
        {
            **HERE,
            "UploadId": "u",
            "PartNumber": 1,
            "CopySource": SOURCE,
            "CopySourceRange": f"bytes=0-{12 * MIB - 1}",
            "CopySourceIfMatch": '"e"',
        },
    )


COMPLETION = {
    **HERE,
    "UploadId": "u",
    "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"p"', "ChecksumSHA256": "part"}]},
    "MpuObjectSize": 12 * MIB,
    "IfMatch": '"e"',
    "ChecksumType": "COMPOSITE",
}


def look_again(script: Script, **changed: Any) -> None:
    """The second look at everything."""
    script.stub.add_response("head_object", {**LARGE.head, **changed}, {**HERE, "ChecksumMode": "ENABLED"})


def test_a_checksum_comes_out_as_it_was(script: Script) -> None:
    """The upload is begun with the object's algorithm, and completed with each part's checksum, version and size."""
    up_to_the_part(script)
    look_again(script)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_response("complete_multipart_upload", {"ETag": '"e-1"', "VersionId": "v2"}, COMPLETION)

    made = multipart(script).copy(LARGE)

    assert made.answer["VersionId"] == "v2"
    assert made.tells_checksum


@pytest.mark.parametrize(
    "changed", [{"VersionId": "v3"}, {"LastModified": NOW + timedelta(hours=1)}, {"ObjectLockLegalHoldStatus": "ON"}]
)
def test_a_newer_version_of_the_same_content_is_not_superseded(changed: dict[str, Any], script: Script) -> None:
    """The guard compares ETags only: the second look is at what is current by then, and at its locks."""
    up_to_the_part(script)
    look_again(script, **changed)
    if "ObjectLockLegalHoldStatus" in changed:
        script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_response("abort_multipart_upload", {}, {**HERE, "UploadId": "u"})

    with pytest.raises(RefusedError) as refused:
        multipart(script).copy(LARGE)

    assert refused.value.answer.code == "PreconditionFailed"


def test_a_completion_whose_answer_is_lost_is_not_taken_for_an_overwrite(script: Script) -> None:
    """Asked for again, S3 may find the guard broken by what it did the first time."""
    up_to_the_part(script)
    look_again(script)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_client_error("complete_multipart_upload", "InternalError", "", 500)
    script.stub.add_client_error("complete_multipart_upload", "PreconditionFailed", "", 412)
    script.stub.add_client_error("abort_multipart_upload", "NoSuchUpload", "", 404)

    with pytest.raises(RefusedError) as refused:
        multipart(script).copy(LARGE)

    assert refused.value.answer.lost


def test_an_answer_to_the_completion_without_an_etag_is_a_lost_one(script: Script) -> None:
    """The upload is aborted, so that it can't come through later, and the object is looked at."""
    up_to_the_part(script)
    look_again(script)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_response("complete_multipart_upload", {"VersionId": "v2"}, COMPLETION)
    script.stub.add_response("abort_multipart_upload", {}, {**HERE, "UploadId": "u"})

    with pytest.raises(RefusedError) as refused:
        multipart(script).copy(LARGE)

    assert refused.value.answer.lost
    assert not isinstance(refused.value, UnsentError)


@pytest.mark.parametrize("operation", ["get_object_tagging", "create_multipart_upload"])
def test_a_refusal_before_the_completion_is_no_lost_copy(operation: str, script: Script) -> None:
    """Only a completion makes the copy: what became of anything before it, nothing was copied."""
    script.bucket(versioned=True)
    for asked, answer in (("get_object_tagging", TAGS), ("create_multipart_upload", {"UploadId": "u"})):
        if asked == operation:
            script.stub.add_client_error(asked, "IllegalLocationConstraintException", "", 400)
            break
        script.stub.add_response(asked, answer)

    with pytest.raises(UnsentError):
        multipart(script).copy(LARGE)


def test_a_part_of_another_version_is_not_taken(script: Script) -> None:
    """S3 names the version that it copied a part of: any other is a reason to give the upload up."""
    script.bucket(versioned=True)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_response("create_multipart_upload", {"UploadId": "u"})
    script.stub.add_response("upload_part_copy", {"CopySourceVersionId": "v0", "CopyPartResult": {"ETag": '"p"'}})
    script.stub.add_response("abort_multipart_upload", {}, {**HERE, "UploadId": "u"})

    with pytest.raises(UnsentError) as refused:
        multipart(script).copy(LARGE)

    assert refused.value.answer.message == "S3 copied a part of another version"


@pytest.mark.parametrize("stopping", [True, False])
def test_an_abortion_that_s3_does_not_confirm_is_noted_for_the_next_attempt(
    stopping: bool,  # noqa: FBT001 (a table)
    script: Script,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever becomes of the key, and be it finished by another upload; waited for only while the task goes on."""
    store = MemoryStore()
    up_to_the_part(script)
    look_again(script)
    script.stub.add_response("get_object_tagging", TAGS, SOURCE)
    script.stub.add_client_error("complete_multipart_upload", "PreconditionFailed", "", 412)
    for _ in range(4):
        script.stub.add_client_error("abort_multipart_upload", "InternalError", "", 500)
    copy = multipart(script, store)
    if stopping:
        script.stub.client.meta.events.register("before-call.s3.CompleteMultipartUpload", lambda **_: script.stop.set())

    with caplog.at_level(logging.WARNING, "worker"), pytest.raises(RefusedError):
        copy.copy(LARGE)

    assert "an upload may have stayed" in caplog.text
    store.files["results-1-00001.csv"] = format_result_rows(
        [ResultRow(entry=LARGE.entry, outcome=Outcome.COPIED)]
    ).encode()
    script.stop.clear()
    script.stub.add_response("abort_multipart_upload", {}, {**HERE, "UploadId": "u"})
    assert abort_left_behind(script.copy, store, read_earlier(store, 2)) == 1


def test_an_upload_that_is_gone_is_not_waited_for(script: Script) -> None:
    """It was aborted elsewhere: no other part is asked for, and the key is looked at again."""
    script.bucket(versioned=True)
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_response("create_multipart_upload", {"UploadId": "u"})
    script.stub.add_client_error("upload_part_copy", "NoSuchUpload", "", 404)
    script.stub.add_client_error("abort_multipart_upload", "NoSuchUpload", "", 404)

    with pytest.raises(RefusedError) as refused:
        multipart(script).copy(replace(LARGE, head={**HEAD, "VersionId": "v1"}))

    assert refused.value.answer.code == "NoSuchUpload"


def test_what_would_be_lost_is_refused_before_anything_is_begun(script: Script) -> None:
    """Metadata that can't be given again as it was: no upload is created."""
    script.bucket(versioned=True)
    script.stub.add_response("get_object_tagging", {"TagSet": []})

    with pytest.raises(UnsupportedError, match="ASCII"):
        multipart(script).copy(replace(LARGE, head={**HEAD, "Metadata": {"a": "é"}}))


def test_tags_that_may_not_be_read_stop_the_copy(script: Script) -> None:
    """Without the permission to read tags they would be lost in silence: denied instead, and told for what."""
    script.bucket(versioned=True)
    script.stub.add_client_error("get_object_tagging", "AccessDenied", "words", 403)

    with pytest.raises(RefusedError) as refused:
        multipart(script).copy(LARGE)

    assert "s3:GetObjectTagging" in refused.value.answer.message


def test_a_small_object_is_copied_without_a_range(script: Script) -> None:
    """S3 takes a range of objects above 5 MB only; with a low threshold there are others."""
    script.bucket(versioned=True)
    head = {**HEAD, "ContentLength": 3, "VersionId": "v1"}
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_response("create_multipart_upload", {"UploadId": "u"})
    script.stub.add_response(
        "upload_part_copy",
        {"CopyPartResult": {"ETag": '"p"'}},
        {**HERE, "UploadId": "u", "PartNumber": 1, "CopySource": SOURCE, "CopySourceIfMatch": '"e"'},
    )
    script.stub.add_response("head_object", head)
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_response("complete_multipart_upload", {"ETag": '"e-1"'})

    multipart(script).copy(replace(LARGE, head=head))


def test_a_server_without_checksums_is_known_by_its_answers(script: Script) -> None:
    """S3 tells each part's and the object's; one that tells none may have none."""
    head = {**HEAD, "VersionId": "v1", "ChecksumCRC32": "c"}
    script.bucket(versioned=True)
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_response("create_multipart_upload", {"UploadId": "u"})
    script.stub.add_response("upload_part_copy", {"CopyPartResult": {"ETag": '"p"'}})
    script.stub.add_response("head_object", head)
    script.stub.add_response("get_object_tagging", {"TagSet": []})
    script.stub.add_response("complete_multipart_upload", {"ETag": '"e-1"'})

    assert not multipart(script).copy(replace(LARGE, head=head)).tells_checksum
