"""What makes the rest of a lot pointless; a single key's failure is never one of these."""


class WorkerError(Exception):
    """Something that stops the task (exit code 1); its text is one line that says what failed, on what, and why."""


class StoppingError(Exception):
    """The task was told to stop before this request was sent: the key stays without a result, for the next attempt."""
