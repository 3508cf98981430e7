"""What S3 said -> what to do: the truth tables of worker/judge.py, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.contract import OUTCOMES, Outcome, Phase
from worker.facts import ObjectFacts, RestoreStatus
from worker.judge import (
    COPY,
    Answer,
    Course,
    judge_answer,
    judge_lost_copy,
    judge_object,
    judge_version,
    message_of,
    refused_head_is_customer_key,
    wants_no_days,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLAIN = ObjectFacts(storage_class="STANDARD", size_bytes=3, etag='"e"', last_modified=NOW - HOUR)
READY = RestoreStatus(ongoing=False, expires_at=NOW + HOUR)
UNDER_WAY = RestoreStatus(ongoing=True)
EXPIRED = RestoreStatus(ongoing=False, expires_at=NOW - HOUR)


def facts(storage_class: str = "STANDARD", **more: Any) -> ObjectFacts:
    """A plain object's facts, but for these."""
    return replace(PLAIN, storage_class=storage_class, **more)


@pytest.mark.parametrize(
    ("outcome", "says", "seen"),
    [
        ("already", "STANDARD_IA", facts("STANDARD_IA")),
        ("already", "", facts("STANDARD_IA", customer_key=True)),
        ("unsupported", "SSE-C", facts(customer_key=True)),
        ("unsupported", "SSE-C", facts("GLACIER", customer_key=True)),
        ("unsupported", "2 metadata entries", facts(missing_metadata=2)),
        ("pending", "never asked for", facts("GLACIER")),
        ("pending", "never asked for", facts("DEEP_ARCHIVE")),
        ("pending", "in progress", facts("GLACIER", restore=UNDER_WAY)),
        ("pending", "in progress", facts("DEEP_ARCHIVE", restore=UNDER_WAY)),
        ("pending", "expired on 2026-11-22 09:00 UTC", facts("GLACIER", restore=EXPIRED)),
        ("pending", "expired", facts("GLACIER", restore=RestoreStatus(ongoing=False, expires_at=NOW))),
        ("pending", "ARCHIVE_ACCESS: no restored copy", facts("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS")),
        (
            "pending",
            "in progress",
            facts("INTELLIGENT_TIERING", archive_status="DEEP_ARCHIVE_ACCESS", restore=UNDER_WAY),
        ),
        ("pending", "no restore", facts("INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS", restore=READY)),
    ],
)
def test_objects_that_are_not_copied(outcome: str, says: str, seen: ObjectFacts) -> None:
    """Each row of the table that ends without a copy, and its reason."""
    judgement = judge_object(seen, "STANDARD_IA", NOW)

    assert judgement.outcome == outcome
    assert says in judgement.message


@pytest.mark.parametrize(
    "seen",
    [
        facts(),
        facts("GLACIER_IR"),
        facts("REDUCED_REDUNDANCY"),
        facts("INTELLIGENT_TIERING"),
        facts("GLACIER", restore=READY),
        facts("DEEP_ARCHIVE", restore=READY),
        facts("GLACIER", restore=RestoreStatus(ongoing=False)),
    ],
)
def test_objects_that_are_copied(seen: ObjectFacts) -> None:
    """What can be read, and isn't in the class yet, is copied."""
    assert judge_object(seen, "STANDARD_IA", NOW) == COPY


def test_archiving_needs_no_restore_but_a_change_of_archive_does() -> None:
    """STANDARD goes into DEEP_ARCHIVE at once; GLACIER must be restored first; DEEP_ARCHIVE is there."""
    assert judge_object(facts(), "DEEP_ARCHIVE", NOW) == COPY
    assert judge_object(facts("GLACIER"), "DEEP_ARCHIVE", NOW).outcome is Outcome.PENDING
    assert judge_object(facts("DEEP_ARCHIVE"), "DEEP_ARCHIVE", NOW).outcome is Outcome.ALREADY


