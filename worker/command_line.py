"""The worker's command line: all of its configuration. Pure, but `--help` and wrong usage exit."""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from worker.contract import REQUESTER, S3_CLIENTS, STORAGE_CLASSES, TIERS, Phase

MIB = 1024**2
MAX_COPY_BYTES = 5 * 1024**3
"""The largest object that CopyObject takes, and the largest part: 5 GB (botocore 1.44.5, CopyObject; S3 User Guide)."""

MIN_PART_BYTES = 5 * MIB
"""The smallest part but for the last: 5 MB (botocore 1.44.5, CompleteMultipartUpload, EntityTooSmall)."""

MAX_THREADS = 1_000
_ACCOUNT_DIGITS = 12
_SHA256_DIGITS = 64

_EXIT_CODES = """\
exit codes:
  0   every key has a good outcome
  1   could not proceed (lot unreadable, state not writable, no credentials)
  2   wrong usage
  3   finished, some keys failed
  4   finished, some keys pending, none failed
  75  interrupted by SIGTERM; all finished work is recorded

A lot that has results from earlier attempts is continued: only keys without a succeeded result are
worked on. Credentials, region and endpoint are boto3's own business (AWS_* variables, roles, profiles).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """
    What one run of the worker does.

    lot: the lot's URI. lot_digest: the digest of its bytes, "" for any. lot_keys: its lines, None for any number.
    results: the URI of the lot's results folder.
    attempt: counts from 1.
    rate: requests per second, 0 for no limit. rate_from: the URI of this task's share of a rate for many, or "".
    threads: requests in flight, 0 to find out how many serve.
    s3_client: `fast`, or `boto3` for boto3 alone.
    days, tier: the restore's. storage_class: the copy's target.
    multipart_threshold_bytes: larger objects are copied in parts, of part_size_bytes each.
    audit: keep each copied object's picture from before. allow_noncurrent: copy noncurrent versions too.
    delete_superseded: delete each version once its copy is checked.
    request_payer: "requester" where we pay for requests to somebody else's bucket, else "".
    bucket_owner: the account that must own the bucket, "" for any.
    """

    phase: Phase
    lot: str
    results: str
    attempt: int
    lot_digest: str = ""
    lot_keys: int | None = None
    rate: float = 0
    rate_from: str = ""
    threads: int = 0
    s3_client: str = S3_CLIENTS[0]
    days: int = 7
    tier: str = "Bulk"
    storage_class: str = ""
    multipart_threshold_bytes: int = MAX_COPY_BYTES
    part_size_bytes: int = 512 * MIB
    audit: bool = False
    allow_noncurrent: bool = False
    delete_superseded: bool = False
    request_payer: str = ""
    bucket_owner: str = ""


def parse_command_line(arguments: Sequence[str]) -> Options:
    """The options that the arguments stand for. Exits as argparse does: 2 on wrong usage, 0 after `--help`."""
    return Options(**vars(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m worker",
        description="Work through one lot of S3 keys: restore each from its archive, or copy each into another class.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    phases = parser.add_subparsers(dest="phase", required=True, metavar="restore|copy")
    restore = _phase_parser(phases, Phase.RESTORE, "Ask S3 to restore every object of the lot that is archived.")
    restore.add_argument(
        "--days", type=_whole(1, 2**31 - 1), default=7, help="days that a restored copy stays (default: %(default)s)"
    )
    restore.add_argument(
        "--tier", choices=TIERS, default="Bulk", help="retrieval tier: speed against price (default: %(default)s)"
    )
    copy = _phase_parser(phases, Phase.COPY, "Copy every object of the lot onto itself, into another storage class.")
    copy.add_argument("--storage-class", choices=STORAGE_CLASSES, required=True, help="the class to copy into")
    copy.add_argument(
        "--multipart-threshold",
        dest="multipart_threshold_bytes",
        metavar="BYTES",
        type=_whole(1, MAX_COPY_BYTES),
        default=MAX_COPY_BYTES,
        help="objects above it are copied in parts (default, and S3's limit for a single copy: %(default)s)",
    )
    copy.add_argument(
        "--part-size",
        dest="part_size_bytes",
        metavar="BYTES",
        type=_whole(MIN_PART_BYTES, MAX_COPY_BYTES),
        default=512 * MIB,
        help="size of each part; grows by itself when an object would need over 10,000 (default: %(default)s)",
    )
    copy.add_argument(
        "--audit",
        action="store_true",
        help="keep what each copied object was before, for a later check, with the results",
    )
    copy.add_argument(
        "--allow-noncurrent",
        action="store_true",
        help="copy versions too that are not the current ones: each becomes the current one",
    )
    copy.add_argument(
        "--delete-superseded",
        action="store_true",
        help="delete each version that was copied, for good, once its copy is checked; never a locked one",
    )
    return parser


def _phase_parser(
    phases: "argparse._SubParsersAction[argparse.ArgumentParser]", phase: Phase, text: str
) -> argparse.ArgumentParser:
    parser = phases.add_parser(
        phase.value,
        help=text,
        description=text,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(phase=phase)
    needed = parser.add_argument_group("what to work on")
    needed.add_argument("--lot", metavar="URI", required=True, help="the lot: s3://bucket/key, or a path")
    needed.add_argument(
        "--results", metavar="URI", required=True, help="the lot's results folder: s3://bucket/prefix/, or a path"
    )
    needed.add_argument(
        "--attempt", metavar="N", type=_whole(1, 2**31 - 1), required=True, help="which attempt this is, from 1"
    )
    needed.add_argument(
        "--lot-digest",
        type=_sha256,
        default=argparse.SUPPRESS,
        metavar="HEX",
        help="the sha256 that the lot's bytes must have, or else nothing is done",
    )
    needed.add_argument(
        "--lot-keys",
        type=_whole(0, 2**63 - 1),
        default=argparse.SUPPRESS,
        metavar="N",
        help="how many lines the lot must have, or else nothing is done",
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=0,
        metavar="R",
        help="requests per second this task may send, every HEAD counted too; 0: no limit (default: %(default)s)",
    )
    parser.add_argument(
        "--rate-from",
        default="",
        metavar="URI",
        help="a file to read the rate from, now and then, in place of R: s3://bucket/key, or a path; one that can't be "
        "read changes nothing",
    )
    parser.add_argument(
        "--threads",
        type=_whole(1, MAX_THREADS),
        default=argparse.SUPPRESS,
        metavar="T",
        help="keys worked on at once, always so many; parts of large objects come beside them "
        "(default: as many as make it faster, within the rate)",
    )
    parser.add_argument(
        "--s3-client",
        choices=S3_CLIENTS,
        default=S3_CLIENTS[0],
        help="fast: a lean way for plain requests and answers, boto3 for all else; boto3: boto3 for everything; "
        "the results are the same (default: %(default)s)",
    )
    parser.add_argument(
        "--request-payer", choices=(REQUESTER,), default="", help="pay for the requests to a requester-pays bucket"
    )
    parser.add_argument(
        "--bucket-owner",
        type=_account,
        default=argparse.SUPPRESS,
        metavar="ACCOUNT_ID",
        help="refuse to work on a bucket of any other account",
    )
    return parser


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
