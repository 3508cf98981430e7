"""
The two kinds of line that travel: lot lines and result rows. Pure.

Lots are S3 Batch Operations CSV manifests and result parts are in the format of its completion reports
(with our columns after S3's), so that tools which know those know ours:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from worker.contract.outcomes import OUTCOMES, ContractError, Outcome, Phase

MAX_LINE_BYTES = 16 * 1024
"""More than any lot line takes: a key of 1,024 bytes, each of them `%XX`, a bucket, a version id."""

COPY_DIFFERS = "CopyDiffers"
"""The error code of a copy that was made and found to differ from the object: ours, no word of S3's."""

MAX_KEY_BYTES = 1024
"""The longest key S3 takes, in bytes of UTF-8 (S3 User Guide, "Naming Amazon S3 objects", 2026-11)."""

MAX_DIGITS = 15
"""Digits of a size in bytes or a status, at most: the largest object has 14 (S3 User Guide, 50 TB; 2026-11)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LotEntry:
    """
    One line of a lot.

    bucket: the bucket's name.
    key: the object's key, decoded.
    version_id: the version to work on, or "" for the current one.
    """

    bucket: str
    key: str
    version_id: str = ""


def encode_key(key: str) -> str:
    """The key as a lot line and a result row carry it: URL-encoded, `/` kept."""
    return quote(key, safe="/")


def format_lot_line(entry: LotEntry) -> str:
    r"""The entry as one line of an S3 Batch Operations CSV manifest, `\n` included."""
    version = f",{entry.version_id}" if entry.version_id else ""
    return f"{entry.bucket},{encode_key(entry.key)}{version}\n"


def parse_lot_line(line: str) -> LotEntry:
    r"""
    The entry that one manifest line stands for; fields may be quoted, as S3 Inventory quotes them.

    line: without its `\n`.
    Raises ContractError on anything else than two or three fields, an empty bucket or key, or a key
    that isn't URL-encoded UTF-8.
    """
    try:
        fields = next(csv.reader([line], strict=True), []) if '"' in line else line.rstrip("\r").split(",")
    except csv.Error as error:
        raise ContractError(f"not a line of CSV ({error}): {line[:200]!r}") from error
    if len(fields) not in (2, 3) or not fields[0] or not fields[1]:
        raise ContractError(f"not a manifest line (bucket,key or bucket,key,version_id): {line[:200]!r}")
    try:
        key = unquote(fields[1], errors="strict") if "%" in fields[1] else fields[1]
    except UnicodeDecodeError as error:
        raise ContractError(f"the key isn't URL-encoded UTF-8: {line[:200]!r}") from error
    return LotEntry(bucket=fields[0], key=key, version_id=fields[2] if len(fields) == 3 else "")  # noqa: PLR2004 (bucket, key, version)


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    r"""
    The lines in a stream of chunks, without their `\n`; one of over MAX_LINE_BYTES is the last.

    Only `\n` ends a line: bytes.splitlines would cut at `\r` too.
    """
    rest = b""
    for chunk in chunks:
        # One by one: a list of a chunk's lines would take several times its size.
        lines, rest = io.BytesIO(rest + chunk), b""
        for line in lines:
            if line.endswith(b"\n"):
                yield line[:-1]
            else:
                rest = line
        if len(rest) > MAX_LINE_BYTES:
            break
    if rest:
        yield rest


def parse_lot(chunks: Iterable[bytes]) -> Iterator[LotEntry]:
    """The entries in a lot's bytes, in order. Raises ContractError, naming the line, where one isn't a lot's."""
    for number, line in enumerate(split_lines(chunks), start=1):
        if len(line) > MAX_LINE_BYTES:
            raise ContractError(f"line {number}: over {MAX_LINE_BYTES:,} bytes long")
        try:
            entry = parse_lot_line(line.decode())
        except UnicodeDecodeError as error:
            raise ContractError(f"line {number}: not UTF-8") from error
        except ContractError as error:
            raise ContractError(f"line {number}: {error}") from error
        yield entry


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRow:
    """
    What became of one key in one attempt.

    entry: the lot's line.
    outcome: one word of the phase's table.
    error_code: S3's error code, or "".
    http_status: S3's HTTP status, or None when S3 wasn't asked or didn't answer.
    message: a sentence for people.
    size_bytes: the object's size, or None when it wasn't looked at.
    new_version_id: the version that a copy made on a versioned bucket, or "".
    """

    entry: LotEntry
    outcome: Outcome
    error_code: str = ""
    http_status: int | None = None
    message: str = ""
    size_bytes: int | None = None
    new_version_id: str = ""


