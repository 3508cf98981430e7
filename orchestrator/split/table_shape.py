"""What the columns of a table hold, told from its first rows. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.split.key_lines import check_bucket

Rows = Sequence[Sequence[str]]

KEY_WORDS = {
    *("key", "keys", "object_key", "objectkey", "object key", "s3_key", "s3key", "object", "object_name", "name"),
    *("file", "filename", "file_name", "path", "uri", "url", "s3_uri", "s3uri"),
    *("chave", "clave", "clé", "cle", "schlüssel", "chiave", "sleutel", "ключ", "キー", "键", "nome", "nombre"),
}
_BUCKET_WORDS = {"bucket", "buckets", "bucket_name", "bucketname", "bucket name", "s3_bucket", "s3bucket"}
_VERSION_WORDS = {"version", "versionid", "version_id", "version id", "object_version", "object_version_id"}
_OTHER_WORDS = {
    *("size", "sizebytes", "size_bytes", "etag", "storageclass", "storage_class", "storage class", "lastmodified"),
    *("last_modified", "last modified", "last_modified_date", "lastmodifieddate", "last modified date", "owner"),
    *("islatest", "is_latest", "isdeletemarker", "is_delete_marker", "delete_marker", "taskstatus", "task_status"),
    *("errorcode", "error_code", "httpstatuscode", "resultmessage", "outcome", "verdict", "ismultipartuploaded"),
    *("is_multipart_uploaded", "replicationstatus", "replication_status", "encryptionstatus", "encryption_status"),
}

_NUMBER = re.compile(r"-?\d+([.,]\d+)*")
_DATE = re.compile(r"\d{4}[-/]\d\d[-/]\d\d([T ].*)?|\d\d?[/.]\d\d?[/.]\d{4}( .*)?")
_CLASS = re.compile(
    r"STANDARD|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|GLACIER_IR|DEEP_ARCHIVE|REDUCED_REDUNDANCY|OUTPOSTS|SNOW"
    r"|EXPRESS_ONEZONE"
)
_ETAG = re.compile(r'"?[0-9a-f]{32}(-\d+)?"?')
_YES_NO = re.compile(r"(?i)true|false")
_ATTRIBUTES = (_NUMBER, _DATE, _CLASS, _ETAG, _YES_NO)

_VERSION = re.compile(r"null|(?=\S*[A-Z])(?=\S*[a-z])[A-Za-z0-9._+/-]{30,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How version ids look where no header says so: S3's are long and of mixed case, other servers' are UUIDs."""

