"""Whether an object is where the job was to bring it: what `verify` says of each key."""

import csv
import io
from collections.abc import Iterable
from enum import StrEnum

from orchestrator.planning.object_head import Look, ObjectHead
from orchestrator.planning.text import printable
from worker.contract import encode_key


class Verdict(StrEnum):
    """What verify found; only `in-class` is good."""

    IN_CLASS = "in-class"
    OTHER_CLASS = "other-class"
    MISSING = "missing"
    DENIED = "denied"
    ERROR = "error"


def judge_head(head: ObjectHead, target: str) -> Verdict:
    """
    The verdict on one object.

    | how looking went | class | verdict |
    |---|---|---|
    | found | the target | in-class |
    | found | any other | other-class |
    | missing, denied, error | | the same word: an object that couldn't be looked at is never taken for good |
    """
    if head.look is not Look.FOUND:
        return Verdict(head.look.value)
    return Verdict.IN_CLASS if head.storage_class == target else Verdict.OTHER_CLASS


VERDICT_COLUMNS = ("Bucket", "Key", "VersionId", "Verdict", "StorageClass", "ResultMessage")
"""The columns of `verify --csv`: S3's names where S3 has one."""


def format_verdict_rows(heads: Iterable[ObjectHead], target: str) -> str:
    r"""The objects' rows, the key URL-encoded as in a lot, `\n` at each end, no header."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        (
            head.entry.bucket,
            encode_key(head.entry.key),
            head.version_id,
            judge_head(head, target).value,
            head.storage_class,
            head.message,
        )
        for head in heads
    )
    return text.getvalue()


def verdict_line(head: ObjectHead, target: str) -> str:
    """The object in a line for people; its key URL-encoded, so that it can't steer a terminal."""
    said = head.kind if head.look is Look.FOUND else printable(head.message)
    return f"{judge_head(head, target)}: s3://{head.entry.bucket}/{encode_key(head.entry.key)}: {said}"
