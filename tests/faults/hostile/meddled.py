"""A worker that deletes superseded versions, while others are at work, S3 answers oddly, and workers are killed."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.hostile.truth import TARGET, Deed, essence, spoiled
from tests.fidelity.documented_objects import Bucket, RefusedError, Request, Version
from tests.fidelity.documented_s3 import DocumentedS3
from tests.fidelity.wire import Wire
from tests.worker.running import Job
from tests.worker.server import Answer
from worker.clock import Clock
from worker.command_line import parse_command_line
from worker.contract import LotEntry
from worker.errors import WorkerError
from worker.task import Task

BUCKET = "meddled"
KEYS = ("one", "other")
NULL = "null"
LEAPING = Clock(speed=100_000)
_COPIES = ("CopyObject", "CompleteMultipartUpload")

Odd = Callable[[str, Answer], Answer]
"""What becomes of an operation's answer."""


def _told(**headers: str) -> Odd:
    changed = {name.replace("_", "-").lower(): value for name, value in headers.items()}

    def tell(operation: str, answer: Answer) -> Answer:
        status, shown, body = answer
        if operation != "HeadObject" or status != 200:
            return answer
        kept = {name: value for name, value in shown.items() if name.lower() not in changed}
        return status, kept | {name: value for name, value in changed.items() if value}, body

    return tell


def _unquoted(operation: str, answer: Answer) -> Answer:
    status, shown, body = answer
    shown = {name: value.strip('"') if name == "ETag" else value for name, value in shown.items()}
    return status, shown, body.replace(b'"', b"") if operation in _COPIES else body