_TASK_STATUS = {"succeeded", "failed", "pending"}
_VERDICTS = {"differs", "other-class", "missing", "denied", "error"}
_REPORT_COLUMNS = 6
"""Columns of the shortest report, `verify`'s. Each report begins with bucket, key, version id and a status."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """
    What a table holds.

    header: the first row's cells when it is a header, else ().
    key, bucket, version: the columns' indexes, None for one that isn't seen.
    report: whether it is an S3 Batch Operations completion report, or one of ours.
    """

    header: tuple[str, ...] = ()
    key: int | None = None
    bucket: int | None = None
    version: int | None = None
    report: bool = False


def shape_of(rows: Rows, bucket: str, *, has_header: bool | None = None) -> Shape:
    """
    The shape of a table that begins with these rows, none of them empty.

    bucket: the bucket that the user named, or "".
    has_header: whether the first row is a header, where the user said so.
    """
    header = _header(rows) if has_header is None else tuple(rows[0]) if has_header else ()
    body = rows[1:] if header else rows
    width = min(map(len, body), default=0)
    report = _is_report(body, width)
    if header:
        found = {word: _find(header, words) for word, words in _ROLES.items()}
        version = found["version"]
        if version is None:
            version = _version_column(body, width, found["key"])
        return Shape(header=header, key=found["key"], bucket=found["bucket"], version=version, report=report)
    if report:
        return Shape(bucket=0, key=1, version=2, report=True)
    if width > 1 and _is_bucket_column(body, bucket):
        version = 2 if width == 3 and not _is_attribute(body, 2) else _version_column(body, width, 1)  # noqa: PLR2004 (bucket, key and version id)
        return Shape(bucket=0, key=1, version=version)
    return Shape(key=0, version=_version_column(body, width, 0))


_ROLES = {"key": KEY_WORDS, "bucket": _BUCKET_WORDS, "version": _VERSION_WORDS}


def _is_header(row: Sequence[str]) -> bool:
    """Whether these cells are names of columns that people give: a key's or a bucket's, beside another."""
    words = [_word(cell) for cell in row]
    known = sum(any(word in some for some in (*_ROLES.values(), _OTHER_WORDS)) for word in words)
    return known > 1 and any(word in KEY_WORDS or word in _BUCKET_WORDS for word in words)


def _header(rows: Rows) -> tuple[str, ...]:
    """The first row if it is a header: by its words, or as no column of numbers, dates and the like begins so."""
    if not rows:
        return ()
    first, body = rows[0], rows[1:]
    if _is_header(first):
        return tuple(cell.strip() for cell in first)
    wordlike = all(re.fullmatch(r"[^\W\d][\w ()-]*", cell.strip()) for cell in first)
    if wordlike and body and len(set(map(len, rows))) == 1:
        columns = range(len(first)) if len(first) > 1 else ()
        named = any(_word(cell) in KEY_WORDS for cell in first)
        if any(_is_attribute(body, at) and not _is_attribute([first], at) for at in columns) and (
            named or len(body) > 1
        ):
            return tuple(cell.strip() for cell in first)
    return ()


def _word(cell: str) -> str:
    return cell.strip().casefold().lstrip("\ufeff")


def _find(header: Sequence[str], words: set[str]) -> int | None:
    """The one column of these names; a key's plain name wins over others that could be it."""
    found = [at for at, cell in enumerate(header) if _word(cell) in words]
    plain = [at for at in found if _word(header[at]) in {"key", "bucket", "version_id", "versionid"}]
    return next(iter(plain or found), None)


def _all(rows: Rows, column: int, test: Callable[[str], object]) -> bool:
    """Whether every filled cell of a column is so, and there is one."""
    cells = [row[column] for row in rows if column < len(row) and row[column]]
    return bool(cells) and all(map(test, cells))


def _is_attribute(rows: Rows, column: int) -> bool:
    return any(_all(rows, column, shape.fullmatch) for shape in _ATTRIBUTES)


def is_table(rows: Rows) -> bool:
    """Whether rows, of a file that no name calls a table, surely are one: a header, a bucket or sizes say so."""
    width = len(rows[0])
    if width == 1 or any(len(row) != width for row in rows):
        return False
    if _is_report(rows, width) or _header(rows):
        return True
    # A comma with a space behind it is a sentence's, as in `reel, 1`: programs write none.
    several = len(rows) > 1 and not any(cell.startswith(" ") for row in rows for cell in row[1:])
    attributes = any(_is_attribute(rows, at) for at in range(1, width))
    return several and (attributes or _is_bucket_column(rows, "") or _version_column(rows, width, 0) is not None)


def _is_report(rows: Rows, width: int) -> bool:
    return (
        width >= _REPORT_COLUMNS
        and (_all(rows, 3, _TASK_STATUS.__contains__) or _all(rows, 3, _VERDICTS.__contains__))
        and _all(rows, 0, _may_be_bucket)
    )


def _may_be_bucket(cell: str) -> bool:
    return not check_bucket(cell)


def _is_bucket_column(rows: Rows, bucket: str) -> bool:
    """Whether the first column holds the user's bucket, or one and the same that may be a bucket in all of several."""
    names = {row[0] for row in rows if row}
    if len(names) != 1 or not _may_be_bucket(*names):
        return False
    others = {row[1] for row in rows}
    return names == {bucket} or (len(rows) > 1 and len(others) > 1 and not _is_attribute(rows, 1))


def _version_column(rows: Rows, width: int, key: int | None) -> int | None:
    """The column of what looks like version ids, the one beside the key first; `null` is one there alone."""
    beside = (key or 0) + 1
    columns = sorted((at for at in range(width) if at != key), key=lambda at: at != beside)
    found = (at for at in columns if _all(rows, at, _VERSION.fullmatch))
    return next((at for at in found if at == beside or not _all(rows, at, "null".__eq__)), None)
