"""A small HTTP proxy before a fake S3, which does what a network and a busy S3 do: refuse, hang, cut, lose, garble."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.fidelity.documented_objects import Request
from tests.worker.server import CLOSE, HANG, RESET, Answer, Message, Script, Server, serving


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer of the proxy's own, instead of the server's.

    body: None for S3's XML of code and message. headers: beside those of every answer.
    """

    status: int
    code: str = ""
    message: str = ""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


CUT = "cut"
"""Close the connection without passing the request on; RESET and HANG don't pass it on either."""

NOISE = "noise"
"""Answer with something that is no HTTP, without passing the request on."""

LOSE = "lose"
"""Pass the request on, and close the connection without passing the answer back."""

LOSE_LATE = "lose late"
"""Pass the request on, and answer nothing until the client gives up."""

SHORT = "short"
"""Pass the request on, and close the connection in the middle of the answer."""

GARBLE = "garble"
"""Pass the request on, and answer 200 with a body that is no XML."""

Fault = Reply | str | None
Decide = Callable[[Request], Fault]
Origin = Callable[[Request], Answer]
"""What answers requests behind the proxy."""

_NOT_PASSED_ON: dict[str, Script] = {
    CUT: (CLOSE,),
    RESET: (RESET,),
    HANG: (HANG,),
    NOISE: (b"\x15\x03\x01\x00\x02\x02\x50 no HTTP at all\r\n\r\n", CLOSE),
}
_HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}
_XML = {"Content-Type": "application/xml"}


def _script(request: Request, fault: Fault, origin: Origin) -> Script:
    """What becomes of a request that meets this fault, or none."""
    if isinstance(fault, Reply):
        return (_message(request, (fault.status, {**_XML, **dict(fault.headers)}, _text(fault))).whole(),)
    if fault in _NOT_PASSED_ON:
        return _NOT_PASSED_ON[fault]
    answer = origin(request)
    if fault is None:
        return (_message(request, answer).whole(),)
    if fault == GARBLE:
        return (_message(request, (200, _XML, b"<?xml version='1.0'?><CopyOb\x00\xff")).whole(),)
    if fault != SHORT:
        return (HANG if fault == LOSE_LATE else CLOSE,)
    head = f"HTTP/1.1 {answer[0]} OK\r\nContent-Length: {len(answer[2]) + 9}\r\nx-amz-".encode()
    rest = b"id-2: 1\r\n\r\n" + answer[2][: len(answer[2]) // 2]
    return (head if request.method == "HEAD" else head + rest, CLOSE)


def _message(request: Request, answer: Answer) -> Message:
    """An answer; that to a HEAD tells the length of what it doesn't bring."""
    status, headers, content = answer
    told = {name.lower(): value for name, value in headers.items()}
    head = request.method == "HEAD"
    length = told.get("content-length", "0") if head else str(len(content))
    kept = tuple((name, value) for name, value in told.items() if name not in _HOP)
    return Message(status=str(status), headers=(*kept, ("Content-Length", length)), raw=content, bodiless=head)


def _text(reply: Reply) -> bytes:
    if reply.body is not None:
        return reply.body
    return f"<?xml version='1.0'?><Error><Code>{reply.code}</Code><Message>{reply.message}</Message></Error>".encode()


def over_http(endpoint: str) -> Origin:
    """The server at an endpoint."""
    host = urlsplit(endpoint).netloc

    def answer(request: Request) -> Answer:
        # The proxy has answered it with "100 Continue" already.
        headers = {name: value for name, value in request.headers.items() if name != "expect"}
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    return answer


@contextmanager
def faulty(origin: str | Origin, decide: Decide, *, port: int = 0) -> Iterator[Server]:
    """A proxy to an origin, or to the one at an endpoint; `decide` says for each request what goes wrong, or None."""
    answers = over_http(origin) if isinstance(origin, str) else origin
    with serving(lambda request: _script(request, decide(request), answers), port=port) as server:
        yield server
