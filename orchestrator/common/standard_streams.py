"""
Standard output and standard error, made fit for what can happen to them: a full disk, a reader that has gone, none.

A result that can't be written ends the command with `OutputError`. Remarks on standard error are a help and no
result: what can't be written of them is dropped, as a job must not end because its log's disk is full.
"""

import errno
import io
import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

_OUT, _ERR = 1, 2
_STANDARD = (0, _OUT, _ERR)


class OutputError(Exception):
    """
    Standard output can't be written.

    reader_gone: it is a pipe whose reader (`head`, say) has all that it wanted: no fault, and nothing to tell.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output can't be written: {error.strerror or error}")
        self.reader_gone = error.errno == errno.EPIPE


class _Checked(io.RawIOBase):
    """A file descriptor that is written to, and what happens when that fails; what comes after that is dropped."""

    def __init__(self, descriptor: int, on_error: Callable[[OSError], None]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._on_error = on_error
        self._failed = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]  # a buffer, to typeshed
        if self._failed:
            return len(data)
        try:
            return self._write(data)
        except OSError as error:
            self._failed = True
            self._on_error(error)
            return len(data)

    def _write(self, data: "bytes | bytearray | memoryview") -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Another program that writes there has made it so: what it doesn't take now, it will.
                select.select((), (self._descriptor,), ())


def protect_standard_streams() -> None:
    """
    Take over this process's standard streams: writes to standard output raise OutputError when they fail.

    A descriptor that the caller closed is opened first, for reading, so that writes go on failing: the next file that
    is opened would get its number, and be written to by whatever writes to that number, workers included.
    """
    for number in _STANDARD:
        if not _is_open(number):
            # It gets the lowest number that is free (POSIX, open()): this one.
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as the process)
    sys.stdout = _checked(_OUT, sys.stdout, _raise)
    sys.stderr = _checked(_ERR, sys.stderr, _drop)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _checked(number: int, old: TextIO | None, on_error: Callable[[OSError], None]) -> TextIO:
    """A text stream to the descriptor, in the encoding of the old one; what that can't show is an escape."""
    raw = _Checked(number, on_error)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),  # type: ignore[type-var]  # any RawIOBase
        encoding=old.encoding if old else "utf-8",
        errors="backslashreplace",
        line_buffering=number == _ERR or raw.isatty(),
    )


def _raise(error: OSError) -> None:
    raise OutputError(error) from error


def _drop(_: OSError) -> None:
    pass
