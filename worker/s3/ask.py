"""One request to S3 for the sake of one key: paced, counted, and its failure turned into an Answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from worker.contract import LotEntry, Outcome, Phase, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import UNEXPECTED, UNTRUSTED, Answer, RetryAction, judge_answer, message_of, refuses
from worker.pool.loop import MAX_DELAY_S, Retry
from worker.pool.pacing import Pace
from worker.s3.fast.build_request import COPY
from worker.s3.fast.reply import UnexpectedAnswerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from worker.s3.fast.client import FastClient

PATIENT_TRIES = 20
"""With the delays between them, some five minutes."""

NO_SUCH_UPLOAD = "NoSuchUpload"

_FAULTS = (HTTPClientError, exceptions.ConnectionError, IncompleteReadError, ResponseParserError)
"""Faults on the way, those in making a connection (DNS, TLS) too: these may pass, and no key is to blame."""

UNSAID_PAUSES_S = (0.25, 0.5, 1.0)
"""Seconds before each repetition of a HEAD that was refused without a reason."""

_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, RuntimeError)
"""What botocore's parser raises for a value that it can't make what its model says: a date, a number."""

_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOError,
    TokenRetrievalError,
)


class UnbelievedError(HTTPClientError):
    """An answer that proves nothing, as an error of botocore's own family: those who ask know to take these."""

    fmt = "{error}"


