"""An HTTP answer in pieces, and what is done with a connection to send it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import responses

CLOSE = "close"
"""Close the connection."""

RESET = "reset"
"""The same with a TCP reset."""

HANG = "hang"
"""Say nothing until the client gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endless:
    """The same bytes over and over, until the client gives up. pause_s: between them. most: how often, at most."""

    content: bytes
    pause_s: float = 0
    most: int = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Slowly:
    """These bytes one at a time. pause_s: between them."""

    content: bytes
    pause_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Idle:
    """So many seconds without another request; with one before, nothing of what follows is done."""

    seconds: float


Script = tuple[bytes | float | str | Endless | Slowly | Idle, ...]
"""What to do with the connection: bytes to send, seconds to wait, or one of the words and classes above."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """
    An answer.

    status: a text, as it may be no number. bodiless: whether it answers a HEAD. raw: the body as it goes out.
    """

    status: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes
    bodiless: bool
    version: str = "HTTP/1.1"

    def head(self) -> bytes:
        """Status line and headers, the empty line too."""
        number = int(self.status) if self.status.isascii() and self.status.isdigit() else 0
        reason = responses.get(number, "Any")
        lines = [f"{self.version} {self.status} {reason}", *(f"{name}: {value}" for name, value in self.headers)]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"

    def body(self) -> bytes:
        """What follows the empty line."""
        return b"" if self.bodiless else self.raw

    def whole(self) -> bytes:
        """All of it."""
        return self.head() + self.body()

    def without(self, *names: str) -> "Message":
        """The same without these headers; names in lower case."""
        return replace(self, headers=tuple(one for one in self.headers if one[0].lower() not in names))

    def told(self, *headers: tuple[str, str]) -> "Message":
        """The same with these headers instead of others of their names."""
        kept = self.without(*(name.lower() for name, _ in headers)).headers
        return replace(self, headers=(*kept, *headers))

    def holding(self, body: bytes) -> "Message":
        """The same with another body, and its right length."""
        changed = replace(self, raw=body)
        return changed if self.bodiless else changed.told(("Content-Length", str(len(body))))

    def value(self, name: str) -> str:
        """A header's value, "" without one."""
        return next((value for found, value in self.headers if found.lower() == name), "")


Change = Callable[[Message], Message]
Play = Callable[[Message], Script]


def plainly(message: Message) -> Script:
    """As it is."""
    return (message.whole(),)


def chunked(body: bytes, *, last: bytes = b"0\r\n\r\n", size: str | None = None) -> bytes:
    """A body as one chunk. size: what is said of its length, instead of the truth."""
    told = f"{len(body):x}" if size is None else size
    one = f"{told}\r\n".encode() + body + b"\r\n" if body else b""
    return one + last


def in_chunks(message: Message, raw: bytes) -> Message:
    """The same, its body said to be in chunks."""
    return replace(message.without("content-length").told(("Transfer-Encoding", "chunked")), raw=raw)
