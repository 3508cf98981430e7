"""What `run` says of a phase before it starts."""

from dataclasses import replace

import pytest

from orchestrator.estimate.cost import Estimate, estimate_job
from orchestrator.objects.object_head import ObjectHead
from orchestrator.run.plan_remarks import phase_remarks
from orchestrator.settings.settings import Settings
from tests.orchestrator.estimate.objects import a_sample, an_object, some_lots
from worker.contract import Phase, PhaseSettings

COPY = PhaseSettings(phase=Phase.COPY, storage_class="STANDARD")
RESTORE = PhaseSettings(phase=Phase.RESTORE)


def estimate_of(*heads: ObjectHead, target: str = "STANDARD") -> Estimate:
    """A copy phase's estimate after these objects were looked at."""
    settings = Settings(storage_class=target, place="local")
    return estimate_job(some_lots(len(heads)), a_sample(*heads), settings, "us-east-1", (Phase.COPY,))


@pytest.mark.parametrize(
    ("expected", "estimate", "restore_begun"),
    [
        (["no restore phase was run for this job: archived objects will be pending"], None, False),
        (
            ["will be pending (1 of 2 looked at are)"],
            estimate_of(an_object("GLACIER"), an_object("STANDARD_IA")),
            False,
        ),
        ([], estimate_of(an_object("GLACIER")), True),
        ([], estimate_of(an_object("STANDARD_IA"), an_object("GLACIER_IR")), False),
        ([], estimate_of(an_object("GLACIER", restore='ongoing-request="false", expiry-date="x"')), False),
        ([], estimate_of(an_object("GLACIER"), target="GLACIER"), False),
    ],
)
def test_a_missing_restore_is_told_only_where_it_matters(
    expected: list[str],
    estimate: Estimate | None,
    restore_begun: bool,  # noqa: FBT001 (a table's column)
) -> None:
    """Archiving is one phase: nothing is said when nothing that was looked at waits for a restore."""
    said = list(phase_remarks(COPY, estimate, restore_begun=restore_begun))

    assert len(said) == len(expected)
    assert all(words in line for words, line in zip(expected, said, strict=True))


@pytest.mark.parametrize(
    ("expected", "days", "tier"),
    [
        (["if any are in DEEP_ARCHIVE: a restored copy may be gone before it is there"], 1, "Bulk"),
        (["DEEP_ARCHIVE takes up to 48 h with Bulk, and --days 2 is counted from the request"], 2, "Bulk"),
        ([], 3, "Bulk"),
        ([], 1, "Standard"),
        ([], 1, "Expedited"),
    ],
)
def test_days_too_short_for_the_tier(expected: list[str], days: int, tier: str) -> None:
    """Told when nothing was looked at; an estimate says it of the objects that there are."""
    settings = replace(RESTORE, days=days, tier=tier)
    said = list(phase_remarks(settings, None, restore_begun=False))

    assert len(said) == len(expected)
    assert all(words in line for words, line in zip(expected, said, strict=True))
    assert list(phase_remarks(settings, estimate_of(an_object("GLACIER")), restore_begun=False)) == []


@pytest.mark.parametrize(
    ("expected", "target"),
    [
        ([], "STANDARD"),
        (["minimum duration of 30 days", "smaller than 128 KB as 128 KB"], "STANDARD_IA"),
        (["minimum duration of 180 days", "adds 40 KB to each object"], "DEEP_ARCHIVE"),
        (["smaller than 128 KB in its Frequent Access tier"], "INTELLIGENT_TIERING"),
    ],
)
def test_what_the_class_costs_is_told_without_an_estimate(expected: list[str], target: str) -> None:
    """Minimum duration, minimum size and what S3 adds; an estimate has the same among its warnings."""
    said = list(phase_remarks(replace(COPY, storage_class=target), None, restore_begun=True))
    warned = estimate_of(an_object("STANDARD", size_bytes=1), target=target).warnings

    assert len(said) == len(expected)
    assert all(words in line for words, line in zip(expected, said, strict=True))
    assert [line for line in said if "128 KB as 128 KB" not in line and line not in warned] == []


def test_flags_that_change_more_than_the_class_are_put_in_words() -> None:
    """First of all what will be deleted."""
    settings = replace(COPY, audit=True, allow_noncurrent=True, delete_superseded=True)

    deleted, current, kept = phase_remarks(settings, None, restore_begun=True)

    assert "the version that was copied is deleted for good once its copy has been verified" in deleted
    assert "nor one of which no ETag or checksum proves that the copy has its content" in deleted
    assert "its copy becomes that" in current
    assert "what each object was is kept in the state" in kept
