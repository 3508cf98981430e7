"""An HTTP answer that came whole, and the error when none did. Pure."""

from dataclasses import dataclass


class UnexpectedAnswerError(Exception):
    """
    No answer, or one that the fast client doesn't understand.

    sent: whether the request may have reached S3.
    """

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An HTTP answer, complete.

    headers: by name in lower case, each there once. lines: names as they came, and values.
    """

    status: int
    headers: dict[str, str]
    lines: list[tuple[str, str]]
    body: bytes
