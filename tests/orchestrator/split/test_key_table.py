"""Key files in columns."""

import csv
import io
from collections.abc import Sequence
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.split.key_lines import Batch
from orchestrator.split.key_table import TableFormat, parse_column, read_table
from orchestrator.split.table_rows import ROWS_AT_ONCE
from worker.contract import LotEntry, encode_key, parse_lot_line

CSV = TableFormat()


def read(text: bytes, table: TableFormat = CSV, size: int = 7) -> list[Batch]:
    """The batches of a table, its bytes in chunks of this size."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return list(read_table(pieces, name="keys.csv", bucket="bucket", table=table))


def entries(text: bytes, table: TableFormat = CSV, size: int = 7) -> list[LotEntry]:
    """The entries that a table's lot lines stand for."""
    lines = b"".join(batch.lot_lines() for batch in read(text, table, size)).decode()
    return [parse_lot_line(line) for line in lines.splitlines()]


def keys(text: bytes, table: TableFormat = CSV, size: int = 7) -> list[str]:
    """The keys of a table's lot lines."""
    return [entry.key for entry in entries(text, table, size)]


@pytest.mark.parametrize(
    ("expected", "table", "text"),
    [
        (["a", "b"], CSV, b"a,1\nb,2\n"),
        (["a", "b"], CSV, b"\xef\xbb\xbfa,1\r\nb,2"),
        (["a", "b"], CSV, b"\n,,\na,1\n\nb\n"),
        (
            ["a,b", 'say "hi"', "two\nlines", "cr\r", "crlf\r\n."],
            CSV,
            b'"a,b"\n"say ""hi"""\n"two\nlines"\n"cr\r"\n"crlf\r\n."\n',
        ),
        (["\u2028\u0085\x0b", " a "], CSV, "\u2028\u0085\x0b,1\n a ,2\n".encode()),
        (["1", "2"], TableFormat(key=2), b"a,1\nb,2\n"),
        (["2"], TableFormat(key=2, header=True), b"a,1\nb,2\n"),
        (["a"], TableFormat(key="Key"), b'size,"Key"\n1,a\n'),
        (["a"], TableFormat(key="the\nkey"), b'"the\nkey"\na\n'),
        (["a,b", "c"], TableFormat(delimiter="\t", key=2), b"1\ta,b\n2\tc\n"),
        (["a b+c%ü"], TableFormat(url_encoded=True), b"a+b%2Bc%25%C3%BC\n"),
        (["a+b%20c"], CSV, b"a+b%20c\n"),
        ([], CSV, b""),
        ([], TableFormat(key="Key"), b"Key\n"),
    ],
)
def test_keys_of_rows(expected: list[str], table: TableFormat, text: bytes) -> None:
    """The key is its cell, whatever it holds; empty rows are none."""
    assert keys(text, table) == expected


def test_versions_and_buckets() -> None:
    """A version id and a bucket come from their columns, by name or number; an empty version is the current one."""
    text = b"b-one,k 1,v.1_-\nb-two,k,2,\n"

    assert entries(
        b'bucket,key,version\nb-one,k 1,v.1_-\nb-two,"k,2",\n', TableFormat(bucket=1, key="key", version=3)
    ) == [
        LotEntry(bucket="b-one", key="k 1", version_id="v.1_-"),
        LotEntry(bucket="b-two", key="k,2"),
    ]
    assert entries(text, TableFormat(key=2, version=3)) == [
        LotEntry(bucket="bucket", key="k 1", version_id="v.1_-"),
        LotEntry(bucket="bucket", key="k", version_id="2"),
    ]
    assert read(text, TableFormat(key=2, bucket=1), 100)[0].buckets == {"b-one", "b-two"}


