"""
The click group, and the one place where errors become exit codes.

A command is imported when it is called, so that `s3reclass --help` doesn't wait for boto3.
"""

import os
import signal
import sys
from importlib import import_module
from io import StringIO
from typing import Any

import click

from orchestrator.common.crash_report import quiet_libraries, tell_crash
from orchestrator.common.output import say, tell
from orchestrator.common.standard_streams import OutputError, protect_standard_streams
from orchestrator.common.versions import versions
from orchestrator.errors import S3ReclassError

COULD_NOT, INTERRUPTED = 1, 130

_COMMANDS = {
    "init": "Write s3reclass.toml.",
    "list": "List a bucket's keys, by class, as a key file for split.",
    "split": "Cut a key file into lots.",
    "estimate": "Say what a job costs and how long it takes.",
    "up": "Make the stack: cluster, repository, roles, state bucket.",
    "push-image": "Build the worker image and push it to ECR.",
    "run": "Run a phase: one task per lot.",
    "status": "Say how far a job is.",
    "logs": "Show a lot's log.",
    "stop": "Stop a job's tasks.",
    "report": "Say what became of every key.",
    "verify": "Check every object and say which aren't in the class.",
    "down": "Remove the stack.",
    "demo": "Watch a whole job run on this machine, without AWS.",
    "completion": "Print a shell's completion script for commands and flags.",
}
"""Every command in the order of a job, with its line in the group's help."""


class _UnexpectedError(Exception):
    """Carries, as its cause, an error that click would take for something else."""


class Commands(click.Group):
    """The commands of `commands/`, imported when needed."""

    def invoke(self, ctx: click.Context) -> Any:
        """The command's result. Raises _UnexpectedError for what click takes for Ctrl-D, or for a closed pipe."""
        try:
            return super().invoke(ctx)
        except (EOFError, OSError) as error:
            raise _UnexpectedError from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"orchestrator.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's signature)
        with formatter.section("Commands, in the order of a job"):
            formatter.write_dl(list(_COMMANDS.items()))


def _tell_versions(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001 (click's signature)
    if asked:
        for line in versions():
            tell(line)
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_versions,
    help="Show the versions of what matters.",
)
def cli() -> None:
    """
    Move millions of S3 objects from one storage class to another.

    Objects in an archive class are first restored, then copied onto themselves with the new class:

    \b
        s3reclass init --bucket my-bucket --storage-class STANDARD_IA
        s3reclass split keys.txt --lots 20
        s3reclass push-image
        s3reclass run --phase restore
        s3reclass run --phase copy

    Exit codes: 0 all is well; 1 could not proceed; 2 wrong usage; 3 finished, but some keys failed
    or are unprocessed; 4 finished, but some keys are still pending; 130 interrupted.
    """  # noqa: D301 (click reads the backspace itself: "don't rewrap")


def main() -> None:
    """Run the command line and exit with its code: the entry point of `s3reclass`."""
    # `docker stop`, systemd and CI runners end a program by SIGTERM. As after Ctrl-C, tasks on this machine end first,
    # and the job is free for another launcher.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        protect_standard_streams()
        quiet_libraries(os.environ)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # A second Ctrl-C, while the first was reported.
        code = INTERRUPTED
    # Only Python's own end is left, which would answer a Ctrl-C with a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def run(arguments: list[str], group: click.Group | None = None) -> int:
    """
    The exit code of a command line; its errors are reported on standard error.

    group: of the commands; None for ours.
    """
    try:
        code = _run(arguments, group or cli)
        # Otherwise Python does it at its end, where a failure can't be reported in words.
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except OutputError as error:
        # The reader of our output (head, for example) may have gone: then there is nothing to report.
        return COULD_NOT if error.reader_gone else _say(str(error), COULD_NOT)
    except Exception as error:  # noqa: BLE001 (a user must never see a traceback)
        tell_crash((isinstance(error, _UnexpectedError) and error.__cause__) or error, arguments, os.environ)
        return COULD_NOT
    return code


def _run(arguments: list[str], group: click.Group) -> int:
    """
    The exit code of a command line, and of the errors that commands foresee.

    click's standalone mode would ignore a command's return value and exit with 1 on Ctrl-C.
    """
    try:
        code = group.main(arguments, prog_name="s3reclass", standalone_mode=False)
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        # It repeats what was typed, which may be a file's name or a key: `say` makes it safe to show.
        for line in shown.getvalue().removesuffix("\n").split("\n"):
            say(line)
        return error.exit_code
    except S3ReclassError as error:
        return _say(str(error), error.exit_code)
    return code if isinstance(code, int) else 0


def _say(message: str, code: int) -> int:
    say(f"s3reclass: {message}")
    return code
