"""A lot's table, in memory and on disk: the same report from both."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import S3ReclassError
from orchestrator.lots.disk_table import OnDisk, table_for
from orchestrator.report.report_rows import report_rows
from worker.contract import LotEntry, Outcome, ResultRow, TaskStatus, result_fields

ENTRIES = [
    LotEntry(bucket="b", key=key, version_id=version)
    for key in ("a", "a b", "line\nbreak", "\x85\u2028", "ключ", "=1+1")
    for version in ("", "v")
]

rows = st.lists(
    st.builds(
        ResultRow,
        entry=st.sampled_from(ENTRIES),
        outcome=st.sampled_from(Outcome),
        error_code=st.sampled_from(["", "AccessDenied"]),
        http_status=st.sampled_from([None, 200, 403]),
        message=st.text(max_size=20),
        size_bytes=st.none() | st.integers(min_value=0, max_value=1 << 50),
        new_version_id=st.sampled_from(["", "v2"]),
    ),
    max_size=60,
)


def naive_report(entries: list[LotEntry], found: list[ResultRow]) -> list[tuple[str, ...]]:
    """The report as the rule says it: of each key the last succeeded result, else the last."""
    report = []
    for entry in entries:
        mine = [row for row in found if row.entry == entry]
        good = [row for row in mine if row.outcome.status is TaskStatus.SUCCEEDED]
        if mine:
            report.append(result_fields((good or mine)[-1]))
        else:
            [unprocessed] = report_rows([entry], [], {})
            report.append(unprocessed)
    return report


@pytest.mark.parametrize("keys_in_memory", [0, 1_000])
@given(found=rows, missing=st.integers(min_value=0, max_value=len(ENTRIES)))
@settings(deadline=None)
def test_the_report_is_the_same_wherever_results_are_gathered(
    keys_in_memory: int, found: list[ResultRow], missing: int
) -> None:
    """In memory or on disk: row for row what the rule says, also when results are of keys that the lot hasn't."""
    entries = ENTRIES[missing:]

    with table_for(len(ENTRIES), dump=list, load=tuple, keys_in_memory=keys_in_memory) as table:
        report = list(report_rows(entries, found, table))

    assert report == naive_report(entries, found)


def test_a_table_on_disk_gives_what_it_was_given() -> None:
    """Written and read in turns, replaced by longer and shorter values."""
    with table_for(1, dump=str, load=str, keys_in_memory=0) as table:
        told = []
        for number, value in enumerate(["one", "a much longer one\n", "", "ü"]):
            table[ENTRIES[0]] = value
            table[ENTRIES[number + 1]] = str(number)
            told.append((table.get(ENTRIES[0]), table.get(ENTRIES[number + 1])))

    assert told == [("one", "0"), ("a much longer one\n", "1"), ("", "2"), ("ü", "3")]


def test_a_small_lot_needs_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the limit nothing is written anywhere; above it, a missing temporary folder is told."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with table_for(10, dump=str, load=str, keys_in_memory=10) as table:
        table[ENTRIES[0]] = "value"
        assert table.get(ENTRIES[0]) == "value"
    with (
        pytest.raises(
            S3ReclassError, match=r"gone can't be used \(No such file.*make room, or name another with TMPDIR"
        ),
        table_for(11, dump=str, load=str, keys_in_memory=10),
    ):
        pass


def test_a_full_disk_is_told() -> None:
    """No space left is an error in one line, not a traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb", buffering=0) as file:
        table = OnDisk(file, str, str)
        with pytest.raises(S3ReclassError, match="No space left on device"):
            table[ENTRIES[0]] = "value"