RESULT_COLUMNS = (
    "Bucket",
    "Key",
    "VersionId",
    "TaskStatus",
    "ErrorCode",
    "HTTPStatusCode",
    "ResultMessage",
    "Outcome",
    "SizeBytes",
    "NewVersionId",
)
"""S3's seven columns in the order of the completion report's schema, then ours."""

MAX_TEXT = 2_000
"""
The longest error code or message of a row, in characters: an answer's may be a whole page or many megabytes of it.

Python's csv module refuses to read a cell of more than 131,072 characters (csv.field_size_limit): one such row would
make the part unreadable.
"""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def result_fields(row: ResultRow) -> tuple[str, ...]:
    """The row's cells, in the order of RESULT_COLUMNS; a message is kept on one line, and cut off at MAX_TEXT."""
    return (
        row.entry.bucket,
        encode_key(row.entry.key),
        row.entry.version_id,
        row.outcome.status.value,
        row.error_code[:MAX_TEXT],
        "" if row.http_status is None else str(row.http_status),
        _CONTROL.sub(" ", row.message[:MAX_TEXT]),
        row.outcome.value,
        "" if row.size_bytes is None else str(row.size_bytes),
        row.new_version_id,
    )


def format_result_rows(rows: Iterable[ResultRow]) -> str:
    r"""A result part: one line for each row, `\n` at each end, no header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(result_fields, rows))
    return text.getvalue()


def parse_result_rows(text: str, phase: Phase | None = None) -> Iterator[ResultRow]:
    """
    Each row of a result part, in order.

    phase: the one that the part is of; None for any.
    Raises ContractError, naming the line, for a row that isn't in the format or tells of another phase.
    """
    try:
        for number, fields in enumerate(csv.reader(io.StringIO(text, newline="")), start=1):
            row = _parse_result_fields(number, fields)
            if phase and row.outcome not in OUTCOMES[phase]:
                raise ContractError(f"line {number}: {row.outcome} is no outcome of the {phase} phase")
            yield row
    except csv.Error as error:
        raise ContractError(f"not CSV: {error}") from error


def _count(cell: str) -> int:
    """The whole number in a cell. Raises ValueError for what isn't just digits, and not too many."""
    if not (cell.isascii() and cell.isdigit() and len(cell) <= MAX_DIGITS):
        raise ValueError(f"no whole number: {cell[:20]!r}")
    return int(cell)


def _parse_result_fields(number: int, fields: list[str]) -> ResultRow:
    """The row that the cells of line `number` hold. Raises ContractError when they hold none."""
    try:
        bucket, key, version, status, code, http, message, outcome, size, new_version = fields
        row = ResultRow(
            entry=LotEntry(bucket=bucket, key=unquote(key, errors="strict"), version_id=version),
            outcome=Outcome(outcome),
            error_code=code,
            http_status=_count(http) if http else None,
            message=message,
            size_bytes=_count(size) if size else None,
            new_version_id=new_version,
        )
    except ValueError as error:
        raise ContractError(f"line {number} is not a result row: {','.join(fields)[:200]!r}") from error
    if status != row.outcome.status:
        raise ContractError(f"line {number}: {outcome} is not a {status} outcome")
    return row
