"""`--delete-superseded`, whatever else happens: at every moment each content has a version, as it was."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.faults.bench import S3_CLIENTS
from tests.faults.hostile.meddled import ACTS, KEYS, ODD, Meddled, Step, Workers
from tests.faults.hostile.situations import IN_PARTS
from tests.faults.hostile.truth import BADLY, Deed

NUMBERS = some.integers(0, 15)
"""Of a run's requests: two keys take some twenty in parts."""

STEPS = some.builds(
    Step,
    act=some.sampled_from(("", *ACTS)),
    key=some.sampled_from(KEYS),
    odd=some.sampled_from(("", "", *ODD)),
    undone=some.booleans(),
    bad=some.sampled_from((Deed.DONE, Deed.DONE, Deed.DONE, *BADLY)),
)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Workers whose requests never reach a socket."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    return Workers()


def machine(workers: Workers) -> type[RuleBasedStateMachine]:
    """Runs of these workers, with others at work before, after and during them."""

    class Runs(RuleBasedStateMachine):
        """An S3 and a job of two keys, attempted again and again."""

        def __init__(self) -> None:
            super().__init__()
            self._folder = tempfile.TemporaryDirectory()
            self._s3 = Meddled()
            self._attempt = 0

        @rule(name=some.sampled_from(ACTS), key=some.sampled_from(KEYS))
        def act(self, name: str, key: str) -> None:
            """Somebody else is at work between two runs."""
            self._s3.act(name, key)

        @rule(
            plan=some.dictionaries(NUMBERS, STEPS, max_size=4),
            dies=some.none() | some.integers(1, 18),
            s3_client=some.sampled_from(S3_CLIENTS),
            more=some.sampled_from(((), IN_PARTS)),
        )
        def run(self, plan: Mapping[int, Step], dies: int | None, s3_client: str, more: tuple[str, ...]) -> None:
            """A worker's next attempt."""
            self._attempt += 1
            self._s3.plan, self._s3.dies = plan, dies
            workers.run(self._s3, Path(self._folder.name), self._attempt, "--s3-client", s3_client, *more)

        @invariant()
        def nothing_is_lost(self) -> None:
            """It was looked at after every request."""
            assert self._s3.lost == []

        def teardown(self) -> None:
            """Leave nothing behind."""
            self._folder.cleanup()

    return Runs


def check(workers: Workers, examples: int, *, derandomize: bool) -> None:
    """Try so many sequences of runs and acts."""
    how = settings(
        max_examples=examples,
        stateful_step_count=6,
        derandomize=derandomize,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine(workers), settings=how)


def test_every_content_has_a_version_at_every_moment(workers: Workers) -> None:
    """Others write, delete, tag, lock and suspend; S3 lies; workers die: no content is lost but by others."""
    check(workers, 40, derandomize=True)


@pytest.mark.system
def test_every_content_has_a_version_at_every_moment_at_length(workers: Workers) -> None:
    """The same, a great many times, in another order each time."""
    check(workers, 300, derandomize=False)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("more", "requests"), [((), 9), (IN_PARTS, 19)], ids=["single", "in parts"])
def test_each_act_before_each_request(
    act: str, more: tuple[str, ...], requests: int, workers: Workers, tmp_path: Path
) -> None:
    """One thing that somebody else does, at each place of a run: nothing is lost."""
    for place in range(requests):
        s3, folder = Meddled(plan={place: Step(act=act)}), tmp_path / str(place)
        folder.mkdir()

        workers.run(s3, folder, 1, *more, keys=KEYS[:1])

        assert s3.lost == [], place
