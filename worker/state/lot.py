"""Read a lot as a stream: a chunk at a time, so that memory doesn't grow with the lot."""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from worker.contract import ContractError, LotEntry, parse_lot
from worker.errors import WorkerError
from worker.state.results_store import split_s3_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 4 * 1024**2
_CHUNK_TRIES = 8

_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15})")
"""A Content-Range: the first byte sent, and how many there are (RFC 9110, 14.4)."""


def read_lot(
    uri: str, client: "Callable[[], S3Client]", *, sha256: str = "", keys: int | None = None
) -> Iterator[LotEntry]:
    """
    Each entry of the lot, in order.

    client: makes the state's client; called only for an `s3://` URI.
    sha256, keys: what the lot must be; "" and None for any. If there is either, the lot is read through before its
        first entry: of another lot no key is worked on.
    Raises WorkerError, naming the lot and the line, when it can't be read, isn't that lot or a line isn't a manifest
    line.
    """
    place = split_s3_uri(uri)
    s3 = None if place is None else client()

    def chunks() -> Iterator[bytes]:
        read = _file_chunks(uri) if place is None or s3 is None else _s3_chunks(s3, *place)
        return _checked(read, uri, sha256, keys)

    if sha256 or keys is not None:
        for _ in chunks():
            pass
    try:
        yield from parse_lot(chunks())
    except ContractError as error:
        raise WorkerError(f"{uri}, {error}") from error


def _checked(chunks: Iterable[bytes], uri: str, sha256: str, keys: int | None) -> Iterator[bytes]:
    """These chunks. Raises WorkerError after the last one when they weren't those of the lot."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    for chunk in chunks:
        digest.update(chunk)
        lines, last = lines + chunk.count(b"\n"), chunk[-1:]
        yield chunk
    lines += last != b"\n"
    if keys not in (None, lines):
        raise WorkerError(f"{uri} isn't the lot that it should be: it has {lines:,} lines and not {keys:,}")
    if sha256 not in ("", digest.hexdigest()):
        raise WorkerError(f"{uri} isn't the lot that it should be: its sha256 is {digest.hexdigest()}, not {sha256}")


def _file_chunks(path: str) -> Iterator[bytes]:
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise WorkerError(f"can't read the lot {path}: {error.strerror}") from error


def _s3_chunks(client: "S3Client", bucket: str, key: str) -> Iterator[bytes]:
    """The object's bytes by ranged GETs, each pinned to the ETag of the first: a lot that changes is an error."""
    etag, total, start = "", 0, 0
    while start == 0 or start < total:
        chunk, etag, total = _s3_chunk(client, bucket, key, etag=etag, start=start)
        if not chunk and not total:
            return
        if not chunk:
            raise WorkerError(f"can't read the lot s3://{bucket}/{key}: it ends after {start:,} bytes of {total:,}")
        yield chunk
        start += len(chunk)


def _s3_chunk(client: "S3Client", bucket: str, key: str, *, etag: str, start: int) -> tuple[bytes, str, int]:
    """The bytes from start, the object's ETag, its size. The body is read here too: a cut connection is retried."""
    where = f"s3://{bucket}/{key}"
    pinned = {"IfMatch": etag} if etag else {}
    for tries in range(_CHUNK_TRIES):
        try:
            answer = client.get_object(
                Bucket=bucket,
                Key=key,
                Range=f"bytes={start}-{start + CHUNK_BYTES - 1}",
                **pinned,  # type: ignore[arg-type]  # the stubs want each keyword by name
            )
            told = _RANGE.fullmatch(answer.get("ContentRange", ""))
            if told is None or int(told[1]) != start or not answer.get("ETag"):
                raise WorkerError(f"can't read the lot {where}: asked for bytes from {start:,}, S3 sent others")
            return answer["Body"].read(), answer["ETag"], int(told[2])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "InvalidRange" and start == 0:
                return b"", "", 0
            if code == "PreconditionFailed":
                raise WorkerError(f"the lot {where} was overwritten while it was read") from error
            raise WorkerError(f"can't read the lot {where}: {error}") from error
        except BotoCoreError as error:
            if tries == _CHUNK_TRIES - 1:
                raise WorkerError(f"can't read the lot {where}: {error}") from error
            time.sleep(min(10, 0.2 * 2**tries))
    raise AssertionError("unreachable: the last try returns or raises")


def first_of(entries: Iterator[LotEntry]) -> Iterator[LotEntry]:
    """The same entries, the first of them read now: a lot that isn't there is found before anything is done."""
    first = next(entries, None)
    return iter(()) if first is None else chain((first,), entries)
