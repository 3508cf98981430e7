"""A job of which every fifth request goes wrong, in every way there is, for its objects and for its state."""

from collections.abc import Sequence

from tests.faults.bench import Ended, Work, ended, run_task
from tests.faults.faults import FAULTS, Mixed
from tests.faults.killing import RESULTS, World
from tests.faults.state_bucket import STATE
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import LOSE_LATE, Fault, faulty
from tests.worker.server import HANG
from worker.contract import StatePaths

PROBABILITY = 0.22


def run_mixed(work: Work, s3_client: str, keys: Sequence[str], seed: int) -> tuple[Ended, Mixed]:
    """How a job over these keys ends, and what befell its objects' requests."""
    print(f"seed {seed}")  # noqa: T201 (told when the test fails)
    world = World(work, keys)
    objects = Mixed(seed, PROBABILITY)
    # The state's client waits a minute for an answer, and takes a redirect for what it says.
    state = Mixed(seed, PROBABILITY, but=(HANG, LOSE_LATE, FAULTS["302 to elsewhere"], FAULTS["307 to elsewhere"]))

    def decide(request: Request) -> Fault:
        return (state if request.bucket == STATE else objects)(request)

    what = ["--lot", f"s3://{STATE}/job/lot.csv", "--results", f"s3://{STATE}/{RESULTS}", "--attempt", "1"]
    how = [*work.arguments[1:], "--s3-client", s3_client, "--threads", "24"]
    with faulty(world.answer, decide) as seen:
        code = run_task([work.arguments[0], *what, *how], seen.endpoint)
    assert RESULTS + StatePaths.done_name(1) in world.state.files
    return ended(world.s3, code, world.rows(), keys, seen), objects
