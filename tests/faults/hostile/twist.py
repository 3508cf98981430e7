"""An odd way to answer."""

from dataclasses import dataclass, replace

from tests.worker.server import Change, Play, plainly

HEAD, TOLD, BARE = "head", "told", "bare"
"""Answers: to a HEAD, with XML that tells what was done, and with nothing in them."""

ANY = (HEAD, TOLD, BARE)
MIB = 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Twist:
    """
    An odd way to answer.

    change: what it does to the answer. play: how that is sent. to: which answers it is for.
    whole: whether the answer is still good, so that it may be believed. once: it takes too long to meet it every time.
    late: whether it is more than an answer, and the rest comes later.
    """

    name: str
    change: Change = lambda message: message
    play: Play = plainly
    to: tuple[str, ...] = ANY
    whole: bool = False
    once: bool = False
    late: bool = False


def saying(*headers: tuple[str, str]) -> Change:
    """Say these headers, instead of others of their names."""
    return lambda message: message.told(*headers)


def speaking(version: str) -> Change:
    """Begin with another version of HTTP."""
    return lambda message: replace(message, version=version)
