"""What job.json says of the restores that were asked for."""

from datetime import UTC, datetime, timedelta

from orchestrator.state.job_file import Restore, new_job, phase_entry, restore_in, with_again
from tests.orchestrator.run.worlds import lots_of
from worker.contract import Phase, PhaseSettings

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = AT + timedelta(days=9)
SETTINGS = PhaseSettings(phase=Phase.RESTORE, days=3, tier="Standard")


def test_the_restores_that_were_asked_for_last() -> None:
    """None; the restore phase's; those that were asked for again."""
    job = new_job(lots_of(1), AT)
    begun = {**job, "phases": {"restore": phase_entry(SETTINGS, AT.isoformat())}}
    again = with_again(begun, "cafe", PhaseSettings(phase=Phase.RESTORE), LATER)

    assert restore_in(None) == restore_in(job) == Restore()
    assert restore_in(begun) == Restore(tier="Standard", days=3, requested_at=AT)
    assert restore_in(again) == Restore(tier="Bulk", days=7, requested_at=LATER)


def test_asking_again_keeps_its_beginning() -> None:
    """A job that is gone on with was begun when it was; another one begins anew."""
    job = with_again(new_job(lots_of(1), AT), "cafe", SETTINGS, AT)

    assert with_again(job, "cafe", SETTINGS, LATER) == job
    assert with_again(job, "f00d", SETTINGS, LATER)["again"]["begun_at"] == LATER.isoformat()
