"""How a key file is to be read: as the user says, or as its first bytes show; or why it can't be. Pure."""

import io
import re
from dataclasses import dataclass, replace
from itertools import islice

from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.split.key_lines import UTF8_BOM, Kind, guess_kind
from orchestrator.split.key_sample import AS_IS, Choices, Sample, shown
from orchestrator.split.key_table import TableFormat
from orchestrator.split.not_keys import binary, not_keys
from orchestrator.split.recognise_table import recognise_table, refuse_preamble, refuse_rows
from orchestrator.split.table_shape import KEY_WORDS

SAMPLE_LINES = 2_000
DELIMITERS = {Kind.CSV: ",", Kind.TSV: "\t"}
ONE_COLUMN = "\x1f"
"""The delimiter that makes a table of one column of lines: no URL-encoded key holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """
    How a key file is read.

    table: None for a file of lines.
    notes: what the user should know.
    """

    table: TableFormat | None
    notes: tuple[str, ...] = ()


def recognise(start: bytes, *, whole: bool, name: str, bucket: str, chosen: Choices) -> Reading:
    """
    How to read the key file that begins so.

    start: its first bytes, unpacked. whole: whether these are all.
    name: of the file, for messages and for its ending.
    bucket: the bucket that the user named, or "".
    Raises S3ReclassError for what is no key file, and UsageError when flags are needed to read it, or don't fit it.
    """
    _check_bytes(start, name, chosen)
    sample = Sample(name=name, bucket=bucket, chosen=chosen, lines=_lines(start, whole=whole))
    ending = name.rpartition("/")[2]
    listed = guess_kind("", start) is Kind.CSV
    kind = Kind(chosen.kind) if chosen.kind else Kind.CSV if chosen.delimiter else guess_kind(ending, start)
    notes: list[str] = []
    if start.startswith(UTF8_BOM):
        notes.append(f"{name} begins with a byte order mark, which was taken off: no key has it")
    if listed and not chosen.kind and kind is not guess_kind(ending, b""):
        notes.append(f"{name} is what `s3reclass list` prints, and read as {kind.upper()}")
    if kind is Kind.LINES and chosen.of_tables:
        raise UsageError(f"{name} is taken for a file of lines, which has no columns: say --format csv or tsv")
    if not chosen.kind and not chosen.as_is and not listed:
        _refuse_what_is_no_list(sample)
    if kind is Kind.LINES:
        reading = _as_lines(sample)
    else:
        table = replace(chosen.table, delimiter=chosen.delimiter or DELIMITERS[kind])
        reading = Reading(table=table)
        if not listed and not chosen.as_is:
            table, told = recognise_table(sample, table)
            reading = Reading(table=table, notes=told)
    return replace(reading, notes=(*notes, *reading.notes))


def _lines(start: bytes, *, whole: bool) -> list[str]:
    """The first lines, without their ends; one that is cut off only where there is no other."""
    text = start.removeprefix(UTF8_BOM).decode(errors="replace")
    if not whole:
        text = text[: text.rfind("\n") + 1] or text
    lines = islice(io.StringIO(text, newline="\n"), SAMPLE_LINES)
    return [line.removesuffix("\n").removesuffix("\r") for line in lines]


def _check_bytes(start: bytes, name: str, chosen: Choices) -> None:
    """Raise S3ReclassError for binary files, other encodings, and lines that don't end as lines do."""
    complaint = binary(start)
    if complaint and not (chosen.as_is and "NUL bytes" in complaint):
        raise S3ReclassError(f"{name} {complaint}; nothing was written")
    if start.count(b"\r") > 1 and b"\n" not in start and not chosen.as_is:
        how = f"its lines end in \\r alone: convert it (`tr '\\r' '\\n'`), {AS_IS}"
        raise S3ReclassError(f"{name}: {how}; nothing was written")


def _refuse_what_is_no_list(sample: Sample) -> None:
    """Raise UsageError for a listing, JSON, HTML, an error message and the like."""
    found = not_keys(sample.lines)
    if found:
        raise sample.refusal(sample.lines[found.at], f"is {found.what}", found.advice)


def _as_lines(sample: Sample) -> Reading:
    """The reading as one key a line. Raises UsageError for rows of a table, and for URIs of another bucket."""
    chosen = sample.chosen
    filled = [line for line in sample.lines if line]
    prefix = ""
    if not chosen.as_is:
        if not chosen.kind:
            refuse_preamble(sample)
            refuse_rows(sample)
            _refuse_decorated(sample, filled)
        prefix = sample.uri_prefix(filled)
        if not chosen.url_encoded:
            sample.refuse_url_encoded([line.removeprefix(prefix) for line in filled])
    if not prefix and not chosen.url_encoded:
        return Reading(table=None, notes=() if chosen.as_is else _notes(filled))
    table = replace(chosen.table, delimiter=ONE_COLUMN, header=False, uri_prefix=prefix)
    return Reading(table=table, notes=(f"its lines are URIs: {prefix} was taken off",) if prefix else ())


def _refuse_decorated(sample: Sample, filled: list[str]) -> None:
    """Raise UsageError for tabs between keys, and for what other programs put around every key."""
    if sum("\t" in line for line in filled) * 2 > len(filled):
        first = next(line for line in filled if "\t" in line)
        how = "write each key on its line (`tr '\\t' '\\n'`), or say --format tsv if only column 1 is the key"
        raise sample.refusal(first, "has tabs, as `aws --output text` puts them between keys", how)
    if len(filled) > 1 and all(line.startswith("./") for line in filled):
        raise sample.refusal(filled[0], "begins with ./ as all lines do", "take ./ off (`sed 's,^\\./,,'`)")
    if len(filled) > 1 and all(re.fullmatch(r"'.*',?|\".*\",?", line) for line in filled):
        raise sample.refusal(filled[0], "stands in quotes, as all lines do", "take them off")


def _notes(filled: list[str]) -> tuple[str, ...]:
    """What is odd about keys that may well be so."""
    if len(filled) > 1 and all(line.startswith("/") for line in filled):
        return ("the keys all begin with /, as few buckets' do: / was taken for a part of each",)
    if len(filled) > 1 and filled[0].casefold() in KEY_WORDS:
        return (f"the first line was taken for the key {shown(filled[0])}: take it out if it is a header",)
    return ()
