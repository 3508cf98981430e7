"""Time as a value: what waits or notes the time is given one of these, so that a test can give its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """
    The time.

    monotonic: seconds since some moment. sleep: waits so many seconds. now: the time of day, in UTC.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
