"""How a run shows itself: a live display on a terminal, plain lines elsewhere. All of it on standard error."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from orchestrator.common.clock import Clock
from orchestrator.common.output import say
from orchestrator.common.text import duration, printable
from orchestrator.run.job import PhaseProgress
from orchestrator.state.lot_status import LotStatus, Totals
from worker.contract import OUTCOMES, Outcome, Phase

PLAIN_EVERY_S = 10
RATE_OVER_S = 60


@contextmanager
def reporter_for(clock: Clock, phase: Phase | None = None) -> Iterator["LiveReporter | PlainReporter"]:
    """
    What shows the run on standard error: a live display on a terminal, else plain lines.

    phase: what each remark begins with, where a run has both phases.
    """
    console = Console(stderr=True)
    prefix = f"{phase}: " if phase else ""
    if not console.is_terminal:
        yield PlainReporter(clock, prefix)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield LiveReporter(clock, live, prefix)


class PlainReporter:
    """A line when something changed, at most one every few seconds."""

    def __init__(self, clock: Clock, prefix: str = "") -> None:
        self._clock, self._prefix = clock, prefix
        self._pace = Progression(clock)
        self._last_line = ""
        self._last_at = -float(PLAIN_EVERY_S)

    def show(self, progress: PhaseProgress) -> None:
        """Print a line of progress, if it says something new and the last one is old enough."""
        self._pace.add(progress.totals.done)
        over = not (progress.running or progress.pending or progress.queued)
        now = self._clock.monotonic()
        if now - self._last_at < PLAIN_EVERY_S and not over:
            return
        line = one_line(progress, self._pace)
        if line != self._last_line:
            say(line)
        self._last_line, self._last_at = line, now

    def remark(self, line: str) -> None:
        """Print the line."""
        say(self._prefix + line)


class LiveReporter:
    """One live block: a bar, the tasks, the outcomes; remarks scroll by above it."""

    def __init__(self, clock: Clock, live: Live, prefix: str = "") -> None:
        self._pace = Progression(clock)
        self._live, self._prefix = live, prefix

    def show(self, progress: PhaseProgress) -> None:
        """Redraw the block."""
        self._pace.add(progress.totals.done)
        width = max(20, min(60, self._live.console.width - 30))
        filled = width * progress.totals.done // max(progress.totals.keys, 1)
        block = Text()
        block.append("━" * filled, style="green").append("━" * (width - filled), style="dim").append("\n")
        block.append(one_line(progress, self._pace))
        self._live.update(block)

    def remark(self, line: str) -> None:
        """Print the line above the block."""
        self._live.console.print(Text(printable(self._prefix + line)))


class Progression:
    """Keys a second over the last minute, and how long the rest will take at that pace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, done: int) -> None:
        """Note how many keys are done now."""
        now = self._clock.monotonic()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > RATE_OVER_S:  # noqa: PLR2004 (a pace needs two points)
            self._seen.popleft()

    @property
    def keys_per_s(self) -> float:
        """Keys a second; 0 while unknown."""
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - began) if now > began else 0.0

    def left_s(self, keys: int) -> float | None:
        """Seconds until this many more keys are done; None while unknown."""
        return keys / self.keys_per_s if self.keys_per_s > 0 else None


def one_line(progress: PhaseProgress, pace: Progression) -> str:
    """The progress in a line: keys done, pace, time left, tasks, outcomes."""
    totals = progress.totals
    percent = 100 * totals.done // max(totals.keys, 1)
    parts = [f"{progress.phase}: {totals.done:,} of {totals.keys:,} keys ({percent}%)"]
    if pace.keys_per_s > 0 and totals.unprocessed:
        parts.append(f"{pace.keys_per_s:,.0f}/s, {duration(pace.left_s(totals.unprocessed) or 0)} left")
    if progress.running or progress.pending or progress.queued:
        counts = {
            "starting": progress.pending,
            "lots waiting": progress.queued,
            "lots not restored yet": progress.waiting_for_restore,
        }
        tasks = (f"{count} {word}" for word, count in counts.items() if count)
        parts.append(", ".join((f"tasks: {progress.running} running", *tasks)))
    if totals.outcomes:
        parts.append(outcome_words(progress.phase, totals.outcomes))
    return "; ".join(parts)


def outcome_words(phase: Phase, outcomes: Mapping[Outcome, int]) -> str:
    """The outcomes that occur, in the phase's order: `copied 12, missing 1`."""
    return ", ".join(f"{outcome} {outcomes[outcome]:,}" for outcome in OUTCOMES[phase] if outcomes.get(outcome))


def outcome_lines(phase: Phase, totals: Totals) -> list[str]:
    """A table of a phase's outcomes, `unprocessed` last, one line each."""
    rows = [(outcome.value, totals.outcomes[outcome]) for outcome in OUTCOMES[phase] if totals.outcomes.get(outcome)]
    if totals.unprocessed:
        rows.append(("unprocessed", totals.unprocessed))
    width = max((len(f"{count:,}") for _, count in rows), default=1)
    return [f"  {word:<14}{count:>{width},}" for word, count in rows]


def counted(number: int, noun: str) -> str:
    """The number with its noun, which takes an s unless there is one: `1 task`, `2,000 tasks`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


SHOWN_DOUBTS = 10


def doubt_lines(phase: Phase, lot_statuses: Iterable[LotStatus]) -> Iterator[str]:
    """A line for each of some lots that aren't finished though a tally says so, and what to do about them."""
    doubted = [one for one in lot_statuses if one.doubt]
    for one in doubted[:SHOWN_DOUBTS]:
        yield f"{one.lot.name} isn't finished, though a tally says so: {one.doubt}"
    if doubted:
        more = f"and {len(doubted) - SHOWN_DOUBTS:,} lots more: " if len(doubted) > SHOWN_DOUBTS else ""
        yield f"{more}`s3reclass run --phase {phase}` does again what is missing"
