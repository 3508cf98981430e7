"""The clock of a task; in tests, one that runs faster."""

import threading
import time
from dataclasses import dataclass

_BOOT_TIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Unlike CLOCK_MONOTONIC it goes on while the machine is suspended. Only Linux has it (clock_gettime(2))."""


@dataclass(frozen=True, slots=True)
class Clock:
    """
    A clock that only grows.

    speed: how many of its seconds pass in a real one.
    """

    speed: float = 1.0

    def __call__(self) -> float:
        """The time in seconds."""
        return time.clock_gettime(_BOOT_TIME) * self.speed

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Return after this many of its seconds, or as soon as the event is set."""
        event.wait(seconds / self.speed)
