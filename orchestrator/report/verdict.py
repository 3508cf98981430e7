"""Whether an object is in the class it should be in, and is what it was: `verify`'s words. Pure."""

import csv
import io
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.common.text import printable
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.report.spreadsheet import harmless
from worker.contract import encode_key


class Verdict(StrEnum):
    """What verify found; only `in-class` is good."""

    IN_CLASS = "in-class"
    DIFFERS = "differs"
    OTHER_CLASS = "other-class"
    MISSING = "missing"
    DENIED = "denied"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """
    One object with its verdict.

    differences: from what the copy phase saw, in words.
    """

    head: ObjectHead
    verdict: Verdict
    differences: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """Why the verdict is what it is, "" when the class says it all."""
        return self.head.message or "; ".join(self.differences)


def judge_head(head: ObjectHead, target: str, differences: tuple[str, ...] = ()) -> Judged:
    """
    The object with its verdict.

    | how looking went | class | differences | verdict |
    |---|---|---|---|
    | found | the target | none | in-class |
    | found | the target | some | differs |
    | found | any other | any | other-class |
    | missing, denied, error | | | the same word: an object that couldn't be looked at is never taken for good |
    """
    if head.look is not HeadOutcome.FOUND:
        verdict = Verdict(head.look.value)
    elif head.storage_class != target:
        verdict = Verdict.OTHER_CLASS
    else:
        verdict = Verdict.DIFFERS if differences else Verdict.IN_CLASS
    return Judged(head=head, verdict=verdict, differences=differences)


VERDICT_COLUMNS = ("Bucket", "Key", "VersionId", "Verdict", "StorageClass", "ResultMessage")
"""The columns of `verify --csv`: S3's names where S3 has one."""


def format_verdict_row(judged: Judged) -> str:
    r"""The object's row, the key URL-encoded as in a lot, no cell a formula, `\n` at its end."""
    text = io.StringIO()
    head = judged.head
    csv.writer(text, lineterminator="\n").writerow(
        harmless(cell)
        for cell in (
            head.entry.bucket,
            encode_key(head.entry.key),
            head.version_id,
            judged.verdict.value,
            head.storage_class,
            printable(judged.message),
        )
    )
    return text.getvalue()


def verdict_line(judged: Judged) -> str:
    """The object in a line for people; its key URL-encoded, so that it can't steer a terminal."""
    head = judged.head
    said = [head.kind] if judged.verdict is Verdict.OTHER_CLASS else []
    said += [printable(judged.message)] if judged.message else []
    return f"{judged.verdict}: s3://{head.entry.bucket}/{encode_key(head.entry.key)}: {'; '.join(said)}"
