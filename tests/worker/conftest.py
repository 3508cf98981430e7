"""What the worker's tests share."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.stub import Stubber

from tests.worker.clock import FakeClock
from tests.worker.running import Job
from tests.worker.scripted_s3 import Script
from worker.contract import Phase
from worker.pool.pacing import Pace
from worker.s3.ask import S3
from worker.s3.clients import object_client


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A lot and its results, in a folder of their own."""
    return Job(tmp_path)


@pytest.fixture
def script() -> Iterator[Script]:
    """A script that must be played to its end."""
    client = object_client(4)
    clock, stop = FakeClock(), threading.Event()
    pace = Pace(0, stop, clock=clock, wait=clock.wait)
    with Stubber(client) as stub:
        yield Script(stub, S3(client, pace, Phase.RESTORE), S3(client, pace, Phase.COPY), stop)
        stub.assert_no_pending_responses()
