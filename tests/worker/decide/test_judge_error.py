"""S3's answers that are no success: the tables of worker/decide/judge_error.py, row by row."""

import pytest

from worker.contract import OUTCOMES, Outcome, Phase
from worker.decide.judge_error import (
    Answer,
    RetryAction,
    judge_answer,
    message_of,
    refused_head_is_customer_key,
    wants_no_days,
)

RESTORE, COPY_PHASE = Phase.RESTORE, Phase.COPY


@pytest.mark.parametrize(
    ("expected", "phase", "answer"),
    [
        ("in-progress", RESTORE, Answer("RestoreAlreadyInProgress", 409)),
        ("not-archived", RESTORE, Answer("InvalidObjectState", 403)),
        ("not-archived", RESTORE, Answer("ObjectAlreadyInActiveTierError", 403)),
        ("error", RESTORE, Answer("GlacierExpeditedRetrievalNotAvailable", 503)),
        ("error", RESTORE, Answer("InvalidArgument", 400)),
        ("missing", RESTORE, Answer("NoSuchKey", 404)),
        ("missing", RESTORE, Answer("NoSuchVersion", 404)),
        ("missing", RESTORE, Answer("NoSuchBucket", 404)),
        ("missing", RESTORE, Answer("MethodNotAllowed", 405)),
        ("denied", RESTORE, Answer("AccessDenied", 403)),
        ("unsupported", COPY_PHASE, Answer("RequestHeaderSectionTooLarge", 400)),
        ("changed", COPY_PHASE, Answer("412", 412)),
        ("pending", COPY_PHASE, Answer("InvalidObjectState", 403)),
        ("pending", COPY_PHASE, Answer("ObjectNotInActiveTierError", 403)),
        ("changed", COPY_PHASE, Answer("PreconditionFailed", 412)),
        ("changed", COPY_PHASE, Answer("ConditionalRequestConflict", 409)),
        ("missing", COPY_PHASE, Answer("404", 404)),
        ("missing", COPY_PHASE, Answer("405", 405)),
        ("denied", COPY_PHASE, Answer("403", 403)),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("RestoreAlreadyInProgress", 403)),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("InvalidObjectState", 409)),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("ObjectAlreadyInActiveTierError", 500)),
        ("error", RESTORE, Answer("400", 400)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("400", 400)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("302", 302)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("Odd", 408)),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("Odd", 425)),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("Odd", 499)),
        (RetryAction.CREDENTIALS, COPY_PHASE, Answer("CertificateError")),
        (RetryAction.LOOK_AGAIN, RESTORE, Answer("TemporaryRedirect", 307)),
        ("error", RESTORE, Answer("PermanentRedirect", 301)),
        ("error", COPY_PHASE, Answer("KMS.DisabledException", 400)),
        ("error", COPY_PHASE, Answer("ParamValidationError")),
        (RetryAction.SLOW_DOWN, COPY_PHASE, Answer("503", 503)),
        (RetryAction.SLOW_DOWN, COPY_PHASE, Answer("429", 429)),
        (RetryAction.SLOW_DOWN, COPY_PHASE, Answer("SlowDown", 503)),
        (RetryAction.SLOW_DOWN, COPY_PHASE, Answer("SlowDown", 200)),
        (RetryAction.SLOW_DOWN, RESTORE, Answer("ThrottlingException", 400)),
        (RetryAction.SLOW_DOWN, COPY_PHASE, Answer("KMS.ThrottlingException", 400)),
        (RetryAction.SLOW_DOWN, RESTORE, Answer("RequestLimitExceeded", 503)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("InternalError", 500)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("InternalError", 200)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("502", 502)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("RequestTimeout", 400)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("NoSuchUpload", 404)),
        (RetryAction.LOOK_AGAIN, COPY_PHASE, Answer("ReadTimeoutError", lost=True)),
        (RetryAction.CREDENTIALS, COPY_PHASE, Answer("ExpiredToken", 400)),
        (RetryAction.CREDENTIALS, RESTORE, Answer("InvalidAccessKeyId", 403)),
        (RetryAction.CREDENTIALS, RESTORE, Answer("SignatureDoesNotMatch", 403)),
    ],
)
def test_answers_that_are_no_success(expected: str, phase: Phase, answer: Answer) -> None:
    """Each answer of the tables leads to its outcome or course, and to one that its phase knows."""
    verdict = judge_answer(phase, answer)

    assert verdict == expected
    assert isinstance(verdict, RetryAction) or verdict in OUTCOMES[phase]


S3_ON_DAYS = (
    "INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when restoring this object"
)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (True, Answer("InvalidArgument", 400, S3_ON_DAYS)),
        (False, Answer("InvalidArgument", 400, "Retrieval option is not supported by this storage class")),
        (False, Answer("MalformedXML", 400, S3_ON_DAYS)),
    ],
)
def test_days_are_left_out_only_when_s3_says_so(expected: bool, answer: Answer) -> None:  # noqa: FBT001 (a table)
    """Only S3's word about INTELLIGENT_TIERING and Days means that Days are to be left out."""
    assert expected is wants_no_days(answer)


def test_a_customers_key_is_told_from_other_bad_requests() -> None:
    """S3's word about missing encryption parameters means SSE-C, an expired token doesn't."""
    told = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"

    assert refused_head_is_customer_key(Answer("InvalidRequest", 400, told))
    assert not refused_head_is_customer_key(Answer("ExpiredToken", 400, "The provided token has expired."))


@pytest.mark.parametrize(
    ("expected", "outcome", "answer"),
    [
        ("restore requested", Outcome.REQUESTED, Answer("")),
        ("access denied: not you", Outcome.DENIED, Answer("AccessDenied", 403, "not you")),
        (
            "access denied, or no such object: without s3:ListBucket S3 doesn't tell which",
            Outcome.DENIED,
            Answer("403", 403),
        ),
        ("Some words", Outcome.ERROR, Answer("Odd", 400, "Some words")),
        ("Odd", Outcome.ERROR, Answer("Odd", 400)),
        (
            "no capacity for Expedited retrievals at the moment: use --tier Standard, or try again later",
            Outcome.ERROR,
            Answer("GlacierExpeditedRetrievalNotAvailable", 503, "Glacier expedited retrievals are ..."),
        ),
    ],
)
def test_messages_say_what_we_know_and_what_s3_said(expected: str, outcome: Outcome, answer: Answer) -> None:
    """Our words first, S3's after them, and never nothing."""
    assert expected == message_of(outcome, answer)
