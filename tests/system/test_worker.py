"""`python -m worker`, by hand and in its image: a lot with a key for every outcome, and every exit code."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.account import Account, Stored
from tests.system.box import REPOSITORY, Box
from tests.system.engine import Engine, Ran
from tests.system.meddler import OVERWRITTEN, REFUSED, meddler
from tests.system.terminal import Terminal
from worker.contract import LotEntry, Tally, format_lot_line, parse_result_rows

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "every-outcome"
STATE = "state-of-jobs"
LOT = f"s3://{STATE}/lots/lot-00000.csv"
RESULTS = f"s3://{STATE}/results/lot-00000/"

RESTORE = {
    "new\nline": "requested",
    "ready": "extended",
    "asked for": "in-progress",
    "plain": "not-archived",
    "missing": "missing",
    "denied/one": "denied",
    "deep": "error",  # Expedited isn't for DEEP_ARCHIVE
}
COPY = {
    "plain": "copied",
    "ready": "copied",
    "there": "already",
    "new\nline": "pending",
    "asked for": "pending",
    "missing": "missing",
    "denied/one": "denied",
    OVERWRITTEN: "changed",
    "customer key": "unsupported",
    REFUSED: "error",
}
OBJECTS = (
    Stored(key="new\nline", storage_class="GLACIER"),
    Stored(key="ready", storage_class="GLACIER"),
    Stored(key="asked for", storage_class="GLACIER"),
    Stored(key="deep", storage_class="DEEP_ARCHIVE"),
    Stored(key="there", storage_class="STANDARD_IA"),
    Stored(key="plain"),
    Stored(key="denied/one", storage_class="GLACIER"),
    Stored(key=OVERWRITTEN),
    Stored(key=REFUSED),
)

Run = Callable[[str], Ran]
"""Runs a worker's command line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """
    What a worker works on: a bucket with an object for every outcome, and an empty state.

    environment: what leads a worker there, as somebody who may not touch `denied/`.
    """

    account: Account
    environment: Mapping[str, str]

    def lay(self, keys: Sequence[str]) -> None:
        """Make these keys the lot."""
        lines = "".join(format_lot_line(LotEntry(bucket=BUCKET, key=key)) for key in keys)
        self.account.s3.put_object(Bucket=STATE, Key="lots/lot-00000.csv", Body=lines.encode())

    def outcomes(self) -> dict[str, str]:
        """Each key's outcome in the result parts; a key with two would be an error."""
        names = [name for name in self.account.names(STATE, "results/") if "/results-" in name]
        rows = [row for name in names for row in parse_result_rows(self.account.read(STATE, name)[1].decode("utf-8"))]
        found = {row.entry.key: row.outcome.value for row in rows}
        assert len(rows) == len(found)
        return found

    def tally(self) -> Tally:
        """The tally that the first attempt left."""
        return Tally.from_json(self.account.read(STATE, "results/lot-00000/done-1.json")[1])


@pytest.fixture
def bench(account: Account, box: Box) -> Iterator[Bench]:
    """The bench, with a meddler on the way to it."""
    for bucket in (BUCKET, STATE):
        account.make_bucket(bucket)
    account.put(BUCKET, OBJECTS)
    account.s3.put_object(
        Bucket=BUCKET, Key="customer key", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32
    )
    for key, tier in (("ready", "Bulk"), ("asked for", "Standard")):
        request = {"Days": 1, "GlacierJobParameters": {"Tier": tier}}
        account.s3.restore_object(Bucket=BUCKET, Key=key, RestoreRequest=request)
    with meddler(account, box.endpoint) as endpoint:
        yield Bench(account=account, environment={**box.environment, **_user(account), "AWS_ENDPOINT_URL": endpoint})


def _user(account: Account) -> dict[str, str]:
    """The credentials of somebody who may do a worker's work, but not on `denied/`."""
    policy = account.allow(["s3:*"], ["*"])
    policy["Statement"].append({"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/denied/*"})
    return account.new_user("worker", policy)


