"""ECS's endpoint for a task's credentials, on loopback, and an S3 that takes the newest ones only."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, Reply, faulty
from tests.worker.server import Answer

ADVISORY = timedelta(minutes=14)
"""Until the credentials expire: close enough for botocore to look for newer ones at each request (15 minutes)."""


@dataclass
class Rotation:
    """
    Credentials that are replaced in the middle of a lot, and no longer taken from that moment on.

    after: requests by the first ones. requests: so far. refused: those by credentials that were replaced.
    """

    after: int
    requests: int = 0
    refused: int = 0

    @property
    def token(self) -> str:
        """The session token of the credentials of now."""
        return "second" if self.requests >= self.after else "first"

    def __call__(self, request: Request) -> Fault:
        """What S3 says to a request."""
        valid = request.headers.get("x-amz-security-token") == self.token
        self.requests += valid
        self.refused += not valid
        return None if valid else Reply(400, "ExpiredToken", "The provided token has expired.")

    def give(self, *_: object) -> Answer:
        """The endpoint's answer."""
        credentials = {
            "AccessKeyId": f"AKIA{self.token}",
            "SecretAccessKey": "testing",
            "Token": self.token,
            "Expiration": (datetime.now(UTC) + ADVISORY).isoformat(),
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(credentials).encode()


@contextmanager
def container_credentials(rotation: Rotation) -> Iterator[dict[str, str]]:
    """The variables that lead boto3 to the endpoint, as ECS sets them."""
    with faulty(rotation.give, lambda _: None) as seen:
        yield {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{seen.endpoint}/credentials"}
