"""Somebody else writes while a copy runs: what is newer stays, and the key's outcome says what happened."""

import random
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fidelity.bench import PATHS, World, documented_world, run
from tests.fidelity.documented_objects import Request
from tests.fidelity.kind import MIB
from worker.contract import LotEntry, Outcome

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Act = Callable[["S3Client", str], Any]
KEY = "contested"
STEPS = {"single": ("CopyObject",), "in-parts": ("UploadPartCopy", "CompleteMultipartUpload", "HeadObject 3")}
"""Requests before which somebody else is at work, after a first look; the third HEAD is pinned by If-Match."""


def overwrite(s3: "S3Client", bucket: str) -> None:
    """Put other content."""
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"newer", Metadata={"whose": "theirs"})


def overwrite_with_the_same(s3: "S3Client", bucket: str) -> None:
    """Put the same content with other metadata: its ETag is the same where ETags are MD5s."""
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"content", Metadata={"whose": "theirs"}, ServerSideEncryption="AES256")


def delete(s3: "S3Client", bucket: str) -> None:
    """Delete the object, with a delete marker where there are versions."""
    s3.delete_object(Bucket=bucket, Key=KEY)


def tag(s3: "S3Client", bucket: str) -> None:
    """Give it other tags, which changes neither ETag nor Last-Modified."""
    s3.put_object_tagging(Bucket=bucket, Key=KEY, Tagging={"TagSet": [{"Key": "whose", "Value": "theirs"}]})


def publish(s3: "S3Client", bucket: str) -> None:
    """Give it another ACL, which changes neither ETag nor Last-Modified."""
    grant: Any = {"Grantee": {"Type": "CanonicalUser", "ID": "friend"}, "Permission": "FULL_CONTROL"}
    s3.put_object_acl(Bucket=bucket, Key=KEY, AccessControlPolicy={"Owner": {"ID": "owner"}, "Grants": [grant]})


def hold(s3: "S3Client", bucket: str) -> None:
    """Put it under a legal hold, which changes neither ETag nor Last-Modified."""
    s3.put_object_legal_hold(Bucket=bucket, Key=KEY, LegalHold={"Status": "ON"})


def lie_in_wait(world: World, operation: str, act: Callable[[], Any]) -> None:
    """Do something once, before a request of an operation is answered: the first, or the one with this number."""
    name, _, number = operation.partition(" ")
    numbers = count(1)

    def meddle(request: Request) -> None:
        if request.operation == name and next(numbers) == int(number or 1):
            act()

    assert world.documented
    world.documented.meddle = meddle


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The documented S3, which answers each request as a whole before the next."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    return documented_world()


def copy_meddled(world: World, step: tuple[str, str], bucket: str, act: Act, folder: Path) -> Outcome:
    """The outcome of a copy on a path, with somebody else at work before this operation is answered."""
    path, operation = step
    content = b"content" if path == "single" or act is overwrite_with_the_same else b"c" * (6 * MIB)
    world.s3.put_object(Bucket=bucket, Key=KEY, Body=content, Metadata={"whose": "ours"}, ServerSideEncryption="AES256")
    lie_in_wait(world, operation, lambda: act(world.s3, bucket))
    rows = run(world, [LotEntry(bucket=bucket, key=KEY)], folder, *PATHS[path])
    return rows[bucket, KEY].outcome


@pytest.mark.parametrize("bucket", ["open", "versioned"])
@pytest.mark.parametrize("step", [(path, operation) for path, steps in STEPS.items() for operation in steps], ids=str)
@pytest.mark.parametrize(("expected", "act"), [(Outcome.CHANGED, overwrite), (Outcome.MISSING, delete)])
def test_what_is_newer_stays(
    expected: Outcome, act: Act, step: tuple[str, str], bucket: str, world: World, tmp_path: Path
) -> None:
    """Overwritten is `changed`, deleted is `missing`; their write is the last one, and no upload is left."""
    outcome = copy_meddled(world, step, bucket, act, tmp_path)

    assert world.documented
    versions = world.documented.buckets[bucket].objects.get(KEY, [])
    assert expected is outcome
    assert [b"newer"] * (act is overwrite) == [one.body for one in versions[-1:] if not one.deleted]
    assert world.documented.uploads == {}


