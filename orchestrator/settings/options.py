"""Options that several commands share: each setting's flag, written once."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from orchestrator.errors import UsageError
from orchestrator.settings.settings import FILE_NAME, Settings, load_settings

_FLAGS: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "bucket": click.option("--bucket", metavar="NAME", help="The bucket that holds the objects."),
    "storage_class": click.option(
        "--storage-class", metavar="CLASS", help="The class to move the objects into (STANDARD_IA, say)."
    ),
    "state": click.option(
        "--state", metavar="URI", help="Where the job's state is kept: s3://bucket/prefix or a directory."
    ),
    "place": click.option("--place", metavar="PLACE", help="Where tasks run: fargate (default) or local."),
    "request_payer": click.option(
        "--request-payer", metavar="requester", help="For a Requester Pays bucket of another account: you pay."
    ),
    "bucket_owner": click.option(
        "--bucket-owner", metavar="ACCOUNT", help="The account that must own the bucket, else nothing is done."
    ),
    "lots": click.option("--lots-dir", "lots", metavar="DIR", help="The folder of lots (default: lots/)."),
    "days": click.option("--days", metavar="N", help="Days that a restored copy stays (default: 7)."),
    "tier": click.option("--tier", metavar="TIER", help="Retrieval tier: Bulk (default), Standard or Expedited."),
    "max_tasks": click.option("--max-tasks", metavar="N", help="Tasks to run at once."),
    "rate": click.option("--rate", metavar="R", help="Requests a second for the whole job; 0: no limit."),
    "threads": click.option(
        "--threads", metavar="T", help="Requests that each task keeps in flight (default: as many as make it faster)."
    ),
    "s3_client": click.option(
        "--s3-client", metavar="CLIENT", help="How workers talk to S3: fast (default), or boto3, by boto3 alone."
    ),
    "spot": click.option("--spot/--no-spot", default=None, help="Fargate: run on Spot capacity (default: no)."),
    "spot_interruptions": click.option(
        "--spot-interruptions", metavar="N", help="Interruptions after which a lot leaves Spot; 0: never (default: 3)."
    ),
    "stack": click.option("--stack", metavar="NAME", help="The CloudFormation stack's name (default: s3reclass)."),
}


def uses_settings(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds the flags of these settings and passes the command a `settings: Settings`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_settings(*args: Any, **options: Any) -> Any:
            flags = {name: options.pop(name) for name in names}
            return function(*args, settings=read_settings(flags), **options)

        decorated: Callable[..., Any] = with_settings
        for name in reversed(names):
            decorated = _FLAGS[name](decorated)
        return decorated

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
