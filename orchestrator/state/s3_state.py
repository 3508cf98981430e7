"""The state's files under an S3 prefix, and what any store of the state is made of. Calls S3."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.common.aws_sessions import client, error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.model import Call
from worker.contract import size_of_whole, time_in

CHUNK_BYTES = 4 << 20
REQUESTS_IN_FLIGHT = 16

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}
"""
What S3 says to a put whose condition isn't met, or met by another put at the same time.

S3 User Guide, "How to prevent object overwrites with conditional writes"; 2026-11.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamped:
    """
    A file as it was read, for writing it on the condition that it is still so.

    tag: stands for this content.
    age_s: seconds since it was written, by the clock of S3 or of the disk, so that ours may be wrong.
    """

    data: bytes
    tag: str
    age_s: float


@contextmanager
def opened(source: Path) -> Iterator[IO[bytes]]:
    """A local file to read from."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise S3ReclassError(f"{source} can't be read: {error.strerror}") from error
    with file:
        yield file


class S3Store:
    """The state under a prefix of an S3 bucket."""

    def __init__(self, bucket: str, prefix: str, *, s3: Any = None) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._s3: Any = s3 or client("s3", max_pool_connections=REQUESTS_IN_FLIGHT)

    def uri(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}"

    def read(self, path: str) -> bytes | None:
        answer = self._get(path)
        return answer[0] if answer else None

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = tuple(paths)
        with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
            return {
                path: data for path, data in zip(wanted, pool.map(self.read, wanted), strict=True) if data is not None
            }

    def chunks(self, path: str) -> Iterator[bytes]:
        # Ranges of their own: a connection that breaks costs a chunk, and a slow reader keeps none open.
        start, total = 0, 1
        pinned: dict[str, str] = {}
        while start < total:
            found = self._get(path, Range=f"bytes={start}-{start + CHUNK_BYTES - 1}", **pinned)
            if found is None:
                return
            chunk, told = found
            total = size_of_whole(told["ContentRange"], start, len(chunk))
            if not total:
                raise self._unasked(path)
            yield chunk
            start, pinned = start + len(chunk), {"IfMatch": told["ETag"]}

    def names(self, folder: str) -> Iterator[str]:
        return (path for path, _ in self.sizes(folder))

    def sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + folder)
        with self._errors("listing"):
            for page in pages:
                yield from (
                    (item["Key"].removeprefix(self._prefix), item.get("Size", 0)) for item in page.get("Contents", ())
                )

    def write(self, path: str, data: bytes) -> None:
        with self._errors("writing"):
            self._s3.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data)

    def write_file(self, path: str, source: Path) -> None:
        with opened(source) as file, self._errors("writing"):
            self._s3.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=file)

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        body = {"Bucket": self._bucket, "Key": self._prefix + path, "Body": f"the bytes of {source}"}
        return (Call(service="s3", operation="put_object", parameters=body),)

    def read_stamped(self, path: str) -> Stamped | None:
        answer = self._get(path)
        if answer is None:
            return None
        data, told = answer
        read_at = time_in(told["ResponseMetadata"]["HTTPHeaders"].get("date", "")) or datetime.now(UTC)
        return Stamped(data=data, tag=told["ETag"], age_s=(read_at - told["LastModified"]).total_seconds())

    def write_if(self, path: str, data: bytes, tag: str | None) -> str | None:
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        with self._errors("writing"):
            try:
                answer = self._s3.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data, **condition)
            except ClientError as error:
                if error_code(error) not in _CHANGED:
                    raise
            else:
                return str(answer["ETag"])
        # Perhaps changed by this very put, whose answer was lost and which botocore has sent again.
        found = self.read_stamped(path)
        return found.tag if found and found.data == data else None

    def _get(self, path: str, **which: str) -> tuple[bytes, Mapping[str, Any]] | None:
        """The object's bytes (which: those of a range) and what else S3 said of it, or None when there are none."""
        with self._errors("reading"):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + path, **which)
            except ClientError as error:
                # S3 says so in words: a bare 404 is some other server's. InvalidRange: the object is there and empty.
                if error_code(error) in {"NoSuchKey", "InvalidRange"}:
                    return None
                raise
            if ("ContentRange" in answer) != ("Range" in which):
                raise self._unasked(path)
            return answer["Body"].read(), answer

    def _unasked(self, path: str) -> S3ReclassError:
        return S3ReclassError(f"{self.uri(path)} can't be read: what came isn't what was asked for; is there a proxy?")

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """A block whose errors of AWS, or of the way there, become an S3ReclassError."""
        try:
            yield
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                raise S3ReclassError(
                    f"the state's bucket {self._bucket} doesn't exist: run `s3reclass up`, or name another with --state"
                ) from error
            raise explain(error, f"{doing} the state s3://{self._bucket}/{self._prefix}") from error
        except BotoCoreError as error:
            raise explain(error, f"{doing} the state s3://{self._bucket}/{self._prefix}") from error
