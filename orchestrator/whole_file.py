"""A file that a command writes: under its name only when it is whole."""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from orchestrator.errors import S3ReclassError


@contextmanager
def whole_file(path: Path) -> Iterator[Callable[[str], None]]:
    """
    What writes text to a file, in UTF-8, which takes its place when the block has ended well; gzip for `.gz`.

    A device or a pipe is written as it is: a rename would put a file in its place, in that of /dev/null too.
    Raises S3ReclassError when it can't be written.
    """
    with _told(path):
        regular = path.is_file() or not path.exists()
        partial = _partial(path) if regular else path
        file: IO[bytes] | gzip.GzipFile = gzip.GzipFile(partial, "wb") if path.suffix == ".gz" else partial.open("wb")

    def write(text: str) -> None:
        with _told(path):
            file.write(text.encode())

    try:
        yield write
        with _told(path):
            file.close()
            if regular:
                partial.replace(path)
    finally:
        with _told(path):
            file.close()
            if regular:
                partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    """An empty file beside the path, under a name of its own, with the permissions of any new file."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".partial")
    os.close(handle)
    mask = os.umask(0)
    os.umask(mask)
    partial = Path(name)
    partial.chmod(0o666 & ~mask)
    return partial


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise S3ReclassError(f"{path} can't be written: {error.strerror or error}") from error
