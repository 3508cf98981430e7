r"""Files of lines on disk, read in large pieces; each line ends in `\n`."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

BLOCK_BYTES = 1 << 17


def line_blocks(path: Path) -> Iterator[bytes]:
    r"""The file in blocks of whole lines, which all end in `\n`."""
    with path.open("rb", buffering=0) as file:
        rest = b""
        while chunk := file.read(BLOCK_BYTES):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield rest + chunk[:end]
            rest = chunk[end:] if end else rest + chunk


class LinePieces:
    """The lines of a file, to be taken so many at a time."""

    def __init__(self, path: Path) -> None:
        self._blocks = line_blocks(path)
        self._block = b""
        self._ends: Sequence[int] = ()  # where each line of the block ends; looked for only when a lot ends in it
        self._taken = 0  # lines of the block
        self._lines = 0  # lines in the block

    def take(self, lines: int) -> Iterator[bytes]:
        """The next lines, in pieces."""
        while lines:
            if self._taken == self._lines:
                self._block, self._taken, self._ends = next(self._blocks), 0, ()
                self._lines = self._block.count(b"\n")
            count = min(lines, self._lines - self._taken)
            if count < self._lines and not self._ends:
                self._ends = [0, *accumulate(len(line) + 1 for line in self._block[:-1].split(b"\n"))]
            yield self._block[self._ends[self._taken] : self._ends[self._taken + count]] if self._ends else self._block
            self._taken += count
            lines -= count
