"""Odd bodies."""

import gzip
from collections.abc import Callable, Iterator

from tests.faults.hostile.twist import BARE, MIB, TOLD, Twist
from tests.worker.server import Change

HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
_NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def _error(code: str, *, attributes: str = "", more: str = "<Message>no</Message>") -> bytes:
    return f"<Error{attributes}>{f'<Code>{code}</Code>' if code else ''}{more}</Error>".encode()


def _laughs(_: bytes) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE l [<!ENTITY l0 "lol">{entities}]><CopyObjectResult><ETag>&l9;</ETag></CopyObjectResult>'.encode()


_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a mebibyte of white space": lambda _: b" \n" * (MIB // 2),
    "a page": lambda _: HTML,
    "JSON": lambda _: b'{"CopyObjectResult": {"ETag": "abc"}, "UploadId": "u"}',
    "text": lambda _: b"OK",
    "another root": lambda _: b"<Result><ETag>&quot;abc&quot;</ETag><UploadId>u</UploadId></Result>",
    "a list of buckets": lambda _: b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
    "the right root within another": lambda right: b"<Envelope>" + right + b"</Envelope>",
    "an Error": lambda _: _error("InternalError"),
    "an Error: AccessDenied": lambda _: _error("AccessDenied"),
    "an Error: SlowDown": lambda _: _error("SlowDown"),
    "an Error: PreconditionFailed": lambda _: _error("PreconditionFailed"),
    "an Error in a namespace": lambda _: _error("AccessDenied", attributes=f" {_NS}"),
    "an Error with a prefix": lambda _: b'<s:Error xmlns:s="urn:x"><s:Code>InternalError</s:Code></s:Error>',
    "an Error without code": lambda _: _error(""),
    "an empty Error": lambda _: b"<Error/>",
    "an Error without end": lambda _: b"<Error><Code>InternalError</Code>",
    "an Error after the right one": lambda right: right + _error("InternalError"),
    "an Error before the right one": lambda right: _error("InternalError") + right,
    "an Error behind white space": lambda _: b"\n \t" * 2_000 + _error("InternalError"),
    "the good news of an Error": lambda _: _error("RestoreAlreadyInProgress"),
    "the other good news of an Error": lambda _: _error("InvalidObjectState"),
    "bytes that are no UTF-8": lambda _: b"<?xml version='1.0'?><CopyOb\xff\xfe\x00",
    "zeros": lambda right: b"\0" * len(right),
    "compressed, unsaid": lambda right: gzip.compress(right, mtime=0),
    "elements within elements": lambda _: b"<a>" * 20_000 + b"</a>" * 20_000,
    "laughs, a billion": _laughs,
    "a wide element": lambda _: b"<a " + b"".join(b'a%d="" ' % number for number in range(20_000)) + b"/>",
}
"""By name, what becomes of the right body. None of them tells that anything was done."""

_TOLD_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "its root alone": lambda right: _root(right) + b"</" + _root(right)[1:],
    "its root alone, closed": lambda right: _root(right)[:-1] + b"/>",
    "half of itself": lambda right: right[: len(right) // 2],
    "all but its last byte": lambda right: right[:-1],
    "itself twice": lambda right: right * 2,
    "itself in capitals": lambda right: right.upper(),
    "its values empty": lambda right: _emptied(right, b""),
    "its values blank": lambda right: _emptied(right, b" \n "),
}
_WHOLE_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "a declaration and itself": lambda right: b'<?xml version="1.0" encoding="UTF-8"?>\n' + right,
    "a BOM and itself": lambda right: b"\xef\xbb\xbf" + right,
    "itself in a namespace": lambda right: right.replace(b">", f" {_NS}>".encode(), 1),
    "itself in a wrong namespace": lambda right: right.replace(b">", b' xmlns="urn:other">', 1),
    "white space and itself": lambda right: b"<?xml version='1.0'?>" + b" \n" * 5_000 + right,
    "a comment and itself": lambda right: b"<!-- <Error/> -->" + right,
    "a DTD and itself": lambda right: b'<!DOCTYPE a [<!ENTITY b "c">]>' + right,
    "itself without quotes": lambda right: right.replace(b"&quot;", b"").replace(b'"', b""),
    "two mebibytes of comment within itself": lambda right: right.replace(b">", b"><!--" + b"x" * 2 * MIB + b"-->", 1),
}


def _root(right: bytes) -> bytes:
    return right[: right.index(b">") + 1]


def _emptied(right: bytes, value: bytes) -> bytes:
    """The body with each of its texts replaced."""
    pieces = right.split(b">")
    return b">".join(value + piece[piece.index(b"<") :] if piece.find(b"<") > 0 else piece for piece in pieces)


def odd_bodies() -> Iterator[Twist]:
    """Answers with another body than the right one."""

    def put(make: Callable[[bytes], bytes]) -> Change:
        return lambda message: message.holding(make(message.raw))

    for name, make in _BODIES.items():
        yield Twist(name=f"body: {name}", change=put(make), to=(TOLD,))
        if make(b"") and name not in ("compressed, unsaid", "zeros"):
            yield Twist(name=f"body: {name}", change=put(make), to=(BARE,))
    for name, make in _TOLD_BODIES.items():
        yield Twist(name=f"body: {name}", change=put(make), to=(TOLD,))
    for name, make in _WHOLE_BODIES.items():
        yield Twist(name=f"body: {name}", change=put(make), to=(TOLD,), whole=True)
