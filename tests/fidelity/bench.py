"""Makes one object of each kind, sends the worker over them all at once, and looks at them before and after."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fidelity.checksums import digest
from tests.fidelity.documented_objects import BUCKET_KEY, KMS_KEY, SSE, Bucket
from tests.fidelity.documented_s3 import DocumentedS3
from tests.fidelity.kind import BUCKETS, KEY, MIB, TARGET, Kind
from tests.fidelity.photograph import Photograph, look_inside, photograph
from tests.fidelity.wire import Wire
from tests.worker.running import Job
from worker.command_line import parse_command_line
from worker.contract import LotEntry, ResultRow
from worker.s3.clients import fast_client
from worker.task import Task

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from worker.s3.fast.client import FastClient

PATHS: Mapping[str, Sequence[str]] = {
    "single": (),
    "in-parts": ("--multipart-threshold", "1", "--part-size", str(5 * MIB)),
}
"""Both ways in which the worker copies, with the options that make it take them."""


RESTORE_TRIES = 100
"""Looks at an object whose restore takes an emulator a moment, a tenth of a second apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """
    An S3 to try the kinds on.

    s3: a client for the tests' own hands. worker_client: makes the worker's, for this many threads.
    fast_client: makes the worker's fast client beside its client.
    documented: the S3 itself, where it is ours. acls: whether ACLs count in any bucket.
    """

    s3: "S3Client"
    worker_client: "Callable[[int], S3Client]"
    fast_client: "Callable[[S3Client], FastClient | None]" = fast_client
    documented: DocumentedS3 | None = None
    acls: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of an object: how it looked before and after, and what the worker says of it."""

    before: Photograph
    after: Photograph
    row: ResultRow


def documented_world() -> World:
    """The documented S3 with all buckets in it."""
    defaults = {SSE: "aws:kms", KMS_KEY: f"{KEY}-of-the-bucket", BUCKET_KEY: "true"}
    s3 = DocumentedS3(
        open=Bucket(encryption=defaults),
        enforced=Bucket(encryption=defaults, owner_enforced=True),
        versioned=Bucket(encryption=defaults, versioned=True),
        locked=Bucket(encryption=defaults, versioned=True, locks=True),
        retaining=Bucket(encryption=defaults, versioned=True, locks=True, retention=("COMPLIANCE", 365)),
    )
    wire = Wire(s3)
    return World(s3=wire.client(), worker_client=wire.client, fast_client=wire.fast_client, documented=s3)


def make_buckets(s3: "S3Client", *, acls: bool) -> None:
    """The same buckets in an emulator, as far as it knows their settings. acls: whether ACLs are to count in any."""
    for name in BUCKETS:
        where: Any = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        locks = name in ("locked", "retaining")
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locks, **where)
        ownership: Any = {"ObjectOwnership": "ObjectWriter" if acls and name != "enforced" else "BucketOwnerEnforced"}
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [ownership]})
        s3.delete_public_access_block(Bucket=name)
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"{KEY}-of-the-bucket"}
        rule = {"ApplyServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": True}
        encryption: Any = {"Rules": [rule]}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
        if name == "versioned":
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    retention: Any = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}
    lock: Any = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    s3.put_object_lock_configuration(Bucket="retaining", ObjectLockConfiguration=lock)


def copy_all(world: World, kinds: Sequence[Kind], path: str, folder: Path, *more: str) -> dict[str, Told]:
    """
    What becomes of an object of each kind, by the kind's name, when a worker copies all of them on this path.

    more: further options of the worker.
    """
    entries = [lay(world, kind) for kind in kinds]
    for kind in kinds:
        if kind.restored:
            _wait_until_restored(world.s3, kind)
    before = {kind.name: look(world, kind, content=False) for kind in kinds}
    rows = run(world, entries, folder, *PATHS[path], *more)
    return {
        kind.name: Told(before=before[kind.name], after=look(world, kind), row=rows[kind.bucket, kind.object_key])
        for kind in kinds
    }


def look(world: World, kind: Kind, *, content: bool = True) -> Photograph:
    """The object of this kind as it is now. content: whether its bytes are to be read too."""
    named = {"Bucket": kind.bucket, "Key": kind.object_key}
    if world.documented:
        return look_inside(world.s3, named, kind.customer_key, world.documented.find(kind.bucket, kind.object_key))
    wanted = {"content": content, "tags": bool(kind.tags), "grants": world.acls}
    return photograph(world.s3, named, kind.customer_key, [what for what, asked in wanted.items() if asked])


def run(world: World, entries: Iterable[LotEntry], folder: Path, *more: str) -> dict[tuple[str, str], ResultRow]:
    """Each object's result after one run of the worker over all of them, by bucket and key."""
    job = Job(folder)
    job.write_lot(entries)
    options = parse_command_line(job.arguments("copy", "--storage-class", TARGET, "--threads", "4", *more))
    s3_client = world.fast_client
    Task(options, state_client=lambda: world.s3, object_client=world.worker_client, fast_client=s3_client).run()
    return {(row.entry.bucket, row.entry.key): row for row in job.rows()}