LEGAL_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(deadline=None)
@given(st.lists(LEGAL_KEYS, min_size=1), st.integers(1, 60), st.sampled_from([",", "\t"]))
def test_any_keys_come_back(given_keys: Sequence[str], size: int, delimiter: str) -> None:
    """Any keys, newlines and all, come back from a quoted table's lot lines, in order, wherever it is cut."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        ["x", key, "v1"] for key in given_keys
    )
    table = TableFormat(delimiter=delimiter, key=2, version=3)

    found = entries(text.getvalue().encode(), table, size)

    assert found == [LotEntry(bucket="bucket", key=key, version_id="v1") for key in given_keys]


@settings(deadline=None)
@given(st.lists(LEGAL_KEYS, min_size=1))
def test_our_own_lots_come_back(given_keys: Sequence[str]) -> None:
    """A lot is itself a key file: an S3 Batch Operations manifest, read as one, gives the same entries."""
    manifest = "".join(f"b-{len(key)},{encode_key(key)}\n" for key in given_keys).encode()

    found = entries(manifest, TableFormat(bucket=1, key=2, url_encoded=True), 50)

    assert found == [LotEntry(bucket=f"b-{len(key)}", key=key) for key in given_keys]


PLAIN_CELLS = st.text("ab%/+ =ü", max_size=6)
ANY_CELLS = st.lists(st.sampled_from([*'ab%+",\n\\ ü', "\r\n"]), max_size=6).map("".join)
ROWS = st.lists(
    st.tuples(ANY_CELLS, ANY_CELLS, ANY_CELLS) | st.tuples(PLAIN_CELLS, PLAIN_CELLS, PLAIN_CELLS), max_size=20
)


@settings(max_examples=50, deadline=None)
@given(ROWS, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.sampled_from(["\n", "\r\n"]), st.integers(1, 80))
def test_plain_rows_are_what_csv_makes_of_them(
    rows: list[tuple[str, str, str]], quoting: int, end: str, size: int
) -> None:
    """However plain and other rows are mixed and cut, the keys are those that Python's csv reads."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=end).writerows([("first", "", ""), *rows])  # type: ignore[arg-type]  # typeshed wants the literals
    read_back = list(csv.reader(io.StringIO(text.getvalue(), newline="")))

    empty = next((at for at, row in enumerate(read_back) if any(row) and not row[0]), None)
    if empty is None:
        assert keys(text.getvalue().encode(), size=size) == [row[0] for row in read_back if any(row)]
        return
    line = 1 + sum(1 + sum(cell.count("\n") for cell in row) for row in read_back[:empty])
    with pytest.raises(S3ReclassError, match=f"^keys.csv, line {line:,}: its key is empty; nothing was written$"):
        keys(text.getvalue().encode(), size=size)


