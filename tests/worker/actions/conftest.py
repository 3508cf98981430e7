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

    def bucket(self, *, versioned: bool = False) -> None:
        """
        The questions about the bucket, asked before its first copy, and the plainest answers.

        No default retention (asked only where there are versions), and ACLs without effect.
        """
        if versioned:
            self.stub.add_client_error(
                "get_object_lock_configuration",
                "ObjectLockConfigurationNotFoundError",
                "",
                404,
                expected_params={"Bucket": "bucket"},
            )
        self.ownership("BucketOwnerEnforced")

    def ownership(self, setting: str) -> None:
        """The question for the bucket's ownership setting, and its answer."""
        rules = {"OwnershipControls": {"Rules": [{"ObjectOwnership": setting}]}}
        self.stub.add_response("get_bucket_ownership_controls", rules, {"Bucket": "bucket"})


@pytest.fixture
def script() -> Iterator[Script]:
    """A script that must be played to its end."""
    client = object_client(4)
    clock, stop = FakeClock(), threading.Event()
    pace = Pace(0, stop, clock=clock, wait=clock.wait)
    with Stubber(client) as stub:
        yield Script(stub, S3(client, pace, Phase.RESTORE), S3(client, pace, Phase.COPY), stop)
        stub.assert_no_pending_responses()
