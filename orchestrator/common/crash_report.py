"""
What is told when something happens that no command foresaw: one line, and a file with the rest.

The user may send this file to others, so secrets are taken out of it.
"""

import logging
import os
import sys
import tempfile
import threading
import tomllib
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

import click

from orchestrator.common.redaction import is_secret_name, redact, secrets_of
from orchestrator.common.text import printable
from orchestrator.common.versions import versions

DEBUG = "S3RECLASS_DEBUG"
"""The variable that has tracebacks and libraries' warnings shown."""

SHOWN_CHARACTERS = 300
"""Of an error's text in the line; the file has all of it."""

_SETTINGS_FILE = "s3reclass.toml"


def quiet_libraries(environ: Mapping[str, str]) -> None:
    """Keep libraries' warnings and log lines off the terminal, and what goes wrong in a thread to one line."""
    if not environ.get(DEBUG):
        warnings.simplefilter("ignore")
        # Without any handler logging prints warnings itself.
        logging.getLogger().addHandler(logging.NullHandler())
        # What fails while an object is thrown away has no consequences.
        sys.unraisablehook = lambda _: None
    threading.excepthook = lambda failed: _tell_of_thread(failed.exc_value)


def _tell_of_thread(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, SystemExit):
        tell_crash(error, sys.argv[1:], os.environ)


def tell_crash(error: BaseException, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """
    Say on standard error, in a line, what went wrong and in which file the traceback is.

    arguments: the command line. With S3RECLASS_DEBUG the traceback is shown, too.
    """
    secrets = {*secrets_of(environ), *_secrets_on_disk(environ)}
    text = redact(crash_text(error, arguments), secrets)
    what = redact("".join(traceback.format_exception_only(error)).strip(), secrets)
    doing = next((word for word in arguments if not word.startswith("-")), "")
    click.echo(
        printable(f"s3reclass: {f'{doing}: ' if doing else ''}unexpected: {what[:SHOWN_CHARACTERS]}; {_kept(text)}"),
        err=True,
    )
    if environ.get(DEBUG):
        for line in text.split("\n"):
            click.echo(printable(line), err=True)


def crash_text(error: BaseException, arguments: Sequence[str]) -> str:
    """What there is to know: versions, the command line, the traceback. Secrets are still in it."""
    return "\n".join(
        [
            "s3reclass met something that it doesn't foresee. Please report it with this file, after a look through",
            "it: secrets were taken out, names of buckets, objects and folders were not.",
            "",
            *versions(),
            f"command {list(arguments)!r}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )


def _kept(text: str) -> str:
    """Write the text to a file that only this user can read: where it is, in words."""
    try:
        handle, name = tempfile.mkstemp(prefix="s3reclass-error-", suffix=".txt")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        return f"no file takes its traceback ({error.strerror or error}): {DEBUG}=1 shows it"
    return f"please report it with {name}, which has its traceback ({DEBUG}=1 shows it)"


def _secrets_on_disk(environ: Mapping[str, str]) -> Iterator[str]:
    """Secrets in AWS's files, and what the settings pass on to workers, which may be some against our advice."""
    home = Path.home() / ".aws"
    for variable, name in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(environ.get(variable) or home / name, encoding="utf-8")
        except (ConfigError, OSError, ValueError):
            continue
        for section in parser.values():
            yield from (value for key, value in section.items() if is_secret_name(key))
    try:
        passed_on = tomllib.loads(Path(_SETTINGS_FILE).read_text(encoding="utf-8"))["fargate"]["environment"]
        yield from (str(value) for value in passed_on.values())
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return
