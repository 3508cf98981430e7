"""docs/scale.md says what is computed, and its plan works."""

import pytest

from orchestrator.settings.settings import Settings
from tests.scale_docs import ARCHIVES, JOB_KEYS, PAGE, estimate_of, hours_of_all, scale_page, tasks_needed
from worker.contract import Phase


def test_the_page_is_what_is_computed() -> None:
    """docs/scale.md is fresh; `make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == scale_page(), "run `make docs`"


@pytest.mark.parametrize("storage_class", ARCHIVES)
def test_a_job_is_copied_before_its_restored_copies_expire(storage_class: str) -> None:
    """From a job's first restore request to its last copy there are fewer days than restored copies stay."""
    of_job, of_all = hours_of_all(storage_class)

    assert of_job < Settings().days * 24 < of_all


@pytest.mark.parametrize("phase", Phase)
def test_just_enough_tasks_run_at_once(phase: Phase) -> None:
    """With one task more a phase is no faster, as S3 limits it, and with one less it is slower."""
    tasks = tasks_needed(phase)
    fewer, enough, more = (
        estimate_of(JOB_KEYS, ARCHIVES[0], (phase,), count).times[phase].per_second
        for count in (tasks - 1, tasks, tasks + 1)
    )

    assert fewer < enough == more
