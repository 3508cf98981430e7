"""
The state's files, in a directory or under an S3 prefix: read, list, and write whole.

Paths are relative to the state's root, with `/` between the parts (`worker.contract.StatePaths` names them).
A reader never sees half a file: S3 puts are atomic, and in a directory a file is renamed into place. A file
can be written on the condition that nobody else has written it meanwhile, which is what a lease needs.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.clients.sessions import client, error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.model import Call
from orchestrator.planning.proofs import size_of_whole, time_in

REQUESTS_IN_FLIGHT, CHUNK_BYTES = 16, 4 << 20

_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "NoSuchKey"}
"""
What S3 says to a put whose condition isn't met, or met by another put at the same time; 412 when cut off in the middle.

S3 User Guide, "How to prevent object overwrites with conditional writes"; 2026-11.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamped:
    """
    A file as it was read, for writing it on the condition that it is still so.

    tag: stands for this content.
    age_s: seconds since it was written, by the clock of whoever keeps it, so that ours may be wrong.
    """

    data: bytes
    tag: str
    age_s: float


class StateStore(Protocol):
    """Where a job's state is kept."""

    def uri(self, path: str) -> str:
        """The path as a worker is told it: `s3://...` or an absolute path."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None when there is no such file."""

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of each of these files that exists, several read at once."""

    def chunks(self, path: str) -> Iterator[bytes]:
        """The file's bytes, a few megabytes at a time; none when there is no such file."""

    def names(self, folder: str) -> Iterator[str]:
        """The path of every file below the folder (which ends in `/`), in no particular order."""

    def sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        """The same paths, each with its file's size in bytes."""

    def write(self, path: str, data: bytes) -> None:
        """Put the file there whole, replacing what was there."""

    def write_file(self, path: str, source: Path) -> None:
        """Put a copy of a local file there, whole; it is never in memory as a whole."""

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        """What writing the file sends, as data, for a dry run; source: the local file it is read from."""

    def read_stamped(self, path: str) -> Stamped | None:
        """The file with its tag and age, or None when there is no such file."""

    def write_if(self, path: str, data: bytes, tag: str | None) -> str | None:
        """
        Put the file there if it still is the one with this tag (None: if there is none): its new tag, else None.

        Of several writers with the same tag, on any machines, one succeeds. No two writers' data may be the same.
        """


def open_store(uri: str) -> StateStore:
    """The store that `--state` names: `s3://bucket/prefix`, or a directory."""
    if uri.startswith("s3://"):
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix)
    return DirectoryStore(Path(uri))


class DirectoryStore:
    """The state in a directory of this machine: for the local place."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def uri(self, path: str) -> str:
        return str(self._root / path) + ("/" if path.endswith("/") else "")

    def read(self, path: str) -> bytes | None:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise S3ReclassError(f"the state can't be read: {error}") from error

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        found = ((path, self.read(path)) for path in paths)
        return {path: data for path, data in found if data is not None}

    def chunks(self, path: str) -> Iterator[bytes]:
        try:
            with (self._root / path).open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError:
            return
        except OSError as error:
            raise S3ReclassError(f"the state can't be read: {error}") from error

    def names(self, folder: str) -> Iterator[str]:
        for place, _, files in os.walk(self._root / folder):
            base = Path(place).relative_to(self._root).as_posix()
            # A dot file is a write that hasn't been renamed into place.
            yield from (f"{base}/{name}" for name in files if not name.startswith("."))

    def sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        for path in self.names(folder):
            # One that went meanwhile isn't there.
            with suppress(FileNotFoundError):
                yield path, (self._root / path).stat().st_size

    def write(self, path: str, data: bytes) -> None:
        self._write(path, BytesIO(data))

    def write_file(self, path: str, source: Path) -> None:
        with _opened(source) as file:
            self._write(path, file)

    def _write(self, path: str, content: IO[bytes]) -> None:
        target = self._root / path
        partial = target.with_name(f".{uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                shutil.copyfileobj(content, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except OSError as error:
            raise S3ReclassError(f"the state can't be written: {error}; name another place with --state") from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        return (Call(service="local", operation="copy_file", parameters={"source": source, "target": self.uri(path)}),)

    def read_stamped(self, path: str) -> Stamped | None:
        try:
            with (self._root / path).open("rb") as file:
                age_s = time.time() - os.fstat(file.fileno()).st_mtime
                data = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise S3ReclassError(f"the state can't be read: {error}") from error
        return Stamped(data=data, tag=_tag(data), age_s=age_s)

    def write_if(self, path: str, data: bytes, tag: str | None) -> str | None:
        with self._locked(path):
            found = self.read_stamped(path)
            if (found.tag if found else None) != tag:
                return None
            self.write(path, data)
        return _tag(data)

    @contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        """A block that one process at a time is in; the lock goes with a process that is killed in it."""
        target = self._root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise S3ReclassError(f"the state can't be locked: {error}; name another place with --state") from error


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
        with _opened(source) as file, self._errors("writing"):
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


def _tag(data: bytes) -> str:
    return sha256(data).hexdigest()


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    """A local file to read from."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise S3ReclassError(f"{source} can't be read: {error.strerror}") from error
    with file:
        yield file
