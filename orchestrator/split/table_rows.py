"""The rows of a CSV or TSV file, read by Python's csv, whole plain blocks past it. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from orchestrator.split.key_lines import NEWLINE, decode, line_blocks, unreadable
from orchestrator.split.plain_rows import part_quoted

ROWS_AT_ONCE = 8_192
MAX_LINE_BYTES = 1 << 20


class TableRows:
    """The rows of a table, read by Python's csv except the blocks that another reader takes."""

    def __init__(self, chunks: Iterable[bytes], name: str, delimiter: str) -> None:
        self._name = name
        self._blocks = part_quoted(line_blocks(chunks, name=name, max_line_bytes=MAX_LINE_BYTES))
        self._block = b""  # the next one
        self._block_number = 1  # its first line's
        self._fed = 0  # lines given to csv
        self._past = 0  # lines before those that csv was given last and never saw
        self._reader = csv.reader(chain.from_iterable(self._feed()), delimiter=delimiter, strict=True)
        self._failed: Exception | None = None

    def _feed(self) -> Iterator[Iterable[str]]:
        while self._have_block():
            block, self._block = self._block, b""
            self._past = self._block_number - 1 - self._fed
            self._fed += block.count(NEWLINE)
            # newline="\n": other characters that could end a line belong to their cell.
            yield io.StringIO(block.decode(), newline="\n")

    def _have_block(self) -> bool:
        if not self._block:
            self._block_number, self._block = next(self._blocks, (0, b""))
            if not self._block.isascii():
                decode(self._block, self._block_number, self._name)
        return bool(self._block)

    def whole_block(self) -> bytes:
        """The next block if the next row begins with it; b"" in the midst of a block, and at the end."""
        stands_there = self._reader.line_num == self._fed and not self._failed
        return self._block if stands_there and self._have_block() else b""

    def skip_block(self) -> None:
        """Go on behind the block that `whole_block` gave."""
        self._block = b""

    def take(self) -> tuple[int, list[list[str]]]:
        """The next rows, up to a block's end or some thousands, and the first one's line; none at the file's end."""
        if self._failed:
            raise self._failed
        left, number = self._fed - self._reader.line_num, self._past + self._reader.line_num + 1
        if not left:
            left, number = self.whole_block().count(NEWLINE), self._block_number
        rows: list[list[str]] = []
        try:
            rows.extend(islice(self._reader, min(left, ROWS_AT_ONCE)))
        except csv.Error as error:
            unread = unreadable(self._name, number + sum(map(height, rows)), _explain(error))
            if not rows:
                raise unread from error
            self._failed = unread  # an error in an earlier row is told first
        return number, rows


def height(row: Sequence[str]) -> int:
    """How many lines of the file the row takes."""
    return 1 + sum(cell.count("\n") for cell in row)


def _explain(error: csv.Error) -> str:
    """What is wrong with a row that the csv module refuses."""
    text = str(error)
    if "unexpected end of data" in text or "field limit" in text:
        return 'a quoted cell begins in its row and doesn\'t end: a quote in a cell is written ""'
    if "new-line character" in text:
        return "a carriage return stands in an unquoted cell: quote the cell"
    return f"it isn't CSV ({text})"
