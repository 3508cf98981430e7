"""What verify says of an object."""

import pytest

from orchestrator.planning.object_head import Look, ObjectHead
from orchestrator.planning.verdict import Verdict, format_verdict_rows, judge_head, verdict_line
from tests.orchestrator.planning.objects import an_object, unseen


@pytest.mark.parametrize(
    ("expected", "head"),
    [
        (Verdict.IN_CLASS, an_object("STANDARD_IA")),
        (Verdict.OTHER_CLASS, an_object("STANDARD")),
        (Verdict.OTHER_CLASS, an_object("DEEP_ARCHIVE", restore='ongoing-request="false", expiry-date="..."')),
        (Verdict.MISSING, unseen(Look.MISSING)),
        (Verdict.DENIED, unseen(Look.DENIED)),
        (Verdict.ERROR, unseen(Look.ERROR)),
    ],
)
def test_verdicts(expected: Verdict, head: ObjectHead) -> None:
    """Only an object that was seen in the target class is good; a restored copy is still in its old class."""
    assert judge_head(head, "STANDARD_IA") == expected


def test_rows_have_the_key_url_encoded_and_no_header() -> None:
    """A key with a comma, a newline and a formula stays one cell on one line."""
    head = an_object("GLACIER", key="=1+1,\n/é", version_id="v1")

    assert format_verdict_rows([head], "STANDARD") == "bucket,%3D1%2B1%2C%0A/%C3%A9,v1,other-class,GLACIER,\n"


def test_a_line_cannot_steer_a_terminal() -> None:
    """A key with an escape sequence is shown encoded, and a message's control characters escaped."""
    assert verdict_line(an_object("GLACIER", key="\x1b[2J"), "STANDARD") == (
        "other-class: s3://bucket/%1B%5B2J: GLACIER"
    )
    assert "\x1b" not in verdict_line(unseen(Look.ERROR, "\x1b[2J"), "STANDARD")
