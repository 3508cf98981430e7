"""Errors that end a task. The failure of a single key is never one of these."""


class WorkerError(Exception):
    """The task can't go on (exit code 1). The text is one line that says what failed, on what, and why."""


class StoppingError(Exception):
    """The task was told to stop before this request was sent. The key gets no result; the next attempt works on it."""
