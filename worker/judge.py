"""
What S3 said about an object -> what to do; S3's answer -> outcome. Pure: no call, no clock.

Sources, unless a line names another: the documentation of HeadObject, CopyObject and RestoreObject in
botocore 1.44.5, and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.contract import Outcome, Phase
from worker.facts import ObjectFacts

ARCHIVE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""The classes whose objects can't be read until they are restored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """
    What to do with an object: nothing more, for this outcome and reason, or, without an outcome, copy it.
    """

    outcome: Outcome | None = None
    message: str = ""


COPY = Judgement()


def judge_object(facts: ObjectFacts, target: str, now: datetime) -> Judgement:
    """
    What to do with an object that should be in the class `target`; the first row that fits counts.

    | its class | and | then |
    |---|---|---|
    | the target | | `already` |
    | any | SSE-C | `unsupported`: S3 needs the key to copy it |
    | any | metadata that headers can't show | `unsupported`: a copy would lose it |
    | GLACIER, DEEP_ARCHIVE | no restore known | `pending`: never asked for, or expired and gone |
    | GLACIER, DEEP_ARCHIVE | restore under way | `pending`: in progress |
    | GLACIER, DEEP_ARCHIVE | restored copy, expiry passed | `pending`: expired |
    | GLACIER, DEEP_ARCHIVE | restored copy | copy |
    | INTELLIGENT_TIERING | in an archive tier, restore under way | `pending`: in progress |
    | INTELLIGENT_TIERING | in an archive tier | `pending`: never asked for |
    | any other | | copy |
    """
    if facts.storage_class == target:
        return Judgement(outcome=Outcome.ALREADY, message=f"it is in {target}")
    if facts.customer_key:
        return Judgement(outcome=Outcome.UNSUPPORTED, message=SSE_C)
    if facts.missing_metadata:
        return Judgement(
            outcome=Outcome.UNSUPPORTED,
            message=f"{facts.missing_metadata} metadata entries can't be shown as headers: a copy would lose them",
        )
    archived = facts.storage_class in ARCHIVE_CLASSES
    if archived or facts.archive_status:
        reason = _why_not_restored(facts, now, archived=archived)
        if reason:
            where = facts.archive_status or facts.storage_class
            return Judgement(outcome=Outcome.PENDING, message=f"archived in {where}: {reason}")
    return COPY


SSE_C = "encrypted with a customer-provided key (SSE-C), without which S3 can't copy it"


def _why_not_restored(facts: ObjectFacts, now: datetime, *, archived: bool) -> str:
    if facts.restore is None:
        return "no restored copy (a restore was never asked for, or its copy has expired): run the restore phase"
    if facts.restore.ongoing:
        return "its restore is in progress"
    if not archived:
        # A restored INTELLIGENT_TIERING object leaves its archive tier for good; in one, it was archived anew.
        return "no restore under way: run the restore phase"
    if facts.restore.expires_at and facts.restore.expires_at <= now:
        return f"its restored copy expired on {facts.restore.expires_at:%Y-%m-%d %H:%M} UTC: run the restore phase"
    return ""


def judge_version(asked: str, facts: ObjectFacts, current: ObjectFacts | None, target: str) -> Judgement:
    """
    What to do with a line that asks for a version which is not the current one.

    facts: of the version asked for. current: of the current version, None when that is a delete marker.

    | current version | then |
    |---|---|
    | the same content, newer, in the target class | `already`: an earlier copy of ours, or as good as one |
    | any other, or a delete marker | `unsupported`: a copy would make the asked one current |
    """
    if (
        current
        and current.storage_class == target
        and current.last_modified >= facts.last_modified
        and (current.etag, current.size_bytes) == (facts.etag, facts.size_bytes)
    ):
        return Judgement(
            outcome=Outcome.ALREADY, message=f"its newer version {current.version_id} has the same content in {target}"
        )
    return Judgement(
        outcome=Outcome.UNSUPPORTED,
        message=f"version {asked} is not the current one: copying it would make it current",
    )


def judge_lost_copy(before: ObjectFacts, after: ObjectFacts, target: str) -> Judgement:
    """
    What became of a copy whose answer never came, from the object's facts before and after it.

    | looks as before | in the target class | same size, not older | then |
    |---|---|---|---|
    | yes | | | copy again: the lost one didn't happen |
    | no | yes | yes | `copied` |
    | no | yes | no | `changed`: somebody else wrote it |
    | no | no | | `changed` |

    A copy keeps the ETag only of an object written in one part and without KMS, so its size decides here.
    """
    if (before.etag, before.last_modified, before.version_id, before.storage_class) == (
        after.etag,
        after.last_modified,
        after.version_id,
        after.storage_class,
    ):
        return COPY
    if (
        after.storage_class == target
        and after.size_bytes == before.size_bytes
        and after.last_modified >= before.last_modified
    ):
        return Judgement(outcome=Outcome.COPIED, message="S3's answer was lost; a second look found the copy made")
    return Judgement(outcome=Outcome.CHANGED, message="the object was overwritten while it was copied")


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer of S3's that is no success.

    code: S3's error code; for an answer without a body (HEAD), its status; for a fault on the way, its name.
    http_status: None when no answer came, or none was asked for.
    lost: a fault on the way: whether S3 did what was asked is unknown.
    """

    code: str
    http_status: int | None = None
    message: str = ""
    lost: bool = False


