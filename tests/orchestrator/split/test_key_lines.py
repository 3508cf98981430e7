"""Files of one key per line."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import S3ReclassError
from orchestrator.split.key_lines import Batch, Kind, encode_all, guess_kind, read_lines, url_encode
from worker.contract import MAX_KEY_BYTES, LotEntry, encode_key, format_lot_line, parse_lot_line

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def chunks(text: bytes, size: int) -> Iterator[bytes]:
    """The text in chunks of so many bytes."""
    return (text[at : at + size] for at in range(0, len(text), size))


def read(text: bytes, size: int = 7, *, keep_uris: bool = False) -> list[Batch]:
    """The batches of a file of lines."""
    return list(read_lines(chunks(text, size), name="keys.txt", bucket="bucket", keep_uris=keep_uris))


def keys(text: bytes, size: int = 7) -> list[str]:
    """The keys that a file's lot lines stand for."""
    lines = b"".join(batch.lot_lines() for batch in read(text, size)).decode()
    return [parse_lot_line(line).key for line in lines.splitlines()]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (["a", "b"], b"a\nb\n"),
        (["a", "b"], b"a\nb"),
        (["a", "b"], b"\n\na\n\nb\n\n"),
        (["a", "b"], b"\xef\xbb\xbfa\nb\n"),
        (["a", "b"], b"a\r\nb\r\n"),
        (["a", "b\r", "c"], b"a\nb\r\nc\n"),
        ([" a ", "\t", "b"], b" a \n\t\nb\n"),
        (["/a", "a//b", "./..", '"a"', "a,b"], b'/a\na//b\n./..\n"a"\na,b\n'),
        (["a\u2028b\u0085c\x0bd\x0ce\x1cf"], "a\u2028b\u0085c\x0bd\x0ce\x1cf\n".encode()),
        (["100%", "%41", "a+b c", "ключ", "\U0001f4a9"], "100%\n%41\na+b c\nключ\n\U0001f4a9\n".encode()),
        (["\x00", "\x7f"], b"\x00\n\x7f\n"),
        (["k" * MAX_KEY_BYTES], b"k" * MAX_KEY_BYTES),
        ([], b""),
        ([], b"\n"),
        ([], b"\xef\xbb\xbf"),
    ],
)
def test_keys_of_lines(expected: list[str], text: bytes) -> None:
    r"""Everything up to a `\n` is a key; a consistent CR, a byte order mark and blank lines are not."""
    assert [keys(text, size) for size in (1000, 3, 4)] == [expected] * 3


@settings(deadline=None)
@given(st.lists(KEYS, min_size=1).filter(lambda keys: len(set(keys)) == len(keys)), st.integers(1, 40))
def test_any_keys_come_back(given_keys: list[str], size: int) -> None:
    """Any keys without newlines come back from their lot lines, in order, wherever the chunks are cut."""
    plain = [key.replace("\n", "") + "." for key in given_keys]  # the dot: no first line ends in a CR
    if plain[0].startswith("\ufeff"):
        plain[0] = f"-{plain[0]}"

    assert keys("\n".join(plain).encode(), size) == plain


ODD_KEYS = st.text("abcdefx\\%=+ ~.\x01\x07\x7f\r\n\x85ÿü写🙂", min_size=1, max_size=30)


@settings(deadline=None)
@given(st.lists(KEYS | ODD_KEYS, min_size=1))
def test_many_keys_are_encoded_as_one_is(given_keys: list[str]) -> None:
    """Encoding keys in bulk gives exactly what the contract's encoding of each gives, with newlines in them or not."""
    plain = [key.replace("\n", "") + "." for key in given_keys]

    assert url_encode("\n".join(plain).encode()).decode("ascii").split("\n") == [encode_key(key) for key in plain]
    assert encode_all([key.encode() for key in given_keys]) == "\n".join(map(encode_key, given_keys)).encode()


def test_nothing_to_encode_is_nothing_done() -> None:
    """Keys that stand for themselves are the same object, uncopied, and a batch has them at hand one by one."""
    joined = b"a/b-c.d_e~f\nG/0"

    assert url_encode(joined) is joined
    (plain,) = read(joined + b"\n", 1000)
    assert (plain.prefix, plain.lines, plain.split) == (b"bucket,", joined + b"\n", joined.split(b"\n"))
    assert plain.lot_lines() == b"bucket,a/b-c.d_e~f\nbucket,G/0\n"


@pytest.mark.parametrize(
    ("expected", "text"),
    [([b"a", b"b"], b"a\nb\n"), ([b"a", b"b"], b"a\n\nb\n"), ([b"a%20b", b"%25"], b"a b\n%\n"), ([], b"\n")],
)
def test_lines_come_one_by_one(expected: list[bytes], text: bytes) -> None:
    """The lines of a batch are at hand one by one, without the bucket that they share."""
    (batch,) = read(text, 1000)

    assert list(batch.split_lines()) == expected


