"""
The click group, and the one place where errors become exit codes.

Commands are loaded when they are called, so that `s3reclass --help` doesn't wait for boto3.
"""

import os
import signal
import sys
from importlib import import_module
from io import StringIO

import click

from orchestrator.errors import S3ReclassError
from orchestrator.planning.text import printable

INTERRUPTED = 130

_COMMANDS = {
    "init": "Write s3reclass.toml.",
    "list": "List a bucket's keys, by class: a key file for split.",
    "split": "Cut a key file into lots.",
    "estimate": "Say what a job costs and how long it takes.",
    "up": "Make the stack: cluster, repository, roles, state bucket.",
    "push-image": "Build the worker image and push it to ECR.",
    "run": "Run a phase: one task per lot.",
    "status": "Say how far a job is.",
    "logs": "Show a lot's log.",
    "stop": "Stop a job's tasks.",
    "report": "Say what became of every key.",
    "verify": "Look at every object and say which aren't in the class.",
    "down": "Remove the stack.",
    "demo": "Watch a whole job run on this machine, without AWS.",
}
"""Every command in the order of a job, with its line in the group's help."""


class _Commands(click.Group):
    """The commands of `commands/`, imported when needed."""

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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="s3reclass", prog_name="s3reclass")
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
    # How `docker stop`, systemd and CI runners end a program: as after Ctrl-C, tasks on this machine end first, and the
    # job is free for a launcher elsewhere.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """
    The exit code of a command line, its errors told on standard error.

    click's standalone mode would ignore a command's return value and exit with 1 on Ctrl-C.
    """
    try:
        code = cli.main(arguments, prog_name="s3reclass", standalone_mode=False)
    except click.exceptions.Abort:
        return _say("interrupted", INTERRUPTED)
    except click.ClickException as error:
        shown = StringIO()
        error.show(shown)
        # It repeats what was typed, which may come from a file's name or a key.
        for line in shown.getvalue().removesuffix("\n").split("\n"):
            click.echo(printable(line), err=True)
        return error.exit_code
    except S3ReclassError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output (head, say) has gone: nothing more to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code if isinstance(code, int) else 0


def _say(message: str, code: int) -> int:
    click.echo(f"s3reclass: {printable(message)}", err=True)
    return code
