"""What `list` prints, and what it is asked."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import UsageError
from orchestrator.objects.listing_csv import ListedObject, format_listed, parse_classes, parse_prefix
from orchestrator.split.key_lines import Kind, guess_kind
from orchestrator.split.key_table import TableFormat, read_table
from worker.contract import parse_lot_line

WHEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def listed(key: str, when: datetime = WHEN) -> ListedObject:
    """An object of a listing."""
    return ListedObject(key=key, size_bytes=12, storage_class="GLACIER", last_modified=when)


@pytest.mark.parametrize(
    ("expected", "key"),
    [("a b", "a b"), ('"a,b"', "a,b"), ('"say ""hi"""', 'say "hi"'), ('"a\nb"', "a\nb"), ('"a\rb"', "a\rb")],
)
def test_rows(expected: str, key: str) -> None:
    """A row is key, size, class and time; the key is quoted when it must be."""
    assert format_listed(listed(key)) == f"{expected},12,GLACIER,2024-01-02T03:04:05Z\n"


def test_times_are_utc() -> None:
    """A time of another zone is given in UTC."""
    when = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))

    assert format_listed(listed("a", when)).endswith(",2024-01-02T01:04:05Z\n")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), min_size=1))
def test_split_takes_it_as_it_is(keys: list[str]) -> None:
    """A listing of any keys is known for what it is, and `split` reads the same keys from it."""
    text = "".join(format_listed(listed(key)) for key in keys).encode()

    assert guess_kind("standard input", text) is Kind.CSV
    batches = list(read_table([text], name="-", bucket="bucket", table=TableFormat(keep_uris=True)))
    lines = b"".join(batch.lot_lines() for batch in batches).decode().splitlines()
    assert [parse_lot_line(line).key for line in lines] == keys


@pytest.mark.parametrize(
    ("expected", "uri"),
    [(("bucket", ""), "s3://bucket"), (("bucket", ""), "s3://bucket/"), (("bucket", "a/b"), "s3://bucket/a/b")],
)
def test_prefixes(expected: tuple[str, str], uri: str) -> None:
    """A place in S3 is a bucket and, perhaps, a prefix."""
    assert parse_prefix(uri) == expected


@pytest.mark.parametrize("uri", ["bucket/a", "s3://", "s3:///a", "https://bucket/a", "s3://a b/c"])
def test_other_places_are_wrong_usage(uri: str) -> None:
    """Anything else isn't one."""
    with pytest.raises(UsageError):
        parse_prefix(uri)


def test_classes() -> None:
    """Classes are named one by one or with commas, in any case; none means all."""
    assert parse_classes(("glacier, DEEP_ARCHIVE", "STANDARD")) == {"GLACIER", "DEEP_ARCHIVE", "STANDARD"}
    assert parse_classes(()) == frozenset()
    with pytest.raises(UsageError, match=r"GLACIR is no class: did you mean GLACIER\?"):
        parse_classes(("GLACIR",))
    with pytest.raises(UsageError, match="X is no class: there are STANDARD"):
        parse_classes(("X",))
