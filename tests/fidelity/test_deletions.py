"""`--delete-superseded` before a server whose copies aren't what it says: the only good version is never deleted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fidelity.bench import PATHS, World, documented_world, run
from tests.fidelity.documented_objects import Request
from worker.contract import LotEntry, Outcome, ResultRow

BUCKET, KEY = "versioned", "only"
CONTENT = b"the only copy"
WRONG: Mapping[str, Mapping[str, Any]] = {
    "other content": {"body": CONTENT[::-1]},
    "empty": {"body": b""},
    "still in its old class": {"shown": {"x-amz-meta-a": "b", "x-amz-server-side-encryption": "AES256"}},
    "without its metadata": {
        "shown": {"x-amz-storage-class": "STANDARD_IA", "x-amz-server-side-encryption": "AES256"},
    },
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The documented S3, with one object of one version."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    world = documented_world()
    world.s3.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT, Metadata={"a": "b"}, ServerSideEncryption="AES256")
    return world


def copy(world: World, path: str, folder: Path, *more: str) -> ResultRow:
    """The result of copying it, and deleting what is superseded."""
    rows = run(world, [LotEntry(bucket=BUCKET, key=KEY)], folder, *PATHS[path], "--delete-superseded", *more)
    return rows[BUCKET, KEY]


def bodies(world: World) -> list[bytes]:
    """The content of each version that is left."""
    assert world.documented
    return [one.body for one in world.documented.buckets[BUCKET].objects[KEY]]


@pytest.mark.parametrize("etag", ["kept", "other", "without quotes"])
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("path", PATHS)
def test_a_copy_that_is_wrong_supersedes_nothing(
    path: str, wrong: str, etag: str, world: World, tmp_path: Path
) -> None:
    """Whatever ETag it is shown with: the key is an error that says why, and the old version is there."""
    documented = world.documented
    assert documented

    def spoil(request: Request) -> None:
        if request.operation == "HeadObject" and "versionId" in request.query:
            made = documented.find(BUCKET, KEY)
            etags = {"kept": made.etag, "other": '"other"', "without quotes": made.etag.strip('"')}
            changed = dict(WRONG[wrong])
            if wrong == "other content":
                changed["checksums"] = {"x-amz-checksum-crc64nvme": "other", "x-amz-checksum-type": "FULL_OBJECT"}
            documented.change(BUCKET, KEY, etag=etags[etag], **changed)

    documented.meddle = spoil

    row = copy(world, path, tmp_path)

    assert (row.outcome, row.error_code) == (Outcome.ERROR, "CopyDiffers"), row.message
    assert row.message.endswith(" stays")
    assert bodies(world)[0] == CONTENT
    assert "DELETE" not in {request.method for request in documented.seen}


@pytest.mark.parametrize("path", PATHS)
def test_a_server_without_quotes_is_no_reason_to_keep_anything(path: str, world: World, tmp_path: Path) -> None:
    """The ETags are the same but for them: the copy is compared, and the old version deleted."""
    documented = world.documented
    assert documented
    documented.change(BUCKET, KEY, etag=documented.find(BUCKET, KEY).etag.strip('"'))

    row = copy(world, path, tmp_path)

    assert row.outcome is Outcome.COPIED
    assert row.message.endswith(" is deleted")
    assert bodies(world) == [CONTENT]


@pytest.mark.parametrize("path", PATHS)
def test_what_no_two_answers_prove_stays(path: str, world: World, tmp_path: Path) -> None:
    """Without a checksum of the whole object and under KMS only the size tells, which isn't enough to delete for."""
    documented = world.documented
    assert documented
    kms = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:k"}
    documented.change(
        BUCKET, KEY, checksums={}, etag='"under a key"', shown={**documented.find(BUCKET, KEY).shown, **kms}
    )

    row = copy(world, path, tmp_path)

    assert row.outcome is Outcome.COPIED
    assert "stays: nothing that S3 tells proves the copy's content" in row.message
    assert bodies(world) == [CONTENT, CONTENT]


def test_an_object_in_parts_is_proven_by_copying_it_in_the_same_parts(world: World, tmp_path: Path) -> None:
    """Its ETag comes out as it was, as the documents advise: so the old version can be deleted, checksum or not."""
    documented = world.documented
    assert documented
    size = 5 * 1024**2
    named: Any = {"Bucket": BUCKET, "Key": KEY}
    upload = world.s3.create_multipart_upload(**named, ServerSideEncryption="AES256")["UploadId"]
    parts: Any = [
        {
            "PartNumber": number,
            "ETag": world.s3.upload_part(**named, UploadId=upload, PartNumber=number, Body=body)["ETag"],
        }
        for number, body in enumerate((b"a" * size, b"b"), start=1)
    ]
    world.s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload={"Parts": parts})
    documented.change(BUCKET, KEY, checksums={})

    row = copy(world, "in-parts", tmp_path, "--part-size", str(size))

    assert row.outcome is Outcome.COPIED
    assert row.message.endswith(" is deleted"), row.message
