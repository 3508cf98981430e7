"""Odd ways to say where an answer ends, and in which protocol it is."""

import gzip
from collections.abc import Iterator
from dataclasses import replace

from tests.faults.hostile.twist import BARE, TOLD, Twist, saying, speaking
from tests.worker.server import CLOSE, HANG, RESET, Change, Message, Script, chunked, in_chunks, plainly


def _closing(message: Message) -> Script:
    return (message.whole(), CLOSE)


def _length(value: str, *, close: bool = True) -> Twist:
    return Twist(
        name=f"length: {value[:12]!r}",
        change=saying(("Content-Length", value)),
        play=_closing if close else plainly,
    )


def _longer(by: int) -> Twist:
    def change(message: Message) -> Message:
        return message.told(("Content-Length", str(len(message.raw) + by)))

    return Twist(name=f"length: {by:+} bytes", change=change, play=_closing, to=(TOLD,) if by < 0 else (TOLD, BARE))


def odd_framings() -> Iterator[Twist]:
    """Answers whose length, chunks, coding or version are odd."""
    yield from map(_longer, (9, 1, -1, -9))
    odd = ("9" * 5_000, "-1", "+42", "0x2a", "4 2", "42, 43", "", "\u00b2", "1e1", "4.0", "NaN", "99999999999999999999")
    yield from map(_length, odd)
    other = ("Content-Length", "7")
    yield Twist(name="two lengths", change=lambda m: replace(m, headers=(*m.headers, other)), play=_closing)
    gone: Change = lambda message: message.without("content-length")  # noqa: E731 (one of a table's values)
    yield Twist(name="no length, closed", change=gone, play=_closing, to=(TOLD, BARE))
    yield Twist(name="no length, reset", change=gone, play=lambda m: (m.whole(), RESET), to=(TOLD, BARE))
    yield Twist(name="no length, silent", change=gone, play=lambda m: (m.whole(), HANG), to=(TOLD, BARE), once=True)
    whole = {"right": b"0\r\n\r\n", "with a trailer": b"0\r\nx-amz-a: b\r\n\r\n"}
    yield from (_chunks(name, last=last, whole=True) for name, last in whole.items())
    cut = {"no last": b"", "last without its end": b"0\r\n", "last of -1": b"-1\r\n\r\n"}
    yield from (_chunks(name, last=last) for name, last in cut.items())
    for size in ("zz", "-5", "fffffff", "f" * 5_000, "", "1", "0x5", "5 5", ";"):
        yield _chunks(f"a size of {size[:8]!r}", size=size)
    for coding in ("identity", "gzip, chunked", "xchunked", "chunked, chunked", "\x0bchunked"):
        told = saying(("Transfer-Encoding", coding))
        yield Twist(name=f"coding {coding!r}", change=told, play=_closing, to=(TOLD, BARE))
    both: Change = lambda m: in_chunks(m, chunked(m.raw)).told(("Content-Length", "3"))  # noqa: E731 (a table's value)
    yield Twist(name="chunks and a length", change=both, play=_closing, to=(TOLD, BARE))
    zipped: Change = lambda m: m.holding(gzip.compress(m.raw)).told(("Content-Encoding", "gzip"))  # noqa: E731 (likewise)
    yield Twist(name="compressed", change=zipped, to=(TOLD,), whole=True)
    yield Twist(name="said to be compressed", change=saying(("Content-Encoding", "gzip")), to=(TOLD,), whole=True)
    for version in ("HTTP/1.0", "HTTP/1.2"):
        yield Twist(name=version, change=speaking(version), play=_closing, whole=True)
    for version in ("HTTP/2.0", "HTTP/9.9", "ICY", "http/1.1", "HTTP", "\0HTTP/1.1", "GET /"):
        yield Twist(name=f"version {version!r}", change=speaking(version), play=_closing)


def _chunks(name: str, *, last: bytes = b"0\r\n\r\n", size: str | None = None, whole: bool = False) -> Twist:
    def change(message: Message) -> Message:
        return in_chunks(message, chunked(message.raw or b"x" * (size is not None), last=last, size=size))

    play = plainly if whole else _closing
    return Twist(name=f"chunks: {name}", change=change, play=play, to=(TOLD, BARE), whole=whole)
