r"""
Plain rows of a table, a block at a time: all of one width, and no cell quoted or all of them. Pure.

Nearly all tables are so: what `s3reclass list` prints, S3 Inventory's reports, S3 Batch Operations manifests.
What isn't is told as None or ValueError and left to Python's csv, which takes several times as long.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

NEWLINE = b"\n"
QUOTE = b'"'

FEW_QUOTES = 16
"""Quotes are few when there are so many lines, or more, for each: then it pays to part the lines that have some."""


def part_quoted(blocks: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """
    The blocks, each with its first line's number; lines with quotes are blocks of their own where they are few.

    So a key now and then that had to be quoted doesn't hold up those around it.
    """
    for first, block in blocks:
        number, start = first, 0
        quoted = QUOTE in block and not block.startswith(QUOTE)
        if quoted and block.count(QUOTE) * FEW_QUOTES <= block.count(NEWLINE):
            while (at := block.find(QUOTE, start)) >= 0:
                cut = block.rfind(NEWLINE, start, at) + 1
                if cut:
                    yield number, block[start:cut]
                    number += block.count(NEWLINE, start, cut)
                start, end = cut or start, block.index(NEWLINE, at) + 1
                yield number, block[start:end]
                number, start = number + 1, end
        if start < len(block):
            yield number, block[start:]


def plain_columns(block: bytes, delimiter: bytes, wanted: Iterable[int]) -> Mapping[int, list[bytes]] | None:
    r"""
    The cells of the wanted columns (from 0); None when the rows aren't plain, or too narrow for these columns.

    block: whole lines, each with its `\n`, from the beginning of a row on.

    Rows are told apart by a cell that is a newline, put in at each row's end: when all those stand where they must,
    every row has the same width. Quotes are counted: when there are just those around the cells, no cell holds one.
    """
    quoted = block.startswith(QUOTE)
    quote = QUOTE if quoted else b""
    if b"\r" in block:
        if not block.count(b"\r\n") == block.count(b"\r") == block.count(NEWLINE):
            return None
        block = block.replace(b"\r\n", NEWLINE)
    if not block.endswith(quote + NEWLINE):
        return None
    between = quote + delimiter + quote
    inner = block[len(quote) : -len(quote) - 1]
    cells = inner.replace(quote + NEWLINE + quote, between + NEWLINE + between).split(between)
    cells.append(NEWLINE)
    width = cells.index(NEWLINE)
    ends = cells[width :: width + 1]
    rows = len(ends)
    if len(cells) != rows * (width + 1) or ends.count(NEWLINE) != rows:
        return None
    if quoted:
        if block.count(QUOTE) != 2 * rows * width or block.count(NEWLINE) != rows:
            return None
    elif QUOTE in block:
        return None
    columns = {column: cells[column :: width + 1] for column in wanted if column < width}
    return columns if all(column in columns for column in wanted) else None


def decode_urls(cells: Sequence[bytes]) -> list[bytes]:
    """
    The keys that S3 encoded so, decoded: `+` is a space.

    Raises ValueError for what isn't URL-encoded UTF-8, and for a key with a newline, which can't be told from two.
    """
    joined = NEWLINE.join(cells)
    if b"+" in joined:
        joined = joined.replace(b"+", b" ")
    if b"%" in joined:
        if b"\\" in joined:
            raise ValueError("a backslash stands for itself")
        # Python reads `\xd0` many times faster than anything in the standard library reads `%D0`.
        joined = joined.replace(b"%", rb"\x").decode("unicode_escape").encode("latin-1")
        joined.decode()
    keys = joined.split(NEWLINE)
    if len(keys) != len(cells):
        raise ValueError("a key holds a newline")
    return keys
