"""An object as S3 lists it, and what `s3reclass list` prints of it: a CSV that `split` takes, key first. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from orchestrator.errors import UsageError
from orchestrator.split.key_lines import check_bucket
from worker.contract import STORAGE_CLASSES

LISTED_CLASSES = (*STORAGE_CLASSES, "REDUCED_REDUNDANCY", "OUTPOSTS", "SNOW", "EXPRESS_ONEZONE")
"""The classes that an object in a listing can be in (ListObjectsV2, `ObjectStorageClass`; botocore 1.44.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedObject:
    """An object as ListObjectsV2 lists it; size in bytes."""

    key: str
    size_bytes: int
    storage_class: str
    last_modified: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedRestore:
    """
    One object as a listing with OptionalObjectAttributes=RestoreStatus shows it (botocore 1.44.5, Object).

    ongoing: its restore is in progress; None where S3 said nothing of a restore.
    expires_at: when the restored copy goes.
    """

    key: str
    storage_class: str
    ongoing: bool | None = None
    expires_at: datetime | None = None


def format_listed(listed: ListedObject) -> str:
    r"""
    The object as a row `key,size,class,time`, `\n` at its end; time: ISO 8601 in UTC.

    The key is quoted when it has to be; the csv module of Python 3.11 leaves a lone `\r` unquoted, which
    no CSV reader takes.
    """
    key = listed.key
    if any(mark in key for mark in ',"\r\n'):
        key = '"' + key.replace('"', '""') + '"'
    when = listed.last_modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{key},{listed.size_bytes},{listed.storage_class},{when}\n"


def parse_prefix(uri: str) -> tuple[str, str]:
    """The bucket and the prefix that `s3://bucket/prefix` names. Raises UsageError for anything else."""
    if not uri.startswith("s3://"):
        raise UsageError(f"{uri!r} is no place in S3: give s3://bucket or s3://bucket/prefix")
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if check_bucket(bucket):
        raise UsageError(f"{uri}: {check_bucket(bucket)}")
    return bucket, prefix


def parse_classes(values: tuple[str, ...]) -> frozenset[str]:
    """The classes that flags name, each one or several with commas. Raises UsageError for an unknown one."""
    classes = {one.strip().upper() for value in values for one in value.split(",") if one.strip()}
    for unknown in sorted(classes.difference(LISTED_CLASSES)):
        near = get_close_matches(unknown, LISTED_CLASSES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(LISTED_CLASSES)}"
        raise UsageError(f"--storage-class: {unknown} is no class: {hint}")
    return frozenset(classes)
