"""Lot lines and result rows: what goes in comes out, and what isn't one is told."""

import csv
import io
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.contract import (
    MAX_KEY_BYTES,
    MAX_LINE_BYTES,
    MAX_TEXT,
    ContractError,
    LotEntry,
    Outcome,
    ResultRow,
    encode_key,
    format_lot_line,
    format_result_rows,
    parse_lot,
    parse_lot_line,
    parse_result_rows,
    result_fields,
    split_lines,
)

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda key: len(key.encode()) <= MAX_KEY_BYTES
)
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True)
VERSIONS = st.one_of(st.just(""), st.just("null"), st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
ENTRIES = st.builds(LotEntry, bucket=BUCKETS, key=KEYS, version_id=VERSIONS)
ROWS = st.builds(
    ResultRow,
    entry=ENTRIES,
    outcome=st.sampled_from(Outcome),
    error_code=st.from_regex(r"[A-Za-z.]{0,40}", fullmatch=True),
    http_status=st.none() | st.integers(100, 599),
    message=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
    size_bytes=st.none() | st.integers(0, 50 * 10**12),
    new_version_id=VERSIONS,
)


@given(ENTRIES)
def test_a_lot_line_says_what_it_was_made_of(entry: LotEntry) -> None:
    """Any bucket, key and version id come back from a line as they went in, and the line is one line of ASCII."""
    line = format_lot_line(entry)

    assert entry == parse_lot_line(line.removesuffix("\n"))
    assert line.isascii()
    assert line.count("\n") == 1


@given(st.lists(ROWS))
def test_result_rows_say_what_they_were_made_of(rows: list[ResultRow]) -> None:
    """Any rows come back from a part as they went in, and in their order."""
    assert rows == list(parse_result_rows(format_result_rows(rows)))


@given(st.text())
def test_anything_else_than_a_lot_line_is_a_contract_error(text: str) -> None:
    """A line is either an entry or a ContractError: no other error, whatever it holds."""
    try:
        entry = parse_lot_line(text)
    except ContractError:
        return
    assert entry.bucket
    assert entry.key


@given(st.text())
def test_anything_else_than_a_result_part_is_a_contract_error(text: str) -> None:
    """A text is either a part or a ContractError: no other error, whatever it holds."""
    try:
        rows = list(parse_result_rows(text))
    except ContractError:
        return
    assert all(isinstance(row, ResultRow) for row in rows)


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        (LotEntry(bucket="b", key="a b/ç"), "b,a%20b/%C3%A7"),
        (LotEntry(bucket="b", key="a+b"), "b,a+b"),
        (LotEntry(bucket="b", key="k"), '"b","k"'),
        (LotEntry(bucket="b", key="k", version_id="v1"), "b,k,v1\r"),
        (LotEntry(bucket="b", key="k"), "b,k,"),
    ],
)
def test_lines_that_others_write_are_read(expected: LotEntry, line: str) -> None:
    """Manifests of S3's own making are read: quoted fields, a carriage return, an empty version id."""
    assert expected == parse_lot_line(line)


@pytest.mark.parametrize("line", ["", "b", "b,", ",k", "b,k,v,x", "b,%ff", 'b,"k', 'b,"k"x'])
def test_a_bad_line_is_named(line: str) -> None:
    """What isn't a manifest line is refused with the line in the message."""
    with pytest.raises(ContractError) as caught:
        parse_lot_line(line)

    assert repr(line[:10])[1:-1] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "b,k,,succeeded,,200,,copied,1\n",
        "b,k,,succeeded,,200,,splendid,1,\n",
        "b,k,,failed,,200,,copied,1,\n",
        "b,%ff,,succeeded,,200,,copied,1,\n",
        "b,k,,succeeded,,two hundred,,copied,1,\n",
        f"b,{'k' * 200_000},,succeeded,,200,,copied,1,\n",
    ],
)
def test_a_damaged_row_is_refused(text: str) -> None:
    """A row that lacks a cell, or whose cells contradict each other, is a ContractError."""
    with pytest.raises(ContractError):
        list(parse_result_rows("b,k,,succeeded,,200,,copied,1,\n" + text))


def test_a_row_is_a_row_of_s3s_completion_report() -> None:
    """S3's seven columns come first and in its order, then ours; the key is URL-encoded."""
    row = ResultRow(
        entry=LotEntry(bucket="b", key="a b", version_id="v"),
        outcome=Outcome.MISSING,
        error_code="NoSuchKey",
        http_status=404,
        message="no such object",
    )

    assert result_fields(row) == ("b", "a%20b", "v", "failed", "NoSuchKey", "404", "no such object", "missing", "", "")


def test_a_message_stays_on_one_line() -> None:
    """Control characters and line ends in S3's message can neither break a row nor a terminal."""
    row = ResultRow(entry=LotEntry(bucket="b", key="k"), outcome=Outcome.ERROR, message="a\r\n\x1b[2Jb\u2028c")

    text = format_result_rows([row])

    assert text.count("\n") == 1
    assert next(csv.reader(io.StringIO(text)))[6] == "a [2Jb c"


def test_a_message_as_long_as_a_page_leaves_its_part_readable() -> None:
    """The beginning of it, and of an error code: csv refuses cells of over 131,072 characters."""
    row = ResultRow(
        entry=LotEntry(bucket="b", key="k"), outcome=Outcome.ERROR, error_code="c" * 200_000, message="m" * 200_000
    )

    (found,) = parse_result_rows(format_result_rows([row]))

    assert (found.error_code, found.message) == ("c" * MAX_TEXT, "m" * MAX_TEXT)


def test_a_slash_stays_readable_in_an_encoded_key() -> None:
    """Keys are encoded as S3 encodes them: `/` is kept, all else but letters, digits and -._~ is not."""
    assert encode_key("a/b c%,\n") == "a/b%20c%25%2C%0A"


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)), st.integers(1, 7))
def test_lines_come_out_whole_wherever_the_chunks_end(lines: list[bytes], size: int) -> None:
    r"""Lines are cut at `\n` alone, however the stream is cut into chunks."""
    data = b"".join(line + b"\n" for line in lines)
    chunks = [data[start : start + size] for start in range(0, len(data), size)]

    assert lines == list(split_lines(chunks))


def test_the_last_line_needs_no_end() -> None:
    """A lot written by hand may lack the last line's end."""
    assert list(split_lines([b"a\nb"])) == [b"a", b"b"]


def test_a_file_that_is_no_lot_does_not_fill_the_memory() -> None:
    """A line without an end is an error before it is all read."""
    endless = (b"x" * 1_000 for _ in iter(int, 1))

    with pytest.raises(ContractError, match=f"line 2: over {MAX_LINE_BYTES:,} bytes"):
        list(parse_lot(chain([b"b,k\n"], endless)))
    with pytest.raises(ContractError, match=f"line 1: over {MAX_LINE_BYTES:,} bytes"):
        list(parse_lot([b"b," + b"x" * MAX_LINE_BYTES + b"\nb,k\n"]))
