"""Uploads in parts that were begun: noted, and aborted by the next attempt when a kill left them."""

import logging

import pytest

from tests.worker.actions.stores import MemoryStore
from tests.worker.scripted_s3 import Script
from worker.actions.upload_notes import UploadNotes, abort_left_behind
from worker.contract import LotEntry, LotFileName, Outcome, ResultRow, StatePaths, format_result_rows
from worker.state.results import read_earlier

A, B = (LotEntry(bucket="bucket", key=key) for key in ("a", "b"))


def test_the_next_attempt_aborts_what_was_left(script: Script) -> None:
    """Each upload of a key that isn't finished, by its id, which is all that it ever looks for."""
    store = MemoryStore()
    uploads = UploadNotes(store, 1)
    uploads.begun(A, "u1")
    uploads.begun(A, "u2")
    script.stub.add_response("abort_multipart_upload", {}, {"Bucket": "bucket", "Key": "a", "UploadId": "u1"})
    script.stub.add_client_error("abort_multipart_upload", "NoSuchUpload", "", 404)

    assert abort_left_behind(script.copy, store, read_earlier(store, 2)) == 1


def test_finished_keys_are_not_looked_for(script: Script) -> None:
    """A key with a succeeded result left nothing; one that failed or is pending may have."""
    store = MemoryStore()
    for entry, name in ((A, "u1"), (B, "u2")):
        UploadNotes(store, 1).begun(entry, name)
    rows = [ResultRow(entry=A, outcome=Outcome.COPIED), ResultRow(entry=B, outcome=Outcome.ERROR)]
    store.files["results-1-00001.csv"] = format_result_rows(rows).encode()
    script.stub.add_response("abort_multipart_upload", {}, {"Bucket": "bucket", "Key": "b", "UploadId": "u2"})

    assert abort_left_behind(script.copy, store, read_earlier(store, 2)) == 1


def test_an_upload_that_ended_is_not_noted_again() -> None:
    """A key tried again is noted with those of its uploads only that may still be there."""
    store = MemoryStore()
    uploads = UploadNotes(store, 1)
    uploads.begun(A, "u1")
    uploads.begun(A, "u2")
    uploads.ended(A, "u1")
    uploads.begun(A, "u3")
    uploads.ended(B, "u9")

    (note,) = store.files.values()
    assert b'"upload_ids": ["u2", "u3"]' in note


def test_a_note_is_never_taken_for_a_result() -> None:
    """Its name says which key it is about, and is no part's name."""
    name = StatePaths.upload_name(3, 255)

    assert StatePaths.parse_upload_name(name) == 255
    assert LotFileName.parse(name) is None
    assert StatePaths.parse_upload_name("results-1-00001.csv") is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"bucket": "bucket"}'])
def test_a_damaged_note_is_told_and_passed_over(
    content: bytes, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """The lot is worked on all the same."""
    store = MemoryStore()
    store.files[StatePaths.upload_name(1, 1)] = content

    with caplog.at_level(logging.WARNING, "worker"):
        assert abort_left_behind(script.copy, store, read_earlier(store, 2)) == 0

    assert "is not a note of uploads" in caplog.text


def test_an_upload_that_stays_is_told(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    """Where we may not abort it, the log names it."""
    store = MemoryStore()
    UploadNotes(store, 1).begun(A, "u1")
    script.stub.add_client_error("abort_multipart_upload", "AccessDenied", "", 403)

    with caplog.at_level(logging.WARNING, "worker"):
        assert abort_left_behind(script.copy, store, read_earlier(store, 2)) == 0

    assert "u1" in caplog.text
