"""Every client over the same work, in turn, round after round, so that a slower minute meets them all."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

from benchmarks.clients import Client, Work
from benchmarks.measure import Run, environment, measure
from benchmarks.stub import Stub

DELAYS_MS = (30, 0)
MOST_OBJECTS = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A place in the tables: a client at a phase and a delay."""

    client: str
    phase: str
    delay_ms: int


@dataclass(slots=True)
class Measured:
    """
    What was measured in a cell.

    first: the short run, which tells how many objects make a long one. runs: the long ones, one for each round.
    """

    first: Run
    runs: list[Run] = field(default_factory=list)

    @property
    def failure(self) -> str:
        """Why there is nothing to show, or ""."""
        return next((run.failure for run in (self.first, *self.runs) if run.failure), "" if self.runs else "not run")

    def each(self, name: str) -> list[float]:
        """A number that each run has, one for each round."""
        return [getattr(run, name) for run in self.runs]

    def of(self, name: str) -> float:
        """The median of a number that each run has."""
        return median(self.each(name))


class Bench:
    """
    What all measurements share: a stub, a folder for lots and results, and a line about each on standard error.

    cores: all that there are; clients are pinned to the first, the stub is elsewhere.
    stub_limits: rows at which the stub itself was busy for so much of the time that it may have been the limit.
    """

    def __init__(self, stub: Stub, folder: Path, cores: Sequence[int]) -> None:
        self.stub = stub
        self._cores = cores
        self._folder = folder
        self._attempts = count(1)
        self.stub_limits: list[str] = []

    def work(self, phase: str, objects: int) -> Work:
        """So much work, with a results folder that nobody has used."""
        return Work(
            phase=phase,
            objects=objects,
            endpoint=self.stub.endpoint,
            folder=self._folder,
            attempt=next(self._attempts),
        )

    def environment(self) -> dict[str, str]:
        """What every client finds."""
        return environment(self.stub.endpoint, self._folder)

    @contextmanager
    def on_all_cores(self) -> Iterator[None]:
        """Let what is started in the context use every core; the stub stays where it is."""
        os.sched_setaffinity(0, self._cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self._cores[:1])

    def measure(self, client: Client, phase: str, objects: int, *, limit_s: float = 120, **settings: float) -> Run:
        """One run of a client."""
        run = measure(
            self.stub,
            client.command(self.work(phase, objects)),
            self.environment(),
            objects=objects,
            settings=settings,
            limit_s=limit_s,
        )
        told = run.failure or f"{run.objects_per_s:,.0f} objects/s, {run.cpu_s:.1f} s of CPU, {run.peak_mib:.0f} MiB"
        where = f"{client.name}, {phase}, {settings or ''}"
        say(f"{where}: {objects:,} objects, {told}")
        if run.counts.span_s > 1 and run.counts.cpu_s > 0.8 * run.counts.span_s:
            self.stub_limits.append(where)
        return run


def say(line: str) -> None:
    """Tell how far the benchmark is."""
    print(line, file=sys.stderr, flush=True)


def cells(clients: Sequence[Client], delays_ms: Sequence[int]) -> Iterator[tuple[Client, Cell]]:
    """Every client at each phase that it can do, at every delay."""
    for delay_ms in delays_ms:
        for phase in ("copy", "restore"):
            for client in clients:
                if phase in client.phases:
                    yield client, Cell(client=client.name, phase=phase, delay_ms=delay_ms)


def side_by_side(
    bench: Bench, clients: Sequence[Client], *, rounds: int, seconds: float, delays_ms: Sequence[int] = DELAYS_MS
) -> Mapping[Cell, Measured]:
    """
    What was measured in each cell: a short run, then one of about so many seconds in each round.

    A cell that failed once is left out of the rounds that are left.
    """
    found: dict[Cell, Measured] = {}
    for client, cell in cells(clients, delays_ms):
        first = bench.measure(client, cell.phase, client.first, delay_ms=cell.delay_ms)
        found[cell] = Measured(first=first)
    for _ in range(rounds):
        for client, cell in cells(clients, delays_ms):
            measured = found[cell]
            if measured.first.failure or any(run.failure for run in measured.runs):
                continue
            # Twice the short run at least, or there would be nothing to tell its start-up from.
            objects = max(
                enough(measured.first, seconds * client.longer), 1 if measured.first.starts_anew else 2 * client.first
            )
            measured.runs.append(bench.measure(client, cell.phase, objects, delay_ms=cell.delay_ms))
    return found


def enough(first: Run, seconds: float) -> int:
    """Objects for a run of so many seconds, going by a short run."""
    return max(first.objects, min(MOST_OBJECTS, int(first.objects_per_s * seconds)))
