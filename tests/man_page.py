"""
docs/s3reclass.1, the manual page, made from the commands' own help.

    python -m tests.man_page > docs/s3reclass.1

`make docs` does this; a test fails when the page says something else than the commands do. The wheel installs it.
"""

import re
from collections.abc import Iterator
from inspect import cleandoc

import click

from orchestrator.cli import cli
from tests.command_docs import WIDTH, documented_commands
from tests.documents import ROOT

PAGE = ROOT / "docs" / "s3reclass.1"

_SEE_ALSO = """\
docs/settings.md has the settings and exit codes, docs/job.md the outcomes, docs/operations.md what to do in trouble."""


def escaped(text: str) -> str:
    """The text as roff prints it: no backslash, hyphen, or dot at a line's beginning means something to it."""
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", "\\e").replace("-", "\\-"), flags=re.MULTILINE)


def paragraphs(help_text: str) -> Iterator[str]:
    """The help's paragraphs: filled, but for those that it marks as they are to stay."""
    for one in re.split(r"\n{2,}", cleandoc(help_text)):
        marked, _, text = one.partition("\n")
        if marked == "\b":
            yield f".PP\n.nf\n{escaped(text)}\n.fi"
        else:
            yield f".PP\n{escaped(one)}"


def options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Each option as a tagged paragraph."""
    for parameter in command.get_params(context):
        if record := parameter.get_help_record(context):
            yield f".TP\n.B {escaped(record[0])}\n{escaped(record[1])}"


def man_page() -> str:
    """The text of docs/s3reclass.1."""
    lines = [
        '.TH S3RECLASS 1 "" "s3reclass" "User Commands"',
        f".SH NAME\ns3reclass \\- {escaped(_first_sentence(cli))}",
        ".SH SYNOPSIS\n.B s3reclass\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...",
        f".SH DESCRIPTION\n{_body(cli)}",
    ]
    with click.Context(cli, info_name="s3reclass", terminal_width=WIDTH, **cli.context_settings) as group:
        lines += [".SH OPTIONS", *options(cli, group), ".SH COMMANDS"]
        for one in documented_commands():
            if one.command is not cli:
                with click.Context(one.command, parent=group, info_name=one.name, terminal_width=WIDTH) as context:
                    usage = " ".join(one.command.collect_usage_pieces(context))
                    lines.append(f".SS {escaped(f's3reclass {one.name} {usage}')}\n{_body(one.command)}")
                    lines += options(one.command, context)
    return "\n".join([*lines, f".SH SEE ALSO\n{escaped(_SEE_ALSO)}"]) + "\n"


def _body(command: click.Command) -> str:
    return "\n".join(paragraphs("\n\n".join(filter(None, (command.help, command.epilog)))))


def _first_sentence(command: click.Command) -> str:
    return (command.help or "").strip().split("\n", 1)[0].rstrip(".")


if __name__ == "__main__":
    click.echo(man_page(), nl=False)
