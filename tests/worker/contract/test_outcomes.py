"""The words for what became of a key, and the exit codes that follow."""

import pytest

from worker.contract import OUTCOMES, ExitCode, Outcome, Phase, TaskStatus, exit_code_of, supersedes

GOOD, FAILED, PENDING = TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.PENDING


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        (GOOD, "requested"),
        (GOOD, "extended"),
        (GOOD, "in-progress"),
        (GOOD, "not-archived"),
        (GOOD, "copied"),
        (GOOD, "already"),
        (PENDING, "pending"),
        (FAILED, "missing"),
        (FAILED, "denied"),
        (FAILED, "changed"),
        (FAILED, "unsupported"),
        (FAILED, "error"),
    ],
)
def test_every_outcome_has_its_task_status(expected: TaskStatus, outcome: str) -> None:
    """Each word of the outcome table is reported under the status that the table names."""
    assert expected is Outcome(outcome).status


def test_every_outcome_belongs_to_a_phase() -> None:
    """No outcome is left out of the phases' tables, and none stands twice in one."""
    assert set(Outcome) == {outcome for outcomes in OUTCOMES.values() for outcome in outcomes}
    assert all(len(set(outcomes)) == len(outcomes) for outcomes in OUTCOMES.values())
    assert Outcome.PENDING not in OUTCOMES[Phase.RESTORE]


@pytest.mark.parametrize(
    ("expected", "counts"),
    [
        (ExitCode.GOOD, {}),
        (ExitCode.GOOD, {Outcome.COPIED: 3, Outcome.ALREADY: 1, Outcome.ERROR: 0}),
        (ExitCode.SOME_PENDING, {Outcome.COPIED: 3, Outcome.PENDING: 1}),
        (ExitCode.SOME_FAILED, {Outcome.COPIED: 3, Outcome.MISSING: 1}),
        (ExitCode.SOME_FAILED, {Outcome.PENDING: 5, Outcome.CHANGED: 1}),
    ],
)
def test_exit_code_follows_from_the_outcomes(expected: ExitCode, counts: dict[Outcome, int]) -> None:
    """A failed key outweighs a pending one, which outweighs good ones."""
    assert expected is exit_code_of(counts)


@pytest.mark.parametrize(
    ("expected", "new", "old"),
    [
        (True, GOOD, None),
        (True, FAILED, None),
        (True, FAILED, PENDING),
        (True, PENDING, FAILED),
        (True, GOOD, FAILED),
        (True, GOOD, GOOD),
        (False, FAILED, GOOD),
        (False, PENDING, GOOD),
    ],
)
def test_a_succeeded_result_stands(expected: bool, new: TaskStatus, old: TaskStatus | None) -> None:  # noqa: FBT001 (a table)
    """A later result replaces an earlier one, but for a succeeded one."""
    assert expected is supersedes(new, old)
