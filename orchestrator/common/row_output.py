"""Where a command writes rows: a file, a pipe, or a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from orchestrator.common.atomic_file import whole_file
from orchestrator.common.output import tell


@contextmanager
def row_output(file: Path | None) -> Iterator[Callable[[str], object]]:
    """
    A function that writes a row, which ends in a line feed; file: None for standard output.

    A file appears only when the block ends well. A pipe gets UTF-8, whatever the terminal's encoding. On a terminal,
    control characters are shown as escapes: a key with a line feed in it is one row, and one line.
    """
    if file is not None:
        with whole_file(file) as write:
            yield write
    elif sys.stdout.isatty():
        yield lambda row: tell(row.removesuffix("\n"))
    else:
        with click.open_file("-", "w", encoding="utf-8") as out:
            yield out.write
            out.flush()
