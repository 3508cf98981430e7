"""
S3's answer that is no success -> the key's outcome, or what to do next. Pure.

Sources, unless a line names another: the documentation of CopyObject and RestoreObject in botocore 1.44.5,
and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from worker.contract import EXPIRED_CREDENTIALS, UNKNOWN_CREDENTIALS, Outcome, Phase, is_throttle


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer from S3 that is no success.

    code: S3's error code; for an answer without a body (HEAD), its status; for a fault on the way, its name.
    http_status: None when no answer came, or none was asked for.
    lost: a fault on the way: whether S3 did what was asked is unknown.
    """

    code: str
    http_status: int | None = None
    message: str = ""
    lost: bool = False


UNTRUSTED = "CertificateError"
"""Our code for a server whose certificate isn't trusted, or is for another host. No request was sent to it."""


class RetryAction(StrEnum):
    """What to do after an answer that settles nothing."""

    SLOW_DOWN = "slow down"
    """S3 refused because of the rate, and did nothing: ask again later, and less often."""

    LOOK_AGAIN = "look again"
    """Whether it was done is unknown: look at the object before asking again."""

    CREDENTIALS = "credentials"
    """S3 refuses our credentials, or we don't trust its certificate. No key can go on unless that passes soon."""


_EVERYWHERE: Mapping[str, Outcome | RetryAction] = {
    "NoSuchKey": Outcome.MISSING,
    "NoSuchVersion": Outcome.MISSING,
    "NoSuchBucket": Outcome.MISSING,
    "MethodNotAllowed": Outcome.MISSING,  # the version asked for is a delete marker
    "AccessDenied": Outcome.DENIED,
    "AllAccessDisabled": Outcome.DENIED,
    "AccountProblem": Outcome.DENIED,
    "InternalError": RetryAction.LOOK_AGAIN,
    "OperationAborted": RetryAction.LOOK_AGAIN,
    "TemporaryRedirect": RetryAction.LOOK_AGAIN,  # of a bucket so new that DNS doesn't know it yet
    "RequestTimeout": RetryAction.LOOK_AGAIN,
    **dict.fromkeys(EXPIRED_CREDENTIALS | UNKNOWN_CREDENTIALS, RetryAction.CREDENTIALS),
    "InvalidToken": RetryAction.CREDENTIALS,
    "RequestTimeTooSkewed": RetryAction.CREDENTIALS,
    UNTRUSTED: RetryAction.CREDENTIALS,  # the server's, not ours: nothing is sent to a host that has no trusted one
}

_OF_PHASE: Mapping[Phase, Mapping[str, Outcome | RetryAction]] = {
    Phase.RESTORE: {
        "RestoreAlreadyInProgress": Outcome.IN_PROGRESS,
        "InvalidObjectState": Outcome.NOT_ARCHIVED,
        "ObjectAlreadyInActiveTierError": Outcome.NOT_ARCHIVED,
        # A 503, but no throttle: this tier has no capacity, and asking again soon doesn't help.
        "GlacierExpeditedRetrievalNotAvailable": Outcome.ERROR,
    },
    Phase.COPY: {
        "InvalidObjectState": Outcome.PENDING,
        "ObjectNotInActiveTierError": Outcome.PENDING,
        "PreconditionFailed": Outcome.CHANGED,
        "412": Outcome.CHANGED,  # the same, of a HEAD
        "400": RetryAction.LOOK_AGAIN,  # of a HEAD, which doesn't say why: perhaps credentials that have expired
        "ConditionalRequestConflict": Outcome.CHANGED,
        "RequestHeaderSectionTooLarge": Outcome.UNSUPPORTED,  # tags and metadata that don't fit a copy in parts
        "MetadataTooLarge": Outcome.UNSUPPORTED,
        "NoSuchUpload": RetryAction.LOOK_AGAIN,  # it was aborted elsewhere, or completed after all
    },
}

_STATUS_OF_NOTHING_TO_DO = {
    "RestoreAlreadyInProgress": 409,
    "InvalidObjectState": 403,
    "ObjectAlreadyInActiveTierError": 403,
}
"""Refusals of a restore after which nothing needs to be done, each with the one status that S3 gives it."""

_OF_STATUS: Mapping[int, Outcome | RetryAction] = {
    # Temporary redirects, from a proxy or from S3 while DNS is behind. 301 is for good.
    302: RetryAction.LOOK_AGAIN,
    303: RetryAction.LOOK_AGAIN,
    307: RetryAction.LOOK_AGAIN,
    308: RetryAction.LOOK_AGAIN,
    403: Outcome.DENIED,
    404: Outcome.MISSING,
    405: Outcome.MISSING,
    408: RetryAction.LOOK_AGAIN,  # a proxy waited too long
    425: RetryAction.LOOK_AGAIN,  # Too Early (RFC 8470)
    429: RetryAction.SLOW_DOWN,
    499: RetryAction.LOOK_AGAIN,  # nginx: the client closed the connection
    503: RetryAction.SLOW_DOWN,
}


UNEXPECTED = "UnexpectedAnswer"
"""Our code for an answer that proves nothing."""

_PASSING = frozenset({408, 425, 429, 499})
_REFUSALS = range(400, 500)


def refuses(status: int | None) -> bool:
    """Whether an answer that proves nothing is a refusal by its status (4xx), which won't change soon."""
    return status in _REFUSALS and status not in _PASSING


def judge_answer(phase: Phase, answer: Answer) -> Outcome | RetryAction:
    """
    What an answer that is no success means in this phase; the first row that fits counts.

    | answer | means |
    |---|---|
    | none came | look again |
    | a restore's refusal after which nothing needs to be done, with another status than S3's | look again |
    | a code that the phase knows, or that means the same everywhere | the tables above |
    | a code that names throttling | slow down |
    | status 302, 303, 307, 308, 408, 425, 499 | look again |
    | status 403 | `denied` |
    | status 404, 405 | `missing` |
    | status 429, 503 | slow down |
    | any other 5xx | look again |
    | anything else | `error` |
    """
    if answer.lost:
        return RetryAction.LOOK_AGAIN
    if phase is Phase.RESTORE and answer.http_status != _STATUS_OF_NOTHING_TO_DO.get(answer.code, answer.http_status):
        return RetryAction.LOOK_AGAIN
    known = _OF_PHASE[phase].get(answer.code) or _EVERYWHERE.get(answer.code)
    if known:
        return known
    if is_throttle(answer.code):
        return RetryAction.SLOW_DOWN
    status = answer.http_status or 0
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    return RetryAction.LOOK_AGAIN if status >= 500 else Outcome.ERROR  # noqa: PLR2004 (5xx: the server's fault)


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
    """A sentence about an answer and the outcome that it led to: ours where we know more, then S3's own."""
    if answer.code == "GlacierExpeditedRetrievalNotAvailable":
        return "no capacity for Expedited retrievals at the moment: use --tier Standard, or try again later"
    if outcome is Outcome.DENIED and answer.http_status == 403 and not answer.message:  # noqa: PLR2004 (Forbidden)
        return "access denied, or no such object: without s3:ListBucket S3 doesn't tell which"
    if answer.code == "400":
        return "S3 doesn't show it (400), which is how it treats objects encrypted with a customer's key (SSE-C)"
    ours = _MESSAGES.get(outcome, "")
    return f"{ours}: {answer.message}" if ours and answer.message else ours or answer.message or answer.code
