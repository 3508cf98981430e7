"""
How fast a task may send: a budget of requests a second, and less while S3 refuses some.

botocore's own retries don't serve here. Against a server that throttles, `standard` fails keys when its retry quota is
empty, `legacy` sends many refused requests for each good one, and neither tells us. So every request passes here
first, every answer is reported here, and a refused key goes back to the queue.
"""

import threading
import time
from collections.abc import Callable

from worker.errors import StoppingError

FLOOR = 1.0
"""The lowest rate, in requests a second: enough to notice that S3 takes requests again."""

_INTERVAL_S = 1.0
_SLICE_S = 0.5
_MARGIN = 0.98
_DEEPEST_CUT = 0.25
_WHOLE = 1 - 1e-6
"""A whole token, but for rounding: the wait for the rest of it could be too short to move a clock."""

_CLEAN_GROWTH = 0.02
_FASTEST_GROWTH = 0.5
_DOUBLES_AFTER = 3
_MOST_CLEAN = 30


class Pace:
    """
    A token bucket whose rate follows S3's answers.

    After a second in which S3 refused something, the rate becomes what S3 took, a quarter of the rate at least. After
    a second in which S3 took everything, the rate grows up to the budget, slowly at first and faster the longer that
    lasts. Without a budget nothing holds requests back until S3 refuses one.

    rate: the budget in requests a second; 0 for none.
    stop: once set, no more requests: `acquire` raises.
    hold: called right before each request; what it raises, `acquire` raises.
    clock: seconds, monotonic. wait: waits for a number of seconds or until stop is set.
    """

    def __init__(
        self,
        rate: float,
        stop: threading.Event,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
        hold: Callable[[], None] = lambda: None,
    ) -> None:
        self._budget = rate or None
        self._stop = stop
        self._clock = clock
        self._wait = wait or stop.wait
        self.hold = hold
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._limit = self._budget
        self._tokens = 1.0
        self._filled_at = self._interval_at = clock()
        self._sent_before = self._taken = self._refused = self._clean = 0
        self.sent = 0

    @property
    def limit(self) -> float | None:
        """The present rate in requests a second, None for no limit."""
        return self._limit

    def set_rate(self, rate: float) -> None:
        """
        Change the budget while requests are sent; any thread may.

        A rate that S3's refusals brought below the new budget stays, and grows up to the budget as S3 takes more.
        rate: requests a second; 0 for no budget.
        """
        with self._lock:
            unrefused = self._limit == self._budget
            self._budget = rate or None
            if self._budget is None:
                self._limit = None if unrefused else self._limit
            elif unrefused or self._limit is None or self._limit > self._budget:
                if self._limit is None:
                    self._tokens, self._filled_at = 0.0, self._clock()
                self._limit = self._budget

    def acquire(self) -> None:
        """
        Return when a request may be sent, and count it.

        Raises StoppingError once the task is to stop. Threads wait one behind another, so only one must be woken.
        """
        if self._limit is None:
            self.check_stop()
            self.count()
        else:
            with self._turn:
                self._wait_for_token()
        self.hold()

    def answered(self, *, refused: bool) -> None:
        """Take note of an answer; refused: S3 said to slow down."""
        with self._lock:
            self._taken += not refused
            self._refused += refused
            now = self._clock()
            if now - self._interval_at >= _INTERVAL_S:
                self._adjust(now)

    def pause(self, seconds: float) -> None:
        """Wait before a request is repeated. Raises StoppingError once the task is to stop."""
        self._wait(seconds)
        self.check_stop()

    def count(self) -> None:
        """Count a request that is sent without waiting for its turn."""
        with self._lock:
            self.sent += 1

    def check_stop(self) -> None:
        """Raise StoppingError once the task is to stop."""
        if self._stop.is_set():
            raise StoppingError

    def _wait_for_token(self) -> None:
        while True:
            self.check_stop()
            with self._lock:
                delay = self._take_token()
            if delay <= 0:
                return
            self._wait(min(delay, _SLICE_S))

    def _take_token(self) -> float:
        """Take a token and return 0; when there is none, return the seconds until the next."""
        now = self._clock()
        if self._limit is not None:
            burst = max(1.0, self._limit / 10)
            self._tokens = min(burst, self._tokens + (now - self._filled_at) * self._limit)
            self._filled_at = now
            if self._tokens < _WHOLE:
                return (1 - self._tokens) / self._limit
            self._tokens -= 1
        self.sent += 1
        return 0

    def _adjust(self, now: float) -> None:
        """Set the rate by what S3 took and refused since the last time."""
        rate_sent = (self.sent - self._sent_before) / (now - self._interval_at)
        if self._refused:
            present = rate_sent if self._limit is None else min(self._limit, rate_sent)
            share_taken = self._taken / (self._taken + self._refused)
            if self._limit is None:
                self._tokens, self._filled_at = 0.0, now
            self._limit = max(FLOOR, present * max(_DEEPEST_CUT, share_taken * _MARGIN))
            self._clean = 0
        elif self._limit is not None:
            growth = min(_FASTEST_GROWTH, _CLEAN_GROWTH * 2 ** (min(self._clean, _MOST_CLEAN) / _DOUBLES_AFTER))
            self._limit = max(self._limit * (1 + growth), self._limit + growth)
            self._clean += 1
            if self._budget is not None:
                self._limit = min(self._limit, self._budget)
            elif self._limit > 4 * max(rate_sent, FLOOR):
                # Four times what is sent is no limit any more.
                self._limit = None
        self._interval_at, self._sent_before = now, self.sent
        self._taken = self._refused = 0
