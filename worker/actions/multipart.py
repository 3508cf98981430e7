"""
Copy one large object onto itself in parts, above S3's limit for CopyObject.

A multipart upload keeps nothing of the object by itself, so everything is given. When something can't be given, the
object is refused before an upload begins.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from worker.actions.copied import Carried, Copied, Observed
from worker.actions.gather_carry_over import CarryOverReader
from worker.actions.read_answer import unexpected_answer
from worker.actions.upload_notes import UploadNotes
from worker.contract import bare_etag
from worker.decide.carry_over import checksum_algorithm
from worker.decide.judge_error import Answer
from worker.errors import StoppingError
from worker.pool.part_threads import Batch, PartThreads, part_ranges
from worker.s3.ask import NO_SUCH_UPLOAD, S3, RefusedError

MIN_RANGE_BYTES = 5 * 1024**2
"""Only of a larger source can a range be copied (botocore 1.44.5, UploadPartCopy, CopySourceRange)."""

_ABORT_PAUSES_S = (0.5, 1.0, 2.0)
"""Seconds before each repetition of an abortion that S3 didn't confirm; none when the task is to stop."""


class UnsentError(RefusedError):
    """S3 refused a request before the copy: the copy certainly wasn't made."""


@contextmanager
def before_the_copy() -> Iterator[None]:
    """Mark refusals as from before the copy. When S3 refuses the copy itself, it may have been made all the same."""
    try:
        yield
    except RefusedError as refused:
        raise UnsentError(refused.answer) from refused


class Multipart:
    """
    Copies large objects, the parts of all of them on the same bounded threads.

    part_bytes: how large a part is to be.
    """

    def __init__(
        self,
        s3: S3,
        carry_over: CarryOverReader,
        uploads: UploadNotes,
        *,
        threads: PartThreads,
        target: str,
        part_bytes: int,
    ) -> None:
        self._s3 = s3
        self._carry_over = carry_over
        self._uploads = uploads
        self._threads = threads
        self._target = target
        self._part_bytes = part_bytes

    def copy(self, seen: Observed) -> Copied:
        """
        The copy of an object whose HEAD was asked for with ChecksumMode=ENABLED.

        Raises UnsupportedError, before anything is begun; UnsentError; RefusedError, of the completion; StoppingError.
        An upload that was begun is aborted before anything is raised.
        """
        with before_the_copy():
            carried = self._carry_over.for_parts(seen.source, seen.head, seen.seen_at)
            upload = self._s3.ask(
                "create_multipart_upload", **seen.here, StorageClass=self._target, **carried.arguments
            )
        upload_id = upload["UploadId"]
        place = seen.here | {"UploadId": upload_id}
        batch: Batch[dict[str, Any]] = Batch(self._threads, self._s3.pace.check_stop)
        try:
            self._uploads.begun(seen.entry, upload_id)
            with before_the_copy():
                parts = sorted(batch.run(self._jobs(place, seen)), key=lambda part: part["PartNumber"])
                self._look_again(seen, carried)
            answer = self._complete(place, seen, carried, parts)
        except BaseException:
            # On every way out, SIGTERM's too: parts left behind would be billed.
            note = self._uploads.ended if self._abort(place, batch) else self._uploads.stays
            note(seen.entry, upload_id)
            raise
        self._uploads.ended(seen.entry, upload_id)
        tells_checksum = any(name.startswith("Checksum") for one in (answer, *parts) for name in one)
        return Copied(seen=seen, answer=answer, carried=carried, tells_checksum=tells_checksum)

    def _jobs(self, place: Mapping[str, str], seen: Observed) -> Iterator[Callable[[], dict[str, Any]]]:
        """A job for each part: copy it, pinned to what was seen, and return what the completion must know of it."""
        size = seen.head["ContentLength"]
        for number, (first, last) in enumerate(part_ranges(size, self._part_bytes), start=1):
            span = {"CopySourceRange": f"bytes={first}-{last}"} if size > MIN_RANGE_BYTES else {}
            yield partial(self._copy_part, place, seen, PartNumber=number, **span)

    def _copy_part(self, place: Mapping[str, str], seen: Observed, **part: Any) -> dict[str, Any]:
        made = self._s3.ask_patiently(
            "upload_part_copy", **place, **part, CopySource=seen.source, CopySourceIfMatch=seen.head["ETag"]
        )
        answer, version = made["CopyPartResult"], seen.source.get("VersionId")
        if version and made.get("CopySourceVersionId", version) != version:
            raise RefusedError(Answer(code="OtherVersion", message="S3 copied a part of another version"))
        checksum = f"Checksum{checksum_algorithm(seen.head)}"
        told = {name: answer[name] for name in ("ETag", checksum) if name in answer}
        return {"PartNumber": part["PartNumber"], **told}

    def _look_again(self, seen: Observed, carried: Carried) -> None:
        """
        Refuse to complete when anything that was given has changed: hours may have passed.

        The ETag guards the content only. Tags, locks and ACLs change without it, and a copy of the object onto itself
        may change everything else. Raises RefusedError as S3 would for a failed guard.
        """
        # The current version, whichever that is by now: a newer one with the same content passes every guard.
        asked = seen.here if seen.current else seen.source
        head = self._s3.ask_patiently("head_object", **asked, ChecksumMode="ENABLED")
        same = bare_etag(head["ETag"]) == bare_etag(seen.head["ETag"]) and all(
            head.get(name) == seen.head.get(name) for name in ("LastModified", "VersionId")
        )
        # With the time of the first look: retention that ended meanwhile is no change.
        if not same or self._carry_over.for_parts(seen.source, head, seen.seen_at) != carried:
            message = "its metadata, tags, lock or ACL changed while its parts were copied"
            raise RefusedError(Answer(code="PreconditionFailed", http_status=412, message=message))

    def _complete(
        self, place: Mapping[str, str], seen: Observed, carried: Carried, parts: list[dict[str, Any]]
    ) -> Mapping[str, Any]:
        kind = {name: carried.arguments[name] for name in ("ChecksumType",) if name in carried.arguments}
        answer = self._s3.ask_patiently(
            "complete_multipart_upload",
            **place,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=seen.head["ContentLength"],
            **seen.guard,
            **kind,
        )
        if not answer.get("ETag"):
            raise unexpected_answer("no ETag of a copy")
        return answer

    def _abort(self, place: Mapping[str, str], batch: Batch[dict[str, Any]]) -> bool:
        """
        Abort the upload at once; whether it is certainly gone.

        A part in flight may be kept all the same (botocore 1.44.5, AbortMultipartUpload: "it might be necessary to
        abort a given multipart upload multiple times"). So it is aborted once more when all parts have ended.
        """
        gone = self._abort_once(place)
        if batch.idle:
            return gone
        ended = batch.give_up()
        return self._abort_once(place) and ended

    def _abort_once(self, place: Mapping[str, str]) -> bool:
        for pause_s in (0.0, *_ABORT_PAUSES_S):
            with suppress(StoppingError):
                self._s3.pace.pause(pause_s)
            try:
                self._s3.ask_on_the_way_out("abort_multipart_upload", **place)
            except RefusedError as refused:
                if refused.answer.code != NO_SUCH_UPLOAD:
                    continue
            return True
        return False
