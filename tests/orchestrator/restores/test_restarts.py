"""When a lot may start again whose last task got nowhere."""

import pytest

from orchestrator.restores.restarts import LotStart, after_task


@pytest.mark.parametrize(
    ("pause_s", "before", "pending", "paused_s"),
    [
        (0, 63, 0, 0),
        (0, 63, 56, 0),
        (0, 63, 57, 10),
        (0, 63, 63, 10),
        (0, 1, 1, 10),
        (10, 63, 63, 20),
        (10, 63, 56, 0),
        (1_280, 63, 63, 1_800),
        (1_800, 63, 63, 1_800),
    ],
)
def test_the_pause_after_a_task(pause_s: float, before: int, pending: int, paused_s: float) -> None:
    """None where a tenth of the pending keys was settled, else twice the last one, from 10 s to half an hour."""
    last = LotStart(attempt=1, pending=before, pause_s=pause_s)

    assert after_task(last, attempt=2, pending=pending, now_s=100) == LotStart(
        attempt=2, pending=pending, pause_s=paused_s, again_at=100 + paused_s
    )
