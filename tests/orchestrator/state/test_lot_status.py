"""Where a lot stands, from names and tallies."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.state.lot_status import (
    LotFiles,
    LotStatus,
    PartFiles,
    Totals,
    exit_code_of_phase,
    files_by_lot,
    standing_of,
    totals,
)
from tests.orchestrator.run.worlds import lots_of, tally_of
from worker.contract import Outcome, Parts, Tally

LOT = lots_of(1).lots[0]
PARTS = {attempt: PartFiles(count=2, size_bytes=100) for attempt in (1, 2, 3)}
FILES = LotFiles(attempt=1, done=(1,), parts=PARTS)


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
    found = files_by_lot([(f"job/restore/lot-00000/{name}", 1) for name in files], "job/restore/").get(
        "lot-00000", LotFiles()
    )

    assert found == expected
    assert found.next_attempt == next_attempt


def test_a_finished_attempt_beats_an_older_progress() -> None:
    """The newest tally counts; of the same attempt, the final one."""
    done = tally_of(2, {Outcome.COPIED: 1, Outcome.PENDING: 1}, exit_code=4)
    older, same, newer = (tally_of(attempt, {Outcome.COPIED: attempt}) for attempt in (1, 2, 3))

    assert standing_of(LOT, FILES, [done], older).latest == done
    assert standing_of(LOT, FILES, [done], same).latest == done
    assert standing_of(LOT, FILES, [done], newer).latest == newer


def test_of_two_tasks_on_one_lot_the_one_that_succeeded_is_believed() -> None:
    """A late second task that found its keys changed doesn't undo the first one's success."""
    good = tally_of(1, {Outcome.COPIED: 2}, exit_code=0)
    late = tally_of(2, {Outcome.CHANGED: 2}, exit_code=3)
    lot_status = standing_of(LOT, LotFiles(attempt=2, done=(1, 2), parts=PARTS), [late, good], None)

    assert lot_status.complete
    assert lot_status.outcomes == {Outcome.COPIED: 2}


@pytest.mark.parametrize("code", [3, 4, 75, None])
def test_only_exit_code_0_makes_a_lot_complete(code: int | None) -> None:
    """Failed, pending and interrupted lots are open."""
    assert not standing_of(LOT, FILES, [tally_of(1, {Outcome.COPIED: 2}, exit_code=code)], None).complete


def test_totals_count_keys_lots_and_what_is_left() -> None:
    """A lot without a tally has only unprocessed keys."""
    complete = standing_of(LOT, FILES, [tally_of(1, {Outcome.COPIED: 2}, exit_code=0)], None)
    summed = totals([complete, LotStatus(lot=LOT)])

    copied = {Outcome.COPIED: 2}
    assert summed == Totals(keys=4, outcomes=copied, finished=copied, lots=2, complete=1, begun=1)
    assert (summed.done, summed.unprocessed, summed.unfinished) == (2, 2, 2)


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
    ended = Totals(keys=keys, outcomes=outcomes, finished=outcomes, lots=1, complete=0, begun=1)

    assert exit_code_of_phase(ended) == expected


@pytest.mark.parametrize("done", [None, tally_of(1, {Outcome.COPIED: 1, Outcome.PENDING: 1}, exit_code=4)])
def test_a_progress_alone_finishes_nothing(done: Tally | None) -> None:
    """A lot that was given up isn't finished, though its lost task told of every key, and all of them good."""
    progress = tally_of(2, {Outcome.COPIED: 2})
    lot_status = standing_of(LOT, LotFiles(attempt=2, done=(1,), parts=PARTS), [done] if done else [], progress)

    assert exit_code_of_phase(totals([lot_status])) == (4 if done else 3)
    assert not lot_status.complete
    assert lot_status.outcomes == {Outcome.COPIED: 2}


def rested(*parts: tuple[int, int, int]) -> Tally:
    """The tally of a lot whose keys are all copied, resting on these parts: attempt, how many, bytes."""
    told = [Parts(attempt=one[0], count=one[1], size_bytes=one[2], sha256="") for one in parts]
    return replace(tally_of(2, {Outcome.COPIED: 2}, exit_code=0), parts=tuple(told))


@pytest.mark.parametrize(
    ("tally", "why"),
    [
        (rested((1, 2, 100), (2, 2, 100)), ""),
        (rested((2, 2, 100)), ""),
        (rested((1, 1, 60), (2, 2, 99)), ""),
        (rested((1, 2, 100), (2, 3, 100)), "2 of 3 parts of the results of attempt 2 are there"),
        (rested((7, 1, 1)), "0 of 1 parts of the results of attempt 7 are there"),
        (rested((1, 2, 101), (2, 2, 100)), "the results of attempt 1 were 101 bytes and are 100"),
        (tally_of(2, {Outcome.COPIED: 1}, exit_code=0), "attempt 2 worked on 1 keys of 2"),
        (
            tally_of(2, {Outcome.COPIED: 1, Outcome.DENIED: 1}, exit_code=0),
            "attempt 2 ended with exit code 0, and its outcomes say otherwise",
        ),
    ],
)
def test_a_tally_is_believed_while_its_parts_are_there(tally: Tally, why: str) -> None:
    """As many at least and as long, attempt by attempt; more may have come since."""
    files = LotFiles(attempt=2, done=(2,), parts={1: PARTS[1], 2: PARTS[2]})
    lot_status = standing_of(LOT, files, [tally], None)

    assert (lot_status.complete, lot_status.doubt) == (not why, why)
    assert exit_code_of_phase(totals([lot_status])) == (3 if why else 0)
    assert totals([lot_status]).doubted == bool(why)


def test_a_tally_of_an_older_version_is_believed_while_there_are_parts_enough() -> None:
    """It doesn't name them, but no part has more than 5,000 rows."""
    lot = replace(LOT, keys=5_001)
    tally = tally_of(1, {Outcome.COPIED: 5_001}, exit_code=0)

    for parts, complete in [(2, True), (1, False), (0, False)]:
        files = LotFiles(attempt=1, done=(1,), parts={1: PartFiles(count=parts, size_bytes=100)} if parts else {})
        assert standing_of(lot, files, [tally], None).complete == complete


def test_the_lot_done_again_is_believed() -> None:
    """The first attempt's parts stay lost, and the second's tally rests on what is there."""
    first, second = rested((1, 9, 900)), rested((1, 2, 100), (2, 2, 100))
    lot_status = standing_of(
        LOT,
        LotFiles(attempt=3, done=(1, 3), parts=PARTS),
        [replace(first, attempt=1), replace(second, attempt=3)],
        None,
    )

    assert lot_status.complete
    assert not lot_status.doubt


@given(st.permutations(["started-1.json", "results-1-00001.csv", "done-1.json", "started-2.json", "started-3.json"]))
def test_the_order_of_the_names_doesnt_matter(names: list[str]) -> None:
    """A directory lists its files in any order."""
    found = files_by_lot([(f"job/restore/lot-00000/{name}", 1) for name in names], "job/restore/")

    assert found == {"lot-00000": LotFiles(attempt=3, done=(1,), started_only=True)}