class Course(StrEnum):
    """What to do after an answer that settles nothing."""

    SLOW_DOWN = "slow down"
    """S3 refused for the rate's sake and did nothing: ask again later, and less often."""

    LOOK_AGAIN = "look again"
    """Nobody knows whether it was done: look at the object before asking again."""

    CREDENTIALS = "credentials"
    """S3 doesn't take our credentials: they may be renewed in a moment; if not, no key can go on."""


_EVERYWHERE: Mapping[str, Outcome | Course] = {
    "NoSuchKey": Outcome.MISSING,
    "NoSuchVersion": Outcome.MISSING,
    "NoSuchBucket": Outcome.MISSING,
    "MethodNotAllowed": Outcome.MISSING,  # the version asked for is a delete marker
    "AccessDenied": Outcome.DENIED,
    "AllAccessDisabled": Outcome.DENIED,
    "AccountProblem": Outcome.DENIED,
    "InternalError": Course.LOOK_AGAIN,
    "OperationAborted": Course.LOOK_AGAIN,
    "RequestTimeout": Course.LOOK_AGAIN,
    "SlowDown": Course.SLOW_DOWN,
    "BandwidthLimitExceeded": Course.SLOW_DOWN,
    "RequestLimitExceeded": Course.SLOW_DOWN,
    "ServiceUnavailable": Course.SLOW_DOWN,
    "TooManyRequestsException": Course.SLOW_DOWN,
    "PriorRequestNotComplete": Course.SLOW_DOWN,
    "ExpiredToken": Course.CREDENTIALS,
    "ExpiredTokenException": Course.CREDENTIALS,
    "TokenRefreshRequired": Course.CREDENTIALS,
    "InvalidToken": Course.CREDENTIALS,
    "InvalidAccessKeyId": Course.CREDENTIALS,
    "InvalidClientTokenId": Course.CREDENTIALS,
    "SignatureDoesNotMatch": Course.CREDENTIALS,
    "RequestTimeTooSkewed": Course.CREDENTIALS,
}

_OF_PHASE: Mapping[Phase, Mapping[str, Outcome | Course]] = {
    Phase.RESTORE: {
        "RestoreAlreadyInProgress": Outcome.IN_PROGRESS,
        "InvalidObjectState": Outcome.NOT_ARCHIVED,
        "ObjectAlreadyInActiveTierError": Outcome.NOT_ARCHIVED,
        # A 503, yet no throttle: there is no capacity for this tier, and asking again soon won't make any.
        "GlacierExpeditedRetrievalNotAvailable": Outcome.ERROR,
    },
    Phase.COPY: {
        "InvalidObjectState": Outcome.PENDING,
        "ObjectNotInActiveTierError": Outcome.PENDING,
        "PreconditionFailed": Outcome.CHANGED,
        "ConditionalRequestConflict": Outcome.CHANGED,
        "NoSuchUpload": Course.LOOK_AGAIN,  # somebody aborted it, or it was completed after all
    },
}

