"""Runs a worker over one key for each situation, and says of each what was believed that wasn't so."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.hostile.situations import (
    ARCHIVED,
    GRANTED,
    KMS,
    LOCKED,
    LOOK_AT_COPY,
    Situation,
    Work,
)
from tests.faults.hostile.truth import TARGET, Deed, Truth, essence
from tests.fidelity.documented_objects import Bucket, Request
from tests.fidelity.documented_s3 import ARCHIVED as ARCHIVE_CLASSES
from tests.fidelity.kind import EVERYBODY, KEY, LATER
from tests.worker.running import Job, run_here
from tests.worker.server import Script, Server, message_of, plainly, serving
from worker.contract import ExitCode, LotEntry, Outcome, ResultRow, exit_code_of, supersedes
from worker.errors import WorkerError

Record = Callable[[str, object], None]
"""pytest's `record_property`."""

SPEED = 600
"""How fast the worker's time passes: its quarter of an hour for a key is a second and a half."""

READ_TIMEOUT_S = 1
MOST_REQUESTS = 400
"""Requests of one operation for one key, at most: asked patiently, for as long as the loop has patience."""

SHARED = "bucket"
CONTENT = b"the only copy"
"""Of every object: so the answer about one would do for another."""

_HEADERS: Mapping[str, Mapping[str, str]] = {
    KMS: {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": KEY},
    LOCKED: {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": LATER.isoformat()},
    ARCHIVED: {"x-amz-storage-class": "GLACIER"},
}
_GRANTS = (("FULL_CONTROL", "owner"), ("READ", EVERYBODY))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a run ended. code: None where it could not proceed. rows: what counts, by key."""

    code: ExitCode | None
    rows: Mapping[str, ResultRow]


class Hostile:
    """The S3 of a run: a key for each situation. honest: whether the oddities are over."""

    def __init__(self, situations: Sequence[Situation]) -> None:
        self.situations = {f"{number:04}": one for number, one in enumerate(situations)}
        buckets = {f"own-{key}": _bucket() for key, one in self.situations.items() if one.own_bucket}
        self.truth = Truth(**{SHARED: _bucket(), **buckets})
        self.honest = False
        for key, one in self.situations.items():
            headers = {"x-amz-meta-whose": "ours", "Content-Type": "text/plain", "x-amz-tagging": "a=b&c=d"}
            changes = {"grants": _GRANTS} if one.kind == GRANTED else {}
            self.truth.lay(self.bucket(key), key, CONTENT, {**headers, **_HEADERS.get(one.kind, {})}, **changes)
        self.met: set[str] = set()

    def bucket(self, key: str) -> str:
        """The bucket of a situation's key."""
        return f"own-{key}" if self.situations[key].own_bucket else SHARED

    def entries(self) -> list[LotEntry]:
        """The lot."""
        return [LotEntry(bucket=self.bucket(key), key=key) for key in self.situations]

    def respond(self, request: Request) -> Script:
        """What is done with the connection of a request."""
        key = request.key or request.bucket.removeprefix("own-")
        situation = self.situations.get(key)
        bodiless = request.method == "HEAD"
        if situation is None or self.honest:
            return plainly(message_of(self._answer(request, situation), bodiless=bodiless))
        name, asked = self._named(request, key)
        if name == situation.refused:
            refusal = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            return plainly(message_of((403, {}, refusal), bodiless=bodiless))
        if name != situation.operation or asked > situation.times:
            return plainly(message_of(self._answer(request, situation), bodiless=bodiless))
        self.met.add(key)
        answer = self._answer(request, situation) if situation.deed is not Deed.UNDONE else self._as_if(request)
        message = message_of(answer, bodiless=bodiless)
        for twist in situation.twists:
            message = twist.change(message)
        played = [twist.play for twist in situation.twists if twist.play is not plainly]
        return (played or [plainly])[-1](message)

    def _named(self, request: Request, key: str) -> tuple[str, int]:
        """What is asked, and how often it has been with this."""
        name = request.operation
        bucket = self.bucket(key)
        if name == "HeadObject" and len(self.truth.versions(bucket, key)) > 1:
            name = LOOK_AT_COPY
        record = self.truth.records[bucket, key]
        with self.truth.s3.lock:
            record.asked[name] += 1
            return name, record.asked[name]

    def _answer(self, request: Request, situation: Situation | None) -> tuple[int, Mapping[str, str], bytes]:
        """The truth's answer; a copy may be made badly, and is told as if it weren't."""
        with self.truth.s3.lock:
            answer = self.truth.answer(request)
            bad = situation.copy if situation and not self.honest else Deed.DONE
            copied = answer[0] == 200 and request.operation in ("CopyObject", "CompleteMultipartUpload")
            if copied and bad is not Deed.DONE:
                self.truth.spoil(request.bucket, request.key, bad)
        return answer

    def _as_if(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        """The answer that there would be, had it been done."""
        etag = self.truth.records[request.bucket, request.key].before.etag.strip('"')
        told = f"<ETag>&quot;{etag}&quot;</ETag>"
        version = {"x-amz-version-id": "version-1000000"}
        return {
            "CopyObject": (200, version, f"<CopyObjectResult>{told}</CopyObjectResult>".encode()),
            "UploadPartCopy": (200, {}, f"<CopyPartResult>{told}</CopyPartResult>".encode()),
            "CreateMultipartUpload": (
                200,
                {},
                f"<InitiateMultipartUploadResult><Key>{request.key}</Key><UploadId>upload-1000000</UploadId>"
                "</InitiateMultipartUploadResult>".encode(),
            ),
            "CompleteMultipartUpload": (
                200,
                version,
                f"<CompleteMultipartUploadResult>{told}</CompleteMultipartUploadResult>".encode(),
            ),
            "RestoreObject": (202, {}, b""),
            "PutObjectTagging": (200, {}, b""),
        }.get(request.operation, (204, {}, b""))


def _bucket() -> Bucket:
    return Bucket(versioned=True, locks=True)


def run(
    work: Work, s3_client: str, hostile: Hostile, folder: Path, attempt: int, *more: str, also: Sequence[LotEntry] = ()
) -> tuple[Ended, Server]:
    """
    How a worker's attempt over all keys ends, by all attempts' results.

    more: further options. also: further lines of the lot.
    """
    job = Job(folder)
    job.write_lot([*hostile.entries(), *also])
    how = ("--s3-client", s3_client, "--threads", "48", *more)
    arguments = job.arguments(*work.arguments, *how, attempt=attempt)
    with serving(hostile.respond) as heard:
        try:
            code: ExitCode | None = run_here(arguments, heard.endpoint, speed=SPEED, read_timeout_s=READ_TIMEOUT_S)
        except WorkerError as error:
            print(f"could not proceed: {error}")  # noqa: T201 (told when the test fails)
            code = None
    return Ended(code=code, rows=_counting(job.rows())), heard


def _counting(rows: Iterable[ResultRow]) -> dict[str, ResultRow]:
    found: dict[str, ResultRow] = {}
    for row in rows:
        old = found.get(row.entry.key)
        if supersedes(row.outcome.status, old.outcome.status if old else None):
            found[row.entry.key] = row
    return found


def believed(hostile: Hostile, ended: Ended) -> dict[str, list[str]]:
    """By situation, what was believed, done or left out that mustn't be; empty for a good end."""
    found = {
        f"{key} {situation}": wrong
        for key, situation in hostile.situations.items()
        if (wrong := believed_of(hostile, ended, key))
    }
    if ended.code is not None:
        outcomes = [row.outcome for row in ended.rows.values()]
        if exit_code_of({one: outcomes.count(one) for one in outcomes}) is not ended.code:
            found["the exit code"] = [f"{ended.code!r} of {set(outcomes)}"]
    return found


def believed_of(hostile: Hostile, ended: Ended, key: str) -> list[str]:
    """The same of one key, with its row when anything is wrong."""
    row = ended.rows.get(key)
    wrong = list(_wrong(hostile, key, ended))
    return [*wrong, f"{row.outcome}: {row.error_code} {row.message[:200]}" if row else "no row"] if wrong else []


def _wrong(hostile: Hostile, key: str, ended: Ended) -> Iterator[str]:
    truth, bucket, row = hostile.truth, hostile.bucket(key), ended.rows.get(key)
    record, versions = truth.records[bucket, key], truth.versions(bucket, key)
    yield from record.broken[:1]
    if row is None:
        if ended.code is not None:
            yield "it has no row"
    else:
        made_badly = hostile.situations[key].copy is not Deed.DONE
        # A copy that couldn't be looked at is one all the same, when the row says so.
        if not (made_badly and record.copies and "not checked" in row.message):
            yield from _false_news(row.outcome, truth, bucket, key)
    # One that was made in the wrong class isn't one of the class that was asked for.
    if record.copies > 1 + (hostile.situations[key].copy is Deed.SAME_CLASS):
        yield f"{record.copies} copies"
    if record.done["DeleteObjectVersion"] and not any(
        one.storage_class == TARGET and essence(one) == essence(record.before) for one in versions
    ):
        yield "its old version was deleted for a copy that isn't as it was"
    yield from (f"{count} requests of {name}" for name, count in record.asked.items() if count > MOST_REQUESTS)


def _false_news(outcome: Outcome, truth: Truth, bucket: str, key: str) -> Iterator[str]:
    """What an outcome says that isn't so."""
    record, current = truth.records[bucket, key], truth.versions(bucket, key)[-1]
    restore = current.shown.get("x-amz-restore", "")
    as_it_was = current.storage_class == TARGET and essence(current) == essence(record.before)
    true = {
        Outcome.COPIED: as_it_was and record.copies > 0,
        Outcome.ALREADY: current.storage_class == TARGET,
        Outcome.REQUESTED: record.done["RestoreObject"] > 0,
        Outcome.EXTENDED: 'ongoing-request="false"' in restore and record.done["RestoreObject"] > 0,
        Outcome.IN_PROGRESS: 'ongoing-request="true"' in restore,
        Outcome.NOT_ARCHIVED: current.storage_class not in ARCHIVE_CLASSES,
    }
    if not true.get(outcome, True):
        yield f"{outcome} is not true"


def left_open(hostile: Hostile, folder: Path) -> dict[str, str]:
    """Uploads with parts that no note of the worker's names, by id, each with its situation."""
    noted = "".join(path.read_text() for path in (folder / "results").glob("upload*"))
    return {
        upload_id: str(hostile.situations[key])
        for upload_id, key in hostile.truth.open_uploads().items()
        if f'"{upload_id}"' not in noted
    }
