"""The restore phase of one key: one RestoreObject, and what S3 answered."""

from collections.abc import Mapping
from typing import Any

from worker.contract import LotEntry, Outcome, ResultRow
from worker.decide.head_facts import ObjectFacts
from worker.decide.judge_error import Answer, message_of, wants_no_days
from worker.pool.loop import Retry
from worker.s3.ask import S3, RefusedError, object_of

_ACCEPTED = 202


class RestoreAction:
    """
    Asks S3 for a restored copy of an object.

    No HEAD is sent before it: S3 says itself which objects need no restore. Asking twice does no harm, so a request
    whose answer was lost is sent again.

    days: how long the restored copy stays. tier: the retrieval tier.
    """

    def __init__(self, s3: S3, *, days: int, tier: str) -> None:
        self._s3 = s3
        self._how = {"GlacierJobParameters": {"Tier": tier}}
        self._days = {"Days": days}

    def __call__(self, entry: LotEntry, memory: ObjectFacts | None) -> ResultRow | Retry:  # noqa: ARG002 (a restore has nothing to remember)
        """The key's result, or the wish to try again."""
        try:
            try:
                status = self._restore(entry, self._days | self._how)
            except RefusedError as refused:
                if not wants_no_days(refused.answer):
                    raise
                # Only S3 knows the object's class, and only INTELLIGENT_TIERING takes no days. All others need no HEAD.
                status = self._restore(entry, self._how)
        except RefusedError as refused:
            return self._s3.result(entry, refused.answer)
        outcome = Outcome.REQUESTED if status == _ACCEPTED else Outcome.EXTENDED
        return ResultRow(entry=entry, outcome=outcome, http_status=status, message=message_of(outcome, Answer(code="")))

    def _restore(self, entry: LotEntry, how: Mapping[str, Any]) -> int:
        """The status of S3's answer: 202 for a new restore, 200 where a restored copy is there (botocore 1.44.5)."""
        response = self._s3.ask("restore_object", **object_of(entry), RestoreRequest=how)
        status: int = response["ResponseMetadata"]["HTTPStatusCode"]
        return status
