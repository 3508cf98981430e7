"""
A value for each key of a lot, in bounded memory: a dict while the lot is small, else a file with an index.

A job may have lots of millions of keys, and a result in memory takes about a kilobyte.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Generic

from orchestrator.errors import S3ReclassError
from orchestrator.lots.manifest import Table, Value
from worker.contract import DigestTable, LotEntry, digest_of

KEYS_IN_MEMORY = 50_000
"""The largest lot that is kept in a dict: some tens of megabytes, and faster."""

_LENGTH_BITS = 24
_PLACE_BYTES = 9
"""A value's place in the file: 48 bits for where it begins, 24 for its length."""

_BUFFER_BYTES = 1 << 18

_ENCODER = json.JSONEncoder(check_circular=False, separators=(",", ":"))


@contextmanager
def table_for(
    keys: int, *, dump: Callable[[Value], Any], load: Callable[[Any], Value], keys_in_memory: int = KEYS_IN_MEMORY
) -> Iterator[Table[Value]]:
    """
    A table for a lot with this many keys; what is on disk is removed at the block's end.

    dump: turns a value into what JSON can carry. load: turns that back.
    Raises S3ReclassError when the temporary file can't be written or read.
    """
    if keys <= keys_in_memory:
        yield {}
        return
    try:
        file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES, prefix="s3reclass-")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise _no_disk(error) from error
    try:
        yield OnDisk(file, dump, load)
    finally:
        with suppress(OSError):  # the unwritten rest isn't needed
            file.close()


class OnDisk(Generic[Value]):
    """
    Values in a file, each found by its entry's digest: some 28 bytes of memory for each key.

    A replaced value stays in the file, which is short-lived.
    """

    def __init__(self, file: IO[bytes], dump: Callable[[Value], Any], load: Callable[[Any], Value]) -> None:
        self._file = file
        self._dump = dump
        self._load = load
        self._places = DigestTable(_PLACE_BYTES)
        self._end = 0
        self._flushed = 0
        self._last: tuple[LotEntry | None, int] = (None, 0)

    def get(self, entry: LotEntry, /) -> Value | None:
        place = self._places.get(self._digest(entry))
        if place is None:
            return None
        offset, length = place >> _LENGTH_BITS, place & ((1 << _LENGTH_BITS) - 1)
        try:
            if offset >= self._flushed:
                self._file.flush()
                self._flushed = self._end
            data = os.pread(self._file.fileno(), length, offset)
        except OSError as error:
            raise _no_disk(error) from error
        return self._load(json.loads(data))

    def __setitem__(self, entry: LotEntry, value: Value, /) -> None:
        data = _ENCODER.encode(self._dump(value)).encode()
        try:
            self._file.write(data)
        except OSError as error:
            raise _no_disk(error) from error
        self._places[self._digest(entry)] = self._end << _LENGTH_BITS | len(data)
        self._end += len(data)

    def _digest(self, entry: LotEntry) -> int:
        """The entry's digest, cached: it is often needed twice in a row, and takes as long as all else here."""
        if self._last[0] is not entry:
            self._last = (entry, digest_of(entry))
        return self._last[1]


def _no_disk(error: OSError) -> S3ReclassError:
    return S3ReclassError(
        f"the temporary folder {tempfile.gettempdir()} can't be used ({error.strerror}): a large lot's results are "
        "gathered there; make room, or name another with TMPDIR"
    )
