"""
The state's files, in a directory or under an S3 prefix: read, list, and write whole.

Paths are relative to the state's root, with `/` between the parts (`worker.contract.StatePaths` names them).
A reader never sees half a file: S3 puts are atomic, and in a directory a file is renamed into place.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from orchestrator.clients.sessions import aws_errors, client, error_code, explain
from orchestrator.errors import S3ReclassError
from orchestrator.model import Call

REQUESTS_IN_FLIGHT = 16


class StateStore(Protocol):
    """Where a job's state is kept."""

    def uri(self, path: str) -> str:
        """The path as a worker is told it: `s3://...` or an absolute path."""

    def read(self, path: str) -> bytes | None:
        """The file's bytes, or None when there is no such file."""

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of each of these files that exists, several read at once."""

    def names(self, folder: str) -> Iterator[str]:
        """The path of every file below the folder (which ends in `/`), in no particular order."""

    def write(self, path: str, data: bytes) -> None:
        """Put the file there whole, replacing what was there."""

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        """What writing the file sends, as data, for a dry run; source: the local file it is read from."""


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

    def names(self, folder: str) -> Iterator[str]:
        for place, _, files in os.walk(self._root / folder):
            base = Path(place).relative_to(self._root).as_posix()
            # A dot file is a write that hasn't been renamed into place.
            yield from (f"{base}/{name}" for name in files if not name.startswith("."))

    def write(self, path: str, data: bytes) -> None:
        target = self._root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(target)
        except OSError as error:
            raise S3ReclassError(f"the state can't be written: {error}; name another place with --state") from error

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        return (Call(service="local", operation="copy_file", parameters={"source": source, "target": self.uri(path)}),)


class S3Store:
    """The state under a prefix of an S3 bucket."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._s3: Any = client("s3", max_pool_connections=REQUESTS_IN_FLIGHT)

    def uri(self, path: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{path}"

    def read(self, path: str) -> bytes | None:
        try:
            data: bytes = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read()
        except ClientError as error:
            if error_code(error) in {"NoSuchKey", "404"}:
                return None
            raise self._explained(error, "reading") from error
        return data

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        wanted = tuple(paths)
        with ThreadPoolExecutor(REQUESTS_IN_FLIGHT) as pool:
            return {
                path: data for path, data in zip(wanted, pool.map(self.read, wanted), strict=True) if data is not None
            }

    def names(self, folder: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + folder)
        try:
            for page in pages:
                yield from (item["Key"].removeprefix(self._prefix) for item in page.get("Contents", ()))
        except ClientError as error:
            raise self._explained(error, "listing") from error

    def write(self, path: str, data: bytes) -> None:
        try:
            with aws_errors(f"writing the state s3://{self._bucket}/{self._prefix}"):
                self._s3.put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data)
        except S3ReclassError as error:
            if "NoSuchBucket" in str(error):
                raise self._no_bucket() from error
            raise

    def write_calls(self, path: str, source: str) -> tuple[Call, ...]:
        body = {"Bucket": self._bucket, "Key": self._prefix + path, "Body": f"the bytes of {source}"}
        return (Call(service="s3", operation="put_object", parameters=body),)

    def _explained(self, error: ClientError, doing: str) -> S3ReclassError:
        if error_code(error) == "NoSuchBucket":
            return self._no_bucket()
        return explain(error, f"{doing} the state s3://{self._bucket}/{self._prefix}")

    def _no_bucket(self) -> S3ReclassError:
        return S3ReclassError(
            f"the state's bucket {self._bucket} doesn't exist: run `s3reclass up`, or name another with --state"
        )
