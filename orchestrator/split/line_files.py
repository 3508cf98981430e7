r"""Files of lines on disk, written and read in large blocks of whole lines; each line ends in `\n`."""

import io
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

BLOCK_BYTES = 1 << 17


def write_all(file: io.FileIO, block: bytes) -> None:
    """Write the whole block, however little of it the system takes at once."""
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


class LineFile:
    """
    A file of lines that this process writes, and reads again block by block as it was written.

    It remembers how long each block is and how many lines it has, which are then neither looked for nor
    counted again: some 16 bytes for each block of about 100,000.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb", buffering=0)
        self._sizes = array("Q")
        self._lines = array("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return sum(self._sizes)

    def append(self, block: bytes, lines: int) -> None:
        r"""Write a block of so many lines, each with its `\n`."""
        if lines:
            write_all(self._file, block)
            self._sizes.append(len(block))
            self._lines.append(lines)

    def clear(self) -> None:
        """Begin again, with an empty file."""
        self._file.seek(0)
        self._file.truncate()
        del self._sizes[:], self._lines[:]

    def blocks(self) -> Iterator[tuple[bytes, int]]:
        """The blocks written so far, in order, each with its number of lines."""
        with self.path.open("rb", buffering=BLOCK_BYTES) as file:
            for number in range(len(self._sizes)):
                yield file.read(self._sizes[number]), self._lines[number]


def line_blocks(path: Path) -> Iterator[bytes]:
    r"""Another program's file, in blocks of whole lines, which all end in `\n`."""
    with path.open("rb", buffering=0) as file:
        rest = b""
        while chunk := file.read(BLOCK_BYTES):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield rest + chunk[:end]
            rest = chunk[end:] if end else rest + chunk


class LinePieces:
    """The lines of a file, to be taken so many at a time."""

    def __init__(self, lines: LineFile) -> None:
        self._blocks = lines.blocks()
        self._block = b""
        self._ends: Sequence[int] = ()  # bytes of the block's first lines, newlines left out; found if a lot ends in it
        self._taken = 0  # lines of the block
        self._lines = 0  # lines in the block

    def take(self, lines: int) -> Iterator[bytes]:
        """The next lines, in pieces."""
        while lines:
            if self._taken == self._lines:
                (self._block, self._lines), self._taken, self._ends = next(self._blocks), 0, ()
            count = min(lines, self._lines - self._taken)
            if count < self._lines and not self._ends:
                self._ends = list(accumulate(map(len, self._block[:-1].split(b"\n")), initial=0))
            yield self._block[self._end(self._taken) : self._end(self._taken + count)] if self._ends else self._block
            self._taken += count
            lines -= count

    def _end(self, lines: int) -> int:
        """Where so many lines of the block end."""
        return self._ends[lines] + lines
