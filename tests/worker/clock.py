"""A clock that stands still until it is waited on."""

import threading


class FakeClock:
    """Seconds that pass only by `wait`; safe to share between threads."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.now += seconds
