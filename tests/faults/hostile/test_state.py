"""A job's state behind odd answers: a run that says it ended has a row for every key, and the next makes it whole."""

import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.conftest import SITUATIONS
from tests.faults.bench import S3_CLIENTS
from tests.faults.hostile.bench import READ_TIMEOUT_S, SHARED, SPEED, Hostile, Record
from tests.faults.hostile.situations import WORKS, Situation
from tests.faults.hostile.truth import TARGET
from tests.faults.hostile.twist import BARE, TOLD, Twist
from tests.faults.hostile.twists import every_twist
from tests.faults.state_bucket import STATE, StateBucket
from tests.fidelity.documented_objects import Request
from tests.worker.server import Script, message_of, plainly, serving
from worker.clock import Clock
from worker.command_line import parse_command_line
from worker.contract import ExitCode, LotEntry, LotFileName, StatePaths, format_lot_line, parse_result_rows
from worker.errors import WorkerError
from worker.s3.clients import object_client, session, state_client
from worker.task import Task

KEYS = 6
COUNT = 40
_FILES = ("lot", "list", "results", "progress", "done")
_BODY_IS_ANYTHING = ("body: ", "said to be compressed", "compressed")
"""What a file of the state holds can't be told by its answer alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Odd:
    """
    What befalls one job's state.

    file: of which file, or of the list. method: of the request. done: whether what is asked is done. times: how often.
    """

    file: str
    method: str
    twist: Twist
    done: bool
    times: int

    def __str__(self) -> str:
        return f"{self.method} {self.file}; {self.twist.name}; {'' if self.done else 'not '}done; {self.times} times"


def odd_answers(count: int, seed: int) -> Iterator[Odd]:
    """So many of them."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    for number in range(count):
        file = _FILES[number % len(_FILES)]
        method = "GET" if file in ("lot", "list") else "PUT"
        kind = TOLD if method == "GET" else BARE
        twists = [
            one
            for one in every_twist()
            if kind in one.to and not one.once and not (method == "GET" and one.name.startswith(_BODY_IS_ANYTHING))
        ]
        twist = chance.choice(twists)
        # A server that says 200 to a PUT, and all that belongs to it, is believed.
        sure = method == "GET" or twist.whole or twist.name in ("status '200'", "no length, closed")
        done = sure or twist.name.startswith(("length", "body", "coding", "chunks", "version")) or chance.random() < 0.4
        yield Odd(file=file, method=method, twist=twist, done=done, times=chance.choice((1, 2)))


class Jobs:
    """Many jobs, each with a lot of its own and something odd about its state."""

    def __init__(self, odd: list[Odd]) -> None:
        self.odd = {f"{number:04}": one for number, one in enumerate(odd)}
        self.objects = Hostile([Situation()] * KEYS * len(odd))
        self.state = StateBucket()
        self.honest = False
        self._asked: dict[str, int] = dict.fromkeys(self.odd, 0)
        for job in self.odd:
            lines = (format_lot_line(LotEntry(bucket=SHARED, key=key)) for key in self.keys(job))
            self.state.files[f"{job}/lot.csv"] = "".join(lines).encode()

    def keys(self, job: str) -> list[str]:
        """The keys of a job's lot."""
        return [f"{int(job) * KEYS + number:04}" for number in range(KEYS)]

    def respond(self, request: Request) -> Script:
        """The answer to a request for an object or for the state."""
        if request.bucket != STATE:
            return self.objects.respond(request)
        name = request.key or request.query.get("prefix", "")
        odd = self.odd[name[:4]]
        met = not self.honest and request.method == odd.method and _file(request) == odd.file
        if met:
            self._asked[name[:4]] += 1
            met = self._asked[name[:4]] <= odd.times
        done = not met or odd.done
        answer = self.state(request) if done else (200, {"ETag": '"e"'}, b"")
        message = message_of(answer, bodiless=request.method == "HEAD")
        return odd.twist.play(odd.twist.change(message)) if met else plainly(message)

    def wrong(self, job: str, code: ExitCode | None) -> list[str]:
        """What isn't so of an attempt that says it has ended."""
        found = []
        rows = self._rows(job)
        for key in self.keys(job):
            made = self.objects.truth.records[SHARED, key].copies
            if made > 1:
                found.append(f"{made} copies of {key}")
            outcome = rows.get(key)
            if code is not None and outcome is None:
                found.append(f"{code!r}, and no row of {key}")
            if outcome == "copied" and self.objects.truth.versions(SHARED, key)[-1].storage_class != TARGET:
                found.append(f"{key} isn't copied")
        return found

    def _rows(self, job: str) -> Mapping[str, str]:
        parts = [name for name in self.state.files if name.startswith(f"{job}/results/results-")]
        assert all(LotFileName.parse(name.rpartition("/")[2]) for name in parts)
        return {row.entry.key: row.outcome for name in sorted(parts) for row in _parsed(self.state.files[name])}


def _parsed(content: bytes) -> Any:
    return parse_result_rows(content.decode())


def _file(request: Request) -> str:
    if not request.key:
        return "list"
    name = request.key.rpartition("/")[2]
    return "lot" if name == "lot.csv" else "progress" if name == StatePaths.progress_name() else name.partition("-")[0]


def check(s3_client: str, count: int, seed: int, record_property: Record) -> None:
    """Run many jobs once each, then once more with a state that is honest again."""
    jobs = Jobs(list(odd_answers(count, seed)))
    record_property(SITUATIONS, count)
    with serving(jobs.respond) as heard, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", heard.endpoint)
        session.cache_clear()
        state, objects = state_client(), object_client(32, read_timeout_s=READ_TIMEOUT_S)

        def attempt(number: int, job: str) -> ExitCode | None:
            what = ("--lot", f"s3://{STATE}/{job}/lot.csv", "--results", f"s3://{STATE}/{job}/results/")
            how = ("--storage-class", TARGET, "--s3-client", s3_client, "--threads", "2", "--attempt", str(number))
            options = parse_command_line([WORKS[1].arguments[0], *what, *how])
            clock = Clock(speed=SPEED)
            try:
                return Task(options, state_client=lambda: state, object_client=lambda _: objects, clock=clock).run()
            except WorkerError:
                return None

        for number in (1, 2):
            with ThreadPoolExecutor(8) as pool:
                codes = dict(zip(jobs.odd, pool.map(partial(attempt, number), jobs.odd), strict=True))
            wrong = {f"{job} {jobs.odd[job]}": found for job in jobs.odd if (found := jobs.wrong(job, codes[job]))}
            assert wrong == {}, f"attempt {number}"
            jobs.honest = True
        assert set(codes.values()) == {ExitCode.GOOD}


@pytest.mark.parametrize("s3_client", S3_CLIENTS[:1])
def test_a_state_that_answers_oddly(s3_client: str, record_property: Record) -> None:
    """No run ends well without a row for each key; when the state is itself again, all is made whole."""
    check(s3_client, COUNT, 1, record_property)


@pytest.mark.system
@pytest.mark.parametrize("seed", [2, 3])
def test_a_state_that_answers_oddly_by_other_seeds(seed: int, record_property: Record) -> None:
    """The same, for many more."""
    check(S3_CLIENTS[0], 5 * COUNT, seed, record_property)
