"""What comes after an answer, and would be the next key's; and what a look at a copy may be told amiss."""

from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime

from tests.faults.hostile.truth import TARGET
from tests.faults.hostile.twist import HEAD, Twist, saying
from tests.fidelity.documented_objects import Version
from tests.worker.server import CLOSE, Change, Idle, Play


def good_answers(version: Version) -> dict[str, bytes]:
    """Answers that would be good news for the next request of an operation, about an object like this version."""
    etag = version.etag.strip('"')
    result = f"<CopyObjectResult><ETag>&quot;{etag}&quot;</ETag></CopyObjectResult>"
    shown = "".join(f"{name}: {value}\r\n" for name, value in version.shown.items() if name != "x-amz-storage-class")
    modified = format_datetime(version.modified, usegmt=True)
    facts = f"ETag: {version.etag}\r\nLast-Modified: {modified}\r\nx-amz-version-id: v\r\n"
    return {
        "HeadObject": f"HTTP/1.1 200 OK\r\n{shown}x-amz-storage-class: {TARGET}\r\n{facts}"
        f"Content-Length: {len(version.body)}\r\n\r\n".encode(),
        "CopyObject": f"HTTP/1.1 200 OK\r\nx-amz-version-id: v\r\n"
        f"Content-Length: {len(result)}\r\n\r\n{result}".encode(),
        "RestoreObject": b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    }


def extras(version: Version) -> Iterator[Twist]:
    """The right answer, and then one too many: with it, or after so many seconds, while its connection isn't in use."""
    for operation, content in good_answers(version).items():
        yield Twist(name=f"and one of {operation} with it", play=_and(content), whole=True)
        for gap_s in (0.0005, 0.005):
            name = f"and one of {operation} after {gap_s * 1000:g} ms"
            yield Twist(name=name, play=_and_later(Idle(seconds=gap_s), content), whole=True, late=True)
    timeout = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    for name, content in {"a 408": timeout, "an empty line": b"\r\n", "a byte": b"x"}.items():
        yield Twist(name=f"and {name} after it", play=_and_later(0.001, content), whole=True)
    yield Twist(name="and closed", play=lambda message: (message.whole(), CLOSE), whole=True)


def _and(more: bytes) -> Play:
    return lambda message: (message.whole() + more,)


def _and_later(*more: Idle | float | bytes) -> Play:
    return lambda message: (message.whole(), *more)


def _etag(change: str) -> Change:
    return lambda message: message.told(("ETag", change.format(message.value("ETag").strip('"'))))


def _without(name: str) -> Change:
    return lambda message: message.without(name.lower())


def _with_another(name: str) -> Change:
    return lambda message: replace(message, headers=(*message.headers, (name, "other")))


def lies() -> Iterator[Twist]:
    """What a look at a copy can be told that isn't so, and can't hide what is wrong with it."""
    etags = {
        "without quotes": "{0}",
        "another": '"0123456789abcdef0123456789abcdef"',
        "weak": 'W/"{0}"',
        "in parts": '"{0}-2"',
        "empty": "",
        "of quotes": '""',
        "in capitals": '"{0}X"',
    }
    for name, etag in etags.items():
        yield Twist(name=f"ETag: {name}", change=_etag(etag), to=(HEAD,))
    for name in ("ETag", "Last-Modified", "Content-Length", "x-amz-version-id", "x-amz-storage-class"):
        yield Twist(name=f"no {name}", change=_without(name), to=(HEAD,))
        yield Twist(name=f"{name} twice", change=_with_another(name), to=(HEAD,))
    others = {
        "Content-Length": ("0", "7777777"),
        "x-amz-version-id": ("other", "null", ""),
        "x-amz-storage-class": ("GLACIER", "standard_ia"),
        "Last-Modified": ("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday", ""),
        "x-amz-tagging-count": ("0", "9", "many"),
        "x-amz-meta-whose": ("theirs",),
        "x-amz-server-side-encryption": ("aws:kms",),
        "x-amz-delete-marker": ("true",),
        "x-amz-missing-meta": ("1",),
    }
    for name, values in others.items():
        for value in values:
            yield Twist(name=f"{name}: {value!r}", change=saying((name, value)), to=(HEAD,))
