"""`s3reclass init`: a new s3reclass.toml."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from orchestrator.common.atomic_file import whole_file
from orchestrator.common.output import tell
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.settings.options import with_flags
from orchestrator.settings.settings import FILE_NAME, SETTINGS
from orchestrator.settings.settings_file import format_settings_file, load_settings
from orchestrator.split.key_lines import check_bucket

ASKED = {"bucket": "Bucket that holds the objects", "storage_class": "Class to move them into"}


@click.command()
@with_flags("bucket", "storage_class", "place", "state", "stack")
@click.option("--force", is_flag=True, help=f"Replace an {FILE_NAME} that is there.")
def command(*, force: bool, **flags: str | None) -> None:
    """
    Write s3reclass.toml in this folder: every setting explained, with its default.

    \b
        s3reclass init --bucket my-bucket --storage-class STANDARD_IA

    On a terminal, it asks for the bucket and the class when they aren't given.
    """  # noqa: D301 (click reads the backspace itself: "don't rewrap")
    path = Path(FILE_NAME)
    if path.exists() and not force:
        raise S3ReclassError(f"{FILE_NAME} is there already: edit it, or say --force to replace it")
    checked = {name: _checked(name, value) for name, value in flags.items() if value is not None}
    for name, question in ASKED.items():
        if name not in checked:
            checked[name] = _ask(name, question)
    with whole_file(path) as write:
        write(format_settings_file(checked))
    tell(f"{FILE_NAME} is written: {checked['bucket']}, to {checked['storage_class']}")
    tell("next: s3reclass split KEY_FILE --lots 20")


def _checked(name: str, value: str) -> str:
    """The setting's value as the file has it. Raises UsageError for one that no command would take."""
    if name == "bucket" and check_bucket(value):
        raise UsageError(f"--bucket: {check_bucket(value)}")
    checked: str = getattr(load_settings(flags={name: value}, environ={}, toml=""), name)
    return checked


def _ask(name: str, question: str) -> str:
    """The user's answer, asked for until it is one. Raises UsageError without a terminal to ask on."""
    if given := os.environ.get(SETTINGS[name].variable):
        return _checked(name, given)
    if not sys.stdin.isatty():
        raise UsageError(f"{SETTINGS[name].flag} is missing, and there is no terminal to ask on")
    answer: str = click.prompt(question, value_proc=_proc(name), err=True)
    return answer


def _proc(name: str) -> Callable[[str], str]:
    """What checks an answer, in click's way: its UsageError makes the prompt ask again."""

    def check(value: str) -> str:
        try:
            return _checked(name, value)
        except UsageError as error:
            raise click.UsageError(str(error)) from error

    return check