ODD: Mapping[str, Odd] = {
    "500": lambda _, __: (500, {}, b"<Error><Code>InternalError</Code></Error>"),
    "503": lambda _, __: (503, {}, b"<Error><Code>SlowDown</Code></Error>"),
    "200 with an Error": lambda _, __: (200, {}, b"<Error><Code>InternalError</Code></Error>"),
    "a page": lambda _, __: (200, {}, b"<html><body>log in</body></html>"),
    "nothing": lambda _, __: (200, {}, b""),
    "403": lambda _, __: (403, {}, b"<Error><Code>AccessDenied</Code></Error>"),
    "404": lambda _, __: (404, {}, b"<Error><Code>NoSuchKey</Code></Error>"),
    "another ETag": _told(ETag='"0123456789abcdef0123456789abcdef"'),
    "no quotes": _unquoted,
    "no version": _told(x_amz_version_id=""),
    "another version": _told(x_amz_version_id="other"),
    "another size": _told(Content_Length="99"),
    "another class": _told(x_amz_storage_class="GLACIER"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """
    What happens at one of a run's requests, before it is answered or to its answer.

    act: what somebody else does then, and to which key. odd: the name of an odd answer, "" for none.
    undone: whether what was asked isn't done, where the answer is no success. bad: how a copy is made.
    """

    act: str = ""
    key: str = KEYS[0]
    odd: str = ""
    undone: bool = False
    bad: Deed = Deed.DONE


@dataclass
class Meddled(Wire):
    """
    An S3 in which somebody else is at work too; after each request of the worker's every key is looked at.

    What S3 has no way to prevent isn't tried: that the copy itself is deleted, by its id, between the look at it and
    the deletion of the old version.

    plan: what happens at which request of the present run. dies: before which request it is killed; None for never.
    lost: what no version holds any more though nobody but the worker can have removed it.
    """

    plan: Mapping[int, Step] = field(default_factory=dict)
    dies: int | None = None
    lost: list[str] = field(default_factory=list)
    at_death: Callable[[], None] = lambda: None
    asked: int = 0

    def __post_init__(self) -> None:
        self.s3 = DocumentedS3(**{BUCKET: Bucket(versioned=True, locks=True)})
        super().__init__(self.s3)
        self._writes = 0
        self._looked_at: set[str] = set()
        self.wanted: dict[str, list[tuple[Any, ...]]] = {}
        for key in KEYS:
            self.act("write", key)

    @property
    def bucket(self) -> Bucket:
        """The bucket."""
        return self.s3.buckets[BUCKET]

    def versions(self, key: str) -> list[Version]:
        """The key's versions, the current one last, delete markers left out."""
        return [one for one in self.bucket.objects.get(key, []) if not one.deleted]

    def act(self, name: str, key: str) -> None:
        """What somebody else does. What is there afterwards is what must be kept."""
        versions = self.versions(key)
        was = essence(versions[-1]) if versions and name in IN_PLACE else None
        with suppress(RefusedError):
            getattr(self, f"_{name}")(key)
        versions = self.versions(key)
        # A write while versioning is suspended replaces the `null` version, whoever makes it. And what is changed in
        # place isn't wanted as it was, be it the object or the worker's copy.
        kept = [one for one in versions if one is versions[-1] or (one.version_id != NULL and essence(one) != was)]
        self.wanted[key] = [essence(one) for one in kept]

    def ask(self, asked: Request) -> Answer:
        """The answer to a request of the worker's."""
        with self.s3.lock:
            number, self.asked = self.asked, self.asked + 1
            if self.dies is not None and number >= self.dies:
                if number == self.dies:
                    self.at_death()
                return 403, {}, b"<Error><Code>AccessDenied</Code><Message>this worker is dead</Message></Error>"
            step, operation = self.plan.get(number, Step()), asked.operation
            if step.act and not (step.act == "delete_newest" and self._is_looked_at(step.key)):
                self.act(step.act, step.key)
            if operation == "HeadObject":
                self._looked_at.add(asked.query.get("versionId", ""))
            odd = ODD.get(step.odd)
            failing = odd is not None and odd(operation, (200, {}, b""))[0] >= 400
            answer = (200, {}, b"") if failing and step.undone else self.answer(asked)
            if answer[0] == 200 and operation in _COPIES and step.bad is not Deed.DONE and asked.key in self.wanted:
                self.s3.change(BUCKET, asked.key, **spoiled(step.bad, self.s3.find(BUCKET, asked.key)))
            self._check(operation)
            return odd(operation, answer) if odd else answer

    def _is_looked_at(self, key: str) -> bool:
        """Whether what stands at the key has been looked at by its version id."""
        return any(one.version_id in self._looked_at for one in self.versions(key)[-1:])

    def _check(self, operation: str) -> None:
        for key, wanted in self.wanted.items():
            there = [essence(one) for one in self.versions(key)]
            self.lost += [f"after {operation}, {key} has no {one[0]!r}" for one in wanted if one not in there]

    def _write(self, key: str) -> None:
        self._writes += 1
        headers = {"x-amz-meta-write": str(self._writes), "x-amz-tagging": f"write={self._writes}"}
        request = Request.of_http("PUT", f"/{BUCKET}/{key}", headers, f"content {self._writes}".encode())
        self.s3.put(request)

    def _write_locked(self, key: str) -> None:
        self._write(key)
        self._hold(key)

    def _mark_deleted(self, key: str) -> None:
        self.s3.delete(Request.of_http("DELETE", f"/{BUCKET}/{key}", {}, b""))

    def _delete_oldest(self, key: str) -> None:
        self._drop(self.bucket.objects.get(key, [])[:1], key)

    def _delete_newest(self, key: str) -> None:
        self._drop(self.bucket.objects.get(key, [])[-1:], key)

    def _drop(self, gone: Sequence[Version], key: str) -> None:
        self.bucket.objects[key] = [one for one in self.bucket.objects.get(key, []) if one not in gone]

    def _tag(self, key: str) -> None:
        self._change(key, tags={"changed": str(self._writes)})

    def _publish(self, key: str) -> None:
        self._change(key, grants=(("FULL_CONTROL", "friend"),))

    def _hold(self, key: str) -> None:
        self._change(key, **{"x-amz-object-lock-legal-hold": "ON"})

    def _release(self, key: str) -> None:
        self._change(key, **{"x-amz-object-lock-legal-hold": "OFF"})

    def _change(self, key: str, **changes: Any) -> None:
        """Change what stands at the key, if anything does: as the requests do that name no version."""
        if self.bucket.objects.get(key, []) and not self.bucket.objects[key][-1].deleted:
            shown = {name: value for name, value in changes.items() if "-" in name}
            others = {name: value for name, value in changes.items() if "-" not in name}
            self.s3.change(BUCKET, key, **others, shown={**self.s3.find(BUCKET, key).shown, **shown})

    def _suspend(self, _: str) -> None:
        self.bucket.suspended = True

    def _resume(self, _: str) -> None:
        self.bucket.suspended = False

    def _nothing(self, _: str) -> None:
        """Leave all as it is."""


ACTS = (
    *("write", "write_locked", "mark_deleted", "delete_oldest", "delete_newest"),
    *("tag", "publish", "hold", "release", "suspend", "resume"),
)
"""What others do."""

IN_PLACE = ("tag", "publish", "hold", "release")
"""Of these: what changes a version and makes none."""


class Switch(Wire):
    """The way to whichever S3 is the present one: clients take longer to be made than a whole run."""

    def __init__(self) -> None:
        self.present = Meddled()
        super().__init__(self.present.s3)

    def ask(self, asked: Request) -> Answer:
        """The present one's answer."""
        return self.present.ask(asked)


class Workers:
    """Workers that share their clients."""

    def __init__(self) -> None:
        self.switch = Switch()
        self._client = self.switch.client()

    def run(self, s3: Meddled, folder: Path, attempt: int, *more: str, keys: Sequence[str] = KEYS) -> None:
        """One attempt over these keys; what it writes after its death is undone."""
        self.switch.present = s3
        job, saved = Job(folder / "job"), folder / "saved"
        job.folder.mkdir(exist_ok=True)
        job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in keys)
        s3.asked, s3.at_death = 0, lambda: _save(job.results, saved)
        how = ("--storage-class", TARGET, "--delete-superseded", "--threads", "1", *more)
        options = parse_command_line(job.arguments("copy", *how, attempt=attempt))
        task = Task(
            options,
            state_client=lambda: self._client,
            object_client=lambda _: self._client,
            fast_client=self.switch.fast_client,
            clock=LEAPING,
        )
        with suppress(WorkerError):
            task.run()
        if saved.exists():
            shutil.rmtree(job.results)
            saved.rename(job.results)


def _save(results: Path, saved: Path) -> None:
    """What a worker has written until now."""
    saved.mkdir()
    for path in results.glob("*"):
        with suppress(FileNotFoundError):
            # A temporary file may be gone by now.
            shutil.copy(path, saved)
