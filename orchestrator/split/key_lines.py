r"""
The first step of `split`: a key file's bytes become lot lines, in batches. Pure.

Blocks of bytes come in as an iterator, nothing is read here. This module knows files of one key
per line and what every key must be; `key_table.py` knows CSV and TSV. Lines end at `\n` and nowhere
else, as keys may hold every other character that `str.splitlines` takes for a line's end.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from operator import lt

from orchestrator.errors import S3ReclassError
from worker.contract import MAX_KEY_BYTES, encode_key

NEWLINE = b"\n"
UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")

SAFE_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
"""What stands for itself in a lot line: RFC 3986's unreserved characters and `/`, as in `contract.encode_key`."""

_NOT_ASCII = bytes(range(0x80, 0x100))
_HIDDEN, _BEHIND = b"abcdefx", b"\1\2\3\4\5\6\7"
_HIDE = bytes.maketrans(_HIDDEN, _BEHIND)
_SHOW = bytes.maketrans(rb"\abcdef" + _BEHIND, b"%ABCDEF" + _HIDDEN)

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
"""A bucket's name, those of before 2018 in us-east-1 included (S3 User Guide, "Bucket naming rules", 2026-11)."""


class Kind(StrEnum):
    """How a key file is written."""

    LINES = "lines"
    CSV = "csv"
    TSV = "tsv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    r"""
    Some lines of a key file, in its order, as lot lines.

    prefix: what each lot line begins with, the bucket and its comma; the same in all batches of a file that have
        keys, and b"" where lines name their own buckets.
    lines: the rest of each lot line, `\n` after each.
    split: the same one by one, if the reader has them at hand; see `split_lines`.
    keys: how many there are.
    buckets: every bucket that they name.
    blank_lines: lines left out because nothing stands on them.
    first, last: the first and the last key as bytes, b"" without keys.
    ascending: whether each key is greater than the one before, so that none can be there twice.
    remarks: what the user should know about the file.
    """

    prefix: bytes
    lines: bytes
    split: Sequence[bytes] | None
    keys: int
    buckets: frozenset[str]
    blank_lines: int
    first: bytes
    last: bytes
    ascending: bool
    remarks: tuple[str, ...] = ()

    def split_lines(self) -> Sequence[bytes]:
        r"""The lines one by one, without prefix and `\n`."""
        if self.split is not None:
            return self.split
        return self.lines[:-1].split(NEWLINE) if self.keys else ()

    def lot_lines(self) -> bytes:
        """The lot lines, whole."""
        return add_prefix(self.lines, self.prefix)


def add_prefix(lines: bytes, prefix: bytes) -> bytes:
    r"""The lines, which all end in `\n`, with this before each."""
    return prefix + lines[:-1].replace(NEWLINE, NEWLINE + prefix) + NEWLINE if lines and prefix else lines


def guess_kind(name: str, start: bytes) -> Kind:
    """
    How a key file is written: by its name's ending, or because it is what `s3reclass list` prints.

    name: the file's name; `.gz` at its end says nothing.
    start: its first bytes, unpacked.
    """
    lowered = name.lower().removesuffix(".gz")
    if lowered.endswith(".csv") or _is_listing(start):
        return Kind.CSV
    return Kind.TSV if lowered.endswith((".tsv", ".tab")) else Kind.LINES


def _is_listing(start: bytes) -> bool:
    """Whether the first row is `key,size,class,time`, which no plain key file begins with by chance."""
    text = io.StringIO(start.decode(errors="replace"), newline="\n")
    try:
        row = next(csv.reader(text, strict=True), [])
    except csv.Error:
        return False
    shapes = (r"(?s:.+)", r"\d+", r"[A-Z_]+", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    return len(row) == len(shapes) and all(map(re.fullmatch, shapes, row))


def unreadable(name: str, number: int, complaint: str) -> S3ReclassError:
    """The error for a line that isn't a key; number: the line's in the file, from 1."""
    return S3ReclassError(f"{name}, line {number:,}: {complaint}; nothing was written")


def check_bucket(bucket: str) -> str:
    """What is wrong with a bucket's name, or "" when nothing is."""
    if _BUCKET.fullmatch(bucket):
        return ""
    return f"{bucket[:100]!r} is no bucket's name" if bucket else "the bucket is empty"


