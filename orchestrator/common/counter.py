"""How a single counter shows itself: a bar on a terminal, plain lines elsewhere. All of it on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from orchestrator.common.clock import Clock
from orchestrator.common.output import say
from orchestrator.common.text import duration
from orchestrator.run.show_progress import Progression

PLAIN_EVERY_S = 5
LIVE_EVERY_S = 0.2
BAR_WIDTH = 40


@contextmanager
def counting(
    doing: str, total: int | None, *, what: str = "keys", clock: Clock | None = None, console: Console | None = None
) -> Iterator[Callable[[int], None]]:
    """
    A function that takes how many are done now, and shows it now and then; call it as often as you like.

    doing: a word or two, as "looked at". total: None while it is unknown. what: is counted.
    On a terminal a live line, gone at the end; elsewhere a plain line every few seconds, so that
    nothing is printed of what is over soon.
    """
    clock, console = clock or Clock(), console or Console(stderr=True)
    counter = _Counter(doing, total, what, clock)
    if not console.is_terminal:
        yield _every(PLAIN_EVERY_S, clock, counter, say)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _every(
            LIVE_EVERY_S,
            clock,
            counter,
            lambda line: live.update(Text(f"{counter.bar()}{line}"), refresh=True),
        )


def _every(interval_s: float, clock: Clock, counter: "_Counter", show: Callable[[str], None]) -> Callable[[int], None]:
    """A function that shows the counter's line, at most once in so many seconds."""
    shown_at = clock.monotonic()

    def count(done: int) -> None:
        nonlocal shown_at
        if (now := clock.monotonic()) - shown_at >= interval_s:
            counter.take(done)
            show(counter.line())
            shown_at = now

    return count


class _Counter:
    """How many are done, at what pace."""

    def __init__(self, doing: str, total: int | None, what: str, clock: Clock) -> None:
        self._doing, self._total, self._what = doing, total, what
        self._done = 0
        self._pace = Progression(clock)
        self._pace.add(0)

    def take(self, done: int) -> None:
        """Take in how many are done now."""
        self._done = done
        self._pace.add(done)

    def line(self) -> str:
        """`looked at 12,000 of 1,200,000 keys (1%); 430/s, 46 min 03 s left`."""
        words = f"{self._doing} {self._done:,}"
        if self._total is not None:
            words += f" of {self._total:,} {self._what} ({100 * self._done // max(self._total, 1)}%)"
        else:
            words += f" {self._what}"
        if self._pace.keys_per_s > 0:
            words += f"; {self._pace.keys_per_s:,.0f}/s"
            if self._total is not None and (left_s := self._pace.left_s(self._total - self._done)) is not None:
                words += f", {duration(left_s)} left"
        return words

    def bar(self) -> str:
        """The done part of the total as a bar, "" when the total isn't known."""
        if not self._total:
            return ""
        filled = min(BAR_WIDTH, BAR_WIDTH * self._done // self._total)
        return "━" * filled + "╌" * (BAR_WIDTH - filled) + " "
