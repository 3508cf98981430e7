"""How a counter shows itself."""

import io

import pytest
from rich.console import Console

from orchestrator.common.clock import Clock
from orchestrator.common.counter import counting


class Ticks:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.clock = Clock(monotonic=lambda: self.now_s)


def test_a_plain_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Not on a terminal, a line with count, pace and time left, on standard error, once in 5 seconds."""
    ticks = Ticks()

    with counting("looked at", 1_200_000, clock=ticks.clock, console=Console(file=io.StringIO())) as count:
        for done in (500, 1000, 2150, 2160, 4300):
            ticks.now_s += 2
            count(done)

    assert capsys.readouterr().err == "looked at 2,150 of 1,200,000 keys (0%); 358/s, 55 min 43 s left\n"
    assert capsys.readouterr().out == ""


def test_what_is_over_soon_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A count that ends within the first seconds leaves no trace."""
    ticks = Ticks()

    with counting("looked at", 10, clock=ticks.clock, console=Console(file=io.StringIO())) as count:
        ticks.now_s += 1
        count(10)

    assert capsys.readouterr().err == ""


def test_an_unknown_total_has_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a total there is a count and a pace, and no time left."""
    ticks = Ticks()

    with counting("listed", None, clock=ticks.clock, console=Console(file=io.StringIO())) as count:
        ticks.now_s += 10
        count(5000)

    assert capsys.readouterr().err == "listed 5,000 keys; 500/s\n"


def test_a_terminal_gets_a_bar() -> None:
    """On a terminal one live line with a bar, gone at the end."""
    ticks = Ticks()
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)

    with counting("looked at", 1000, clock=ticks.clock, console=console) as count:
        ticks.now_s += 1
        count(500)

    assert f"{'━' * 20}{'╌' * 20} looked at 500 of 1,000 keys (50%); 500/s, 1 s left" in screen.getvalue()
