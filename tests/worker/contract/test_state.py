"""The state's paths, and the tally."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.contract import ContractError, LotFileName, Outcome, Phase, StatePaths, Tally, lot_name

TALLY = Tally(
    attempt=2,
    keys=5,
    outcomes={Outcome.COPIED: 4, Outcome.NOT_ARCHIVED: 1},
    processed=3,
    requests=7,
    started_at="2026-11-22T10:00:00Z",
    at="2026-11-22T10:00:05Z",
    exit_code=0,
)


def test_a_tally_says_what_it_was_made_of() -> None:
    """A tally comes back from its JSON as it went in, also while the worker runs and there is no exit code."""
    assert Tally.from_json(TALLY.to_json()) == TALLY


@pytest.mark.parametrize("text", ["", "[]", "{}", '"x"', TALLY.to_json().replace("copied", "splendid"), b"\xff"])
def test_what_is_no_tally_is_a_contract_error(text: str | bytes) -> None:
    """A damaged tally is refused, not half-read."""
    with pytest.raises(ContractError):
        Tally.from_json(text)


def test_paths_are_those_of_the_design() -> None:
    """Every path of a job's state has its one name."""
    paths = StatePaths("0123456789ab")

    assert paths.job_file == "0123456789ab/job.json"
    assert paths.lot(lot_name(7)) == "0123456789ab/lots/lot-00007.csv"
    assert paths.results_folder(Phase.COPY, lot_name(7)) == "0123456789ab/copy/lot-00007/"
    assert paths.part_name(1, 2) == "results-1-00002.csv"
    assert paths.done_name(3) == "done-3.json"


@given(attempt=st.integers(1, 10**6), seq=st.integers(1, 10**6))
def test_a_parts_name_is_taken_apart(attempt: int, seq: int) -> None:
    """Attempt and sequence number come back from a part's name, also past the digits it is padded to."""
    expected = LotFileName(attempt=attempt, seq=seq, kind="results")

    assert expected == LotFileName.parse(StatePaths.part_name(attempt, seq))


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        (LotFileName(attempt=2, seq=0, kind="done"), "done-2.json"),
        (LotFileName(attempt=2, seq=0, kind="started"), "started-2.json"),
        (None, "progress.json"),
        (None, "results-1.csv"),
        (None, "done-1-2.json"),
        (None, ".results-1-00001.csv.x8f"),
        (None, "results-1-00001.csv~"),
    ],
)
def test_other_names_are_no_parts(expected: LotFileName | None, name: str) -> None:
    """Only names of ours carry numbers; a stranger's or a temporary file is passed over."""
    assert expected == LotFileName.parse(name)


def test_parts_sort_in_the_order_they_were_written() -> None:
    """A later attempt sorts after an earlier one, whatever the sequence numbers."""
    names = ["results-10-00001.csv", "results-2-00010.csv", "results-2-00009.csv"]

    ordered = sorted(names, key=lambda name: LotFileName.parse(name) or LotFileName(0, 0, ""))

    assert ordered == names[::-1]
