"""
docs/commands.md, made from the commands' own `--help`.

    python -m tests.command_docs > docs/commands.md

`make docs` does this; tests/test_docs.py fails when the page says something else than the commands do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

from orchestrator.cli import cli

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
WIDTH = 98
"""Columns of the help, whatever terminal the page is made in: what click takes of one that is 100 wide or wider."""

_HEAD = """\
# Commands

Made by `make docs` from what each command says with `--help`. The settings behind `--bucket`, `--state` and the
like are in [settings.md](settings.md), and so are the [exit codes](settings.md#exit-codes).
"""


class Documented(NamedTuple):
    """A command under the name that it is called by, and its help."""

    name: str
    command: click.Command
    help: str


def documented_commands() -> Iterator[Documented]:
    """The group itself, then each command in the order of a job."""
    with click.Context(cli, info_name="s3reclass", terminal_width=WIDTH, **cli.context_settings) as group:
        yield Documented("s3reclass", cli, cli.get_help(group))
        for name in cli.list_commands(group):
            command = cli.get_command(group, name)
            if command is None:
                raise LookupError(f"{name} is listed, and there is no such command")
            with click.Context(command, parent=group, info_name=name) as context:
                yield Documented(name, command, command.get_help(context))


def commands_page() -> str:
    """The text of docs/commands.md."""
    sections = [f"## {one.name}\n\n```text\n{one.help.rstrip()}\n```\n" for one in documented_commands()]
    return "\n".join([_HEAD, *sections])


if __name__ == "__main__":
    click.echo(commands_page(), nl=False)