def lay(world: World, kind: Kind) -> LotEntry:
    """The line of a lot that names the object, which this makes."""
    named: Any = {"Bucket": kind.bucket, "Key": kind.object_key}
    if kind.part_sizes:
        _put_in_parts(world.s3, kind, named)
    else:
        put = world.s3.put_object
        content = kind.content()
        # Object Lock wants a digest with each PUT.
        proof: Any = {"ContentMD5": b64encode(md5(content).digest()).decode()}  # noqa: S324 (S3's own)
        _with_headers(world.s3, kind.raw, lambda: put(**named, Body=content, **kind.put, **proof))
    if kind.tags:
        tags: Any = [{"Key": name, "Value": value} for name, value in kind.tags.items()]
        world.s3.put_object_tagging(**named, Tagging={"TagSet": tags})
    if kind.restored:
        world.s3.restore_object(**named, RestoreRequest={"Days": 7})
    if world.documented:
        _make_what_no_request_can(world.documented, kind)
    version = ""
    if kind.noncurrent:
        version = world.s3.head_object(**named)["VersionId"]
        world.s3.put_object(**named, Body=b"newer")
    return LotEntry(bucket=kind.bucket, key=kind.object_key, version_id=version)


def _wait_until_restored(s3: "S3Client", kind: Kind) -> None:
    for _ in range(RESTORE_TRIES):
        if 'ongoing-request="false"' in s3.head_object(Bucket=kind.bucket, Key=kind.object_key).get("Restore", ""):
            return
        time.sleep(0.1)
    raise AssertionError(f"{kind.name} isn't restored")


def _make_what_no_request_can(s3: DocumentedS3, kind: Kind) -> None:
    version = s3.find(kind.bucket, kind.object_key)
    shown = {name: value for name, value in {**version.shown, **kind.hidden}.items() if kind.hidden.get(name) != ""}
    changes: dict[str, Any] = {"shown": shown, "annotations": kind.annotations, "owner": kind.owner}
    if kind.grants is not None:
        changes["grants"] = kind.grants
    if not kind.checksummed:
        changes["checksums"] = {}
    s3.change(kind.bucket, kind.object_key, **changes)


def _put_in_parts(s3: "S3Client", kind: Kind, named: Mapping[str, Any]) -> None:
    upload_id = s3.create_multipart_upload(**named, **kind.put)["UploadId"]
    algorithm = kind.put.get("ChecksumAlgorithm", "")
    parts: list[Any] = []
    for number, size in enumerate(kind.part_sizes, start=1):
        content = bytes([64 + number]) * size
        value = b64encode(digest(algorithm.lower(), content)).decode()
        checksum: Any = {f"Checksum{algorithm}": value} if algorithm else {}
        place: Any = {**named, "UploadId": upload_id, "PartNumber": number}
        etag = s3.upload_part(**place, Body=content, **checksum)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag, **checksum})
    s3.complete_multipart_upload(**named, UploadId=upload_id, MultipartUpload={"Parts": parts})


def _with_headers(s3: "S3Client", headers: Mapping[str, str], put: Callable[[], Any]) -> None:
    """Put an object with these headers beside those that boto3 makes of its arguments."""

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"].update(headers)

    s3.meta.events.register("before-call.s3.PutObject", add)
    try:
        put()
    finally:
        s3.meta.events.unregister("before-call.s3.PutObject", add)
