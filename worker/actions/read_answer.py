"""Ask S3, and read what its answer must hold. An answer without it counts as lost, and may be asked for again."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from worker.actions.copied import NULL
from worker.decide.carry_over import IncompleteAnswerError
from worker.decide.judge_error import UNEXPECTED, Answer
from worker.s3.ask import S3, UNSAID_PAUSES_S, RefusedError

_T = TypeVar("_T")


def ask_and_read(
    s3: S3,
    read: Callable[[Mapping[str, Any]], _T],
    operation: str,
    place: Mapping[str, str],
    *,
    patient: bool = False,
    pauses_s: Iterable[float] = (),
) -> _T:
    """
    What is read out of S3's answer about a place.

    read: raises IncompleteAnswerError for an answer that lacks what it must hold.
    patient: whether to wait out refusals, and to ask again a few times when the answer is incomplete.
    pauses_s: seconds before each repetition when the answer is unexpected.
    Raises RefusedError, also when the answer stays unexpected; StoppingError.
    """
    ask = s3.ask_patiently if patient else s3.ask
    for pause_s in (*(UNSAID_PAUSES_S if patient else pauses_s), None):
        try:
            return read(ask(operation, **place))
        except IncompleteAnswerError as incomplete:
            refused = unexpected_answer(str(incomplete))
        except RefusedError as error:
            if error.answer.code != UNEXPECTED:
                raise
            refused = error
        if pause_s is not None:
            s3.pace.pause(pause_s)
    raise refused


def ask_head(s3: S3, place: Mapping[str, str], *, checksums: bool, patient: bool = False) -> Mapping[str, Any]:
    """
    HEAD's answer about exactly the object or version that `place` names.

    checksums: whether to ask for them. patient: whether to wait out refusals. Raises RefusedError, StoppingError.
    """
    how = {"ChecksumMode": "ENABLED"} if checksums else {}
    head = (s3.ask_patiently if patient else s3.ask)("head_object", **place, **how)
    asked, shown = place.get("VersionId", ""), head.get("VersionId", "")
    if asked not in ("", NULL, shown):
        raise unexpected_answer(f"version {shown or 'none'}, and {asked} was asked for")
    return head


def unexpected_answer(says: str) -> RefusedError:
    """What to raise for an answer that lacks what it must hold. It settles nothing, so it counts as lost."""
    return RefusedError(Answer(code=UNEXPECTED, message=f"S3's answer has {says}", lost=True))
