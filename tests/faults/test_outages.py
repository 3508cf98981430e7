"""What befalls a whole lot: storms of 503, no DNS, nobody there, other credentials, everything at random."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.bench import (
    BUCKET,
    COPY,
    IN_PARTS,
    RESTORE,
    SPEED,
    Work,
    documented,
    ended,
    run_documented,
    run_task,
    serve,
)
from tests.faults.faults import Outage
from tests.faults.killing import run_mixed
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import CUT, Fault, Reply, faulty
from tests.worker.running import Job
from tests.worker.server import Answer
from worker.contract import ExitCode, LotEntry

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = [f"key-{number:03}" for number in range(120)]
MANY = [f"key-{number:03}" for number in range(200)]
WORKS = pytest.mark.parametrize("work", [RESTORE, COPY], ids=lambda work: work.name)


@pytest.mark.parametrize(("work", "seconds"), [(COPY, 20), (RESTORE, 60)], ids=lambda one: getattr(one, "name", one))
def test_a_stretch_of_nothing_but_503_fails_no_key(work: Work, seconds: float, s3_client: str, tmp_path: Path) -> None:
    """For 20 seconds, and for a minute, S3 refuses all: no key fails, none is copied twice, few requests are wasted."""
    outage = Outage(Reply(503, "SlowDown"), seconds, speed=SPEED)

    found = run_documented(work, s3_client, KEYS, outage, tmp_path)

    assert found.not_right(KEYS, work.copies) == {}
    assert found.code is ExitCode.GOOD
    assert 1 < outage.fell < 2 * len(KEYS)


@WORKS
def test_names_that_do_not_resolve_for_a_while(
    work: Work, s3_client: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS fails for 20 seconds, and connections are cut, so that it matters: no key fails."""
    outage = Outage(CUT, 20, speed=SPEED)
    resolve: Callable[..., Any] = socket.getaddrinfo

    def fail(*arguments: Any, **more: Any) -> Any:
        if outage.going_on:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return resolve(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    found = run_documented(work, s3_client, KEYS, outage, tmp_path)

    assert found.not_right(KEYS, work.copies) == {}
    assert found.code is ExitCode.GOOD


@WORKS
def test_nobody_is_there_at_first(work: Work, s3_client: str, tmp_path: Path) -> None:
    """Connections are refused until somebody listens: no key fails."""
    s3, job, codes = documented(work, KEYS), Job(tmp_path), []
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in KEYS)
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        arguments = job.arguments(*work.arguments, "--s3-client", s3_client)
        worker = threading.Thread(target=lambda: codes.append(run_task(arguments, f"http://127.0.0.1:{port}")))
        worker.start()
        worker.join(0.5)
    with faulty(serve(s3), lambda _: None, port=port) as seen:
        worker.join(60)

    assert codes == [ExitCode.GOOD]
    assert ended(s3, codes[0], job.rows(), KEYS, seen).not_right(KEYS, work.copies) == {}


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


@pytest.mark.parametrize(
    ("work", "keys"), [(RESTORE, KEYS), (COPY, KEYS), (IN_PARTS, KEYS[:20])], ids=lambda one: getattr(one, "name", "")
)
def test_credentials_that_are_replaced_in_the_middle_of_the_lot(
    work: Work, keys: list[str], s3_client: str, tmp_path: Path
) -> None:
    """ECS gives new credentials, and S3 takes the old ones no longer: no key fails for that."""
    rotation = Rotation(after=60)
    s3, job = documented(work, keys), Job(tmp_path)
    job.write_lot(LotEntry(bucket=BUCKET, key=key) for key in keys)

    with container_credentials(rotation) as environ, faulty(serve(s3), rotation) as seen:
        arguments = job.arguments(*work.arguments, "--s3-client", s3_client)
        code = run_task(arguments, seen.endpoint, speed=5, **environ)

    assert code is ExitCode.GOOD
    assert ended(s3, code, job.rows(), keys, seen).not_right(keys, work.copies) == {}
    assert rotation.token == "second"


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize(
    ("work", "keys"),
    [(RESTORE, MANY), (COPY, MANY), (IN_PARTS, MANY[:24])],
    ids=lambda one: str(getattr(one, "name", "")),
)
def test_mixed_faults_fail_no_key_and_copy_none_twice(work: Work, keys: list[str], seed: int, s3_client: str) -> None:
    """22% of all requests go wrong, for objects and for the state, in every way there is: all ends well."""
    found, faults = run_mixed(work, s3_client, keys, seed)

    assert found.not_right(keys, work.copies) == {}
    assert found.code is ExitCode.GOOD
    assert faults.met.total() > len(keys) / 5
