"""What goes wrong, in words for people: what failed, on what, and what to do next. Pure."""


class S3ReclassError(Exception):
    """
    Something that stops a command; its text is one line for the user.

    exit_code: the command's exit code, 1 (could not proceed) unless a subclass says otherwise.
    """

    exit_code = 1


class NoStateError(S3ReclassError):
    """There is no state of the job, as far as can be seen: nothing was run, or it was run with another state."""


class UsageError(S3ReclassError):
    """The command was called with something it can't take (exit code 2)."""

    exit_code = 2
