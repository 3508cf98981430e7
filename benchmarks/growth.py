"""The worker by itself: the pace that it finds, and whether its cost for each key stays the same as work grows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from benchmarks.clients import Client
from benchmarks.measure import Run, run_all
from benchmarks.side_by_side import Bench, enough, say

THROTTLED_RATE = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How a run without --threads went at a delay. in_flight: requests waiting for an answer, on average."""

    phase: str
    delay_ms: int
    run: Run

    @property
    def in_flight(self) -> float:
        """By Little's law: the rate times the time that each takes."""
        return self.run.requests_per_s * self.delay_ms / 1000


def paces(bench: Bench, worker: Client, delays_ms: Sequence[int], *, seconds: float) -> list[Pace]:
    """The worker at each delay, without --threads."""
    found = []
    for delay_ms in delays_ms:
        for phase in ("restore", "copy"):
            first = bench.measure(worker, phase, worker.first, delay_ms=delay_ms)
            # The first seconds are those in which it finds its pace: the longer run is to have some after them.
            objects = enough(first, seconds * worker.longer)
            run = first if first.failure else bench.measure(worker, phase, objects, delay_ms=delay_ms)
            found.append(Pace(phase=phase, delay_ms=delay_ms, run=run))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttled:
    """A client under a limit. share: of what the limit lets through, between its first and its last answer."""

    client: str
    run: Run

    @property
    def share(self) -> float:
        """1 is all of it."""
        return self.run.requests_per_s / THROTTLED_RATE

    @property
    def refused_per_answer(self) -> float:
        """Requests refused for each one that was not."""
        answered = self.run.counts.requests - self.run.counts.refused
        return self.run.counts.refused / answered if answered else 0.0


def throttled(bench: Bench, clients: Sequence[Client], *, seconds: float) -> list[Throttled]:
    """Each client restoring, while the stub answers SlowDown to everything over its rate."""
    objects = int(THROTTLED_RATE * seconds)
    return [
        Throttled(
            client=client.name,
            run=bench.measure(client, "restore", objects, delay_ms=30, rate=THROTTLED_RATE, limit_s=10 * seconds + 20),
        )
        for client in clients
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lot:
    """A lot of so many keys, and the worker's run over it, whose objects are those that it came to."""

    keys: int
    run: Run


def lots(bench: Bench, worker: Client, sizes: Sequence[int], *, limit_s: float) -> list[Lot]:
    """
    The worker restoring a lot of each size, at no delay.

    limit_s: when a run is told to stop: what it came to by then is counted.
    """
    found = []
    for size in sizes:
        run = bench.measure(worker, "restore", size, limit_s=limit_s)
        if run.failure.startswith("not done") and run.counts.restore:
            run = replace(run, objects=run.counts.restore, failure="")
        found.append(Lot(keys=size, run=run))
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Together:
    """Workers side by side, each with its own lot. cpu_s: of all. peak_mib: of one, on average."""

    workers: int
    keys: int
    objects_per_s: float
    cpu_s: float
    peak_mib: float
    failure: str


def together(bench: Bench, worker: Client, numbers: Sequence[int], keys: int) -> list[Together]:
    """So many workers at once, on all cores, each restoring a lot of so many keys at no delay."""
    found = []
    for workers in numbers:
        bench.stub.set(delay_ms=0, rate=0)
        works = [bench.work("restore", keys) for _ in range(workers)]
        with bench.on_all_cores():
            ended = run_all([worker.command(work) for work in works], bench.environment(), limit_s=120)
        counts = bench.stub.counts()
        bad = [one.last_line for one in ended if one.code]
        one = Together(
            workers=workers,
            keys=keys,
            objects_per_s=counts.restore / counts.span_s if counts.span_s else 0.0,
            cpu_s=sum(one.cpu_s for one in ended),
            peak_mib=mean(one.peak_mib for one in ended),
            failure=bad[0] if bad else "",
        )
        say(f"{workers} workers together: {one.failure or f'{one.objects_per_s:,.0f} objects/s'}")
        found.append(one)
    return found
