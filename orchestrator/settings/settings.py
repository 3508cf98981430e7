"""
What the user chose: flags, then `S3RECLASS_*` variables, then `s3reclass.toml`, then defaults. Pure.

The command line, the environment and the file's text are passed in. AWS credentials, region,
profile and endpoint are boto3's own business and never settings of ours.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from orchestrator.errors import UsageError
from orchestrator.settings.storage_classes import NO_TARGETS
from worker.contract import STORAGE_CLASSES, TIERS

FILE_NAME = "s3reclass.toml"
PLACES = ("fargate", "local")
S3_CLIENTS = ("fast", "boto3")
MAX_DAYS, MOST_RATE, MOST_NUMBER = 36_500, 1_000_000.0, 1_000_000_000
"""Days that a restored copy stays, requests a second, and any number at all: what settings take at most."""

_DIGITS = re.compile(r"[+-]?[0-9]{1,12}")

REQUESTER = "requester"
"""The one thing that S3's RequestPayer can be (botocore 1.44.5)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FargateSettings:
    """
    How tasks run on Fargate; what is "" or empty comes from the stack.

    cpu: CPU units, 1024 for one vCPU. memory: MiB.
    spot: run on FARGATE_SPOT. spot_interruptions: tasks of one lot that may be interrupted there before the next
        runs on-demand; 0 for any number.
    assign_public_ip: a public subnet needs it to reach S3 and ECR; a private one needs NAT or endpoints instead.
    environment: variables for the worker's container (an endpoint, say), never secrets.
    """

    cpu: int = 512
    memory: int = 1024
    spot: bool = False
    spot_interruptions: int = 3
    cluster: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = True
    task_role_arn: str = ""
    execution_role_arn: str = ""
    repository: str = ""
    log_group: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """
    Every setting, with its default; see the table in the README.

    state: `s3://bucket/prefix` or a directory; "" means the place's own default.
    days: how long a restored copy stays, in days.
    max_tasks: tasks at once; None means the place's own default.
    rate: requests a second for the whole job; 0 means no limit, None the phase's default.
    threads: requests in flight in each task; None: as many as make it faster. s3_client: how workers talk to S3.
    request_payer: `requester` where the bucket is Requester Pays and another account's, else "".
    bucket_owner: the account that the bucket must belong to, "" to trust its name alone.
    """

    bucket: str = ""
    storage_class: str = ""
    state: str = ""
    place: str = "fargate"
    lots: str = "lots"
    days: int = 7
    tier: str = "Bulk"
    max_tasks: int | None = None
    rate: float | None = None
    threads: int | None = None
    s3_client: str = S3_CLIENTS[0]
    request_payer: str = ""
    bucket_owner: str = ""
    fargate: FargateSettings = field(default_factory=FargateSettings)
    stack: str = "s3reclass"

    def require_bucket(self) -> str:
        """The bucket's name. Raises UsageError when none is named."""
        if not self.bucket:
            raise UsageError(
                "no bucket is named: run `s3reclass init --bucket NAME`, or give --bucket or S3RECLASS_BUCKET"
            )
        return self.bucket

    def request_arguments(self) -> dict[str, str]:
        """What each request for an object or a listing carries beside what it is for, by AWS's names."""
        given = {"RequestPayer": self.request_payer, "ExpectedBucketOwner": self.bucket_owner}
        return {name: value for name, value in given.items() if value}

    def require_storage_class(self) -> str:
        """The target storage class. Raises UsageError when none is named."""
        if not self.storage_class:
            raise UsageError(
                "no target class is named: give --storage-class (STANDARD_IA, say), S3RECLASS_STORAGE_CLASS, "
                f"or storage_class in {FILE_NAME}"
            )
        return self.storage_class


_FILE_NAMES: Mapping[tuple[str, ...], str] = {
    ("bucket",): "bucket",
    ("storage_class",): "storage_class",
    ("state",): "state",
    ("place",): "place",
    ("request_payer",): "request_payer",
    ("bucket_owner",): "bucket_owner",
    ("lots",): "lots",
    ("restore", "days"): "days",
    ("restore", "tier"): "tier",
    ("run", "max_tasks"): "max_tasks",
    ("run", "rate"): "rate",
    ("run", "threads"): "threads",
    ("run", "s3_client"): "s3_client",
    ("stack", "name"): "stack",
}
"""Where each setting stands in s3reclass.toml; `[fargate]` is read whole."""

VARIABLES: Mapping[str, str] = {
    "bucket": "S3RECLASS_BUCKET",
    "storage_class": "S3RECLASS_STORAGE_CLASS",
    "state": "S3RECLASS_STATE",
    "place": "S3RECLASS_PLACE",
    "request_payer": "S3RECLASS_REQUEST_PAYER",
    "bucket_owner": "S3RECLASS_BUCKET_OWNER",
    "lots": "S3RECLASS_LOTS_DIR",
    "days": "S3RECLASS_DAYS",
    "tier": "S3RECLASS_TIER",
    "max_tasks": "S3RECLASS_MAX_TASKS",
    "rate": "S3RECLASS_RATE",
    "threads": "S3RECLASS_THREADS",
    "s3_client": "S3RECLASS_S3_CLIENT",
    "stack": "S3RECLASS_STACK",
}
"""The environment variable of each setting that has one."""


FARGATE_FLAGS = ("spot", "spot_interruptions")
"""Settings of `[fargate]` that have a flag."""


