"""
How many keys to work on at once, found out while they are worked on.

More requests in flight make a task faster until something else limits it: its rate, S3, or its processor. Where that
point lies depends on how long S3 takes to answer, which differs by operation, size and hour. So the number is doubled
as long as that makes the task faster, and searched again when the task's speed changes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

FEWEST = 64
MOST = 256
"""With 3,000 requests a second each may then take 85 ms. 256 threads and connections take some 25 MB; twice as many
take twice that, and more processor time for each request."""

INTERVAL_S = 0.25
ANSWERS_EACH = 4
"""The speed is measured after this many seconds at least, and this many requests for each thread."""

_FASTER = 1.05
_SLOWED, _SPED_UP = 0.7, 1.5
_LIMITED = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """
    How far the search is.

    threads: keys worked on at once. before: how many they were before they were last doubled, at `rate_before`.
    settled_rate: the rate, in requests a second, at which the search ended; None while it goes on.
    """

    threads: int
    before: int = 0
    rate_before: float = 0.0
    settled_rate: float | None = None


def decide(search: Search, rate: float, limit: float | None) -> Search:
    """
    What follows from a measurement; the first row that fits counts.

    | measured | then |
    |---|---|
    | the rate is nearly the limit | settle: more in flight would only wait |
    | settled, and about as fast as then | stay |
    | settled, but slower or faster than then | search again: double |
    | doubled, and not faster for it | go back, settle |
    | doubled, faster, or the first measurement; at the most | settle |
    | doubled, faster, or the first measurement | double |

    rate: requests a second since the last measurement. limit: what the pace allows, None for no limit.
    """
    if limit is not None and rate >= _LIMITED * limit:
        return replace(search, settled_rate=rate)
    if search.settled_rate is not None:
        if _SLOWED * search.settled_rate < rate < _SPED_UP * search.settled_rate:
            return search
    elif rate < _FASTER * search.rate_before:
        return Search(threads=search.before, settled_rate=search.rate_before)
    if search.threads >= MOST:
        return Search(threads=search.threads, settled_rate=rate)
    return Search(threads=min(MOST, 2 * search.threads), before=search.threads, rate_before=rate)


class Concurrency:
    """
    The number of keys that a task works on at once.

    fixed: always this number; 0 to find out.
    sent: the number of requests sent so far. limit: the present rate in requests a second, None for no limit.
    clock: seconds, monotonic.
    """

    def __init__(
        self,
        fixed: int,
        *,
        sent: Callable[[], int],
        limit: Callable[[], float | None],
        clock: Callable[[], float],
    ) -> None:
        self._fixed = fixed
        self._sent = sent
        self._limit = limit
        self._clock = clock
        self._search = Search(threads=fixed or FEWEST)
        self._looked_at, self._sent_before = clock(), sent()

    def threads(self) -> int:
        """How many there are to be now."""
        if self._fixed:
            return self._fixed
        now = self._clock()
        passed = now - self._looked_at
        if passed >= INTERVAL_S:
            sent = self._sent() - self._sent_before
            if sent >= ANSWERS_EACH * self._search.threads:
                self._search = decide(self._search, sent / passed, self._limit())
                self._looked_at, self._sent_before = now, self._sent()
        return self._search.threads
