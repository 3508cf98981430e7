"""Logs: JSON lines on standard error, few, and never one for each key."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO


class JsonLines(logging.Formatter):
    """
    A log record as one line of JSON.

    ASCII only: a key with control characters in it can do nothing to a terminal. What a record is given
    as `extra={"fields": {...}}` stands beside its message.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def start_logging(stream: TextIO = sys.stderr) -> logging.Logger:
    """The worker's log; other libraries' warnings go the same way."""
    output = logging.StreamHandler(stream)
    output.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[output], force=True)
    log = logging.getLogger("worker")
    log.setLevel(logging.INFO)
    return log
