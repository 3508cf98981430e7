"""
HeadObject of many keys: a stream in, a stream out, a bounded number in flight. Calls S3.

A key that can't be looked at is a result (`missing`, `denied`, `error`), never an exception; only what
makes looking at the rest pointless (no credentials, no such bucket, no connection) stops the stream.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from queue import SimpleQueue
from threading import Event, Lock, Semaphore, Thread
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from orchestrator.common.aws_sessions import aws_errors, client, error_code, explain
from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from worker.contract import EXPIRED_CREDENTIALS, UNKNOWN_CREDENTIALS, LotEntry, is_throttle, snapshot_of

THREADS = 64
"""Requests in flight: at 30 ms each, enough to keep one core busy; more cost memory and bring nothing."""

WINDOW_PER_THREAD = 4
"""Keys taken from the stream and not yet given out, for each thread: so a slow reader stops the reading."""

RETRY_AFTER_S = (1, 2, 4, 8, 16, 30)
"""
Seconds between our own rounds, each of which is a request with all of botocore's retries.

Botocore's retries share a quota that a server which throttles empties, and then fail at once; these
outlast a minute of nothing but 503.
"""

_NO_CONNECTION = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)

_HTTP_BAD_REQUEST, _HTTP_DENIED, _HTTP_MISSING, _HTTP_NOT_ALLOWED, _HTTP_SERVER_ERROR = 400, 403, 404, 405, 500


_Results = SimpleQueue[ObjectHead | Exception | None]
"""What threads found: an object, what stops the stream, or None from a thread that has ended."""


def region() -> str:
    """The Region that S3 is asked in. Raises S3ReclassError when none is set."""
    return str(client("s3").meta.region_name)


def head_client(threads: int = THREADS) -> Any:
    """A client for `head_objects`, for frequent callers: making one takes longer than many requests."""
    # A fixed user agent saves composing one for each request, a sixth of botocore's work (measured).
    return client("s3", max_pool_connections=threads, user_agent="s3reclass")


def head_objects(  # noqa: PLR0913 (what to look at, how to ask, and three things that tests and verify give)
    entries: Iterable[LotEntry],
    *,
    versions: bool = True,
    snapshots: bool = False,
    arguments: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    threads: int = THREADS,
    s3: Any = None,
) -> Iterator[ObjectHead]:
    """
    What S3 says of each object, as the answers come: not in the order asked.

    entries: a stream of any length; it is read no further than a few hundred keys ahead of the reader.
    versions: look at the version that a line names; otherwise at the current one, whatever it names.
    pictures: ask for checksums too, and take down all that the answer shows.
    arguments: of each request, beside: RequestPayer, ExpectedBucketOwner.
    Raises S3ReclassError when looking on is pointless, and whatever reading `entries` raises.
    """
    looker = _Looker(
        s3 or head_client(threads),
        versions=versions,
        arguments={**(arguments or {}), **({"ChecksumMode": "ENABLED"} if snapshots else {})},
        clock=clock or Clock(),
    )
    feed = _Feed(entries, window=threads * WINDOW_PER_THREAD)
    results: _Results = SimpleQueue()

    # Daemons: an interrupted command doesn't wait for answers that are of no use any more.
    for _ in range(threads):
        Thread(target=_work, args=(feed, looker, results), daemon=True).start()
    working = threads
    try:
        while working:
            result = results.get()
            if result is None:
                working -= 1
            elif isinstance(result, Exception):
                raise result
            else:
                feed.given_out()
                yield result
    finally:
        feed.close()


def _work(feed: "_Feed", looker: "_Looker", results: _Results) -> None:
    try:
        for entry in feed:
            results.put(looker.head_object(entry))
    except Exception as error:  # noqa: BLE001 (raised again by the reader)
        results.put(error)
    results.put(None)


class _Feed:
    """The entries, shared by the threads; gives one when the reader has taken enough of those before."""

    def __init__(self, entries: Iterable[LotEntry], *, window: int) -> None:
        self._entries = iter(entries)
        self._lock = Lock()
        self._room = Semaphore(window)
        self._closed = Event()

    def __iter__(self) -> Iterator[LotEntry]:
        while True:
            self._room.acquire()
            with self._lock:
                entry = None if self._closed.is_set() else next(self._entries, None)
            if entry is None:
                self.close()
                return
            yield entry

    def given_out(self) -> None:
        """Make room for one more."""
        self._room.release()

    def close(self) -> None:
        """Give no more: every thread that waits for room goes home, one waking the next."""
        self._closed.set()
        self._room.release()


class _Looker:
    """Looks at one object; shared by the threads."""

    def __init__(self, s3: Any, *, versions: bool, arguments: Mapping[str, str], clock: Clock) -> None:
        self._s3 = s3
        self._versions = versions
        self._arguments = arguments
        self._snapshots = "ChecksumMode" in arguments
        self._clock = clock
        self._codes: dict[tuple[str, int], str] = {}
        self._lock = Lock()

    def head_object(self, entry: LotEntry) -> ObjectHead:
        """What S3 says of the object, after as many tries as it takes."""
        which = {"Bucket": entry.bucket, "Key": entry.key, **self._arguments}
        if self._versions and entry.version_id:
            which["VersionId"] = entry.version_id
        for delay_s in (*RETRY_AFTER_S, None):
            try:
                return _found(entry, self._s3.head_object(**which), snapshot=self._snapshots)
            except ClientError as error:
                if delay_s is None or not _passes(error):
                    return self._refused(entry, which, error)
            except _NO_CONNECTION as error:
                raise explain(error, "looking at objects") from error
            except HTTPClientError as error:
                if delay_s is None:
                    return _unseen(entry, HeadOutcome.ERROR, f"no answer: {type(error).__name__}")
            except ParamValidationError as error:
                return _unseen(entry, HeadOutcome.ERROR, f"can't be asked for: {' '.join(str(error).split())}")
            except BotoCoreError as error:
                raise explain(error, "looking at objects") from error
            # All threads meet the same throttling: apart from each other they come back gently.
            self._clock.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
        raise AssertionError("the last round always returns")

    def _refused(self, entry: LotEntry, which: dict[str, str], error: ClientError) -> ObjectHead:
        status = _status(error)
        code = self._code(which, status) or error_code(error)
        if code in EXPIRED_CREDENTIALS | UNKNOWN_CREDENTIALS:
            error.response.setdefault("Error", {})["Code"] = code
            raise explain(error, "looking at objects")
        if code == "NoSuchBucket":
            raise S3ReclassError(f"there is no bucket {entry.bucket}: check the lots' bucket and AWS_REGION")
        if status in (_HTTP_MISSING, _HTTP_NOT_ALLOWED):
            marker = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-delete-marker")
            return _unseen(
                entry, HeadOutcome.MISSING, "a delete marker" if marker == "true" else "no such key or version"
            )
        if status == _HTTP_DENIED:
            # HeadObject, `ChecksumMode`: an object's checksum under KMS is shown to those who may use its key.
            key = ", and kms:Decrypt on its KMS key, if it has one" if self._snapshots else ""
            hint = f"s3:GetObject is needed{key}; without s3:ListBucket, S3 answers so for missing keys, too"
            return _unseen(entry, HeadOutcome.DENIED, f"{code}: {hint}")
        return _unseen(entry, HeadOutcome.ERROR, f"S3 answered {code}")

    def _code(self, which: dict[str, str], status: int) -> str:
        """
        S3's code behind an HTTP status, "" when there is none.

        An answer to HEAD has no body, so the first of each status is asked again by GET of one byte:
        that tells a missing bucket from a missing key, and unknown credentials from a denial. 400 is
        always asked again, as credentials can expire under way.
        """
        if status not in (_HTTP_BAD_REQUEST, _HTTP_DENIED, _HTTP_MISSING):
            return ""
        known = (which["Bucket"], status)
        with self._lock:
            if status == _HTTP_BAD_REQUEST or known not in self._codes:
                self._codes[known] = self._asked_by_get(which)
            return self._codes[known]

    def _asked_by_get(self, which: dict[str, str]) -> str:
        try:
            with aws_errors("looking at objects"):
                try:
                    self._s3.get_object(**which, Range="bytes=0-0")["Body"].close()
                except ClientError as error:
                    return error_code(error)
        except S3ReclassError as error:
            if isinstance(error.__cause__, NoCredentialsError):
                raise
        return ""


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _passes(error: ClientError) -> bool:
    """Whether the error is one that passes: throttling, or a fault of the server's."""
    code = error_code(error)
    return _status(error) >= _HTTP_SERVER_ERROR or is_throttle(code) or code == "429"


def _found(entry: LotEntry, answer: dict[str, Any], *, snapshot: bool) -> ObjectHead:
    return ObjectHead(
        entry=entry,
        look=HeadOutcome.FOUND,
        # S3 leaves the header out for STANDARD (HeadObject, `StorageClass`; botocore 1.44.5).
        storage_class=answer.get("StorageClass") or "STANDARD",
        size_bytes=answer["ContentLength"],
        last_modified=answer["LastModified"],
        archive_status=answer.get("ArchiveStatus", ""),
        restore=answer.get("Restore", ""),
        version_id=answer.get("VersionId", ""),
        snapshot=snapshot_of(answer) if snapshot else None,
    )


def _unseen(entry: LotEntry, look: HeadOutcome, message: str) -> ObjectHead:
    return ObjectHead(entry=entry, look=look, version_id=entry.version_id, message=message)
