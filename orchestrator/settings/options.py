"""The settings' flags on commands, and the settings that a command gets."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from orchestrator.errors import UsageError
from orchestrator.settings.settings import FILE_NAME, SETTINGS, Settings
from orchestrator.settings.settings_file import load_settings


def with_flags(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds the flags of these settings, in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            one = SETTINGS[name]
            function = click.option(one.flag, name, metavar=one.metavar or None, default=None, help=one.help)(function)
        return function

    return decorate


def uses_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds the flags of these settings and passes the command a `settings: Settings`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_settings(*args: Any, **options: Any) -> Any:
            flags = {name: options.pop(name) for name in names}
            return function(*args, settings=read_settings(flags), **options)

        return with_flags(*names)(with_settings)

    return decorate


def read_settings(flags: dict[str, Any]) -> Settings:
    """The settings from these flags, this process's environment and the current folder's s3reclass.toml."""
    try:
        toml = Path(FILE_NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        toml = ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{FILE_NAME} can't be read: {error}") from error
    return load_settings(flags=flags, environ=os.environ, toml=toml)
