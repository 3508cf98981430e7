"""
The worker's side of the state: one lot's results folder, in S3 or in a directory.

Nothing is ever half-written: S3 puts whole objects, and in a directory a file gets its name only once
it is on the disk.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from worker.errors import WorkerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONFLICT_TRIES = 5


class Store(Protocol):
    """A folder of whole files. Every method raises WorkerError, naming the file, when the folder can't be used."""

    def names(self) -> list[str]:
        """The names of all files in the folder, in no order; empty when it doesn't exist yet."""

    def read(self, name: str) -> bytes:
        """A file's content."""

    def find(self, name: str) -> bytes | None:
        """A file's content, None when there is no such file."""

    def create(self, name: str, content: bytes) -> bool:
        """
        Write a new file; False, and nothing changed, when the name is taken by another content.

        Asking again with the same content is harmless: an answer may get lost on the way.
        """

    def replace(self, name: str, content: bytes) -> None:
        """Write a file, whether or not there was one."""

    def where(self, name: str = "") -> str:
        """The URI of a file, or of the folder, for messages."""


class DirectoryStore:
    """A results folder on a disk; made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def where(self, name: str = "") -> str:
        """The path."""
        return str(self._folder / name)

    def names(self) -> list[str]:
        """The files' names."""
        try:
            return [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise WorkerError(f"can't list the results in {self._folder}: {error.strerror}") from error

    def read(self, name: str) -> bytes:
        """The file's bytes."""
        return _there(self.find(name), self.where(name))

    def find(self, name: str) -> bytes | None:
        """The file's bytes, None when there is none."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorkerError(f"can't read {self.where(name)}: {error.strerror}") from error

    def create(self, name: str, content: bytes) -> bool:
        """Write under a temporary name, then link: a link, unlike a rename, never takes a name that is taken."""
        return self._write(name, content, os.link) or self.read(name) == content

    def replace(self, name: str, content: bytes) -> None:
        """Write under a temporary name, then rename."""
        self._write(name, content, os.replace)

    def _write(self, name: str, content: bytes, publish: Callable[[str, Path], None]) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=self._folder, prefix=f".{name}.", delete=False) as file:
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                    # A temporary file is its owner's only; the launcher may be another user.
                    os.fchmod(file.fileno(), 0o644)
                    publish(file.name, self._folder / name)
                except FileExistsError:
                    return False
                finally:
                    Path(file.name).unlink(missing_ok=True)
        except OSError as error:
            raise WorkerError(f"can't write {self.where(name)}: {error.strerror}") from error
        return True


class S3Store:
    """
    A results folder in S3.

    prefix: ends in `/`, or is empty.
    client: retries by itself; every call here is safe to repeat.
    """

    def __init__(
        self, client: "S3Client", bucket: str, prefix: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._sleep = sleep

    def where(self, name: str = "") -> str:
        """The S3 URI."""
        return f"s3://{self._bucket}/{self._prefix}{name}"

    def names(self) -> list[str]:
        """The objects right under the prefix."""
        names: list[str] = []
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
            )
            for page in pages:
                names += [item["Key"].removeprefix(self._prefix) for item in page.get("Contents", ())]
        except (ClientError, BotoCoreError) as error:
            raise WorkerError(f"can't list the results in {self.where()}: {error}") from error
        return names

    def read(self, name: str) -> bytes:
        """The object's bytes."""
        return _there(self.find(name), self.where(name))

    def find(self, name: str) -> bytes | None:
        """The object's bytes, None when there is no such object."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise WorkerError(f"can't read {self.where(name)}: {error}") from error
        except BotoCoreError as error:
            raise WorkerError(f"can't read {self.where(name)}: {error}") from error

    def create(self, name: str, content: bytes) -> bool:
        """Put, if there is no such object yet."""
        for tries in range(_CONFLICT_TRIES):
            try:
                self._put(name, content, IfNoneMatch="*")
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code == "PreconditionFailed":
                    # Perhaps by our own put, whose answer was lost and which botocore sent again.
                    return self.read(name) == content
                if code != "ConditionalRequestConflict" or tries == _CONFLICT_TRIES - 1:
                    raise WorkerError(f"can't write {self.where(name)}: {error}") from error
                self._sleep(0.2 * 2**tries)
            else:
                break
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Put."""
        try:
            self._put(name, content)
        except ClientError as error:
            raise WorkerError(f"can't write {self.where(name)}: {error}") from error

    def _put(self, name: str, content: bytes, **condition: str) -> None:
        kind = "text/csv" if name.endswith(".csv") else "application/json"
        try:
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=content,
                ContentType=f"{kind}; charset=utf-8",
                **condition,  # type: ignore[arg-type]  # the stubs want each keyword by name
            )
        except BotoCoreError as error:
            raise WorkerError(f"can't write {self.where(name)}: {error}") from error


def _there(content: bytes | None, where: str) -> bytes:
    """The content of a file that must be there."""
    if content is None:
        raise WorkerError(f"can't read {where}: there is no such file")
    return content


def split_s3_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and key of an `s3://` URI, None for a path. Raises WorkerError when no bucket is named."""
    if not uri.startswith("s3://"):
        return None
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise WorkerError(f"{uri} names no bucket: s3://bucket/key is what is needed")
    return bucket, key


def open_store(uri: str, client: "Callable[[], S3Client]") -> Store:
    """
    The results folder that a URI names, with or without the `/` at its end.

    client: makes the state's client; called only for an `s3://` URI.
    """
    place = split_s3_uri(uri)
    if place is None:
        return DirectoryStore(Path(uri))
    bucket, prefix = place
    return S3Store(client(), bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else "")
