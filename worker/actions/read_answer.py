"""Asking S3 for what must be read out of its answer: one that lacks it counts as lost, and may be asked for again."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from worker.decide.carry_over import OddAnswerError
from worker.decide.judge_error import Answer
from worker.s3.ask import S3, STRANGE, RefusedError

_T = TypeVar("_T")


def ask_and_read(
    s3: S3,
    read: Callable[[Mapping[str, Any]], _T],
    operation: str,
    parameters: Mapping[str, str],
    *,
    patient: bool = False,
    pauses_s: Iterable[float] = (),
) -> _T:
    """
    What is read out of S3's answer to an operation with these parameters.

    read: raises OddAnswerError for an answer that lacks what it must hold. patient: whether to wait out refusals.
    pauses_s: seconds before each repetition of the request while its answer is odd.
    Raises RefusedError, of an answer that stays odd too; StoppingError.
    """
    ask = s3.ask_patiently if patient else s3.ask
    for pause_s in (*pauses_s, None):
        try:
            return read(ask(operation, **parameters))
        except OddAnswerError as odd:
            refused = odd_answer(str(odd))
        except RefusedError as error:
            if error.answer.code != STRANGE:
                raise
            refused = error
        if pause_s is not None:
            s3.pace.pause(pause_s)
    raise refused


def odd_answer(lacks: str) -> RefusedError:
    """What to raise for an answer that lacks what it must hold: it settles nothing, so it counts as lost."""
    return RefusedError(Answer(code=STRANGE, message=f"S3's answer has {lacks}", lost=True))
