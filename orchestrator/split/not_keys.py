r"""
What is no list of keys, known by its first bytes or lines: binary files, other encodings, listings, JSON. Pure.

A shape is named only where its own mark is seen. Text that merely looks odd is left to be keys.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1", "Arrow (Feather)"),
    (b"FEA1", "Feather"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"%PDF-", "PDF"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
    (b"\xff\x06\0\0sNaPpY", "packed with snappy"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x9d", "packed with compress"),
    (b"\x1f\x8b", "packed with gzip twice"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x7fELF", "a program"),
)
"""How binary formats begin, each as its own specification says. Marks that are text count in binary files alone."""

_ZIPPED = (
    (b"xl/", "an Excel workbook (.xlsx)"),
    (b"[Content_Types].xml", "an Office document (.xlsx, .docx)"),
    (b"mimetypeapplication/vnd.oasis.opendocument", "an OpenDocument spreadsheet (.ods)"),
)

_SAVE_AS_CSV = "save it as CSV in UTF-8, and split that"
_UNPACK = "unpack it (s3reclass unpacks gzip alone), and split what is in it"
_TABLES = "write its key column out as CSV (Athena, DuckDB or pandas can), and split that"
_ADVICE = (
    (("Parquet", "ORC", "Avro", "Arrow", "Feather", "a SQLite"), _TABLES),
    (("packed", "a 7-Zip", "a RAR", "a zip", "a tar"), _UNPACK),
    (("an Excel", "an Office", "an OpenDocument"), _SAVE_AS_CSV),
)

_UTF16 = "is UTF-16, and a key file is UTF-8: convert it (`iconv -f UTF-16{} -t UTF-8`)"
_BOMS = (
    (b"\xff\xfe\0\0", "is UTF-32, and a key file is UTF-8: convert it (`iconv -f UTF-32 -t UTF-8`)"),
    (b"\0\0\xfe\xff", "is UTF-32, and a key file is UTF-8: convert it (`iconv -f UTF-32 -t UTF-8`)"),
    (b"\xff\xfe", _UTF16.format("")),
    (b"\xfe\xff", _UTF16.format("")),
)

_CONTROL = bytes([*range(1, 9), 11, 12, *range(14, 27), *range(28, 32)])


def binary(start: bytes) -> str:
    """What a file with these first bytes is and what to do, where it is binary or of another encoding; else ""."""
    for mark, complaint in _BOMS:
        if start.startswith(mark):
            return complaint
    is_text = _is_text(start)
    if start.startswith(b"PK\x03\x04"):
        return _named(next((what for mark, what in _ZIPPED if mark in start), "a zip archive"))
    if start[257:262] == b"ustar" and b"\0" in start[:257]:
        return _named("a tar archive")
    for mark, what in _MAGIC:
        if start.startswith(mark) and (not is_text or not mark.isascii()):
            return _named(what)
    return "" if is_text else _unnamed(start)


def _is_text(start: bytes) -> bool:
    """Whether these bytes may be text: no NUL, few other control bytes."""
    return b"\0" not in start and (len(start) - len(start.translate(None, _CONTROL))) * 10 <= len(start)


def _named(what: str) -> str:
    advice = next((advice for words, advice in _ADVICE if what.startswith(words)), "a key file is text in UTF-8")
    return f"is {what}, no list of keys: {advice}"


def _unnamed(start: bytes) -> str:
    """The same where no mark tells: NUL bytes are UTF-16's, or stand between keys; "" where they may be in keys."""
    newlines, even, odd = start.count(b"\n"), start[::2].count(0), start[1::2].count(0)
    if newlines and even < odd and start.count(b"\n\0") * 2 > newlines:
        return _UTF16.format("LE")
    if newlines and odd < even and start.count(b"\0\n") * 2 > newlines:
        return _UTF16.format("BE")
    if start.count(0) > 1 and not newlines and _is_text(start.replace(b"\0", b"")):
        return "has NUL bytes between its keys, and not newlines: convert it (`tr '\\0' '\\n'`)"
    return "" if _is_utf8(start) else "is binary, no list of keys: a key file is text in UTF-8"


def _is_utf8(start: bytes) -> bool:
    """Whether these bytes are UTF-8, but for a character that is cut off at the end."""
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class NotKeys:
    """A line, by its index from 0, that shows what the text is, and what to do about it."""

    at: int
    what: str
    advice: str


_LIST = "`s3reclass list s3://BUCKET/PREFIX --output keys.csv` makes a key file"
_JQ = (
    "take the keys out of it (`jq -r '.Contents[].Key'`, or '.[]' of an array), or make it with "
    "--query 'Contents[].[Key]' --output text"
)
_QUERY = "make it with --query 'Contents[].[Key]' --output text, which writes one key a line"
_NO_LIST = "it isn't a list of keys at all"

_TIME = r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z)?"
_SIZE = r"\d+(\.\d+)? ?([KMGTPE]i?B?|B|Bytes?)?"

_MOST = (
    (rf"{_TIME}\s+([A-Z_]+\s+)?{_SIZE}\s+\S|\s+(PRE|DIR)\s+\S|\s*Total (Objects|Size):", "`aws s3 ls`"),
    (rf"{_TIME} [a-z0-9][a-z0-9.-]{{2,62}}$", "`aws s3 ls`, of buckets"),
    (rf"\[{_TIME}\]\s", "`mc ls`"),
    (rf"\s*\d+\s+{_TIME}\s+\S", "`gsutil ls -l` or `rclone lsl`"),
    (r"\s+\d+ \S", "`rclone ls`"),
    (r"[-dl][-rwxsStT]{9}[.+@]?\s|total \d+$", "`ls -l`"),
)
"""Lines of a listing; a text is one when more than half of its lines are."""

