"""The worker's command line, and each task's share of the rate."""

import pytest

from orchestrator.model import Lot
from orchestrator.places.worker_command import changes_more, leads_elsewhere, rate_per_task, worker_command
from worker.contract import Phase, PhaseSettings, command_line

LOT = Lot(name="lot-00000", keys=5, sha256="ab" * 32)


def test_the_restore_command() -> None:
    """Everything a worker needs is on its command line."""
    settings = PhaseSettings(phase=Phase.RESTORE, days=3, tier="Standard", threads=8, s3_client="boto3")

    assert worker_command(settings, lot=LOT, lot_uri="L", results_uri="R/", attempt=2, rate=12.5, rate_from="S") == (
        *("restore", "--lot", "L", "--lot-digest", LOT.sha256, "--lot-keys", "5", "--results", "R/", "--attempt", "2"),
        *(
            "--days",
            "3",
            "--tier",
            "Standard",
            "--threads",
            "8",
            "--s3-client",
            "boto3",
            "--rate",
            "12.5",
            "--rate-from",
            "S",
        ),
    )


def test_the_copy_command() -> None:
    """The copy phase has a class, and no limit of its own."""
    settings = PhaseSettings(phase=Phase.COPY, storage_class="GLACIER_IR")

    assert worker_command(settings, lot=LOT, lot_uri="L", results_uri="R/", attempt=1, rate=0, rate_from="S") == (
        *("copy", "--lot", "L", "--lot-digest", LOT.sha256, "--lot-keys", "5", "--results", "R/", "--attempt", "1"),
        *("--storage-class", "GLACIER_IR", "--rate", "0"),
    )


@pytest.mark.parametrize("phase", list(Phase))
def test_payer_and_owner_go_with_both_phases(phase: Phase) -> None:
    """Every request for the objects carries them."""
    settings = PhaseSettings(phase=phase, request_payer="requester", bucket_owner="123456789012")

    assert command_line(settings)[-4:] == ("--request-payer", "requester", "--bucket-owner", "123456789012")


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ("--audit", "audit"),
        ("--allow-noncurrent", "allow_noncurrent"),
        ("--delete-superseded", "delete_superseded"),
    ],
)
def test_what_a_copy_does_beside_is_off_unless_asked_for(expected: str, name: str) -> None:
    """One flag each; the restore phase has none of them."""
    asked = {name: True}
    copy = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD", **asked)  # type: ignore[arg-type]  # a table names the field

    assert command_line(copy) == ("copy", "--storage-class", "STANDARD", expected)
    assert expected not in command_line(PhaseSettings(phase=Phase.RESTORE, **asked))  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("expected", "command", "wanted"),
    [
        (False, ("copy", "--audit"), ("copy",)),
        (True, ("copy", "--delete-superseded"), ("copy",)),
        (True, ("copy", "--allow-noncurrent"), ("copy", "--delete-superseded")),
        (False, ("copy", "--delete-superseded"), ("copy", "--delete-superseded")),
        (False, ("copy",), ("copy", "--delete-superseded")),
    ],
)
def test_a_flag_that_was_taken_back(expected: bool, command: tuple[str, ...], wanted: tuple[str, ...]) -> None:  # noqa: FBT001 (a table's column)
    """A command line that would change more than is wanted now is known as such."""
    assert changes_more(command, wanted) is expected


@pytest.mark.parametrize(
    ("expected", "command"),
    [
        (False, ("copy", "--lot", "a", "--results", "b", "--rate", "1")),
        (True, ("copy", "--lot", "other", "--results", "b")),
        (True, ("copy", "--lot", "a", "--results", "other")),
        (True, ("copy", "--lot", "a", "--results", "b", "--lot=other")),
        (True, ("copy", "--lot", "a", "--results", "b", "--results=other")),
        (True, ("copy", "--lot", "a", "--lot-digest", "ab", "--results", "b")),
        (True, ("copy", "--lot", "a", "--lot-keys", "2", "--results", "b")),
        (True, ("copy", "--results", "b")),
    ],
)
def test_a_task_that_would_go_astray(expected: bool, command: tuple[str, ...]) -> None:  # noqa: FBT001 (a table's column)
    """A noted command line must read and write where this job does."""
    assert leads_elsewhere(command, ("copy", "--lot", "a", "--results", "b", "--rate", "5")) is expected


@pytest.mark.parametrize(
    ("expected", "phase", "rate", "tasks"),
    [
        (45, Phase.RESTORE, None, 20),
        (900, Phase.RESTORE, None, 0),
        (0, Phase.COPY, None, 20),
        (0, Phase.RESTORE, 0, 20),
        (5, Phase.COPY, 100, 20),
    ],
)
def test_all_tasks_together_keep_the_rate(expected: float, phase: Phase, rate: float | None, tasks: int) -> None:
    """The job's rate is divided; restore keeps a margin below the account's 1,000 a second."""
    assert rate_per_task(phase, rate, tasks) == expected
