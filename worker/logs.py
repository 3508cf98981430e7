"""Logs: a few JSON lines on standard error, never one for each key."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO


class JsonLines(logging.Formatter):
    """
    A log record as one line of JSON.

    ASCII only: a key with control characters can't affect a terminal. The `fields` of `extra={"fields": {...}}` stand
    beside the message.
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
    """The worker's log; warnings of other libraries go there, too."""
    output = logging.StreamHandler(stream)
    output.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[output], force=True)
    log = logging.getLogger("worker")
    log.setLevel(logging.INFO)
    return log
