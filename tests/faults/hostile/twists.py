"""
Every way to answer oddly, by what is odd about it: status, body, framing, headers, the place of a cut, what comes else.

A twist that is `whole` leaves an answer that may be believed, so the deed must have been done; any other may not be.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.faults.hostile.bodies import odd_bodies
from tests.faults.hostile.framings import odd_framings
from tests.faults.hostile.twist import BARE, HEAD, TOLD, Twist
from tests.worker.server import (
    CLOSE,
    HANG,
    RESET,
    Change,
    Endless,
    Message,
    Play,
    Script,
    Slowly,
    chunked,
    in_chunks,
)


def _status(status: str) -> Twist:
    return Twist(name=f"status {status!r}", change=lambda message: replace(message, status=status))


_STATUSES = (
    *("201", "202", "203", "204", "205", "206", "226", "299", "300", "301", "302", "303", "304", "305", "307", "308"),
    *("400", "401", "403", "404", "405", "406", "407", "408", "409", "410", "411", "412", "413", "416", "418", "421"),
    *("425", "429", "431", "451", "499", "500", "501", "502", "503", "504", "505", "507", "509", "520", "529", "599"),
    *("600", "999", "099", "000", "20", "2000", "2OO", "", "-200", "+200", "0200", "200.0", "\u00b200"),
)


def _sent(*pieces: Callable[[Message], bytes] | bytes | float | str | Endless) -> Play:
    """A play of these pieces, each of the message where it is a function."""
    return lambda message: tuple(piece(message) if callable(piece) else piece for piece in pieces)


def _lines(message: Message) -> list[bytes]:
    return message.head().split(b"\r\n")[:-2]


def _with_line(line: bytes, *, at: int) -> Callable[[Message], bytes]:
    """All of a message, with one more line among its headers. at: before which header; 1 is the first."""

    def write(message: Message) -> bytes:
        lines = _lines(message)
        return b"".join(one + b"\r\n" for one in (*lines[:at], line, *lines[at:])) + b"\r\n" + message.body()

    return write


def _headers() -> Iterator[Twist]:
    odd = {
        "no header": b"this is no header at all",
        "a header folded": b" folded: yes",
        "a header without a name": b": nameless",
        "a space in a header's name": b"x amz: a",
        "a space before the colon": b"x-amz-id-3 : a",
        "a NUL": b"x-amz-id-3: a\0b",
        "a bare CR": b"x-amz-id-3: a\rb: c",
    }
    for name, line in odd.items():
        yield Twist(name=f"header: {name}", play=_sent(_with_line(line, at=2), CLOSE), whole=name != "no header")
    harmless = {"of 8 bits": b"x-amz-id-3: \xe9\xff", "of 70 kB": b"x-amz-id-3: " + b"a" * 70_000}
    for name, line in harmless.items():
        yield Twist(name=f"header: {name}", play=_sent(_with_line(line, at=2)), whole=True)
    long: Change = lambda m: m.told(("x-amz-restore", 'ongoing-request="' * 4_000))  # noqa: E731 (a table's value)
    yield Twist(name="header: 60 kB of a restore", change=long, to=(HEAD,))
    many: Change = lambda m: m.told(*((f"x-amz-meta-n{n}", "1") for n in range(150)))  # noqa: E731 (a table's value)
    yield Twist(name="header: 150 of them", change=many, to=(TOLD, BARE), whole=True)
    feeds: Play = lambda m: (m.head().replace(b"\r\n", b"\n") + m.body(),)  # noqa: E731 (likewise)
    yield Twist(name="header: lines ending in LF", play=feeds, whole=True)
    yield Twist(name="header: without end", play=lambda m: (m.head()[:-2], Endless(content=b"x-a: b\r\n" * 1_000)))
    yield Twist(
        name="header: one without end", play=lambda m: (m.head()[:-2] + b"x-a: ", Endless(content=b"b" * 8_000))
    )


def _cuts() -> Iterator[Twist]:
    places: dict[str, Callable[[Message], bytes]] = {
        "before all": lambda _: b"",
        "in the status line": lambda m: m.head()[:11],
        "at the end of the status line": lambda m: m.head()[: m.head().index(b"\r\n")],
        "after the status line": lambda m: m.head()[: m.head().index(b"\r\n") + 2],
        "after the first header": lambda m: b"".join(line + b"\r\n" for line in _lines(m)[:2]),
        "in the first third of the headers": lambda m: _some(m, 1 / 3),
        "in the middle of the headers": lambda m: _some(m, 1 / 2),
        "in the last third of the headers": lambda m: _some(m, 2 / 3),
        "within a header": lambda m: m.head()[: len(m.head()) // 2],
        "within a header's value": lambda m: m.head()[:-6],
        "before the last header": lambda m: b"".join(line + b"\r\n" for line in _lines(m)[:-1]),
        "before the empty line": lambda m: m.head()[:-2],
        "in the empty line": lambda m: m.head()[:-1],
    }
    for name, cut in places.items():
        for end in (CLOSE, RESET):
            yield Twist(name=f"cut {name}, {end}", play=_sent(cut, end))
        yield Twist(name=f"cut {name}, silent", play=_sent(cut, HANG), once=True)
    within: dict[str, Callable[[Message], bytes]] = {
        "before the body": Message.head,
        "within the body": lambda m: m.head() + m.raw[: len(m.raw) // 2],
        "before the body's last byte": lambda m: m.whole()[:-1],
    }
    for name, cut in within.items():
        for end in (CLOSE, RESET):
            yield Twist(name=f"cut {name}, {end}", play=_sent(cut, end), to=(TOLD,))
        yield Twist(name=f"cut {name}, silent", play=_sent(cut, HANG), to=(TOLD,), once=True)


def _some(message: Message, share: float) -> bytes:
    lines = _lines(message)
    return b"".join(line + b"\r\n" for line in lines[: 1 + round(share * len(lines))])


def _interims() -> Iterator[Twist]:
    refusal = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    denied = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(refusal)
    for status in ("100 Continue", "102 Processing", "103 Early Hints", "199 Any"):
        one = f"HTTP/1.1 {status}\r\nLink: </a>; rel=preload\r\n\r\n".encode()
        name = status.partition(" ")[0]
        yield Twist(name=f"{name} before it", play=_sent(one, Message.whole), whole=True)
        yield Twist(name=f"nine {name} before it", play=_sent(one * 9, 0.01, Message.whole), whole=True)
        yield Twist(name=f"{name} before a 403", play=_sent(one, denied + refusal), to=(TOLD, BARE))
        yield Twist(name=f"{name} before a 403", play=_sent(one, denied), to=(HEAD,))
        yield Twist(name=f"{name} alone", play=_sent(one, CLOSE))
        yield Twist(name=f"{name} cut off", play=_sent(one[:-2], CLOSE))
        yield Twist(name=f"{name} without end", play=_sent(Endless(content=one * 500)), once=True)
        yield Twist(name=f"{name} now and then", play=_sent(Endless(content=one, pause_s=0.1, most=25)), once=True)
    yield Twist(name="101 Switching", play=_sent(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", CLOSE))
    yield Twist(name="101 before it", play=_sent(b"HTTP/1.1 101 Switching\r\n\r\n", Message.whole), whole=True)


def _paces() -> Iterator[Twist]:
    def slow(message: Message) -> Script:
        return (Slowly(content=message.whole(), pause_s=0.0005),)

    def keeping_alive(message: Message) -> Script:
        body = Slowly(content=b" " * 16, pause_s=0.1)
        return (in_chunks(message, b"").head(), *_in_chunk(body), chunked(message.raw))

    yield Twist(name="one byte at a time", play=slow, whole=True)
    yield Twist(name="kept alive with white space", play=keeping_alive, to=(TOLD,), whole=True, once=True)
    yield Twist(name="silent", play=_sent(HANG), once=True)
    yield Twist(name="no HTTP", play=_sent(b"\x15\x03\x01\x00\x02\x02\x50 no HTTP\r\n\r\n", CLOSE))
    endless = "Transfer-Encoding: chunked\r\n\r\n"
    first = f"HTTP/1.1 200 OK\r\n{endless}".encode()
    yield Twist(
        name="a body without end", play=_sent(first, Endless(content=chunked(b" " * 60_000, last=b""))), to=(TOLD, BARE)
    )


def _in_chunk(body: Slowly) -> Script:
    """White space, a chunk for each byte."""
    return tuple(piece for byte in body.content for piece in (chunked(bytes([byte]), last=b""), body.pause_s))


def every_twist() -> tuple[Twist, ...]:
    """All but those that need a second answer (extras.py)."""
    groups = (map(_status, _STATUSES), odd_bodies(), odd_framings(), _headers(), _cuts(), _interims(), _paces())
    return tuple(twist for group in groups for twist in group)
