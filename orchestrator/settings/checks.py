"""What settings take: each check converts a value, or says what is wrong with it. Pure."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from worker.contract import STORAGE_CLASSES

MOST_RATE, MOST_NUMBER = 1_000_000.0, 1_000_000_000
"""Requests a second, and any number at all: what settings take at most."""

_DIGITS = re.compile(r"[+-]?[0-9]{1,12}")

_FSX = "it is the class of files in Amazon FSx, which are reached through S3 but not kept in it"
_BACKUP = "it is the class of AWS Backup's own copies, which it alone makes"

NO_TARGETS: Mapping[str, str] = {
    "REDUCED_REDUNDANCY": "AWS advises against it: it keeps objects less safely than STANDARD and costs more",
    "EXPRESS_ONEZONE": "it is the class of directory buckets: an object gets there only by a copy into another bucket",
    "OUTPOSTS": "it is the class of S3 on Outposts: an object gets there only by a copy into a bucket on an Outpost",
    "SNOW": "it is the class of S3 on a Snow device: an object gets there only by a copy onto the device",
    "FSX_OPENZFS": _FSX,
    "FSX_ONTAP": _FSX,
    "AWS_BACKUP_WARM": _BACKUP,
    "AWS_BACKUP_LOW_COST_WARM": _BACKUP,
}
"""
The other classes that S3 knows (StorageClass; botocore 1.44.5), each with the reason why it is no target.

CopyObject, `StorageClass`; S3 User Guide, "Understanding and managing Amazon S3 storage classes"; 2026-11.
"""

_TYPES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "a string",
    tuple: "a list of strings",
    dict: "a table of strings",
}

Check = Callable[[Any], Any]
"""The value as its setting has it. Raises TypeError or ValueError, which say what the setting takes."""


def as_is(value: Any) -> Any:
    """The value: its type has said everything."""
    return value


def plain_text(value: Any) -> str:
    """A string that arguments and paths can hold."""
    if not isinstance(value, str):
        raise TypeError("takes a string")
    if "\0" in value:
        raise ValueError("a string can't hold the character NUL")
    return value


def one_of(choices: tuple[str, ...], fold: Callable[[str], str]) -> Check:
    """A check for one of these words, however they are capitalized."""

    def check(value: Any) -> str:
        folded = fold(plain_text(value))
        if folded not in choices:
            near = get_close_matches(folded, choices, n=1)
            hint = f"did you mean {near[0]}? It takes" if near else "it takes"
            raise ValueError(f"{value!r} is unknown: {hint} one of {', '.join(choices)}")
        return folded

    return check


def target_class(value: Any) -> str:
    """A storage class that objects can be moved into."""
    if reason := NO_TARGETS.get(plain_text(value).upper()):
        raise ValueError(f"{value!r} can't be a target: {reason}; it takes one of {', '.join(STORAGE_CLASSES)}")
    known: str = one_of(STORAGE_CLASSES, str.upper)(value)
    return known


def account_id(value: Any) -> str:
    """An AWS account's id."""
    if not re.fullmatch(r"[0-9]{12}", plain_text(value)):
        raise ValueError(f"{value!r} is no account: it takes an AWS account's 12 digits")
    return str(value)


def whole_number(low: int, high: int) -> Check:
    """A check for whole numbers within these bounds, also as text."""

    def check(value: Any) -> int:
        if isinstance(value, (bool, float)):
            raise TypeError("takes a whole number")
        if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
            raise ValueError(f"{value[:40]!r} is no whole number")
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"{number} is out of range: it takes {low} to {high}")
        return number

    return check


def request_rate(value: Any) -> float:
    """Requests a second, 0 for no limit."""
    if isinstance(value, bool):
        raise TypeError("takes a number")
    # A whole number of TOML's may be too large for a float.
    number = float(value if isinstance(value, str) else min(value, MOST_NUMBER))
    if not 0 <= number <= MOST_RATE:  # also keeps out nan and inf
        raise ValueError(f"{number:g} is out of range: it takes 0 (no limit) or requests a second, up to 1,000,000")
    return number


def state_uri(value: Any) -> str:
    """Where a state is kept: `s3://bucket/prefix` or a directory."""
    if "://" in plain_text(value) and not (value.startswith("s3://") and len(value) > len("s3://")):
        raise ValueError(f"{value!r} is no state: it takes s3://bucket/prefix or a directory")
    return str(value)


def same_type(value: Any, default: object) -> Any:
    """The value of a line in s3reclass.toml, if it is of its default's type. Raises TypeError otherwise."""
    taken = tuple(value) if isinstance(value, list) else value
    parts = value.values() if isinstance(value, dict) else taken if isinstance(taken, tuple) else ()
    if type(taken) is not type(default) or not all(isinstance(part, str) for part in parts):
        raise TypeError(f"takes {_TYPES[type(default)]}")
    return taken