def line_blocks(chunks: Iterable[bytes], *, name: str, max_line_bytes: int) -> Iterator[tuple[int, bytes]]:
    r"""
    The file in blocks of whole lines, each with its first line's number; the last one ends in `\n` too.

    chunks: the file's bytes, cut anywhere.
    max_line_bytes: a longer line may be told as an error here, so that memory stays bounded.
    Raises S3ReclassError for such a line and for UTF-16.
    """
    number, rest = 1, b""
    for chunk in chunks:
        end = chunk.rfind(NEWLINE) + 1
        block, rest = (rest + chunk[:end], chunk[end:]) if end else (b"", rest + chunk)
        if block:
            yield number, _without_bom(block, name) if number == 1 else block
            number += block.count(NEWLINE)
        if len(rest) > max_line_bytes:
            _without_bom(rest if number == 1 else b"", name)
            complaint = f"it is over {max_line_bytes:,} bytes long, and S3 takes keys of {MAX_KEY_BYTES:,}"
            raise unreadable(name, number, complaint)
    if rest:
        yield number, (_without_bom(rest, name) if number == 1 else rest) + NEWLINE


def _without_bom(start: bytes, name: str) -> bytes:
    """The start of the file without UTF-8's byte order mark. Raises S3ReclassError for UTF-16's."""
    if start.startswith(_UTF16_BOMS):
        raise S3ReclassError(
            f"{name} is UTF-16, and a key file is UTF-8: convert it (`iconv -f UTF-16 -t UTF-8`); nothing was written"
        )
    return start.removeprefix(UTF8_BOM)


def decode(block: bytes, number: int, name: str) -> str:
    """The block's text. Raises S3ReclassError naming the line that isn't UTF-8; number: the block's first line."""
    try:
        return block.decode()
    except UnicodeDecodeError as error:
        line = number + block.count(NEWLINE, 0, error.start)
        complaint = f"it isn't UTF-8 (byte 0x{block[error.start]:02x}): convert the file, with `iconv -t UTF-8` say"
        raise unreadable(name, line, complaint) from error


def url_encode(keys: bytes) -> bytes:
    r"""
    Keys without newlines URL-encoded at once, each as `contract.encode_key` does it; `\n` is between them and stays.

    The same object when there is nothing to encode. A pass to see what there is, one for each ASCII character to
    encode, and some for all others together: a tenth of the time of a call per key.
    """
    to_encode = set(keys.translate(None, SAFE_BYTES + NEWLINE + _NOT_ASCII))
    for byte in sorted(to_encode, key=lambda byte: byte != ord("%")):  # `%` first: the others bring new ones
        keys = keys.replace(bytes([byte]), b"%%%02X" % byte)
    if keys.isascii():
        return keys
    # Python writes a byte that ASCII lacks as `\xd0`, and no other backslash is left. The keys' own letters that also
    # stand in those are hidden behind control characters, of which none is left either, while `\` and `x` and the
    # small hex digits become `%`, nothing and capitals.
    escaped = keys.translate(_HIDE).decode("latin-1").encode("ascii", "backslashreplace")
    return escaped.translate(_SHOW, b"x")


def encode_all(keys: Sequence[bytes]) -> bytes:
    r"""The keys URL-encoded, `\n` between them; keys may hold newlines."""
    joined = NEWLINE.join(keys)
    if joined.count(NEWLINE) >= max(len(keys), 1):
        return NEWLINE.join([encode_key(key.decode()).encode() for key in keys])
    return url_encode(joined)


def make_batch(
    lines: bytes, keys: Sequence[bytes], *, bucket: str, blank_lines: int, split: Sequence[bytes] | None = None
) -> Batch:
    """The batch of the lines that were made of these keys, all in one bucket, or in "", any."""
    return Batch(
        prefix=bucket.encode() + b"," if bucket else b"",
        lines=lines,
        split=split,
        keys=len(keys),
        buckets=frozenset([bucket] if bucket and keys else []),
        blank_lines=blank_lines,
        first=keys[0] if keys else b"",
        last=keys[-1] if keys else b"",
        ascending=all(map(lt, keys, islice(keys, 1, None))),
    )