def load_settings(*, flags: Mapping[str, Any], environ: Mapping[str, str], toml: str) -> Settings:
    """
    The settings that flags, variables and the file's text amount to, checked.

    flags: by setting name, also of `[fargate]`; a value of None wasn't given.
    toml: the text of s3reclass.toml, "" when there is none.
    Raises UsageError naming the flag, variable or line that can't be taken.
    """
    values: dict[str, Any] = {}
    fargate = FargateSettings()
    for where, name, value in _read_file(toml):
        if name.startswith("fargate."):
            fargate = replace(fargate, **{name.removeprefix("fargate."): value})
        else:
            values[name] = _checked(name, value, where)
    for name, variable in VARIABLES.items():
        if environ.get(variable):
            values[name] = _checked(name, environ[variable], variable)
    for name, value in flags.items():
        if value is None:
            continue
        checked = _checked(name, value, f"--{'lots-dir' if name == 'lots' else name.replace('_', '-')}")
        if name in FARGATE_FLAGS:
            fargate = replace(fargate, **{name: checked})
        else:
            values[name] = checked
    return Settings(fargate=fargate, **values)


def _read_file(toml: str) -> list[tuple[str, str, Any]]:
    """Each setting in the file: where it stands (for messages), its name, its value."""
    try:
        tables = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError, and what it doesn't wrap: a number of thousands of digits, brackets without end.
        raise UsageError(f"{FILE_NAME} isn't TOML: {error}") from error
    known = {".".join(path): name for path, name in _FILE_NAMES.items()}
    known |= {f"fargate.{one.name}": f"fargate.{one.name}" for one in fields(FargateSettings)}
    found = []
    for path, value in _leaves(tables):
        if path not in known:
            near = get_close_matches(path, known, n=1)
            raise UsageError(f"{FILE_NAME}: {path} is no setting" + (f": did you mean {near[0]}?" if near else ""))
        where = f"{FILE_NAME}: {path}"
        name = known[path]
        found.append((where, name, _fargate_value(path, value, where) if name.startswith("fargate.") else value))
    return found


def _leaves(tables: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Each value with its dotted path; `[fargate.environment]` is one value."""
    leaves: list[tuple[str, Any]] = []
    for name, value in tables.items():
        if isinstance(value, dict):
            leaves += [(f"{name}.{inner}", one) for inner, one in value.items()]
        else:
            leaves.append((name, value))
    return leaves


def _fargate_value(path: str, value: Any, where: str) -> Any:
    """The value of a `[fargate]` setting, as the type of its default. Raises UsageError for another type."""
    default = getattr(FargateSettings(), path.removeprefix("fargate."))
    if isinstance(default, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise UsageError(f"{where} takes a list of strings")
    if isinstance(default, dict):
        if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
            return value
        raise UsageError(f"{where} takes a table of strings")
    if type(value) is not type(default):
        words = {bool: "true or false", int: "a whole number", str: "a string"}
        raise UsageError(f"{where} takes {words[type(default)]}")
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        raise UsageError(f"{where} is out of range: it takes up to {MOST_NUMBER:,}")
    name = path.removeprefix("fargate.")
    return _checked(name, value, where) if name in FARGATE_FLAGS else value


def _checked(name: str, value: Any, where: str) -> Any:
    """The setting's value, converted and within its limits. Raises UsageError."""
    convert: Callable[[Any], Any] = _CHECKS.get(name, _text)
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {error}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("takes a string")
    if "\0" in value:
        raise ValueError("a string can't hold the character NUL")
    return value


def _one_of(choices: tuple[str, ...], fold: Callable[[str], str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        folded = fold(_text(value))
        if folded not in choices:
            near = get_close_matches(folded, choices, n=1)
            hint = f"did you mean {near[0]}? It takes" if near else "it takes"
            raise ValueError(f"{value!r} is unknown: {hint} one of {', '.join(choices)}")
        return folded

    return check


def _storage_class(value: Any) -> str:
    if reason := NO_TARGETS.get(_text(value).upper()):
        raise ValueError(f"{value!r} can't be a target: {reason}; it takes one of {', '.join(STORAGE_CLASSES)}")
    return _one_of(STORAGE_CLASSES, str.upper)(value)


def _account(value: Any) -> str:
    if not re.fullmatch(r"[0-9]{12}", _text(value)):
        raise ValueError(f"{value!r} is no account: it takes an AWS account's 12 digits")
    return str(value)


def _whole_number(low: int, high: int) -> Callable[[Any], int]:
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


def _rate(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("takes a number")
    # A whole number of TOML's may be too large for a float.
    number = float(value if isinstance(value, str) else min(value, MOST_NUMBER))
    if not 0 <= number <= MOST_RATE:  # also keeps out nan and inf
        raise ValueError(f"{number:g} is out of range: it takes 0 (no limit) or requests a second, up to 1,000,000")
    return number


def _state(value: Any) -> str:
    text = _text(value)
    if "://" in text and not (text.startswith("s3://") and len(text) > len("s3://")):
        raise ValueError(f"{text!r} is no state: it takes s3://bucket/prefix or a directory")
    return text


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "storage_class": _storage_class,
    "place": _one_of(PLACES, str.lower),
    "request_payer": _one_of((REQUESTER,), str.lower),
    "bucket_owner": _account,
    "tier": _one_of(TIERS, str.capitalize),
    "days": _whole_number(1, MAX_DAYS),
    "max_tasks": _whole_number(1, 5_000),
    "threads": _whole_number(1, 1_000),
    "s3_client": _one_of(S3_CLIENTS, str.lower),
    "rate": _rate,
    "state": _state,
    "spot": bool,
    "spot_interruptions": _whole_number(0, 1_000),
}
