"""What both stores of the state have in common: files with a tag and an age, chunks, and local files to read from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestrator.errors import S3ReclassError

CHUNK_BYTES = 4 << 20


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


@contextmanager
def opened(source: Path) -> Iterator[IO[bytes]]:
    """A local file to read from."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise S3ReclassError(f"{source} can't be read: {error.strerror}") from error
    with file:
        yield file
