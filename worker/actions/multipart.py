"""
Copy one large object onto itself in parts: for what is above S3's limit for CopyObject.

A multipart upload keeps nothing of the object by itself, so everything is given, and what can't be
given is a reason to refuse before anything is begun.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.actions.copied import Carried
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.read_answer import odd_answer
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, bare_etag
from worker.decide.carry_over import checksum_algorithm
from worker.decide.judge_error import Answer
from worker.errors import StoppingError
from worker.pool.part_threads import Batch, PartThreads, part_ranges
from worker.s3.ask import NO_SUCH_UPLOAD, S3, RefusedError

MIN_RANGE_BYTES = 5 * 1024**2
"""Only of a larger source can a range be copied (botocore 1.44.5, UploadPartCopy, CopySourceRange)."""

_ABORT_PAUSES_S = (0.5, 1.0, 2.0)
"""Seconds before an abortion that S3 didn't answer as such is asked for again, unless the task is to stop."""


class UnsentError(RefusedError):
    """S3 refused what is asked for before a copy: the copy certainly wasn't made."""


@contextmanager
def before_the_copy() -> Iterator[None]:
    """Tell a refusal from one of the copy itself, of which nobody may know whether it was made."""
    try:
        yield
    except RefusedError as refused:
        raise UnsentError(refused.answer) from refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Large:
    """
    One large object on its way into a class.

    source: its bucket, key and, on a versioned bucket, the version that was looked at.
    head: HeadObject's answer for it, asked for with ChecksumMode=ENABLED.
    guard: what must hold at the destination when the upload is completed.
    current: whether the source is the current version, or the object of an unversioned bucket.
    seen_at: when it was looked at, in UTC.
    """

    entry: LotEntry
    source: Mapping[str, str]
    head: Mapping[str, Any]
    guard: Mapping[str, str]
    target: str
    current: bool
    seen_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """
    A large object's copy.

    answer: S3's to the completion of the upload. carried: what the new object was given.
    tells_checksum: whether the server told any checksum of it, as S3 does of one that was begun with an algorithm.
    """

    answer: Mapping[str, Any]
    carried: Carried
    tells_checksum: bool


