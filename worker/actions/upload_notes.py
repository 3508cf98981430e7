"""
Uploads in parts that were begun, noted in the state: the next attempt finds and aborts those of a killed one.

Only uploads that stand in such a note are ever aborted. One found in the bucket may belong to another program. The
note is written once S3 has named the upload, before its first part is copied. So an upload that a kill leaves without
a note has no parts, and costs nothing (S3 User Guide, "Multipart upload and pricing", 2026-11).
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
    This attempt's notes: one for each large key, with the ids of the uploads that were begun for it.

    No note is taken back, as the worker may delete nothing in the state. The key's result settles it.
    """

    def __init__(self, store: Store, attempt: int) -> None:
        self._store = store
        self._attempt = attempt
        self._lock = threading.Lock()
        self._open: dict[LotEntry, list[str]] = {}

    def begun(self, entry: LotEntry, upload_id: str) -> None:
        """Note an upload before its first part. Raises WorkerError when the state can't be written."""
        with self._lock:
            self._open[entry] = [*self._open.get(entry, ()), upload_id]
            upload_ids = self._open[entry]
        self._write(entry, entry, upload_ids)

    def ended(self, entry: LotEntry, upload_id: str) -> None:
        """Forget an upload that was completed, or is certainly aborted: the key's next note needn't name it."""
        with self._lock:
            self._open[entry] = [other for other in self._open.get(entry, ()) if other != upload_id]
            if not self._open[entry]:
                del self._open[entry]

    def stays(self, entry: LotEntry, upload_id: str) -> None:
        """
        Note, apart from its key, an upload that may be there although it was aborted.

        The key's own note is ignored once another upload has finished the key. This one has a name of its own, so
        that every later attempt reads it. Raises WorkerError when the state can't be written.
        """
        self.ended(entry, upload_id)
        note = self._write(entry, replace(entry, version_id=f"upload {upload_id}"), [upload_id])
        log.warning("an upload may have stayed; the lot's next attempt aborts it: %s", note)

    def _write(self, entry: LotEntry, named: LotEntry, upload_ids: list[str]) -> str:
        """Write a note for an entry, and return it. named: what the note's name is made of."""
        note = json.dumps({"bucket": entry.bucket, "key": entry.key, "upload_ids": upload_ids})
        self._store.replace(StatePaths.upload_name(self._attempt, digest_of(named)), note.encode())
        return note


def abort_left_behind(s3: S3, store: Store, earlier: EarlierAttempts) -> int:
    """
    Abort the uploads of keys that no attempt finished; how many were still there.

    One that can't be aborted is logged, and its key is copied all the same.
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
            log.warning("%s is not a note of uploads: ignored", store.where(name))
            continue
        for place in places:
            try:
                s3.ask_patiently("abort_multipart_upload", **place)
                aborted += 1
            except RefusedError as refused:
                if refused.answer.code != NO_SUCH_UPLOAD:
                    why = place | {"why": refused.answer.code}
                    log.warning("an upload that an earlier attempt left stays: %s", why)
    if aborted:
        log.info("aborted %d uploads that earlier attempts left", aborted)
    return aborted