@pytest.fixture(params=["by hand", "in its image"])
def run(request: pytest.FixtureRequest, bench: Bench, engine: Engine, terminal: Terminal) -> Run:
    """A way to run a worker's command line against the bench."""
    if request.param == "by hand":
        return lambda line: _by_hand(line, bench.environment)
    image = terminal.types(f"s3reclass push-image --bucket {BUCKET}").out.strip()
    return lambda line: engine.run(image, line.split(), bench.environment)


def _by_hand(line: str, environment: Mapping[str, str]) -> Ran:
    ended = subprocess.run(
        [sys.executable, "-m", "worker", *line.split()],
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return Ran(exit_code=ended.returncode, log=ended.stdout)


def test_every_outcome_of_a_restore(bench: Bench, run: Run) -> None:
    """A restore gives each key the table's outcome, and exit code 3, since some failed."""
    bench.lay(list(RESTORE))
    time.sleep(2)  # the box restores "ready" in 2 s

    ran = run(f"restore --lot {LOT} --results {RESULTS} --attempt 1 --tier Expedited")

    assert (ran.exit_code, bench.outcomes()) == (3, RESTORE), ran.log
    assert (len(RESTORE), 3) == (bench.tally().keys, bench.tally().exit_code)


def test_every_outcome_of_a_copy(bench: Bench, run: Run) -> None:
    """A copy gives each key the table's outcome, and exit code 3; somebody else's overwritten object stays theirs."""
    bench.lay(list(COPY))
    time.sleep(2)  # the box restores "ready" in 2 s

    ran = run(f"copy --lot {LOT} --results {RESULTS} --attempt 1 --storage-class STANDARD_IA")

    assert (ran.exit_code, bench.outcomes()) == (3, COPY), ran.log
    assert (len(COPY), 3) == (bench.tally().keys, bench.tally().exit_code)
    classes = {one.key: one.storage_class for one in bench.account.look(BUCKET, ["plain", "ready", OVERWRITTEN])}
    assert classes == {"plain": "STANDARD_IA", "ready": "STANDARD_IA", OVERWRITTEN: "STANDARD"}
    assert bench.account.read(BUCKET, OVERWRITTEN)[1] == b"somebody else's"


def test_every_exit_code(bench: Bench, run: Run) -> None:
    """A worker ends with 0, 1, 2 or 4 where nothing failed: all good, no lot, wrong usage, some pending."""
    bench.lay(["plain", "asked for"])
    where = f"--lot {LOT} --results {RESULTS} --attempt 1"

    ended = {
        "restore": run(f"restore {where}"),
        "no lot": run(f"restore {where}".replace("lot-00000.csv", "no-such-lot.csv")),
        "usage": run("restore --lot"),
        "help": run("copy --help"),
        "copy": run(f"copy {where} --storage-class STANDARD_IA".replace("results/", "copies/")),
    }

    codes = {name: ran.exit_code for name, ran in ended.items()}
    assert codes == {"restore": 0, "no lot": 1, "usage": 2, "help": 0, "copy": 4}, ended
    assert not [ran.log for ran in ended.values() if "Traceback" in ran.log]


def test_interrupted_and_run_again(bench: Bench) -> None:
    """SIGTERM ends a worker with 75, its finished keys recorded; the next attempt does the others, and no key twice."""
    keys = [f"reel {number}" for number in range(40)]
    bench.account.put(BUCKET, [Stored(key=key, storage_class="GLACIER") for key in keys])
    bench.lay(keys)
    line = f"restore --lot {LOT} --results {RESULTS} --rate 4 --attempt"
    with subprocess.Popen(
        [sys.executable, "-m", "worker", *line.split(), "1"],
        cwd=REPOSITORY,
        env=os.environ | bench.environment,
        stderr=subprocess.DEVNULL,
    ) as worker:
        _wait_for(lambda: bench.account.s3.head_object(Bucket=BUCKET, Key=keys[5]).get("Restore"))
        worker.send_signal(signal.SIGTERM)

    done = bench.outcomes()
    again = _by_hand(f"{line.replace('--rate 4', '--rate 0')} 2", bench.environment)

    assert worker.returncode == 75
    assert done[keys[5]] == "requested"
    assert len(done) < len(keys)
    assert again.exit_code == 0, again.log
    assert dict.fromkeys(keys, "requested") == bench.outcomes()


def _wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)
