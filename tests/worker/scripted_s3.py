"""S3 as a script: what is asked must be what the script says, and is answered as it says."""

import threading
from dataclasses import dataclass

from botocore.stub import Stubber

from worker.s3.ask import S3


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
