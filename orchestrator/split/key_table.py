r"""
Key files in columns: CSV and TSV rows become lot lines. Pure.

Blocks of plain rows are cut into cells at once (`plain_rows.py`); other rows are read by
Python's csv (`table_rows.py`), some thousands at a time, and checked together. Only when a check fails are they looked
at one by one, to name the line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from orchestrator.errors import UsageError
from orchestrator.split.key_lines import (
    NEWLINE,
    Batch,
    add_prefix,
    check_bucket,
    check_not_uri,
    encode_all,
    make_batch,
    too_long,
    unreadable,
    url_encode,
)
from orchestrator.split.plain_rows import decode_urls, plain_columns
from orchestrator.split.table_rows import TableRows, height
from orchestrator.split.table_shape import KEY_WORDS
from worker.contract import MAX_KEY_BYTES

Column = int | str
"""A column by its number, from 1, or by its name in the header."""

_VERSION_ID = re.compile(r"[!#-+\--~]{1,1024}")
r"""A version id: "Unicode, UTF-8 encoded, URL-ready, opaque strings" of up to 1,024 bytes (S3 User Guide), so no
space, quote, comma, control or non-ASCII character."""

_VERSION_BYTES = bytes(byte for byte in range(128) if _VERSION_ID.fullmatch(chr(byte)))
MAX_VERSION_BYTES = 1_024


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFormat:
    """
    Which columns of a key file to take.

    delimiter: between two cells.
    key, version, bucket: the columns; None: there is none.
    header: whether the first row is a header; None: it is when a column is named.
    url_encoded: the keys are URL-encoded, as in S3 Inventory and in Batch Operations manifests.
    keep_uris: a first key that begins with `s3://<bucket>/` is meant so.
    uri_prefix: what every key begins with and is no part of it, such as `s3://<bucket>/`.
    """

    delimiter: str = ","
    key: Column = 1
    version: Column | None = None
    bucket: Column | None = None
    header: bool | None = None
    url_encoded: bool = False
    keep_uris: bool = False
    uri_prefix: str = ""

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
    uri_prefix: str

    def take_prefix(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """The keys without the prefix. Raises ValueError when one hasn't it."""
        prefix = self.uri_prefix.encode()
        if not prefix:
            return keys
        if not all(key.startswith(prefix) for key in keys):
            raise ValueError("a key is no URI, or of another bucket")
        return [key[len(prefix) :] for key in keys]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    r"""
    Some rows' keys, decoded, their versions and their buckets; None: there is no such column.

    encoded: the keys URL-encoded, with `\n` between. split: the same one by one, if at hand.
    """

    keys: Sequence[bytes]
    encoded: bytes
    split: Sequence[bytes] | None
    versions: Sequence[bytes] | None
    buckets: Sequence[bytes] | None


def read_table(chunks: Iterable[bytes], *, name: str, bucket: str, table: TableFormat) -> Iterator[Batch]:
    r"""
    The batches of a CSV or TSV file, quoted as RFC 4180 says; a quoted cell may hold newlines.

    bucket: of every key when the table has no column for it.
    Raises S3ReclassError naming the line (in the file, where the row begins) that can't be read, and
    UsageError for a column that the header doesn't have.
    """
    source = TableRows(chunks, name, table.delimiter)
    number, rows = source.take()
    header: list[str] = []
    if table.has_header and rows:
        header, number, rows = rows[0], number + height(rows[0]), rows[1:]
    columns = _find_columns(table, bucket, header, name)
    seen = False
    while rows or header:
        header = []
        batch = _table_batch(rows, number, columns, name)
        if batch.keys and not seen:
            seen = True
            at = next(index for index, row in enumerate(rows) if any(row))
            line = number + sum(map(height, rows[:at]))
            batch = replace(batch, remarks=_look_at_first(batch.first, line, table, bucket, name))
        yield batch
        while plain := _plain_batch(source.whole_block(), table.delimiter, columns) if seen else None:
            source.skip_block()
            yield plain
        number, rows = source.take()


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
        uri_prefix=table.uri_prefix,
    )


def _look_at_first(key: bytes, number: int, table: TableFormat, bucket: str, name: str) -> tuple[str, ...]:
    """
    The remarks that the first key calls for.

    Raises S3ReclassError when it is a URI, UsageError when it is the bucket: a manifest's first column, which would
    leave one key that isn't there, and all other rows as its duplicates.
    """
    if table.bucket is None and table.header is None and key.decode() == bucket:
        raise UsageError(
            f"{name}: its first column holds the bucket's name, as a manifest's does: say --bucket-column 1 "
            "--key-column 2 --url-encoded (or --no-header, if that is really a key)"
        )
    if not table.keep_uris and not table.uri_prefix:
        check_not_uri(key, bucket, name=name, number=number)
    if table.header is None and not table.has_header and key.decode().casefold() in KEY_WORDS:
        return (f"the first row was taken for the key {key.decode()!r}: say --header if it is a header",)
    return ()


