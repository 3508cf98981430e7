"""What verify says of an object."""

import pytest

from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.report.verdict import Verdict, format_verdict_row, judge_head, verdict_line
from tests.orchestrator.estimate.objects import an_object, unseen


@pytest.mark.parametrize(
    ("expected", "head", "differences"),
    [
        (Verdict.IN_CLASS, an_object("STANDARD_IA"), ()),
        (Verdict.DIFFERS, an_object("STANDARD_IA"), ("2 tags became 0",)),
        (Verdict.OTHER_CLASS, an_object("STANDARD"), ()),
        (Verdict.OTHER_CLASS, an_object("STANDARD"), ("2 tags became 0",)),
        (Verdict.OTHER_CLASS, an_object("DEEP_ARCHIVE", restore='ongoing-request="false", expiry-date="..."'), ()),
        (Verdict.MISSING, unseen(HeadOutcome.MISSING), ()),
        (Verdict.DENIED, unseen(HeadOutcome.DENIED), ()),
        (Verdict.ERROR, unseen(HeadOutcome.ERROR), ()),
    ],
)
def test_verdicts(expected: Verdict, head: ObjectHead, differences: tuple[str, ...]) -> None:
    """Only an object seen in the target class, as it was, is good; a restored copy is still in its old class."""
    assert judge_head(head, "STANDARD_IA", differences).verdict == expected


def test_rows_have_the_key_url_encoded_and_no_header() -> None:
    """A key with a comma, a newline and a formula stays one cell on one line."""
    head = an_object("GLACIER", key="=1+1,\n/é", version_id="v1")

    assert format_verdict_row(judge_head(head, "STANDARD")) == (
        "bucket,%3D1%2B1%2C%0A/%C3%A9,v1,other-class,GLACIER,\n"
    )


def test_each_difference_is_in_the_row() -> None:
    """On one line, whatever a value holds."""
    judged = judge_head(an_object("STANDARD"), "STANDARD", ("metadata a: x\ny became none", "2 tags became 1"))

    assert format_verdict_row(judged).endswith(",differs,STANDARD,metadata a: x\\ny became none; 2 tags became 1\n")


def test_a_line_says_class_and_differences() -> None:
    """An object in another class that isn't as it was either gets both told."""
    judged = judge_head(an_object("GLACIER", key="k"), "STANDARD", ("2 tags became 1",))

    assert verdict_line(judged) == "other-class: s3://bucket/k: GLACIER; 2 tags became 1"
    assert verdict_line(judge_head(judged.head, "GLACIER", judged.differences)) == (
        "differs: s3://bucket/k: 2 tags became 1"
    )


def test_a_line_cannot_steer_a_terminal() -> None:
    """A key with an escape sequence is shown encoded, and a message's control characters escaped."""
    head = an_object("GLACIER", key="\x1b[2J")

    assert verdict_line(judge_head(head, "STANDARD")) == "other-class: s3://bucket/%1B%5B2J: GLACIER"
    assert "\x1b" not in verdict_line(judge_head(unseen(HeadOutcome.ERROR, "\x1b[2J"), "STANDARD"))
    assert "\x1b" not in verdict_line(judge_head(head, "GLACIER", ("header \x1b[2J became none",)))