class Multipart:
    """
    Copies large objects, the parts of all of them on the same bounded threads.

    part_bytes: how large a part is to be.
    """

    def __init__(
        self,
        s3: S3,
        carrying: CarryOverReader,
        uploads: UploadNotes,
        *,
        threads: PartThreads,
        part_bytes: int,
    ) -> None:
        self._s3 = s3
        self._carrying = carrying
        self._uploads = uploads
        self._threads = threads
        self._part_bytes = part_bytes

    def copy(self, large: Large) -> Made:
        """
        What was made.

        Raises UnsupportedError, before anything is begun; UnsentError; RefusedError, of the completion; StoppingError.
        Whatever is raised after the upload was begun, it was aborted then.
        """
        here = {"Bucket": large.source["Bucket"], "Key": large.source["Key"]}
        with before_the_copy():
            carried = self._carrying.for_parts(large.source, large.head, large.seen_at)
            upload = self._s3.ask("create_multipart_upload", **here, StorageClass=large.target, **carried.arguments)
        place = here | {"UploadId": upload["UploadId"]}
        batch: Batch[dict[str, Any]] = Batch(self._threads, self._s3.pace.check_stop)
        try:
            self._uploads.begun(large.entry, place["UploadId"])
            with before_the_copy():
                parts = sorted(batch.run(self._jobs(place, large)), key=lambda part: part["PartNumber"])
                self._look_again(large, carried)
            answer = self._complete(place, large, carried, parts)
        except BaseException:
            # On every way out, SIGTERM's too: parts left behind would be billed.
            if self._abort(place, batch):
                self._uploads.ended(large.entry, place["UploadId"])
            else:
                self._uploads.stays(large.entry, place["UploadId"])
            raise
        self._uploads.ended(large.entry, place["UploadId"])
        return Made(
            answer=answer,
            carried=carried,
            tells_checksum=any(name.startswith("Checksum") for one in (answer, *parts) for name in one),
        )

    def _jobs(self, place: Mapping[str, str], large: Large) -> Iterator[Callable[[], dict[str, Any]]]:
        """A job for each part: copy it, pinned to what was looked at, and say what the completion must know of it."""
        size = large.head["ContentLength"]
        named = f"Checksum{checksum_algorithm(large.head)}"

        def job(number: int, first: int, last: int) -> Callable[[], dict[str, Any]]:
            span = {"CopySourceRange": f"bytes={first}-{last}"} if size > MIN_RANGE_BYTES else {}

            def copy() -> dict[str, Any]:
                made = self._s3.ask_patiently(
                    "upload_part_copy",
                    **place,
                    PartNumber=number,
                    CopySource=dict(large.source),
                    CopySourceIfMatch=large.head["ETag"],
                    **span,
                )
                answer, version = made["CopyPartResult"], large.source.get("VersionId")
                if version and made.get("CopySourceVersionId", version) != version:
                    raise RefusedError(Answer(code="OtherVersion", message="S3 copied a part of another version"))
                checksum = {named: answer[named]} if named in answer else {}
                return {"PartNumber": number, "ETag": answer["ETag"], **checksum}

            return copy

        for number, (first, last) in enumerate(part_ranges(size, self._part_bytes), start=1):
            yield job(number, first, last)

    def _look_again(self, large: Large, carried: Carried) -> None:
        """
        Refuse to complete when anything that was given is no longer so: hours may have passed.

        The ETag guards the content only: tags, locks and ACLs change without it, and so does everything else by a
        copy of the object onto itself. Raises RefusedError as S3 would for a failed guard.
        """
        # The current version, whichever that is by now: a newer one with the same content passes every guard.
        asked = {name: large.source[name] for name in ("Bucket", "Key")} if large.current else large.source
        head = self._s3.ask_patiently("head_object", **asked, ChecksumMode="ENABLED")
        same = bare_etag(head["ETag"]) == bare_etag(large.head["ETag"]) and all(
            head.get(name) == large.head.get(name) for name in ("LastModified", "VersionId")
        )
        # With the time of the first look: retention that ended meanwhile is no change.
        if not same or self._carrying.for_parts(large.source, head, large.seen_at) != carried:
            message = "its metadata, tags, lock or ACL changed while its parts were copied"
            raise RefusedError(Answer(code="PreconditionFailed", http_status=412, message=message))

    def _complete(
        self, place: Mapping[str, str], large: Large, carried: Carried, parts: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        kind = {name: carried.arguments[name] for name in ("ChecksumType",) if name in carried.arguments}
        answer = self._s3.ask_patiently(
            "complete_multipart_upload",
            **place,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=large.head["ContentLength"],
            **large.guard,
            **kind,
        )
        if not answer.get("ETag"):
            raise odd_answer("no ETag of a copy")
        return answer

    def _abort(self, place: Mapping[str, str], batch: Batch[dict[str, Any]]) -> bool:
        """
        Abort the upload, at once; whether it is gone for certain.

        A part in flight may be kept all the same (botocore 1.44.5, AbortMultipartUpload: "it might be necessary to
        abort a given multipart upload multiple times"), so it is aborted once more when those have ended.
        """
        gone = self._abort_once(place)
        if batch.idle:
            return gone
        ended = batch.give_up()
        return self._abort_once(place) and ended

    def _abort_once(self, place: Mapping[str, str]) -> bool:
        for pause_s in (*_ABORT_PAUSES_S, None):
            try:
                self._s3.ask_on_the_way_out("abort_multipart_upload", **place)
            except RefusedError as refused:
                if refused.answer.code != NO_SUCH_UPLOAD:
                    if pause_s is not None:
                        with suppress(StoppingError):
                            self._s3.pace.pause(pause_s)
                    continue
            return True
        return False