class RefusedError(Exception):
    """S3 didn't do what was asked, or it isn't known whether it did: `answer` says what is known."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class S3:
    """
    S3 as the actions ask it.

    client: boto3's client; it sends each request once, trying again is the loop's affair.
    fast: the fast client, None to do without.
    always: arguments that go with every request which takes them (who pays, who must own the bucket).
    """

    client: "S3Client"
    pace: Pace
    phase: Phase
    always: Mapping[str, str] = field(default_factory=dict)
    fast: "FastClient | None" = None

    def ask(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """
        S3's answer to an operation, by boto3's name for it.

        Raises RefusedError for anything but success, StoppingError when the task is to stop.
        """
        self.pace.acquire()
        if self.always:
            parameters |= self._always(operation)
        found = self._ask_fast(operation, parameters) if self.fast else None
        if found is None:
            found = self._ask_carefully(operation, parameters)
        if not isinstance(found, Answer) and not _names_its_version(operation, parameters, found):
            found = Answer(code=UNEXPECTED, message=f"the answer to {operation} doesn't name its version", lost=True)
        if isinstance(found, Answer):
            self.pace.answered(refused=judge_answer(self.phase, found) is RetryAction.SLOW_DOWN)
            raise RefusedError(found)
        self.pace.answered(refused=False)
        return found

    def _ask_fast(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Answer | None:
        """
        What the fast client understood; None when boto3's client is to be asked, and may be sent a request for that.

        A HEAD and a restore may be repeated. A copy that may have been made counts as lost: the loop has its object
        looked at before another is sent, and that in boto3's client, where the key stays from now on.
        """
        if not self.fast or not self.fast.takes(operation, parameters):
            return None
        try:
            return self.fast.ask(operation, parameters)
        except UnexpectedAnswerError as strange:
            if not strange.sent:
                # Finding that out may have taken a while.
                self.pace.hold()
                return None
            if operation == COPY:
                return Answer(code=UNEXPECTED, message=str(strange), lost=True)
            self.pace.answered(refused=False)
            self.pace.acquire()
            return None

    def _ask_carefully(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any] | Answer:
        """What boto3's client made of S3's answer."""
        try:
            answer: Mapping[str, Any] = getattr(self.client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            return answer_of(error)
        except _UNREADABLE as error:
            return Answer(code=UNEXPECTED, message=f"an answer that can't be read: {error}", lost=True)
        return answer

    def ask_patiently(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """
        S3's answer to an operation that may be repeated, refusals and faults on the way waited out for minutes.

        For the parts of a large object, where starting from the beginning is worse than waiting. Raises as `ask` does;
        a refusal after a try whose answer was lost counts as lost too, as it may be about what that try did.
        """
        lost = False
        for tries in range(PATIENT_TRIES):
            try:
                return self.ask(operation, **parameters)
            except RefusedError as refused:
                retry_action = judge_answer(self.phase, refused.answer)
                passing = (
                    retry_action in (RetryAction.SLOW_DOWN, RetryAction.LOOK_AGAIN)
                    and refused.answer.code != NO_SUCH_UPLOAD
                )
                if tries == PATIENT_TRIES - 1 or not passing:
                    raise RefusedError(replace(refused.answer, lost=lost or refused.answer.lost)) from refused
                lost = lost or retry_action is RetryAction.LOOK_AGAIN
                self.pace.pause(min(MAX_DELAY_S, 0.5 * 2**tries))
        raise AssertionError("unreachable: the last try returns or raises")

    def ask_on_the_way_out(self, operation: str, **parameters: Any) -> None:
        """Ask for something that cleans up, whatever the pace and though the task is to stop. Raises RefusedError."""
        self.pace.count()
        try:
            getattr(self.client, operation)(**parameters, **self._always(operation))
        except (ClientError, BotoCoreError) as error:
            raise RefusedError(answer_of(error)) from error

    def _always(self, operation: str) -> dict[str, str]:
        """What goes with every request, as far as this operation takes it."""
        return {name: self.always[name] for name in self.always if name in _arguments(self.client, operation)}

    def result(self, entry: LotEntry, answer: Answer, *, memory: ObjectFacts | None = None) -> ResultRow | Retry:
        """What an answer that is no success means for its key: its result, or another try (with this memory)."""
        verdict = judge_answer(self.phase, answer)
        outcome = Outcome.ERROR if isinstance(verdict, RetryAction) else verdict
        row = ResultRow(
            entry=entry,
            outcome=outcome,
            error_code=answer.code,
            http_status=answer.http_status,
            message=message_of(outcome, answer),
        )
        return Retry(row=row, retry_action=verdict, memory=memory) if isinstance(verdict, RetryAction) else row


@cache
def _arguments(client: "S3Client", operation: str) -> frozenset[str]:
    """The names of the arguments that the operation takes."""
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    return frozenset(shape.members if shape else ())


def _names_its_version(operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """
    Whether the answer to the deletion of a version names one. False too for what put a delete marker without saying so.

    operation: by boto3's name. parameters: boto3's. Which version it names is for the caller, as is a copy's new one:
    where versioning is suspended, S3 names none.
    """
    return operation != "delete_object" or "VersionId" not in parameters or bool(answer.get("VersionId"))


@contextmanager
def asking_for(what: str) -> Iterator[None]:
    """Say in a refusal's message what was asked for: "access denied" alone would be taken for the copy's."""
    try:
        yield
    except RefusedError as refused:
        answer = refused.answer
        raise RefusedError(replace(answer, message=f"{what}: {answer.message or answer.code}")) from refused


def answer_of(error: ClientError | BotoCoreError) -> Answer:
    """What botocore's error says of S3's answer."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        return Answer(
            code=told.get("Code", ""),
            http_status=error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"),
            # An empty message is None, and of an answer without a body botocore makes one up from the status: no news.
            message=told.get("Message") or "" if not told.get("Code", "").isdigit() else "",
        )
    if isinstance(error, _CREDENTIALS):
        return Answer(code="InvalidToken", message=f"no usable credentials: {error}")
    if isinstance(error, UnbelievedError):
        status: Any = error.kwargs.get("status")
        return Answer(code=UNEXPECTED, http_status=status if refuses(status) else None, message=str(error), lost=True)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        # OpenSSL's own word; botocore and urllib3 hand it on as text.
        return Answer(code=UNTRUSTED, message=str(error))
    return Answer(code=type(error).__name__, message=str(error), lost=isinstance(error, _FAULTS))


def object_of(entry: LotEntry) -> dict[str, str]:
    """The arguments that name a lot entry's object."""
    named = {"Bucket": entry.bucket, "Key": entry.key}
    return named | {"VersionId": entry.version_id} if entry.version_id else named
