"""Digests of entries, and the table of them."""

from hypothesis import given
from hypothesis import strategies as st

from worker.contract import DigestTable, LotEntry, digest_of


def test_a_digest_stands_for_the_whole_entry() -> None:
    """Bucket, key and version each count, and where one ends and the next begins."""
    entries = [
        LotEntry(bucket="b", key="k"),
        LotEntry(bucket="b", key="k", version_id="v"),
        LotEntry(bucket="bk", key=""),
        LotEntry(bucket="b", key="v\0k"),
        LotEntry(bucket="c", key="k"),
    ]

    assert len({digest_of(entry) for entry in entries}) == len(entries)
    assert digest_of(LotEntry(bucket="b", key="k")) == digest_of(LotEntry(bucket="b", key="k"))
    assert 0 <= digest_of(entries[0]) < 1 << 128


# Digests of few different bytes, in one bucket: so that one's bytes also stand across the border of two others.
crowded = st.binary(min_size=14, max_size=14).map(lambda tail: int.from_bytes(bytes(2) + tail))
alike = st.lists(st.sampled_from([0, 1]), min_size=14, max_size=14).map(
    lambda tail: int.from_bytes(bytes([0, 0, *tail]))
)
scattered = st.integers(min_value=0, max_value=(1 << 128) - 1)


@given(st.lists(st.tuples(crowded | alike | scattered, st.integers(min_value=0, max_value=65_535))))
def test_the_table_remembers_as_a_dict_does(pairs: list[tuple[int, int]]) -> None:
    """Each digest has the number it was given last, and no other digest is there."""
    table, model = DigestTable(number_bytes=2), dict[int, int]()
    for digest, number in pairs:
        table[digest] = number
        model[digest] = number

    assert len(table) == len(model)
    assert {digest: table.get(digest) for digest in model} == model
    assert all(digest in table for digest in model)
    for digest in model:
        for other in (digest ^ 1, digest ^ (1 << 127), digest >> 8):
            assert (other in table) is (other in model)


def test_an_empty_table_knows_nothing() -> None:
    """It is false, too, as an empty dict is."""
    table = DigestTable(number_bytes=1)

    assert not table
    assert table.get(0) is None