def check_not_uri(key: bytes, bucket: str, *, name: str, number: int) -> None:
    """Raise S3ReclassError when the file's first key is the bucket's URI: nearly surely a list of URIs, not keys."""
    prefix = f"s3://{bucket}/"
    if key.startswith(prefix.encode()):
        complaint = (
            f"it begins with {prefix}, and a key file has keys alone: take it off (sed 's,^{prefix},,'), "
            "or say --keep-uris if the keys really begin so"
        )
        raise unreadable(name, number, complaint)


def read_lines(chunks: Iterable[bytes], *, name: str, bucket: str, keep_uris: bool = False) -> Iterator[Batch]:
    r"""
    The batches of a file of one key per line.

    A key is everything up to the `\n`, spaces included. If the first line ends in `\r\n`, every line
    that does is taken to end there (a file from Windows); otherwise a `\r` is part of its key.
    Raises S3ReclassError naming the first line that can't be a key.
    """
    crlf = told = seen = marked = False
    for number, whole in line_blocks(chunks, name=name, max_line_bytes=MAX_KEY_BYTES + 2):
        block, remarks = whole, list[str]()
        if not block.isascii():
            decode(block, number, name)
            if not marked and (NEWLINE + UTF8_BOM) in block:
                at = number + block.count(NEWLINE, 0, block.find(NEWLINE + UTF8_BOM)) + 1
                remarks.append(_MARK.format(at))
                marked = True
        if number == 1:
            crlf = block[: block.find(NEWLINE)].endswith(b"\r")
        if b"\r" in block:  # one byte is sooner looked for than two
            found = block.find(b"\r\n")
            if found >= 0 and not told:
                remarks.append(_carriage_return(number + block.count(NEWLINE, 0, found), crlf=crlf))
                told = True
            if crlf:
                block = block.replace(b"\r\n", NEWLINE)
        batch = _line_batch(block, number, name=name, bucket=bucket, remarks=tuple(remarks))
        if batch.keys and not seen:
            seen = True
            if not keep_uris:
                check_not_uri(batch.first, bucket, name=name, number=number + block.split(NEWLINE).index(batch.first))
        yield batch


_MARK = "line {:,} begins with a byte order mark, as where files were joined: it was taken for a part of the key"


def _carriage_return(number: int, *, crlf: bool) -> str:
    """The remark on carriage returns; number: the first line that ends in one."""
    if crlf:
        return r"its lines end in \r\n: the \r was taken off"
    return rf"line {number:,} ends in \r and the first line doesn't: the \r was taken for a part of the key"


def _line_batch(block: bytes, number: int, *, name: str, bucket: str, remarks: tuple[str, ...]) -> Batch:
    r"""The batch of a block of lines that end in `\n` alone. Raises S3ReclassError for a line that is too long."""
    joined = block[:-1]
    keys = joined.split(NEWLINE)
    longest = max(map(len, keys))
    if longest > MAX_KEY_BYTES:
        line = number + next(index for index, key in enumerate(keys) if len(key) > MAX_KEY_BYTES)
        raise unreadable(name, line, too_long(longest))
    lines = len(keys)
    if not all(keys):
        keys = [key for key in keys if key]
        joined = NEWLINE.join(keys)
    encoded = url_encode(joined)
    plain = encoded is joined
    batch = make_batch(
        (block if plain and len(keys) == lines else encoded + NEWLINE) if keys else b"",
        keys,
        bucket=bucket,
        blank_lines=lines - len(keys),
        split=keys if plain else None,
    )
    return replace(batch, remarks=remarks) if remarks else batch


def too_long(key_bytes: int) -> str:
    """The complaint on a key of so many bytes."""
    return f"its key is {key_bytes:,} bytes of UTF-8, and S3 takes {MAX_KEY_BYTES:,}"