_OF_STATUS: Mapping[int, Outcome | Course] = {
    403: Outcome.DENIED,
    404: Outcome.MISSING,
    405: Outcome.MISSING,
    429: Course.SLOW_DOWN,
    503: Course.SLOW_DOWN,
}


def judge_answer(phase: Phase, answer: Answer) -> Outcome | Course:
    """
    What an answer that is no success means in this phase; the first row that fits counts.

    | answer | means |
    |---|---|
    | none came | look again |
    | a code that the phase knows, or that means the same everywhere | the tables above |
    | a code that names throttling | slow down |
    | status 403 | `denied` |
    | status 404, 405 | `missing` |
    | status 429, 503 | slow down |
    | any other 5xx | look again |
    | anything else | `error` |
    """
    if answer.lost:
        return Course.LOOK_AGAIN
    known = _OF_PHASE[phase].get(answer.code) or _EVERYWHERE.get(answer.code)
    if known:
        return known
    if "Throttl" in answer.code:
        return Course.SLOW_DOWN
    status = answer.http_status or 0
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    return Course.LOOK_AGAIN if status >= 500 else Outcome.ERROR  # noqa: PLR2004 (5xx: the server's fault)


def wants_no_days(answer: Answer) -> bool:
    """
    Whether S3 refused a restore because an INTELLIGENT_TIERING object takes no Days.

    S3's words: "INTELLIGENT_TIERING objects are not subject to restore expiry. Do not specify Days when
    restoring this object" (400 InvalidArgument; https://github.com/s3tools/s3cmd/issues/1377).
    """
    return answer.code == "InvalidArgument" and "INTELLIGENT_TIERING" in answer.message and "Days" in answer.message


def refused_head_is_customer_key(answer: Answer) -> bool:
    """
    Whether the reason that a GET gave, after a HEAD was refused with 400, is a missing SSE-C key.

    HEAD can't say why. GET says InvalidRequest, "The object was stored using a form of Server Side
    Encryption. The correct parameters must be provided to retrieve the object."
    """
    return answer.code == "InvalidRequest" and "Server Side Encryption" in answer.message


_MESSAGES: Mapping[Outcome, str] = {
    Outcome.REQUESTED: "restore requested",
    Outcome.EXTENDED: "a restored copy is there; its expiry counts from now",
    Outcome.IN_PROGRESS: "a restore is in progress already",
    Outcome.NOT_ARCHIVED: "not archived: it needs no restore",
    Outcome.PENDING: "archived, and its restored copy isn't ready",
    Outcome.CHANGED: "the object was overwritten while we looked",
    Outcome.MISSING: "no such object",
    Outcome.DENIED: "access denied",
}


def message_of(outcome: Outcome, answer: Answer) -> str:
    """A sentence for people about an answer and the outcome it led to: ours where we know more, then S3's own."""
    if answer.code == "GlacierExpeditedRetrievalNotAvailable":
        return "no capacity for Expedited retrievals at the moment: use --tier Standard, or try again later"
    if outcome is Outcome.DENIED and answer.http_status == 403 and not answer.message:  # noqa: PLR2004 (Forbidden)
        return "access denied, or no such object: without s3:ListBucket S3 doesn't tell which"
    if answer.code == "400":
        return "S3 doesn't show it (400), which is how it treats objects encrypted with a customer's key (SSE-C)"
    ours = _MESSAGES.get(outcome, "")
    return f"{ours}: {answer.message}" if ours and answer.message else ours or answer.message or answer.code
