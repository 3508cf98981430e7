"""
Every option of the worker, once: the launcher writes them as a command line, and the worker reads it. Pure.

A field is an option; its metadata hold what else there is to say of it. Help and argument errors are argparse's.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

from worker.contract.outcomes import Phase
from worker.contract.s3_facts import REQUESTER, S3_CLIENTS, STORAGE_CLASSES, TIERS

MIB = 1024**2
MAX_COPY_BYTES = 5 * 1024**3
"""The largest object that CopyObject takes, and the largest part: 5 GB (botocore 1.44.5, CopyObject; S3 User Guide)."""

MIN_PART_BYTES = 5 * MIB
"""The smallest part but for the last: 5 MB (botocore 1.44.5, CompleteMultipartUpload, EntityTooSmall)."""

MAX_THREADS = 1_000
_ACCOUNT_DIGITS = 12
_SHA256_DIGITS = 64


def _whole(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers within these bounds."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return number

    return parse


def _account(text: str) -> str:
    if not (len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not an account id: {_ACCOUNT_DIGITS} digits")
    return text


def _sha256(text: str) -> str:
    if len(text) != _SHA256_DIGITS or set(text) - set("0123456789abcdef"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a sha256: {_SHA256_DIGITS} digits of 0 to 9 and a to f")
    return text


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 <= rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate: a number of requests per second, or 0 for no limit")
    return rate


def _about(
    text: str, *, phase: Phase | None = None, always: bool = False, lot: bool = False, **how: Any
) -> Mapping[str, Any]:
    """
    The metadata of an option.

    phase: the only one that takes it. always: written out where it has its default, too. lot: it says what to work on.
    how: argparse's keywords.
    """
    always = always or "required" in how
    return {"phase": phase, "always": always, "lot": lot, "argparse": {"help": text, **how}}


T = TypeVar("T")


def _option(default: T, text: str, **how: Any) -> T:
    return field(default=default, metadata=_about(text, **how))


def _copy_flag(text: str) -> bool:
    return _option(default=False, text=text, phase=Phase.COPY, action="store_true")


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseSettings:
    """What a phase does to every key of a job, whichever lot it is in. threads: 0 leaves their number to the worker."""

    phase: Phase
    days: int = _option(
        7,
        "days that a restored copy stays (default: %(default)s)",
        phase=Phase.RESTORE,
        always=True,
        type=_whole(1, 2**31 - 1),
    )
    tier: str = _option(
        TIERS[0],
        "retrieval tier: speed against price (default: %(default)s)",
        phase=Phase.RESTORE,
        always=True,
        choices=TIERS,
    )
    storage_class: str = _option("", "the class to copy into", phase=Phase.COPY, choices=STORAGE_CLASSES, required=True)
    audit: bool = _copy_flag("keep what each copied object was before, for a later check, with the results")
    allow_noncurrent: bool = _copy_flag("copy versions too that are not the current ones: each becomes the current one")
    delete_superseded: bool = _copy_flag(
        "delete each version that was copied, for good, once its copy is checked; never a locked one"
    )
    request_payer: str = _option("", "pay for the requests to a requester-pays bucket", choices=(REQUESTER,))
    bucket_owner: str = _option(
        "", "refuse to work on a bucket of any other account", type=_account, metavar="ACCOUNT_ID"
    )
    threads: int = _option(
        0,
        "keys worked on at once; parts of large objects come beside them "
        "(default: as many as make it faster, within the rate)",
        type=_whole(1, MAX_THREADS),
        metavar="T",
    )
    s3_client: str = _option(
        S3_CLIENTS[0],
        "fast: a lean way for plain requests and answers, boto3 for all else; boto3: boto3 for everything; "
        "the results are the same (default: %(default)s)",
        choices=S3_CLIENTS,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Options(PhaseSettings):
    """What one task does: a phase, on one lot. lot_digest "" and lot_keys None take any lot; rate 0 is no limit."""

    lot: str = field(metadata=_about("the lot: s3://bucket/key, or a path", lot=True, metavar="URI", required=True))
    lot_digest: str = _option(
        "", "the sha256 that the lot's bytes must have, or else nothing is done", lot=True, type=_sha256, metavar="HEX"
    )
    lot_keys: int | None = _option(
        None,
        "how many lines the lot must have, or else nothing is done",
        lot=True,
        type=_whole(0, 2**63 - 1),
        metavar="N",
    )
    results: str = field(
        metadata=_about(
            "the lot's results folder: s3://bucket/prefix/, or a path", lot=True, metavar="URI", required=True
        )
    )
    attempt: int = field(
        metadata=_about(
            "which attempt this is, from 1", lot=True, type=_whole(1, 2**31 - 1), metavar="N", required=True
        )
    )
    rate: float = _option(
        0,
        "requests per second this task may send, every HEAD counted too; 0: no limit (default: %(default)s)",
        always=True,
        type=_rate,
        metavar="R",
    )
    rate_from: str = _option(
        "",
        "a file to read the rate from, now and then, in place of R: s3://bucket/key, or a path; one that can't be "
        "read changes nothing",
        metavar="URI",
    )
    multipart_threshold_bytes: int = _option(
        MAX_COPY_BYTES,
        "objects above it are copied in parts (default, and S3's limit for a single copy: %(default)s)",
        phase=Phase.COPY,
        type=_whole(1, MAX_COPY_BYTES),
        metavar="BYTES",
    )
    part_size_bytes: int = _option(
        512 * MIB,
        "size of each part; grows by itself when an object would need over 10,000 (default: %(default)s)",
        phase=Phase.COPY,
        type=_whole(MIN_PART_BYTES, MAX_COPY_BYTES),
        metavar="BYTES",
    )


def options_of(phase: Phase, options: type[PhaseSettings] | PhaseSettings) -> Iterator[tuple[str, Field[Any]]]:
    """Each option that the phase takes: its flag and its field, those that say what to work on first."""
    for one in sorted(fields(options), key=lambda one: not one.metadata.get("lot")):
        if one.metadata and one.metadata["phase"] in (None, phase):
            yield "--" + one.name.removesuffix("_bytes").replace("_", "-"), one


def command_line(options: PhaseSettings) -> tuple[str, ...]:
    """The words of the command line that the worker reads as these options."""
    words: list[str] = [options.phase.value]
    for flag, one in options_of(options.phase, options):
        value = getattr(options, one.name)
        if value is True:
            words.append(flag)
        elif one.metadata["always"] or value != one.default:
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return tuple(words)
