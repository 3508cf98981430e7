"""The worker's options over every kind of object: what was is kept, exactly what may be deleted is deleted."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fidelity.bench import PATHS, Told, World, copy_all, documented_world, lay, look, run
from tests.fidelity.kind import Kind
from tests.fidelity.kinds import KINDS
from tests.fidelity.photograph import changes
from worker.contract import LotEntry, Outcome, parse_snapshot_lines

_LONG_AGO = datetime(1999, 1, 1, tzinfo=UTC)
VERSIONED = tuple(replace(kind, bucket="versioned") if kind.bucket == "open" else kind for kind in KINDS)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The documented S3, as AWS itself."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    return documented_world()


def versions_left(world: World, kind: Kind) -> int:
    """How many versions the object has."""
    assert world.documented
    return len(world.documented.buckets[kind.bucket].objects[kind.object_key])


def expected_left(kind: Kind, told: Told) -> int:
    """How many versions are to be left when superseded ones are deleted."""
    superseded = told.row.outcome is Outcome.COPIED and kind.bucket != "enforced"
    head = told.before.head
    held = "ON" in (head.get("ObjectLockLegalHoldStatus"), head.get("ObjectLockEventHold"))
    kept = held or head.get("ObjectLockRetainUntilDate", _LONG_AGO) > datetime.now(UTC)
    return 1 + (superseded and (kept or not proven(told))) + kind.noncurrent


def proven(told: Told) -> bool:
    """Whether S3 tells of both versions what proves the content: not so without an MD5 or a checksum of all of it."""
    before, after = told.before.snapshot, told.after.snapshot
    if before.etag == after.etag and before.encryption.get("ServerSideEncryption", "AES256") == "AES256":
        return True
    whole = before.checksum_type == after.checksum_type == "FULL_OBJECT"
    return whole and bool(before.checksums.items() & after.checksums.items())


@pytest.mark.parametrize("path", PATHS)
def test_only_the_version_that_was_copied_is_deleted(path: str, world: World, tmp_path: Path) -> None:
    """With --delete-superseded and --audit: copies are whole, what is locked or unproven stays, pictures are kept."""
    told = copy_all(world, VERSIONED, path, tmp_path, "--delete-superseded", "--audit")

    harmed = {name: words for name, one in told.items() if (words := list(changes(one.before, one.after)))}
    left = {kind.name: versions_left(world, kind) for kind in VERSIONED}
    assert harmed == {}
    assert {kind.name: expected_left(kind, told[kind.name]) for kind in VERSIONED} == left
    lines = "".join(part.read_text() for part in sorted((tmp_path / "results").glob("audit-*")))
    kept = {entry.key: snapshot for entry, snapshot in parse_snapshot_lines(lines)}
    copied = [kind for kind in VERSIONED if told[kind.name].row.outcome is Outcome.COPIED]
    assert {kind.object_key: told[kind.name].before.snapshot for kind in copied} == kept


CLASSES = ("STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")


@pytest.mark.parametrize(
    ("path", "target"),
    [*(("single", name) for name in CLASSES), ("in-parts", "STANDARD"), ("in-parts", "DEEP_ARCHIVE")],
)
def test_into_any_class_from_any_class(path: str, target: str, world: World, tmp_path: Path) -> None:
    """Every class leads into every class; what is in it already is left alone."""
    kinds = [
        Kind(
            name=name, put={"StorageClass": name, "Metadata": {"a": "b"}}, restored=name in ("GLACIER", "DEEP_ARCHIVE")
        )
        for name in CLASSES
    ]

    told = copy_all(world, kinds, path, tmp_path, "--storage-class", target)

    assert {name: Outcome.ALREADY if name == target else Outcome.COPIED for name in CLASSES} == {
        name: one.row.outcome for name, one in told.items()
    }
    assert {target} == {one.after.head.get("StorageClass", "STANDARD") for one in told.values()}
    assert [words for one in told.values() for words in changes(one.before, one.after)] == []


@pytest.mark.parametrize(("expected", "size"), [("CopyObject", 99), ("CopyObject", 100), ("UploadPartCopy", 101)])
def test_each_side_of_the_threshold(expected: str, size: int, world: World, tmp_path: Path) -> None:
    """An object is copied in parts only when it is larger than the threshold; either way it stays as it was."""
    kind = Kind(name="at the threshold", body=b"x" * size, put={"Metadata": {"a": "b"}}, tags={"t": "1"})

    told = copy_all(world, [kind], "single", tmp_path, "--multipart-threshold", "100")

    assert world.documented
    operations = {request.operation for request in world.documented.seen}
    assert {expected} == operations & {"CopyObject", "UploadPartCopy"}
    assert list(changes(told[kind.name].before, told[kind.name].after)) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_noncurrent_version_becomes_the_current_one_whole(path: str, world: World, tmp_path: Path) -> None:
    """With --allow-noncurrent a version under a newer one is copied with all it has; no version is lost."""
    kinds = [
        replace(kind, bucket="versioned") for kind in KINDS if kind.name in ("metadata", "ten tags", "ACL public-read")
    ]
    assert world.documented
    before = {}
    entries = []
    for kind in kinds:
        lay(world, kind)
        before[kind.name] = look(world, kind)
        version = world.documented.find(kind.bucket, kind.object_key).version_id
        entries.append(LotEntry(bucket=kind.bucket, key=kind.object_key, version_id=version))
        world.s3.put_object(Bucket=kind.bucket, Key=kind.object_key, Body=b"newer")

    rows = run(world, entries, tmp_path, *PATHS[path], "--allow-noncurrent")

    assert {Outcome.COPIED} == {row.outcome for row in rows.values()}
    assert [words for kind in kinds for words in changes(before[kind.name], look(world, kind))] == []
    assert {3} == {versions_left(world, kind) for kind in kinds}
