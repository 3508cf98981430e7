"""How commands print: the only place of theirs that writes to standard output and standard error as text."""

import json
from typing import Any

import click

from orchestrator.common.text import printable


def say(line: str) -> None:
    """Print a remark on standard error, safe to show: it may tell of a key, or what AWS said."""
    click.echo(printable(line), err=True)


def tell(line: str) -> None:
    """Print a line of a result on standard output, safe to show like a remark."""
    click.echo(printable(line))


def tell_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value on standard output as JSON in ASCII, which is safe to show and stays what it is."""
    # The one control character that JSON lets through (RFC 8259, section 7).
    click.echo(json.dumps(value, indent=indent).replace("\x7f", r"\u007f"))
