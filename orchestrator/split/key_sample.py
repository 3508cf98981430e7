"""The first lines of a key file, what the user said of it, and what its keys look like. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote_plus

from orchestrator.errors import UsageError
from orchestrator.split.key_table import TableFormat, parse_column

AS_IS = "or --as-is if these are keys"
SHOWN_CHARACTERS = 60

_URI = re.compile(r"((?i:s3|s3a|s3n)://|arn:aws[a-z-]*:s3:::)([A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])/")
_URL = re.compile(r"(?i)(https?|gs|az|abfss?|wasbs?|hdfs|file)://[^/]+/")
_INVENTORY_FILE = re.compile(r".*/data/[0-9a-f-]{36}\.(csv\.gz|parquet|orc)")

_ENCODED = re.compile(r"(?:[A-Za-z0-9\-._~/+*!'()]|%[0-9A-Fa-f]{2})+")
"""What URL encoders leave as it is, and `%` with two digits."""

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """How the user wants the key file read; each named after its flag."""

    kind: str | None = None
    delimiter: str | None = None
    key_column: str | None = None
    version_column: str | None = None
    bucket_column: str | None = None
    header: bool | None = None
    url_encoded: bool = False
    keep_uris: bool = False
    as_is: bool = False

    @property
    def table(self) -> TableFormat:
        """The choices for CSV and TSV but for the delimiter. Raises UsageError."""
        table = TableFormat(
            key=parse_column(self.key_column) if self.key_column is not None else 1,
            version=parse_column(self.version_column) if self.version_column is not None else None,
            bucket=parse_column(self.bucket_column) if self.bucket_column is not None else None,
            header=self.header,
            url_encoded=self.url_encoded,
            keep_uris=self.keep_uris or self.as_is,
        )
        return table if table.has_header or not self.as_is else replace(table, header=False)

    @property
    def of_tables(self) -> bool:
        """Whether any choice is one that only CSV and TSV know."""
        choices = (self.key_column, self.version_column, self.bucket_column, self.header, self.delimiter)
        return any(choice is not None for choice in choices)


def shown(text: str) -> str:
    """Some of the text, safe to show."""
    return ascii(text[:SHOWN_CHARACTERS]) + ("..." if len(text) > SHOWN_CHARACTERS else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """
    The first lines of a key file, without their ends, and what the user said of it.

    bucket: the bucket that the user named, or "".
    """

    name: str
    bucket: str
    chosen: Choices
    lines: Sequence[str]

    def refusal(self, text: str, what: str, how: str) -> UsageError:
        """The error that names the first line with this text, which is shown, says what it is, and what to do."""
        at = next((at for at, line in enumerate(self.lines, 1) if text in line), 1)
        line = f"{self.name}, line {at:,}: {shown(text)} {what}"
        return UsageError(f"{line}: {how}, {AS_IS}; nothing was written")

    def uri_prefix(self, keys: Sequence[str]) -> str:
        """The prefix that makes these keys URIs of the bucket, or "". Raises UsageError for other buckets' URIs."""
        filled = [key for key in keys if key]
        if self.chosen.keep_uris or not filled:
            return ""
        url = next(filter(_URL.match, filled), None)
        if url and all(map(_URL.match, filled)):
            how = "take the keys out, and say --url-encoded if they are (`sed -E 's,^[a-z]+://[^/]+/,,'`)"
            raise self.refusal(url, "is a URL, and a key file has keys", how)
        uris = [_URI.match(key) for key in filled]
        if not any(uris):
            return ""
        odd = next((key for key, uri in zip(filled, uris, strict=True) if bool(uri) != bool(uris[0])), None)
        if odd is not None:
            raise self.refusal(odd, "is not like the line before it: one is a URI", "write all of them alike")
        prefixes = {uri[0] for uri in uris if uri}
        buckets = sorted({uri[2] for uri in uris if uri})
        if buckets == [self.bucket] and len(prefixes) == 1:
            return prefixes.pop()
        if _INVENTORY_FILE.fullmatch(filled[0]):
            raise self.refusal(filled[0], "is a file of an S3 Inventory, which names the keys", "split those files")
        if len(buckets) == 1 and len(prefixes) == 1:
            what = f"is an object of {buckets[0]}" + (f", not of {self.bucket}" if self.bucket else "")
            raise self.refusal(filled[0], what, f"say --bucket {buckets[0]}")
        how = (
            "write bucket and key in columns (`sed -E 's,^s3://([^/]+)/,\\1\\t,' > keys.tsv`), and say "
            "--bucket-column 1 --key-column 2"
        )
        raise self.refusal(filled[0], f"and others are of several buckets ({', '.join(buckets[:3])})", how)

    def refuse_url_encoded(self, keys: Sequence[str]) -> None:
        """Raise UsageError when all keys may be URL-encoded, and one is: its `%20` would be taken for three letters."""
        escaped = next(filter(_ESCAPE.search, keys), None)
        if escaped is not None and all(map(_may_be_encoded, filter(None, keys))):
            raise self.refusal(escaped, "looks URL-encoded", "say --url-encoded")


def _may_be_encoded(key: str) -> bool:
    if not _ENCODED.fullmatch(key):
        return False
    try:
        unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        return False
    return True