GUARDS = ("x-amz-copy-source-if-match", "if-match")
HELD = [
    ("single", "CopyObject", "open", "x-amz-copy-source-if-match"),
    ("single", "CopyObject", "open", "if-match"),
    # The version that was looked at is still there: its ETag holds, and only the destination's tells.
    ("single", "CopyObject", "versioned", "if-match"),
    ("in-parts", "UploadPartCopy", "open", "x-amz-copy-source-if-match"),
    ("in-parts", "CompleteMultipartUpload", "open", "if-match"),
    ("in-parts", "CompleteMultipartUpload", "versioned", "if-match"),
]


@pytest.mark.parametrize(("path", "operation", "bucket", "guard"), HELD)
def test_each_guard_holds_alone(
    path: str, operation: str, bucket: str, guard: str, world: World, tmp_path: Path
) -> None:
    """Where the other one is passed over, the key is `changed`, and theirs stays."""
    assert world.documented
    world.documented.ignored = frozenset(GUARDS) - {guard}

    outcome = copy_meddled(world, (path, operation), bucket, overwrite, tmp_path)

    assert outcome is Outcome.CHANGED
    assert world.documented.find(bucket, KEY).body == b"newer"
    assert world.documented.uploads == {}


@pytest.mark.parametrize(("path", "operation"), [("single", "CopyObject"), ("in-parts", "CompleteMultipartUpload")])
def test_without_guards_a_newer_object_would_be_lost(path: str, operation: str, world: World, tmp_path: Path) -> None:
    """What an endpoint that passes over both does: so the tests above would notice a guard that isn't sent."""
    assert world.documented
    world.documented.ignored = frozenset(GUARDS)

    outcome = copy_meddled(world, (path, operation), "versioned", overwrite, tmp_path)

    assert outcome is Outcome.COPIED
    assert world.documented.find("versioned", KEY).body != b"newer"


@pytest.mark.parametrize(("path", "operation"), [("single", "CopyObject"), ("in-parts", "CompleteMultipartUpload")])
def test_what_is_put_over_a_delete_marker_stays(path: str, operation: str, world: World, tmp_path: Path) -> None:
    """A copy of a version under one holds only while nothing stands at the key (`If-None-Match: *`)."""
    assert world.documented
    named: Any = {"Bucket": "versioned", "Key": KEY}
    version = world.s3.put_object(**named, Body=b"old")["VersionId"]
    world.s3.delete_object(**named)
    lie_in_wait(world, operation, lambda: overwrite(world.s3, "versioned"))

    entry = LotEntry(bucket="versioned", key=KEY, version_id=version)
    rows = run(world, [entry], tmp_path, *PATHS[path], "--allow-noncurrent")

    assert rows["versioned", KEY].outcome is Outcome.CHANGED
    assert world.documented.find("versioned", KEY).body == b"newer"
    assert world.documented.uploads == {}


UNSEEN = [
    ("single", "open", tag),
    ("single", "open", overwrite_with_the_same),
    *(("in-parts", bucket, act) for bucket in ("open", "versioned") for act in (tag, publish, overwrite_with_the_same)),
    ("in-parts", "locked", hold),
]
"""
What no guard of S3's tells. Not there: an ACL or a hold given in the milliseconds between a look and a CopyObject.
No argument of CopyObject makes it depend on them.
"""


@pytest.mark.parametrize(("path", "bucket", "act"), UNSEEN)
def test_what_no_etag_tells_stays_too(path: str, bucket: str, act: Act, world: World, tmp_path: Path) -> None:
    """Tags, metadata, an ACL or a hold given while the parts are copied: `changed`; by CopyObject they are copied."""
    outcome = copy_meddled(world, (path, STEPS[path][0]), bucket, act, tmp_path)

    assert world.documented
    current = world.documented.find(bucket, KEY)
    kept: dict[Act, bool] = {
        tag: dict(current.tags) == {"whose": "theirs"},
        overwrite_with_the_same: current.shown["x-amz-meta-whose"] == "theirs",
        publish: current.grants == (("FULL_CONTROL", "friend"),),
        hold: current.shown.get("x-amz-object-lock-legal-hold") == "ON",
    }
    assert (Outcome.COPIED if path == "single" else Outcome.CHANGED) is outcome
    assert kept[act]


