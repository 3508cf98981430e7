"""The columns of a CSV or TSV key file: those that the user names, or that its header or its shape shows. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace

from orchestrator.split.key_sample import Sample, shown
from orchestrator.split.key_table import Column, TableFormat
from orchestrator.split.table_shape import Rows, Shape, is_table, shape_of

DELIMITERS = (",", "\t", ";", "|")
_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


def recognise_table(sample: Sample, table: TableFormat) -> tuple[TableFormat, tuple[str, ...]]:
    """
    How to read a table, and what the user should know.

    table: the format as the user said it.
    Raises UsageError where flags are needed: nothing is guessed that would leave a bucket or a version out.
    """
    refuse_preamble(sample)
    rows = rows_of(sample.lines, table.delimiter)
    if not rows:
        return table, ()
    _refuse_other_delimiter(sample, rows, table.delimiter)
    shape = shape_of(rows, sample.bucket, has_header=table.has_header or table.header)
    table, notes = _take_shape(sample, table, shape, rows)
    keys = _cells(rows, table)
    prefix = sample.uri_prefix(keys) if table.bucket is None else ""
    if not table.url_encoded:
        sample.refuse_url_encoded(keys)
    told = (f"its keys are URIs: {prefix} was taken off",) if prefix else ()
    return replace(table, uri_prefix=prefix), (*notes, *told)


def _take_shape(sample: Sample, table: TableFormat, shape: Shape, rows: Rows) -> tuple[TableFormat, tuple[str, ...]]:
    """The format with what the shape shows and the user left open."""
    chosen = sample.chosen
    named = chosen.key_column is not None or chosen.bucket_column is not None
    if table.header is False and not named and not shape.report:
        return table, ()
    notes: tuple[str, ...] = ()
    if shape.header and not table.has_header:
        table = replace(table, header=True)
        notes = (f"the first row is a header ({shown(', '.join(shape.header))}): say --no-header if it isn't",)
    if not named and (shape.report or shape.header):
        if shape.key is None and (shape.bucket is not None or chosen.header is None):
            names = "is a header, and none of its names is known for the key's"
            raise sample.refusal(shape.header[0], names, "say --header --key-column N")
        taken = replace(shape, version=None if table.version is not None else shape.version)
        return _with_columns(table, taken), (*notes, f"the columns are taken as{column_flags(taken)}")
    if not named and shape.bucket is not None:
        what = "is the bucket's name, as in a manifest"
        raise sample.refusal(rows[0][0], what, f"say{column_flags(shape)}")
    _refuse_other_buckets(sample, table, shape, rows)
    return _with_version(sample, table, shape, rows), notes


def _with_columns(table: TableFormat, shape: Shape) -> TableFormat:
    """The format with the shape's columns; keys in a report are URL-encoded."""
    return replace(
        table,
        key=_number(shape.key) or 1,
        bucket=_number(shape.bucket),
        version=_number(shape.version) or table.version,
        url_encoded=table.url_encoded or shape.report,
    )


def _number(index: int | None) -> int | None:
    return None if index is None else index + 1


def _with_version(sample: Sample, table: TableFormat, shape: Shape, rows: Rows) -> TableFormat:
    """
    The format with a report's version ids, and with a version's column that is empty so far.

    Raises UsageError for version ids that no flag names: they are never dropped in silence.
    """
    if table.version is not None or shape.version is None:
        return table
    filled = [row[shape.version] for row in _body(rows, table) if shape.version < len(row) and row[shape.version]]
    if filled and not shape.report:
        number = shape.version + 1
        raise sample.refusal(filled[0], f"in column {number} is a version's id", f"say --version-column {number} too")
    return replace(table, version=shape.version + 1)


def _refuse_other_buckets(sample: Sample, table: TableFormat, shape: Shape, rows: Rows) -> None:
    """Raise UsageError when the header names a bucket's column, the user doesn't, and other buckets are in it."""
    at = shape.bucket
    if table.bucket is not None or at is None or not (shape.header or shape.report):
        return
    other = next((row[at] for row in _body(rows, table) if at < len(row) and row[at] not in {sample.bucket, ""}), None)
    if other:
        raise sample.refusal(other, "is another bucket", f"say --bucket-column {at + 1} too")


def _body(rows: Rows, table: TableFormat) -> Rows:
    return rows[1:] if table.has_header else rows


def _cells(rows: Rows, table: TableFormat) -> list[str]:
    """The cells of the key's column; none where the header lacks it."""
    at = _index(rows[0], table.key)
    return [row[at] for row in _body(rows, table) if at < len(row)]


def _index(header: Sequence[str], column: Column) -> int:
    if isinstance(column, int):
        return column - 1
    names = [cell.strip() for cell in header]
    return names.index(column) if column in names else len(names) + 1


def refuse_preamble(sample: Sample) -> None:
    """Raise UsageError for a line that Excel or PowerShell puts before the table."""
    filled = [line for line in sample.lines if line.strip()]
    excel = _EXCEL.fullmatch(filled[0]) if filled else None
    if excel or (filled and re.match(r'"?#TYPE ', filled[0])):
        whose, delimiter = ("Excel's", excel[1]) if excel else ("PowerShell's", ",")
        rows = rows_of(filled[1:], delimiter)
        flags = format_flags(delimiter) + (column_flags(shape_of(rows, sample.bucket)) if rows else "")
        how = f"take that line off (`tail -n +2`), and say {flags}"
        raise sample.refusal(filled[0], f"is a line of {whose}, before the table", how)


def refuse_rows(sample: Sample) -> None:
    """Raise UsageError when the lines of a file that is no table by its name are rows of one."""
    _refuse_delimiters(sample, DELIMITERS, "is a row of a table")


def _refuse_other_delimiter(sample: Sample, rows: Rows, delimiter: str) -> None:
    """Raise UsageError when a table isn't cut by its delimiter and is by another."""
    if sample.chosen.delimiter is None and all(len(row) == 1 for row in rows):
        others = [other for other in DELIMITERS if other != delimiter]
        _refuse_delimiters(sample, others, "is cut into cells by another character")


def _refuse_delimiters(sample: Sample, delimiters: Sequence[str], what: str) -> None:
    for delimiter in delimiters:
        rows = rows_of(sample.lines, delimiter)
        if rows and is_table(rows):
            first = next(line for line in sample.lines if line.strip())
            flags = format_flags(delimiter) + column_flags(shape_of(rows, sample.bucket))
            raise sample.refusal(first, what, f"say {flags}")


def rows_of(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """The filled rows of these lines, up to the first that isn't CSV."""
    rows: list[list[str]] = []
    text = io.StringIO("".join(f"{line}\n" for line in lines), newline="\n")
    try:
        rows.extend(row for row in csv.reader(text, delimiter=delimiter, strict=True) if any(row))
    except csv.Error:
        return rows  # a quoted cell may be cut off where the sample ends; the reader tells what is wrong
    return rows


def format_flags(delimiter: str) -> str:
    """The flags for a table with this delimiter."""
    if delimiter == "\t":
        return "--format tsv"
    return "--format csv" + ("" if delimiter == "," else f" --delimiter '{delimiter}'")


def column_flags(shape: Shape) -> str:
    """The flags that name these columns, with a space before each."""
    columns = (("bucket", shape.bucket), ("key", shape.key), ("version", shape.version))
    flags = [" --header"] if shape.header else []
    flags += [f" --{word}-column {index + 1}" for word, index in columns if index is not None]
    manifest = shape.bucket is not None and not shape.header
    return "".join(flags) + (" --url-encoded" if manifest or shape.report else "")
