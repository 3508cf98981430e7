"""The worker's entry point: command line -> exit code."""

import gc
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from worker.command_line import parse_command_line
from worker.contract import ExitCode
from worker.errors import WorkerError
from worker.logs import start_logging

GARBAGE_OBJECTS = 100_000
"""Objects made, beyond those freed, before Python looks for garbage. Its own 700 take a seventh of the start."""


def main(arguments: Sequence[str]) -> ExitCode:
    """The exit code of one run. Whatever stops it is told in one line of the log, never in a bare traceback."""
    gc.set_threshold(GARBAGE_OBJECTS)
    options = parse_command_line(arguments)
    log = start_logging()
    # boto3 takes most of the start-up time, and `--help` and wrong usage need none of it.
    from worker.s3.clients import object_client, state_client  # noqa: PLC0415
    from worker.task import Task  # noqa: PLC0415

    task = Task(options, state_client=state_client, object_client=object_client)

    def stop(_number: int, _frame: FrameType | None) -> None:
        task.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        return task.run()
    except WorkerError as error:
        log.error(str(error))  # noqa: TRY400 (the text says it all; a traceback is for faults of our own)
    except Exception:
        log.exception("a fault of the worker itself")
    return ExitCode.COULD_NOT_PROCEED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