_FIRST = (
    (r"(?i)<(\?xml|!doctype|html|!--|[a-z]+[ >/])", "XML or HTML", _NO_LIST),
    (r"#!", "a program", _NO_LIST),
    (r"#($|#*\s)|```|---$", "a comment, or Markdown", "take it out if the lines after it are keys"),
    (r"-{5,}$|\+[-=+]{3,}$|\|.*\|$", "a table drawn for people", _QUERY),
    (r"(- )?(Key|ETag|Contents|Versions|ChecksumAlgorithm):( |$)", "YAML", _QUERY),
    (r"version https://git-lfs", "a Git LFS pointer", "fetch the file itself (`git lfs pull`)"),
    (r"[0-9a-f]{64} \S+ \[\d\d/", "an S3 server access log", _LIST),
    (r"(?i)(usage|traceback \(most recent call last\)):", "a program's message", _NO_LIST),
)

_ERROR = re.compile(
    r"An error occurred \(\w+\)|(fatal|aws: \w*) ?error: |Unable to locate credentials|Could not connect to the "
    r"endpoint|.*: command not found$|(upload|download|copy|delete) failed: |warning: Skipping file"
)
_COLUMN_RULE = re.compile(r"\s*-{3,}(\s+-{3,})*\s*")
_AWS_TEXT = re.compile(r"(CONTENTS|VERSIONS|DELETEMARKERS|COMMONPREFIXES|OWNER|REQUESTCHARGED)\t")


def not_keys(lines: Sequence[str]) -> NotKeys | None:
    """What these first lines of a text are, when they aren't keys; blank lines may be among them."""
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    found = _json(lines, first)
    for pattern, what, advice in _FIRST:
        if not found and re.match(pattern, lines[first]):
            found = NotKeys(at=first, what=what, advice=advice)
    at = next((at for at, line in enumerate(lines) if _ERROR.match(line)), None)
    if not found and at is not None:
        found = NotKeys(at=at, what="a program's error message", advice="make the list again, without `2>&1`")
    return found or _listing(lines, first) or _aws_text(lines, first)


def _listing(lines: Sequence[str], first: int) -> NotKeys | None:
    filled = sum(map(bool, map(str.strip, lines)))
    shapes = [re.compile(pattern) for pattern, _ in _MOST]
    for shape, (_, program) in zip(shapes, _MOST, strict=True):
        matched = [at for at, line in enumerate(lines) if shape.match(line)]
        if len(matched) * 2 > filled:
            return NotKeys(at=matched[0], what=f"a line of {program}, and not a key alone", advice=_LIST)
    at = next((at for at, line in enumerate(lines[1:5], 1) if _COLUMN_RULE.fullmatch(line)), None)
    if at is not None and at > first:
        return NotKeys(at=at, what="the rule of a table drawn for people (PowerShell's)", advice="use Export-Csv")
    return None


def _aws_text(lines: Sequence[str], first: int) -> NotKeys | None:
    if _AWS_TEXT.match(lines[first]):
        what = f"what --output text writes of a whole listing ({lines[first].partition(chr(9))[0]})"
        return NotKeys(at=first, what=what, advice=_QUERY)
    if [line for line in lines if line] == ["None"]:
        return NotKeys(at=first, what="what --output text writes for nothing", advice="there was no key to list")
    return None


def _json(lines: Sequence[str], first: int) -> NotKeys | None:
    """JSON: a document, one document a line, or one quoted string a line."""
    line = lines[first].strip()
    if line[0] == '"':
        filled = [one for one in lines if one.strip()]
        if all(map(_is_string, filled)):
            return NotKeys(at=first, what="a key in quotes", advice="say --format csv, or write it without (`jq -r`)")
    if not re.match(r'[\[{]$|\{\s*["}]|\[\s*(["{\]]|$)', line):
        return None
    whole = "\n".join(lines)
    if "fileSchema" in whole and "sourceBucket" in whole:
        return NotKeys(at=first, what="an S3 Inventory's manifest.json", advice=_inventory(whole))
    return NotKeys(at=first, what="JSON", advice=_JQ)


def _is_string(line: str) -> bool:
    return re.fullmatch(r'"[^"]*"\s*', line) is not None


def _inventory(text: str) -> str:
    """What to split instead of an inventory's manifest, with the flags for its columns."""
    schema, kind = _field(text, "fileSchema"), _field(text, "fileFormat")
    columns = [column.strip() for column in schema.split(",")]
    if kind != "CSV" or "Key" not in columns:
        return f"the files that it names are {kind or 'not CSV'}: {_TABLES}"
    flags = [
        f"--{word}-column {columns.index(column) + 1}"
        for word, column in (("bucket", "Bucket"), ("key", "Key"), ("version", "VersionId"))
        if column in columns
    ]
    return f"split the files that it names (s3reclass split FILE {' '.join(flags)} --url-encoded)"


def _field(text: str, name: str) -> str:
    with suppress(ValueError, AttributeError, RecursionError):
        return str(json.loads(text).get(name, ""))
    found = re.search(rf'"{name}"\s*:\s*"([^"]*)"', text)
    return found[1] if found else ""
