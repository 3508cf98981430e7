"""What the worker's tests share."""

from pathlib import Path

import pytest

from tests.worker.running import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A lot and its results, in a folder of their own."""
    return Job(tmp_path)
