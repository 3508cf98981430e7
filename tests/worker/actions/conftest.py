"""S3 as a script: what is asked must be what the script says, and is answered as it says."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from botocore.stub import Stubber

from tests.worker.clock import FakeClock
from worker.actions.asking import S3
from worker.clients import object_client
from worker.contract import Phase
from worker.pacing import Pace


@dataclass(frozen=True, slots=True)
class Script:
    """The stub to tell answers to, and the S3s that speak with it."""

    stub: Stubber
    restore: S3
    copy: S3
    stop: threading.Event


@pytest.fixture
def script() -> Iterator[Script]:
    """A script that must be played to its end."""
    client = object_client(4)
    clock, stop = FakeClock(), threading.Event()
    pace = Pace(0, stop, clock=clock, wait=clock.wait)
    with Stubber(client) as stub:
        yield Script(stub, S3(client, pace, Phase.RESTORE), S3(client, pace, Phase.COPY), stop)
        stub.assert_no_pending_responses()