def _plain_batch(block: bytes, delimiter: str, columns: _Columns) -> Batch | None:
    """The batch of a block of plain rows; None when it has others, or one that isn't as it should be."""
    wanted = (columns.key, columns.version, columns.bucket)
    found = plain_columns(block, delimiter.encode(), [index for index in wanted if index is not None])
    if not found:
        return None
    try:
        cells = columns.take_prefix(found[columns.key])
        keys = decode_urls(cells) if columns.url_encoded else cells
        joined = NEWLINE.join(keys)
        encoded = url_encode(joined)
        taken = _Taken(
            keys=keys,
            encoded=encoded,
            split=keys if encoded is joined else None,
            versions=None if columns.version is None else found[columns.version],
            buckets=None if columns.bucket is None else found[columns.bucket],
        )
        return _batch(taken, columns, blank_lines=0)
    except ValueError:
        return None


def _table_batch(rows: list[list[str]], number: int, columns: _Columns, name: str) -> Batch:
    """The batch of these rows; number: the first one's line. Raises S3ReclassError naming the first bad row's line."""
    filled = rows if all(map(any, rows)) else [row for row in rows if any(row)]
    try:
        return _batch(_take(filled, columns), columns, blank_lines=len(rows) - len(filled))
    except (IndexError, ValueError) as error:
        raise _first_complaint(rows, number, columns, name) from error


def _take(rows: list[list[str]], columns: _Columns) -> _Taken:
    """What the rows hold. Raises IndexError or ValueError when any row isn't as it should be."""

    def cells(column: int | None) -> list[bytes] | None:
        return None if column is None else [row[column].encode() for row in rows]

    keys = columns.take_prefix([row[columns.key].encode() for row in rows])
    if columns.url_encoded:
        keys = [_url_decode(key.decode()).encode() for key in keys]
    return _Taken(
        keys=keys,
        encoded=encode_all(keys),
        split=None,
        versions=cells(columns.version),
        buckets=cells(columns.bucket),
    )


def _batch(taken: _Taken, columns: _Columns, *, blank_lines: int) -> Batch:
    """The batch of what was taken of some rows. Raises ValueError when any of them isn't as it should be."""
    keys, versions, buckets = taken.keys, taken.versions, taken.buckets
    if not all(keys) or max(map(len, keys), default=0) > MAX_KEY_BYTES:
        raise ValueError("a key is empty or too long")
    if versions and (b"".join(versions).translate(None, _VERSION_BYTES) or max(map(len, versions)) > MAX_VERSION_BYTES):
        raise ValueError("a version id isn't one")
    names = {bucket.decode() for bucket in set(buckets or ())}
    if any(map(check_bucket, names)):
        raise ValueError("a bucket's name isn't one")
    lines, split = taken.encoded + NEWLINE if keys else b"", taken.split
    if keys and (versions is not None or len(names) > 1):
        several = buckets if len(names) > 1 else None
        lines, split = _beside(split or taken.encoded.split(NEWLINE), versions, several) + NEWLINE, None
    if buckets is None:
        return make_batch(lines, keys, bucket=columns.default_bucket, blank_lines=blank_lines, split=split)
    if len(names) == 1:
        lines = add_prefix(lines, buckets[0] + b",")
    batch = make_batch(lines, keys, bucket="", blank_lines=blank_lines)
    return replace(batch, buckets=frozenset(names))


def _beside(keys: Sequence[bytes], versions: Sequence[bytes] | None, buckets: Sequence[bytes] | None) -> bytes:
    r"""Lines of bucket, key and version, with `\n` between; an empty version is left out."""
    columns = [column for column in (buckets, keys, versions) if column is not None]
    lines = list(map(b",".join, zip(*columns, strict=True)))
    if versions is not None and not all(versions):
        lines = [line if version else line[:-1] for line, version in zip(lines, versions, strict=True)]
    return NEWLINE.join(lines)


def _url_decode(text: str) -> str:
    """The key that S3 encoded so: like the listings' `encoding-type=url`, with `+` for a space and `%2B` for `+`."""
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text


def _first_complaint(rows: list[list[str]], number: int, columns: _Columns, name: str) -> Exception:
    """The error for the first of these rows that isn't as it should be."""
    for row in rows:
        complaint = _complaint(row, columns) if any(row) else ""
        if complaint:
            return unreadable(name, number, complaint)
        number += height(row)
    raise AssertionError("a check of many rows failed, and none of them alone")


def _complaint(row: list[str], columns: _Columns) -> str:
    """What is wrong with a row, or ""."""
    wanted = {"key": columns.key, "version": columns.version, "bucket": columns.bucket}
    for word, index in wanted.items():
        if index is not None and index >= len(row):
            return f"it has no column {index + 1} for the {word}, only {len(row)}"
    if columns.bucket is not None and check_bucket(row[columns.bucket]):
        return check_bucket(row[columns.bucket])
    complaint = _key_complaint(row[columns.key], columns)
    version = "" if columns.version is None else row[columns.version]
    if not complaint and version and not _VERSION_ID.fullmatch(version):
        return f"{version[:100]!r} is no version id"
    return complaint


def _key_complaint(cell: str, columns: _Columns) -> str:
    """What is wrong with a key's cell, or ""."""
    if not cell.startswith(columns.uri_prefix):
        return f"{cell[:100]!r} doesn't begin with {columns.uri_prefix}, as the keys before it do"
    key = cell.removeprefix(columns.uri_prefix)
    try:
        key = _url_decode(key) if columns.url_encoded else key
    except UnicodeDecodeError:
        return f"its key isn't URL-encoded UTF-8: {key[:100]!r}"
    if not key:
        return "its key is empty"
    return too_long(len(key.encode())) if len(key.encode()) > MAX_KEY_BYTES else ""
