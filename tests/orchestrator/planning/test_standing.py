"""Where a lot stands, from names and tallies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.planning.standing import (
    LotFiles,
    LotStanding,
    Totals,
    exit_code_of_phase,
    files_by_lot,
    standing_of,
    totals,
)
from tests.orchestrator.worlds import lots_of, tally_of
from worker.contract import Outcome

LOT = lots_of(1).lots[0]


@pytest.mark.parametrize(
    ("files", "expected", "next_attempt"),
    [
        ([], LotFiles(), 1),
        (["started-1.json"], LotFiles(attempt=1, started_only=True), 1),
        (["started-1.json", "results-1-00001.csv"], LotFiles(attempt=1), 2),
        (["started-1.json", "done-1.json"], LotFiles(attempt=1, done=(1,)), 2),
        (
            ["started-1.json", "done-1.json", "results-1-00001.csv", "started-2.json"],
            LotFiles(attempt=2, done=(1,), started_only=True),
            2,
        ),
        (["results-10-00001.csv", "results-9-00001.csv"], LotFiles(attempt=10), 11),
        (["progress.json", "notes.txt", "results-1.csv", "done-x.json"], LotFiles(), 1),
    ],
)
def test_file_names_tell_the_attempts(files: list[str], expected: LotFiles, next_attempt: int) -> None:
    """Only a noted start without any other file is asked for again under its number."""
    found = files_by_lot([f"job/restore/lot-00000/{name}" for name in files], "job/restore/").get(
        "lot-00000", LotFiles()
    )

    assert found == expected
    assert found.next_attempt == next_attempt


def test_a_finished_attempt_beats_an_older_progress() -> None:
    """The newest tally counts; of the same attempt, the final one."""
    done = tally_of(2, {Outcome.COPIED: 1, Outcome.PENDING: 1}, exit_code=4)
    older, same, newer = (tally_of(attempt, {Outcome.COPIED: attempt}) for attempt in (1, 2, 3))

    assert standing_of(LOT, LotFiles(), [done], older).latest == done
    assert standing_of(LOT, LotFiles(), [done], same).latest == done
    assert standing_of(LOT, LotFiles(), [done], newer).latest == newer


def test_of_two_tasks_on_one_lot_the_one_that_succeeded_is_believed() -> None:
    """A late second task that found its keys changed doesn't undo the first one's success."""
    good = tally_of(1, {Outcome.COPIED: 2}, exit_code=0)
    late = tally_of(2, {Outcome.CHANGED: 2}, exit_code=3)
    standing = standing_of(LOT, LotFiles(attempt=2, done=(1, 2)), [late, good], None)

    assert standing.complete
    assert standing.outcomes == {Outcome.COPIED: 2}


@pytest.mark.parametrize("code", [3, 4, 75, None])
def test_only_exit_code_0_makes_a_lot_complete(code: int | None) -> None:
    """Failed, pending and interrupted lots are open."""
    assert not standing_of(LOT, LotFiles(), [tally_of(1, {Outcome.COPIED: 2}, exit_code=code)], None).complete


def test_totals_count_keys_lots_and_what_is_left() -> None:
    """A lot without a tally has only unprocessed keys."""
    complete = standing_of(LOT, LotFiles(attempt=1, done=(1,)), [tally_of(1, {Outcome.COPIED: 2}, exit_code=0)], None)
    summed = totals([complete, LotStanding(lot=LOT)])

    assert summed == Totals(keys=4, outcomes={Outcome.COPIED: 2}, lots=2, complete=1, begun=1)
    assert (summed.done, summed.unprocessed) == (2, 2)


@pytest.mark.parametrize(
    ("expected", "keys", "outcomes"),
    [
        (0, 2, {Outcome.COPIED: 2}),
        (4, 2, {Outcome.COPIED: 1, Outcome.PENDING: 1}),
        (3, 2, {Outcome.MISSING: 1, Outcome.PENDING: 1}),
        (3, 3, {Outcome.COPIED: 2}),
        (3, 3, {Outcome.PENDING: 2}),
    ],
)
def test_the_exit_code_of_a_phase(expected: int, keys: int, outcomes: dict[Outcome, int]) -> None:
    """Unprocessed counts as failed, and failed outweighs pending."""
    assert exit_code_of_phase(Totals(keys=keys, outcomes=outcomes, lots=1, complete=0, begun=1)) == expected


@given(st.permutations(["started-1.json", "results-1-00001.csv", "done-1.json", "started-2.json", "started-3.json"]))
def test_the_order_of_the_names_doesnt_matter(names: list[str]) -> None:
    """A directory lists its files in any order."""
    found = files_by_lot([f"job/restore/lot-00000/{name}" for name in names], "job/restore/")

    assert found == {"lot-00000": LotFiles(attempt=3, done=(1,), started_only=True)}
