"""
Where a key file's bytes come from: a file, a pipe or standard input, unpacked when they are gzip.
"""

import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from orchestrator.errors import S3ReclassError

CHUNK_BYTES = 1 << 17
STANDARD_INPUT = "-"
_GZIP_MAGIC = b"\x1f\x8b"
"""No plain key file begins so: 0x8b can't follow 0x1f in UTF-8."""


class KeySource:
    """
    A key file that has been opened, to be read once.

    name: for messages.
    path: absolute, or "" for standard input and pipes: it is how the same key file is known again.
    start: its first bytes, unpacked.
    """

    def __init__(self, raw: BinaryIO, *, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self._raw = raw
        self._size_bytes = os.fstat(raw.fileno()).st_size if path else 0
        buffered = io.BufferedReader(raw, CHUNK_BYTES)  # type: ignore[type-var]  # anything that can readinto
        head = buffered.peek(len(_GZIP_MAGIC))[: len(_GZIP_MAGIC)]
        packed = bool(head) and _GZIP_MAGIC.startswith(head)  # a pipe may give one byte at first
        self._stream: BinaryIO = io.BufferedReader(gzip.GzipFile(fileobj=buffered), CHUNK_BYTES) if packed else buffered
        self._hash = hashlib.sha256()
        with self._readable():
            self.start = self._stream.read(CHUNK_BYTES)

    @property
    def sha256(self) -> str:
        """The digest, in hex, of what `chunks` has given so far, unpacked."""
        return self._hash.hexdigest()

    @property
    def fraction_read(self) -> float | None:
        """How much of the file has been read, 0 to 1; None when its size isn't known."""
        return self._raw.tell() / self._size_bytes if self._size_bytes else None

    def chunks(self) -> Iterator[bytes]:
        """The file's bytes, unpacked, about a megabyte at a time. Raises S3ReclassError when they can't be read."""
        chunk = self.start
        while chunk:
            self._hash.update(chunk)
            yield chunk
            with self._readable():
                chunk = self._stream.read(CHUNK_BYTES)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            message = (
                f"{self.name} is damaged: it begins like gzip and can't be unpacked ({error}); nothing was written"
            )
            raise S3ReclassError(message) from error
        except OSError as error:
            raise S3ReclassError(f"{self.name} can't be read: {error.strerror}; nothing was written") from error


@contextmanager
def open_key_source(name: str, stdin: BinaryIO) -> Iterator[KeySource]:
    """
    The key file of this name, opened; `-` is standard input.

    Raises S3ReclassError when it can't be opened.
    """
    if name == STANDARD_INPUT:
        yield KeySource(stdin, name="standard input", path="")
        return
    try:
        file = Path(name).open("rb", buffering=0)  # noqa: SIM115 (closed below; an error in the caller's block isn't ours)
    except IsADirectoryError:
        raise S3ReclassError(f"{name} is a directory: name a key file") from None
    except OSError as error:
        raise S3ReclassError(f"{name} can't be read: {error.strerror}") from error
    with file:
        regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        yield KeySource(file, name=name, path=str(Path(name).resolve()) if regular else "")
