"""Somebody between worker and S3: passes requests on, overwrites an object at the worst moment, refuses another."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.fidelity.documented_objects import Request
from tests.system.account import Account
from tests.worker.proxy import Fault, Reply, faulty, over_http
from tests.worker.server import Answer

OVERWRITTEN = "overwritten"
"""The key that is overwritten between a worker's look at it and its copy."""

REFUSED = "refused"
"""The key that S3 won't change, for a reason that no table knows."""


@contextmanager
def meddler(account: Account, endpoint: str) -> Iterator[str]:
    """A proxy in front of an endpoint: its own. Requests go on as they came, so their signatures stay valid."""
    pass_on = over_http(endpoint)

    def answer(request: Request) -> Answer:
        found = pass_on(request)
        if request.key == OVERWRITTEN and request.method == "HEAD":
            account.s3.put_object(Bucket=request.bucket, Key=request.key, Body=b"somebody else's")
        return found

    def refuse(request: Request) -> Fault:
        refused = request.key == REFUSED and request.method != "HEAD"
        return Reply(400, "KMS.DisabledException", "The key is disabled.") if refused else None

    with faulty(answer, refuse) as proxy:
        yield proxy.endpoint
