"""A file that a command writes: under its name only when it is whole."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from orchestrator.errors import S3ReclassError


@contextmanager
def whole_file(path: Path) -> Iterator[Callable[[str], None]]:
    """
    What writes text to a file, in UTF-8, which takes its place when the block has ended well; gzip for `.gz`.

    A device or a pipe is written as it is: a rename would put a file in its place, in that of /dev/null too.
    Whatever goes wrong, in the block or on the disk, nothing is left beside the path.
    Raises S3ReclassError when it can't be written.
    """
    with _told(path):
        regular = path.is_file() or not path.exists()
    if not regular:
        with _opened(path, "wb", like=path) as write:
            yield write
        return
    partial = path.with_name(f".s3reclass-{uuid4().hex}.partial")
    try:
        with _opened(partial, "xb", like=path) as write:
            yield write
        with _told(path):
            partial.replace(path)
    finally:
        with _told(path):
            partial.unlink(missing_ok=True)


@contextmanager
def _opened(place: Path, mode: str, *, like: Path) -> Iterator[Callable[[str], None]]:
    """What writes to the file that lies here, and whose name and kind are those of `like`."""
    with _told(like):
        raw = place.open(mode)
    file: IO[bytes] | gzip.GzipFile = raw

    def write(text: str) -> None:
        with _told(like):
            file.write(text.encode())

    try:
        # gzip's header is written at once.
        with _told(like):
            file = gzip.GzipFile(like.name, "wb", fileobj=raw) if like.suffix == ".gz" else raw
        yield write
        with _told(like):
            file.close()
    finally:
        # A block that failed has a reason of its own, and a close that failed has told its; closed it is in any case.
        with suppress(OSError):
            raw.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise S3ReclassError(f"{path} can't be written: {error.strerror or error}") from error
