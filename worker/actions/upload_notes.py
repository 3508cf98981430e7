"""
Uploads in parts that were begun, noted in the state: so a killed attempt's are found and aborted by the next one.

Only uploads that stand in such a note are ever aborted: never one found in the bucket, which may be a
stranger's. The note is written once S3 has named the upload and before its first part is copied. So an upload
that a kill leaves without a note has no parts, and an upload costs what its parts take (S3 User Guide,
"Multipart upload and pricing", 2026-11): nothing.
"""

import json
import logging
import threading
from dataclasses import replace

from worker.contract import LotEntry, StatePaths, digest_of
from worker.s3.ask import NO_SUCH_UPLOAD, S3, RefusedError
from worker.state.results import EarlierAttempts
from worker.state.results_store import Store

log = logging.getLogger("worker")


class UploadNotes:
    """
    This attempt's notes: one for each large key, naming all the uploads that were begun for it.

    Nothing takes a note back, as the worker may delete nothing in the state; the key's result does.
    """

    def __init__(self, store: Store, attempt: int) -> None:
        self._store = store
        self._attempt = attempt
        self._lock = threading.Lock()
        self._open: dict[int, list[str]] = {}

    def begun(self, entry: LotEntry, upload_id: str) -> None:
        """Note an upload before its first part. Raises WorkerError when the state can't be written."""
        digest = digest_of(entry)
        with self._lock:
            ids = self._open.setdefault(digest, [])
            ids.append(upload_id)
            note = {"bucket": entry.bucket, "key": entry.key, "upload_ids": list(ids)}
        self._store.replace(StatePaths.upload_name(self._attempt, digest), json.dumps(note).encode())

    def ended(self, entry: LotEntry, upload_id: str) -> None:
        """Forget an upload that was completed, or aborted for certain: the key's next note needn't name it."""
        with self._lock:
            ids = self._open.get(digest_of(entry), [])
            if upload_id in ids:
                ids.remove(upload_id)
            if not ids:
                self._open.pop(digest_of(entry), None)

    def stays(self, entry: LotEntry, upload_id: str) -> None:
        """
        Note an upload that may be there although it was aborted, apart from its key.

        The key's own note is passed over once the key is finished, by another upload; this one, which has a name of
        its own, is read by every later attempt. Raises WorkerError when the state can't be written.
        """
        self.ended(entry, upload_id)
        note = {"bucket": entry.bucket, "key": entry.key, "upload_ids": [upload_id]}
        name = StatePaths.upload_name(self._attempt, digest_of(replace(entry, version_id=f"upload {upload_id}")))
        self._store.replace(name, json.dumps(note).encode())
        log.warning("an upload may have stayed; the lot's next attempt aborts it: %s", note)


def abort_left_behind(s3: S3, store: Store, earlier: EarlierAttempts) -> int:
    """
    Abort the uploads of keys that no attempt finished; how many were still there.

    One that can't be aborted is told in the log and keeps no key from being copied.
    Raises WorkerError when a note can't be read, StoppingError.
    """
    aborted = 0
    for name in earlier.notes_of_uploads:
        try:
            note = json.loads(store.read(name))
            places = [
                {"Bucket": note["bucket"], "Key": note["key"], "UploadId": upload} for upload in note["upload_ids"]
            ]
        except (ValueError, KeyError, TypeError):
            log.warning("%s is no note of uploads: passed over", store.where(name))
            continue
        for place in places:
            try:
                s3.ask_patiently("abort_multipart_upload", **place)
                aborted += 1
            except RefusedError as refused:
                if refused.answer.code != NO_SUCH_UPLOAD:
                    log.warning(
                        "an upload that an earlier attempt left stays: %s", place | {"why": refused.answer.code}
                    )
    if aborted:
        log.info("aborted %d uploads that earlier attempts left", aborted)
    return aborted
