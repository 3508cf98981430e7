"""How many keys are worked on at once: a table of decisions, and the whole search on a clock of its own."""

import pytest

from tests.worker.clock import FakeClock
from worker.pool.concurrency import FEWEST, MOST, Concurrency, Search, decide

HELD = Search(threads=64, settled_rate=1_000)
DOUBLED = Search(threads=64, before=32, rate_before=1_000)


@pytest.mark.parametrize(
    ("expected", "lot_status", "rate", "limit"),
    [
        (Search(threads=64, before=32, rate_before=0), Search(threads=32), 0, None),
        (Search(threads=64, before=32, rate_before=1_000), Search(threads=32), 1_000, None),
        (Search(threads=128, before=64, rate_before=1_900), DOUBLED, 1_900, None),
        (Search(threads=32, settled_rate=1_000), DOUBLED, 1_020, None),
        (Search(threads=32, settled_rate=1_000), DOUBLED, 500, None),
        (HELD, HELD, 1_100, None),
        (HELD, HELD, 800, None),
        (Search(threads=128, before=64, rate_before=300), HELD, 300, None),
        (Search(threads=128, before=64, rate_before=2_000), HELD, 2_000, None),
        (
            Search(threads=MOST, settled_rate=5_000),
            Search(threads=MOST, before=256, rate_before=3_000),
            5_000,
            None,
        ),
        (Search(threads=32, settled_rate=95), Search(threads=32), 95, 100),
        (Search(threads=64, before=32, rate_before=50), Search(threads=32), 50, 100),
    ],
)
def test_what_follows_from_a_look(expected: Search, lot_status: Search, rate: float, limit: float | None) -> None:
    """Each row of the table in the code."""
    found = decide(lot_status, rate, limit)

    assert (found.threads, found.before, found.rate_before) == (
        expected.threads,
        expected.before,
        expected.rate_before,
    ) or (
        found.threads,
        found.settled_rate,
    ) == (expected.threads, expected.settled_rate)
    assert (found.settled_rate is None) == (expected.settled_rate is None)


class Server:
    """S3 and a processor: the seconds that an answer takes, and the requests a second at most."""

    def __init__(self, latency_s: float, most: float) -> None:
        self.latency_s, self.most = latency_s, most
        self.sent = 0.0
        self.clock = FakeClock()

    def run(self, concurrency: Concurrency, seconds: float) -> int:
        """Work for so long; the threads in the end."""
        for _ in range(int(seconds * 20)):
            self.sent += 0.05 * min(self.most, concurrency.threads() / self.latency_s)
            self.clock.wait(0.05)
        return concurrency.threads()


def search(server: Server, *, fixed: int = 0, limit: float | None = None) -> Concurrency:
    """A search before such a server."""
    return Concurrency(fixed, sent=lambda: int(server.sent), limit=lambda: limit, clock=server.clock)


@pytest.mark.parametrize(
    ("expected", "latency_s", "most"),
    [(FEWEST, 0.005, 4_000), (128, 0.03, 4_000), (MOST, 0.2, 4_000), (256, 0.1, 2_000), (FEWEST, 0.1, 200)],
)
def test_it_finds_as_many_as_make_the_task_faster(expected: int, latency_s: float, most: float) -> None:
    """At 5, 30 and 200 ms an answer, within what S3 and the processor allow; found within seconds, and kept."""
    server = Server(latency_s, most)
    concurrency = search(server)

    assert server.run(concurrency, 8) == expected
    assert server.run(concurrency, 60) == expected


def test_it_follows_when_answers_take_longer() -> None:
    """What was enough at 5 ms isn't at 200: the search begins again."""
    server = Server(0.005, 4_000)
    concurrency = search(server)
    assert server.run(concurrency, 8) == FEWEST

    server.latency_s = 0.2

    assert server.run(concurrency, 10) == MOST


def test_within_a_rate_it_does_not_grow() -> None:
    """More in flight than the rate needs would only wait."""
    server = Server(0.03, 500)

    assert server.run(search(server, limit=500), 20) == FEWEST


def test_a_fixed_number_stays() -> None:
    """Whatever the task's speed."""
    server = Server(0.2, 4_000)

    assert server.run(search(server, fixed=7), 20) == 7


def test_slow_answers_are_waited_for() -> None:
    """With half a minute an answer nothing is concluded from half a second without any."""
    server = Server(30, 4_000)

    assert server.run(search(server), 100) == FEWEST
