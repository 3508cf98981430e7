r"""
Key files in columns: CSV and TSV rows become lot lines.

Pure, like `keyfile.py`. Rows are handled some thousands at a time and checked together; only when a
check fails are they looked at one by one, to name the line.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from urllib.parse import unquote_plus

from orchestrator.errors import UsageError
from orchestrator.planning.keyfile import (
    NEWLINE,
    Batch,
    check_bucket,
    check_not_uri,
    decode,
    describe_batch,
    line_blocks,
    make_batch,
    too_long,
    unreadable,
    url_encode,
)
from worker.contract import MAX_KEY_BYTES

Column = int | str
"""A column by its number, from 1, or by its name in the header."""

ROWS_PER_BATCH = 8_192
MAX_LINE_BYTES = 1 << 20
SEPARATOR = b"\xff"
"""A byte that no UTF-8 holds, so that keys with newlines can stand side by side."""

_VERSION_ID = re.compile(r"[!#-+\--~]{1,1024}")
r"""A version id: "Unicode, UTF-8 encoded, URL-ready, opaque strings" of up to 1,024 bytes (S3 User Guide), so no
space, quote, comma, control or non-ASCII character."""

_HEADER_WORDS = {"key", "keys", "object_key", "objectkey", "object key", "s3_key"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFormat:
    """
    Which columns of a key file to take.

    delimiter: between two cells.
    key, version, bucket: the columns; None: there is none.
    header: whether the first row is a header; None: it is when a column is named.
    url_encoded: the keys are URL-encoded, as in S3 Inventory and in Batch Operations manifests.
    keep_uris: a first key that begins with `s3://<bucket>/` is meant so.
    """

    delimiter: str = ","
    key: Column = 1
    version: Column | None = None
    bucket: Column | None = None
    header: bool | None = None
    url_encoded: bool = False
    keep_uris: bool = False

    @property
    def has_header(self) -> bool:
        """Whether the first row is a header. Raises UsageError when columns are named and no header is there."""
        named = any(isinstance(column, str) for column in (self.key, self.version, self.bucket))
        if named and self.header is False:
            raise UsageError("--no-header and a column given by name don't go together: give the column's number")
        return named or bool(self.header)


def parse_column(text: str) -> Column:
    """The column that a flag's value names: a number from 1, or a name. Raises UsageError for 0 and for nothing."""
    if not text or (text.isdecimal() and int(text) == 0):
        raise UsageError(f"{text!r} is no column: give its name, or its number, from 1")
    return int(text) if text.isdecimal() else text


@dataclass(frozen=True, kw_only=True, slots=True)
class _Columns:
    """The columns' indexes, from 0, and the bucket of rows that don't name one."""

    key: int
    version: int | None
    bucket: int | None
    default_bucket: str
    url_encoded: bool


def read_table(chunks: Iterable[bytes], *, name: str, bucket: str, table: TableFormat) -> Iterator[Batch]:
    r"""
    The batches of a CSV or TSV file, quoted as RFC 4180 says; a quoted cell may hold newlines.

    bucket: of every key when the table has no column for it.
    Raises S3ReclassError naming the line (in the file, where the row begins) that can't be read, and
    UsageError for a column that the header doesn't have.
    """
    row_batches = _row_batches(chunks, name, table.delimiter)
    header: list[str] = []
    if table.has_header:
        number, rows = next(row_batches, (1, []))
        header, rest = (rows[0], rows[1:]) if rows else ([], [])
        row_batches = chain([(number + _height(header), rest)], row_batches)
    columns = _find_columns(table, bucket, header, name)
    seen = False
    for number, rows in row_batches:
        batch = _table_batch(rows, number, columns, name)
        if batch.keys and not seen:
            seen = True
            at = next(index for index, row in enumerate(rows) if any(row))
            line = number + sum(map(_height, rows[:at]))
            batch = replace(batch, remarks=_look_at_first(batch.first, line, table, bucket, name))
        yield batch


def _row_batches(chunks: Iterable[bytes], name: str, delimiter: str) -> Iterator[tuple[int, list[list[str]]]]:
    """The rows, some thousands at a time, each time with the line that the first of them begins on."""
    blocks = line_blocks(chunks, name=name, max_line_bytes=MAX_LINE_BYTES)
    # newline="\n": other characters that could end a line belong to their cell.
    lines = chain.from_iterable(io.StringIO(decode(block, at, name), newline="\n") for at, block in blocks)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number, rows = reader.line_num + 1, list[list[str]]()
        try:
            rows.extend(islice(reader, ROWS_PER_BATCH))
        except csv.Error as error:
            yield number, rows  # an error in an earlier row is told first
            raise unreadable(name, number + sum(map(_height, rows)), _explain(error)) from error
        if not rows:
            return
        yield number, rows


def _height(row: Sequence[str]) -> int:
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