@pytest.mark.parametrize("odd", ["a,b", 'say "hi"', "two\nlines", "three\n\nlines", '5" disk'])
def test_few_quoted_rows_among_many(odd: str) -> None:
    """Rows that had to be quoted, here and there, side by side and at both ends, come out where they stand."""
    wanted = [odd if number % 97 in (0, 1) or number == 999 else f"key-{number}" for number in range(1_000)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([key, "12", "GLACIER"] for key in wanted)

    assert keys(text.getvalue().encode(), size=100_000) == wanted
    assert keys(text.getvalue().replace('"5"" disk"', '5" disk').encode(), size=5_000) == wanted


def test_a_bad_row_among_many_is_named() -> None:
    """The line is right when quoted rows stand before it in the same block."""
    rows = [b'"two\nlines",1\n' if number % 50 == 0 else b"key,1\n" for number in range(500)]
    rows[420] = b",1\n"

    with pytest.raises(S3ReclassError, match=r"line 430: its key is empty"):
        read(b"".join(rows), size=100_000)


KEYS_IN_URLS = LEGAL_KEYS.map(quote_plus)
URL_ENCODED = st.text("abc/%+2F0Eü\\", min_size=1, max_size=12) | KEYS_IN_URLS


@settings(max_examples=50, deadline=None)
@given(st.lists(URL_ENCODED, min_size=1, max_size=20), st.integers(1, 60))
def test_url_encoded_keys_are_decoded_in_bulk_as_one_is(cells: list[str], size: int) -> None:
    """Whatever stands in the cells, plain rows are decoded as each alone would be, or the line is named."""
    text = "".join(f"{cell},1\n" for cell in ("first", *cells)).encode()
    try:
        expected = [unquote_plus(cell, errors="strict") for cell in ("first", *cells)]
    except UnicodeDecodeError:
        with pytest.raises(S3ReclassError, match=r"line \d+: its key isn't URL-encoded UTF-8"):
            keys(text, TableFormat(url_encoded=True), size)
    else:
        assert keys(text, TableFormat(url_encoded=True), size) == expected


@pytest.mark.parametrize(
    ("expected", "table", "text"),
    [
        (b"one,a\none,b\none,c\n", TableFormat(bucket=1, key=2), b"one,a\none,b\none,c\n"),
        (b"one,a\none,b\ntwo,c\n", TableFormat(bucket=1, key=2), b"one,a\none,b\ntwo,c\n"),
        (b"one,a,v1\none,b\ntwo,c,v3\n", TableFormat(bucket=1, key=2, version=3), b"one,a,v1\none,b,\ntwo,c,v3\n"),
        (b"one,a,v1\none,b,v2\n", TableFormat(bucket=1, key=2, version=3), b"one,a,v1\none,b,v2\n"),
        (b"bucket,a,v1\nbucket,b\nbucket,c,v3\n", TableFormat(key=2, version=3), b"one,a,v1\none,b,\ntwo,c,v3\n"),
    ],
)
@pytest.mark.parametrize("size", [7, 1000])
def test_lot_lines_of_a_table(expected: bytes, table: TableFormat, text: bytes, size: int) -> None:
    """Bucket, key and version stand as a manifest has them, whether rows come at once or one by one."""
    assert b"".join(batch.lot_lines() for batch in read(text, table, size)) == expected


@pytest.mark.parametrize(
    ("line", "complaint", "table", "text"),
    [
        (2, "it has no column 2 for the key, only 1", TableFormat(key=2), b"a,b\nc\n"),
        (3, "it has no column 3 for the version, only 2", TableFormat(version=3), b"a,b,c\n\nd,e\n"),
        (1, "it has no column 2 for the bucket, only 1", TableFormat(bucket=2), b"a\n"),
        (2, "its key is empty", TableFormat(key=2), b"1,a\n2,\n"),
        (2, "the bucket is empty", TableFormat(bucket=1, key=2), b"bkt,a\n,b\n"),
        (2, "'a b' is no bucket's name", TableFormat(bucket=1, key=2), b"bkt,a\na b,b\n"),
        (2, "'v 1' is no version id", TableFormat(version=2), b"a,v1\nb,v 1\n"),
        (2, "'v\"1' is no version id", TableFormat(version=2), b'a,v1\nb,"v""1"\n'),
        (4, "its key is 1,025 bytes", CSV, b'"a\nb\nc"\n' + b"k" * 1025 + b"\n"),
        (3, "its key is 1,025 bytes", TableFormat(key="k"), b"k\na\n" + b"k" * 1025 + b"\n"),
        (2, "its key isn't URL-encoded UTF-8: '%ff'", TableFormat(url_encoded=True), b"a\n%ff\n"),
        (4, "it isn't UTF-8 (byte 0xe9)", CSV, b'"a\nb"\nc\ncaf\xe9\n'),
        (3, "a quoted cell begins in its row and doesn't end", CSV, b'"a\nb"\n"c\nd\ne\n'),
        (2, "a quoted cell begins in its row and doesn't end", CSV, b'a\n"' + b"c\n" * 70_000),
        (2, "it isn't CSV (',' expected after '\"')", CSV, b'a\n"b"c\n'),
        (3, "a carriage return stands in an unquoted cell", CSV, b"a\nb\nc\rd\n"),
        (2, "it is over 1,048,576 bytes long", CSV, b"a\n" + b"b" * 1_100_000),
        (3, "it begins with s3://bucket/", CSV, b"\n,\ns3://bucket/a\n"),
        (1, "its key is empty", CSV, b',x\n"unclosed\n'),
    ],
)
def test_an_unreadable_row_is_named(line: int, complaint: str, table: TableFormat, text: bytes) -> None:
    """A row that can't be read is an error with the file, the line that the row begins on, and the reason."""
    for size in (100_000, 2):
        if len(text) > 100_000 and size == 2:
            continue  # one case is enough of those that are large
        with pytest.raises(S3ReclassError) as caught:
            read(text, table, size)
        assert str(caught.value).startswith(f"keys.csv, line {line}: {complaint}")
        assert str(caught.value).endswith("nothing was written")


def test_lines_are_counted_across_batches() -> None:
    """The line is right after many rows, header, blank lines and newlines in cells included."""
    rows = b"".join(b'"a\nb",%d\n\n' % number for number in range(ROWS_AT_ONCE))

    with pytest.raises(S3ReclassError, match=f"line {3 * ROWS_AT_ONCE + 2:,}: its key is empty"):
        read(b"key,size\n" + rows + b",1\n", TableFormat(key="key"), 100_000)


@pytest.mark.parametrize(
    ("complaint", "column", "text"),
    [
        ("the column 'key' is not in its first row (Key, size)", "key", b"Key,size\na,1\n"),
        ("the column 'key' is twice in its first row (key, key)", "key", b"key,key\na,1\n"),
        ("the column 'key' is not in its first row ()", "key", b""),
    ],
)
def test_an_unknown_column_is_told(complaint: str, column: str, text: bytes) -> None:
    """A column that the header doesn't have, or has twice, is wrong usage, and the header is shown."""
    with pytest.raises(UsageError) as caught:
        read(text, TableFormat(key=column))

    assert complaint in str(caught.value)


def test_a_name_needs_a_header() -> None:
    """A column given by name and --no-header contradict each other."""
    with pytest.raises(UsageError, match="--no-header"):
        read(b"a\n", TableFormat(key="key", header=False))


@pytest.mark.parametrize(
    ("expected", "table"),
    [
        (("the first row was taken for the key 'Key': say --header if it is a header",), CSV),
        ((), TableFormat(header=False)),
        ((), TableFormat(header=True)),
        ((), TableFormat(key="Key")),
    ],
)
def test_a_likely_header_is_told(expected: tuple[str, ...], table: TableFormat) -> None:
    """A first key that reads like a header is kept, and the user is told."""
    assert sum((batch.remarks for batch in read(b"Key,Size\nkey,1\n", table)), ()) == expected


def test_a_manifest_is_not_taken_for_keys() -> None:
    """The bucket's name in the first column would be the one key, and every other row its duplicate."""
    with pytest.raises(UsageError, match="--bucket-column 1 --key-column 2 --url-encoded"):
        list(read(b"bucket,a\nbucket,b\n", CSV))

    assert [batch.keys for batch in read(b"bucket,a\n", TableFormat(header=False))] == [1]


def test_blank_rows_are_counted() -> None:
    """Empty rows and rows of empty cells are counted as blank lines."""
    (batch,) = read(b"a,1\n\n,\nb,2\n", CSV, 100)

    assert (batch.keys, batch.blank_lines) == (2, 2)


@pytest.mark.parametrize(("expected", "text"), [(2, "2"), ("Key", "Key"), ("2nd", "2nd")])
def test_columns_are_numbers_or_names(expected: int | str, text: str) -> None:
    """A column is a number, from 1, or a name."""
    assert parse_column(text) == expected


@pytest.mark.parametrize("text", ["0", ""])
def test_there_is_no_column_zero(text: str) -> None:
    """Columns count from 1, and an empty name is none."""
    with pytest.raises(UsageError, match="is no column"):
        parse_column(text)