def test_lot_lines_are_the_contracts() -> None:
    """A batch's lines are what the contract writes for the same keys."""
    expected = "".join(format_lot_line(LotEntry(bucket="bucket", key=key)) for key in ("a b", "ü", "z%"))

    assert b"".join(batch.lot_lines() for batch in read("a b\nü\nz%\n".encode())) == expected.encode()


@pytest.mark.parametrize(
    ("line", "complaint", "text"),
    [
        (2, "its key is 1,025 bytes of UTF-8, and S3 takes 1,024", b"a\n" + b"k" * 1025 + b"\nb\n"),
        (3, "its key is 1,026 bytes of UTF-8", b"a\n\n" + "ü".encode() * 513 + b"\n"),
        (3, "it is over 1,026 bytes long", b"a\nb\n" + b"k" * 5000),
        (4, "it isn't UTF-8 (byte 0xe9)", b"a\n\nb\ncaf\xe9\nd\n"),
        (1, "it isn't UTF-8 (byte 0xff)", b"\xff\n"),
        (2, "it isn't UTF-8 (byte 0xed)", b"a\n\xed\xa0\x80\n"),
        (2, "it begins with s3://bucket/", b"\ns3://bucket/a\n"),
    ],
)
def test_an_unreadable_line_is_named(line: int, complaint: str, text: bytes) -> None:
    """A line that can't be a key is an error with the file, the line and the reason, wherever it is cut."""
    for size in (3, 100_000):
        with pytest.raises(S3ReclassError) as caught:
            read(text, size)
        assert str(caught.value).startswith(f"keys.txt, line {line}: {complaint}")
        assert str(caught.value).endswith("nothing was written")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("text", ["a\nb\n", "a" * 3000])
def test_utf16_is_told(encoding: str, text: str) -> None:
    """A file that begins with UTF-16's byte order mark is told as that, not as a bad byte."""
    mark = "" if encoding == "utf-16" else "\ufeff"

    with pytest.raises(S3ReclassError, match=r"keys\.txt is UTF-16, and a key file is UTF-8"):
        read((mark + text).encode(encoding), 1000)


def test_uris_can_be_keys() -> None:
    """Keys that begin with the bucket's URI are taken when the user says so, and other URIs always."""
    assert b"".join(one.lot_lines() for one in read(b"s3://bucket/a\n", keep_uris=True)) == b"bucket,s3%3A//bucket/a\n"
    assert keys(b"s3://other/a\ns3://bucket/b\n") == ["s3://other/a", "s3://bucket/b"]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ((r"its lines end in \r\n: the \r was taken off",), b"a\r\nb\r\nc\r\n"),
        (
            (r"line 3 ends in \r and the first line doesn't: the \r was taken for a part of the key",),
            b"a\n\nb\r\nc\r\n",
        ),
        ((), b"a\nb\rc\n"),
    ],
)
def test_carriage_returns_are_told_once(expected: tuple[str, ...], text: bytes) -> None:
    """What became of carriage returns is said once a file."""
    assert sum((batch.remarks for batch in read(text, 3)), ()) == expected


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ((True, b"a", b"c"), b"a\nb\nc\n"),
        ((False, b"a", b"a"), b"a\na\n"),
        ((False, b"b", b"a"), b"b\na\n"),
        ((True, b"a b", "ü".encode()), "a b\na-b\nü\n".encode()),
        ((True, b"", b""), b"\n"),
    ],
)
def test_ascending_is_the_order_of_bytes(expected: tuple[bool, bytes, bytes], text: bytes) -> None:
    """A batch ascends when its keys do as S3 lists them, by their bytes, each greater than the one before."""
    (batch,) = read(text, 1000)

    assert (batch.ascending, batch.first, batch.last) == expected


def test_blank_lines_are_counted() -> None:
    """Lines with nothing on them are counted; one of spaces is a key."""
    batches = read(b"\n\na\n \n\nb\n\n", 1000)

    assert [(batch.keys, batch.blank_lines, batch.buckets) for batch in batches] == [(3, 4, frozenset({"bucket"}))]


@pytest.mark.parametrize(
    ("expected", "name", "start"),
    [
        (Kind.LINES, "keys.txt", b"a,b\n"),
        (Kind.LINES, "keys", b"a\n"),
        (Kind.LINES, "keys.lst.gz", b""),
        (Kind.CSV, "keys.csv", b"a\n"),
        (Kind.CSV, "KEYS.CSV.GZ", b"a\n"),
        (Kind.TSV, "keys.tsv.gz", b"a\n"),
        (Kind.CSV, "standard input", b"a,12,GLACIER,2024-01-02T03:04:05Z\nb"),
        (Kind.CSV, "keys.txt", b'"a\nb",12,DEEP_ARCHIVE,2024-01-02T03:04:05Z\n'),
        (Kind.LINES, "standard input", b"a,12,GLACIER,yesterday\n"),
        (Kind.LINES, "standard input", b'"a\n'),
        (Kind.LINES, "standard input", b"\xff\xfe\n"),
    ],
)
def test_the_kind_is_guessed(expected: Kind, name: str, start: bytes) -> None:
    """A file's kind is in its name; what `list` prints is known by its look."""
    assert guess_kind(name, start) == expected