def _find_columns(table: TableFormat, bucket: str, header: Sequence[str], name: str) -> _Columns:
    """The columns' indexes. Raises UsageError for a name that the header doesn't have, or has twice."""

    def index(column: Column) -> int:
        if isinstance(column, int):
            return column - 1
        found = [at for at, cell in enumerate(header) if cell.strip() == column]
        if len(found) != 1:
            how_often = "twice" if found else "not"
            raise UsageError(
                f"{name}: the column {column!r} is {how_often} in its first row ({', '.join(header)[:200]}): "
                "give the column's number"
            )
        return found[0]

    return _Columns(
        key=index(table.key),
        version=None if table.version is None else index(table.version),
        bucket=None if table.bucket is None else index(table.bucket),
        default_bucket=bucket,
        url_encoded=table.url_encoded,
    )


def _look_at_first(key: bytes, number: int, table: TableFormat, bucket: str, name: str) -> tuple[str, ...]:
    """The remarks that the first key calls for. Raises S3ReclassError when it is a URI."""
    if not table.keep_uris:
        check_not_uri(key, bucket, name=name, number=number)
    if table.header is None and not table.has_header and key.decode().casefold() in _HEADER_WORDS:
        return (f"the first row was taken for the key {key.decode()!r}: say --header if it is a header",)
    return ()


def _table_batch(rows: list[list[str]], number: int, columns: _Columns, name: str) -> Batch:
    """The batch of these rows; number: the first one's line. Raises S3ReclassError naming the first bad row's line."""
    filled = rows if all(map(any, rows)) else [row for row in rows if any(row)]
    try:
        keys, versions, buckets = _take(filled, columns)
    except (IndexError, ValueError) as error:
        raise _first_complaint(rows, number, columns, name) from error
    joined, blank = SEPARATOR.join(keys), len(rows) - len(filled)
    if not keys or (versions is None and buckets is None):
        return make_batch(keys, joined, SEPARATOR, bucket=columns.default_bucket, blank_lines=blank)
    buckets = [columns.default_bucket] * len(keys) if buckets is None else buckets
    cells = zip(
        buckets,
        url_encode(joined, SEPARATOR).replace(SEPARATOR, NEWLINE).decode().split("\n"),
        [""] * len(keys) if versions is None else versions,
        strict=True,
    )
    lines = "".join(f"{own},{key},{version}\n" if version else f"{own},{key}\n" for own, key, version in cells)
    return describe_batch(lines.encode(), keys, buckets=buckets, blank_lines=blank)


def _take(rows: list[list[str]], columns: _Columns) -> tuple[list[bytes], list[str] | None, list[str] | None]:
    """
    The rows' keys, versions and buckets; None: there is no such column.

    Raises IndexError or ValueError when any row isn't as it should be.
    """
    texts = [row[columns.key] for row in rows]
    if columns.url_encoded:
        texts = [_url_decode(text) for text in texts]
    keys = [text.encode() for text in texts]
    if not all(keys) or max(map(len, keys), default=0) > MAX_KEY_BYTES:
        raise ValueError("a key is empty or too long")
    versions = None if columns.version is None else [row[columns.version] for row in rows]
    if versions and not all(map(_VERSION_ID.fullmatch, filter(None, versions))):
        raise ValueError("a version id isn't one")
    buckets = None if columns.bucket is None else [row[columns.bucket] for row in rows]
    if buckets and any(map(check_bucket, set(buckets))):
        raise ValueError("a bucket's name isn't one")
    return keys, versions, buckets


def _url_decode(text: str) -> str:
    """The key that S3 encoded so: like the listings' `encoding-type=url`, with `+` for a space and `%2B` for `+`."""
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


def _first_complaint(rows: list[list[str]], number: int, columns: _Columns, name: str) -> Exception:
    """The error for the first of these rows that isn't as it should be."""
    for row in rows:
        complaint = _complaint(row, columns) if any(row) else ""
        if complaint:
            return unreadable(name, number, complaint)
        number += _height(row)
    raise AssertionError("a check of many rows failed, and none of them alone")


def _complaint(row: list[str], columns: _Columns) -> str:
    """What is wrong with a row, or ""."""
    wanted = {"key": columns.key, "version": columns.version, "bucket": columns.bucket}
    for word, index in wanted.items():
        if index is not None and index >= len(row):
            return f"it has no column {index + 1} for the {word}, only {len(row)}"
    if columns.bucket is not None and check_bucket(row[columns.bucket]):
        return check_bucket(row[columns.bucket])
    try:
        key = _url_decode(row[columns.key]) if columns.url_encoded else row[columns.key]
    except UnicodeDecodeError:
        return f"its key isn't URL-encoded UTF-8: {row[columns.key][:100]!r}"
    if not key:
        return "its key is empty"
    if len(key.encode()) > MAX_KEY_BYTES:
        return too_long(len(key.encode()))
    version = "" if columns.version is None else row[columns.version]
    return f"{version[:100]!r} is no version id" if version and not _VERSION_ID.fullmatch(version) else ""
