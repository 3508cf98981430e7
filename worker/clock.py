"""The time that a task goes by: the world's, or, in tests, one that passes faster."""

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """
    A clock that only grows.

    speed: how many of its seconds pass in one of the world's.
    """

    speed: float = 1.0

    def __call__(self) -> float:
        """The time in seconds."""
        return time.monotonic() * self.speed

    def wait(self, event: threading.Event, seconds: float) -> None:
        """Return after so many of its seconds, or as soon as the event is set."""
        event.wait(seconds / self.speed)
