"""
The state's files, in a directory or under an S3 prefix: read, list, write whole.

Paths are relative to the state's root, with `/` between the parts (`worker.contract.StatePaths` names them).
A reader never sees half a file: S3 puts are atomic, and in a directory a file is renamed into place. A file
can be written on the condition that it wasn't written meanwhile, which is what a lease needs.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol
from uuid import uuid4

from orchestrator.errors import S3ReclassError
from orchestrator.model import Call
from orchestrator.state.s3_state import CHUNK_BYTES, S3Store, Stamped, opened


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
        with opened(source) as file:
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


def _tag(data: bytes) -> str:
    return sha256(data).hexdigest()
