"""A job of many keys against an S3 that keeps its promises, behind a network that doesn't."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fidelity.documented_objects import Bucket, Request
from tests.fidelity.documented_s3 import DocumentedS3
from tests.fidelity.wire import Wire
from tests.worker.proxy import Decide, Origin, faulty
from tests.worker.running import Job, run_here
from tests.worker.server import Server
from worker.contract import ExitCode, LotEntry, ResultRow

TARGET = "STANDARD_IA"
BUCKET = "bucket"
READ_TIMEOUT_S = 1
"""How long a worker of these tests waits for an answer: in the tests that hang, for nothing."""

SPEED = 60
"""How fast a worker's time passes here: its delays and rates are meant for hours of work, not for seconds."""

S3_CLIENTS = ("boto3", "fast")
"""The worker's S3 clients."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """
    What a job does.

    name: for messages. arguments: the worker's. storage_class: what its objects are in before.
    operations: the requests that it can't do without, in order. copies: how many copies it is to make of each object.
    """

    name: str
    arguments: tuple[str, ...]
    storage_class: str
    operations: tuple[str, ...]
    copies: int = 1


RESTORE = Work(name="restore", arguments=("restore",), storage_class="GLACIER", operations=("RestoreObject",), copies=0)
COPY = Work(
    name="copy",
    arguments=("copy", "--storage-class", TARGET),
    storage_class="STANDARD",
    operations=("HeadObject", "CopyObject"),
)
IN_PARTS = Work(
    name="copy in parts",
    arguments=("copy", "--storage-class", TARGET, "--multipart-threshold", "1"),
    storage_class="STANDARD",
    operations=("CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"),
)
WORKS = (RESTORE, COPY, IN_PARTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """
    How a job ended.

    rows: the results by key. copies: how many versions in the target class each key got.
    versions: all its versions. seen: every request.
    """

    code: ExitCode
    rows: Mapping[str, ResultRow]
    copies: Counter[str]
    versions: Counter[str]
    seen: Server

    def not_right(self, keys: Iterable[str], copies: int) -> dict[str, str]:
        """Keys that didn't succeed, or weren't copied so many times, each with what is wrong; empty for a good end."""
        found = {}
        for key in keys:
            row = self.rows.get(key)
            if row is None or row.outcome.status != "succeeded":
                found[key] = f"{row.outcome} {row.error_code}: {row.message}" if row else "no result"
            elif (self.copies[key], self.versions[key]) != (copies, copies + 1):
                found[key] = f"{self.copies[key]} copies, {self.versions[key]} versions"
        return found


def serve(s3: DocumentedS3) -> Origin:
    """The documented S3 as what answers HTTP requests."""
    return Wire(s3).answer


def documented(work: Work, keys: Iterable[str]) -> DocumentedS3:
    """A documented S3 with a versioned bucket and an object under each key, as the work wants them."""
    s3 = DocumentedS3(bucket=Bucket(versioned=True, owner_enforced=True))
    answer = serve(s3)
    for key in keys:
        headers = {"x-amz-storage-class": work.storage_class}
        answer(Request.of_http("PUT", f"/{BUCKET}/{key}", headers, key.encode()))
    return s3


def run_documented(
    work: Work,
    s3_client: str,
    keys: Sequence[str],
    decide: Decide,
    folder: Path,
    *more: str,
    s3: DocumentedS3 | None = None,
) -> Ended:
    """How a job over these keys ends. more: further options of the worker. s3: what has its objects."""
    s3 = s3 or documented(work, keys)
    job = Job(folder)
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in keys)
    with faulty(serve(s3), decide) as seen:
        code = run_task(job.arguments(*work.arguments, "--s3-client", s3_client, *more), seen.endpoint)
    return ended(s3, code, job.rows(), keys, seen)


def ended(s3: DocumentedS3, code: ExitCode, rows: Iterable[ResultRow], keys: Iterable[str], seen: Server) -> Ended:
    """How a job has ended, by its results and by what S3 holds now."""
    # An upload whose beginning wasn't answered can't be named by anybody; without parts it costs nothing.
    assert not any(upload.parts for upload in s3.uploads.values()), "parts are left"
    versions = {key: s3.buckets[BUCKET].objects[key] for key in keys}
    return Ended(
        code=code,
        rows={row.entry.key: row for row in rows},
        copies=Counter({key: sum(one.storage_class == TARGET for one in found) for key, found in versions.items()}),
        versions=Counter({key: len(found) for key, found in versions.items()}),
        seen=seen,
    )


def run_task(arguments: Sequence[str], endpoint: str, *, speed: float = SPEED, **environ: str) -> ExitCode:
    """The exit code of a worker in this process, whose patience with answers is short."""
    return run_here(arguments, endpoint, speed=speed, read_timeout_s=READ_TIMEOUT_S, **environ)