TOLD = {Outcome.COPIED, Outcome.CHANGED, Outcome.MISSING}


@pytest.mark.parametrize("bucket", ["open", "versioned"])
@pytest.mark.parametrize("act", [overwrite, tag, delete])
@pytest.mark.parametrize("operation", ["GetObjectTagging 3", "HeadObject 5"])
def test_what_is_newer_than_the_copy_stays_too(
    operation: str, act: Act, bucket: str, world: World, tmp_path: Path
) -> None:
    """Somebody writes between the copy's completion and a check of it: the check leaves what they wrote alone."""
    key: Any = {"Bucket": bucket, "Key": KEY}
    world.s3.put_object(**key, Body=b"c" * (6 * MIB), Tagging="whose=ours")
    lie_in_wait(world, operation, lambda: act(world.s3, bucket))

    run(world, [LotEntry(bucket=bucket, key=KEY)], tmp_path, *PATHS["in-parts"])

    assert world.documented
    versions = world.documented.buckets[bucket].objects.get(KEY, [])
    there = [(one.body[:5], dict(one.tags)) for one in versions[-1:] if not one.deleted]
    expected: dict[Act, Any] = {overwrite: [(b"newer", {})], tag: [(b"ccccc", {"whose": "theirs"})], delete: []}
    assert expected[act] == there


class Writer(threading.Thread):
    """
    Writes and deletes keys at random, until told to stop.

    last: what each key was last made, None for deleted.
    """

    def __init__(self, s3: "S3Client", bucket: str, keys: list[str], seed: int) -> None:
        super().__init__(daemon=True)
        self._s3, self._bucket, self._keys = s3, bucket, keys
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        self.last: dict[str, bytes | None] = {}
        self.enough = threading.Event()
        self.begun = threading.Event()

    def run(self) -> None:
        """Write."""
        number = 0
        while not self.enough.is_set():
            number += 1
            key = self._random.choice(self._keys)
            if self._random.random() < 0.2:
                self._s3.delete_object(Bucket=self._bucket, Key=key)
                self.last[key] = None
            else:
                body = f"write {number} ".encode() * self._random.choice((1, 3))
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
                self.last[key] = body
            self.begun.set()
            # Let the copies have their share of the processor.
            self.enough.wait(0.002)


@pytest.mark.parametrize("bucket", ["open", "versioned"])
@pytest.mark.parametrize("path", PATHS)
def test_a_writer_at_random_never_loses_a_write(path: str, bucket: str, world: World, tmp_path: Path) -> None:
    """Whatever is written while all keys are copied is there afterwards; keys that nobody wrote are all copied."""
    keys = [f"key {number}" for number in range(40)]
    contested = keys[::2]
    for key in keys:
        world.s3.put_object(Bucket=bucket, Key=key, Body=b"before")
    writer = Writer(world.s3, bucket, contested, seed=len(path + bucket))

    writer.start()
    try:
        assert writer.begun.wait(60)
        rows = run(world, [LotEntry(bucket=bucket, key=key) for key in keys], tmp_path, *PATHS[path])
    finally:
        writer.enough.set()
        writer.join(60)

    assert world.documented
    objects = world.documented.buckets[bucket].objects
    there = {key: objects[key][-1] if objects.get(key) and not objects[key][-1].deleted else None for key in keys}
    expected = {key: writer.last.get(key, b"before") for key in keys}
    assert expected == {key: one and one.body for key, one in there.items()}
    untouched = {rows[bucket, key].outcome for key in set(keys) - set(contested)}
    assert {Outcome.COPIED} == untouched
    told = {f"{row.outcome.value}: {row.message}" for row in rows.values() if row.outcome not in TOLD}
    assert set() == told
    assert world.documented.uploads == {}