@pytest.mark.parametrize(
    ("expected", "current"),
    [
        (Outcome.UNSUPPORTED, None),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v2", etag='"other"', last_modified=NOW)),
        (Outcome.UNSUPPORTED, facts("STANDARD", version_id="v2", last_modified=NOW)),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v0", last_modified=NOW - 2 * HOUR)),
        (Outcome.UNSUPPORTED, facts("STANDARD_IA", version_id="v2", last_modified=NOW, size_bytes=4)),
        (Outcome.ALREADY, facts("STANDARD_IA", version_id="v2", last_modified=NOW)),
    ],
)
def test_a_noncurrent_version_is_not_made_current(expected: Outcome, current: ObjectFacts | None) -> None:
    """It is refused, unless the current one is its newer copy in the target class."""
    asked = facts(version_id="v1")

    assert expected is judge_version("v1", asked, current, "STANDARD_IA").outcome


@pytest.mark.parametrize(
    ("expected", "after"),
    [
        (None, facts("GLACIER")),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW)),
        (Outcome.COPIED, facts("STANDARD_IA", last_modified=NOW, etag='"single part now"', version_id="v2")),
        (Outcome.COPIED, facts("STANDARD_IA")),
        (Outcome.CHANGED, facts("STANDARD_IA", last_modified=NOW, size_bytes=4)),
        (Outcome.CHANGED, facts("STANDARD_IA", last_modified=NOW - 2 * HOUR)),
        (Outcome.CHANGED, facts("STANDARD", last_modified=NOW)),
        (Outcome.CHANGED, facts("GLACIER", last_modified=NOW)),
        (Outcome.CHANGED, facts("GLACIER", etag='"other"')),
        (Outcome.CHANGED, facts("GLACIER", version_id="v2")),
    ],
)
def test_a_copy_whose_answer_was_lost_is_looked_for(expected: Outcome | None, after: ObjectFacts) -> None:
    """An unchanged object is copied again, one in the class was copied, any other was changed by somebody else."""
    assert expected is judge_lost_copy(facts("GLACIER"), after, "STANDARD_IA").outcome


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
        ("pending", COPY_PHASE, Answer("InvalidObjectState", 403)),
        ("pending", COPY_PHASE, Answer("ObjectNotInActiveTierError", 403)),
        ("changed", COPY_PHASE, Answer("PreconditionFailed", 412)),
        ("changed", COPY_PHASE, Answer("ConditionalRequestConflict", 409)),
        ("missing", COPY_PHASE, Answer("404", 404)),
        ("missing", COPY_PHASE, Answer("405", 405)),
        ("denied", COPY_PHASE, Answer("403", 403)),
        ("error", COPY_PHASE, Answer("400", 400)),
        ("error", COPY_PHASE, Answer("KMS.DisabledException", 400)),
        ("error", COPY_PHASE, Answer("ParamValidationError")),
        (Course.SLOW_DOWN, COPY_PHASE, Answer("503", 503)),
        (Course.SLOW_DOWN, COPY_PHASE, Answer("429", 429)),
        (Course.SLOW_DOWN, COPY_PHASE, Answer("SlowDown", 503)),
        (Course.SLOW_DOWN, COPY_PHASE, Answer("SlowDown", 200)),
        (Course.SLOW_DOWN, RESTORE, Answer("ThrottlingException", 400)),
        (Course.SLOW_DOWN, COPY_PHASE, Answer("KMS.ThrottlingException", 400)),
        (Course.SLOW_DOWN, RESTORE, Answer("RequestLimitExceeded", 503)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("InternalError", 500)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("InternalError", 200)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("502", 502)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("RequestTimeout", 400)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("NoSuchUpload", 404)),
        (Course.LOOK_AGAIN, COPY_PHASE, Answer("ReadTimeoutError", lost=True)),
        (Course.CREDENTIALS, COPY_PHASE, Answer("ExpiredToken", 400)),
        (Course.CREDENTIALS, RESTORE, Answer("InvalidAccessKeyId", 403)),
        (Course.CREDENTIALS, RESTORE, Answer("SignatureDoesNotMatch", 403)),
    ],
)
def test_answers_that_are_no_success(expected: str, phase: Phase, answer: Answer) -> None:
    """Each answer of the tables leads to its outcome or course, and to one that its phase knows."""
    verdict = judge_answer(phase, answer)

    assert verdict == expected
    assert isinstance(verdict, Course) or verdict in OUTCOMES[phase]


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
