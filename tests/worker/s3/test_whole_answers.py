"""Every operation, by both clients: a good answer is believed, and whatever is wrong with it makes it a lost one."""

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.worker.s3.fast.wired import with_endpoint
from tests.worker.server import Server, serving
from tests.worker.telling import ALL, XML, Told
from worker.contract import Phase
from worker.contract.proofs import PROOFS
from worker.decide.judge_error import Answer
from worker.pool.pacing import Pace
from worker.s3.ask import S3, RefusedError
from worker.s3.clients import fast_client
from worker.s3.fast.build_request import OPERATIONS

S3_CLIENTS = {
    f"{s3_client} {told.name}": (s3_client, told)
    for told in ALL
    for s3_client in (("fast", "boto3") if told.call in OPERATIONS else ("boto3",))
}
DENIED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
PAGES = {
    "HTML": b"<html><body>It works!</body></html>",
    "broken HTML": b"<!DOCTYPE html><p>It works!<br>",
    "JSON": b'{"ETag": "e", "UploadId": "u"}',
    "another root": XML + b"<Result><ETag>e</ETag><UploadId>u</UploadId><TagSet/></Result>",
    "another namespace": None,
    "white space": b" \n" * 100,
    "no UTF-8": b"\xff\xfe\x00<",
    "an error without a code": b"<Error><Message>no</Message></Error>",
    "an error with an empty code": b"<Error><Code/></Error>",
}
INTERIM = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Answers as each test says."""
    with serving(lambda _: (), keep=False) as made:
        yield made


@pytest.fixture(scope="module")
def clients(server: Server) -> Iterator[Mapping[str, S3]]:
    """S3 by both clients, and by boto3's alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        client = with_endpoint(server.endpoint)
        s3_client = fast_client(client)
        assert s3_client
        pace = Pace(0, threading.Event())
        yield {"fast": S3(client, pace, Phase.COPY, {}, s3_client), "boto3": S3(client, pace, Phase.COPY)}
        s3_client.close()


class Asking:
    """Asks one client for one operation, each time for another key: one with a strange answer is boto3's only."""

    def __init__(self, s3: S3, told: Told, server: Server) -> None:
        self._s3 = s3
        self._told = told
        self._server = server

    def __call__(self, *pieces: bytes) -> Mapping[str, Any] | Answer:
        """What S3 said, when its answer is these bytes, after which the connection ends."""
        self._server.respond = lambda _: pieces
        asked = dict(self._told.asked)
        if "Key" in asked:
            asked["Key"] = f"k{len(self._server.requests)}"
        try:
            answer = self._s3.ask(self._told.call, **asked)
            if "Body" in answer:
                answer["Body"].close()
        except RefusedError as refused:
            return refused.answer
        finally:
            self._server.wait_until_closed()
        return answer


@pytest.fixture(params=S3_CLIENTS)
def asking(request: pytest.FixtureRequest, server: Server, clients: Mapping[str, S3]) -> Asking:
    """One operation by one client."""
    s3_client, told = S3_CLIENTS[request.param]
    return Asking(clients[s3_client], told, server)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Told:
    """That operation."""
    return S3_CLIENTS[request.node.callspec.params["asking"]][1]


def test_there_is_an_answer_for_each_row_of_the_table() -> None:
    """So that none is left out below."""
    assert PROOFS.keys() == {told.name for told in ALL}


def chunked(told: Told) -> bytes:
    """The same answer in chunks, as S3 sends that to a long copy."""
    head, _, body = told.answer().partition(b"\r\n\r\n")
    head = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", head)
    middle = len(body) // 2
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:middle], body[middle:]) if piece]
    return head + b"\r\n\r\n" + b"".join(chunks) + b"0\r\n\r\n"


def test_a_good_answer_is_believed(asking: Asking, told: Told) -> None:
    """However it comes: in one piece or byte by byte, after interim answers, by length or in chunks."""
    ways = {
        "whole": (told.answer(),),
        "byte by byte": tuple(told.answer()[at : at + 1] for at in range(len(told.answer()))),
        "after interim answers": (INTERIM + told.answer(),),
        "a status line after": (INTERIM, told.answer()),
    }
    if told.body and told.name != "GetObject":
        ways["in chunks"] = (chunked(told),)
        ways["white space within"] = (told.answer(body=told.body.replace(b"?>\n", b"?>" + b" \r\n " * 50)),)
        ways["without a namespace"] = (told.answer(body=re.sub(rb' xmlns="[^"]*"', b"", told.body)),)

    wrong = {way: found for way, pieces in ways.items() if isinstance(found := asking(*pieces), Answer)}

    assert not wrong


def statuses(told: Told) -> dict[str, bytes]:
    """The answer with every other status of success."""
    others = {200, 201, 202, 203, 204, 205, 206, 207, 299} - set(PROOFS[told.name].statuses)
    return {f"status {status}": told.answer(status=status) for status in others}


def bodies(told: Told) -> dict[str, bytes]:
    """The answer with another body, and with each element of its own missing, empty or twice."""
    if told.is_head or told.name == "GetObject":
        return {}
    made = {name: told.answer(body=page) for name, page in PAGES.items() if page is not None and page != told.body}
    if not told.body:
        return {name: answer for name, answer in made.items() if told.status != 204}
    made["empty"] = told.answer(body=b"")
    made["another namespace"] = told.answer(body=told.body.replace(b"s3.amazonaws.com", b"else.example"))
    made["two documents"] = told.answer(body=told.body + told.body)
    proof = PROOFS[told.name]
    for path in (*proof.texts, *proof.elements):
        name = path.rpartition("/")[2].encode()
        element = re.compile(rb"<%b>.*?</%b>|<%b/>" % (name, name, name))
        assert element.search(told.body)
        made[f"no {path}"] = told.answer(body=element.sub(b"", told.body))
        made[f"{path} twice"] = told.answer(body=element.sub(lambda found: found[0] * 2, told.body))
        if path in proof.texts:
            made[f"{path} empty"] = told.answer(body=element.sub(b"<%b> </%b>" % (name, name), told.body))
    return made


def cuts(told: Told) -> dict[str, bytes]:
    """The answer cut off in each line of its head, right before the body, and in it."""
    whole = told.answer()
    head = whole.index(b"\r\n\r\n")
    at = {0, 5, 12, 15, head, head + 1, head + 2, head + 3}
    at |= {found.end() + more for found in re.finditer(b"\r\n", whole[:head]) for more in (0, 3)}
    if not told.is_head and told.body:
        at |= {head + 4, head + 5, len(whole) - 1}
    made = {f"cut at {where}": whole[:where] for where in at if where < len(whole)}
    if told.body:
        made["cut before the last chunk's end"] = chunked(told)[:-2]
        made["cut before the last chunk"] = chunked(told)[:-5]
    return made if told.name != "GetObject" else {name: cut for name, cut in made.items() if len(cut) < head + 4}


def heads(told: Told) -> dict[str, bytes]:
    """The answer with something odd in its head."""
    whole = told.answer()
    line = whole.index(b"\r\n") + 2
    made = {
        f"no {name}": told.answer(headers={key: value for key, value in told.headers.items() if key.lower() != name})
        for name in PROOFS[told.name].headers
        if name != "content-length"
    }
    odd = {
        "no colon": b"Content-Type\r\n",
        "folded": b"x-a: b\r\n c\r\n",
        "a bare CR": b"x-a: b\rx-amz-storage-class: GLACIER\r\n",
        "twice": b"x-amz-meta-a: 1\r\nx-amz-meta-a: 2\r\n",
        "two codings": b"Transfer-Encoding: gzip, chunked\r\n",
        "a line without end": b"x-a: " + b"a" * 70_000 + b"\r\n",
        "a length of 5,000 digits": b"Content-Length: " + b"9" * 5_000 + b"\r\n",
        "a signed length": b"Content-Length: -1\r\n",
        "two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n",
    }
    made |= {name: whole[:line] + header + whole[line:] for name, header in odd.items()}
    made |= {
        "HTTP/2 in letters": whole.replace(b"HTTP/1.1", b"HTTP/2"),
        "a status of its own": whole.replace(b"HTTP/1.1 2", b"HTTP/1.1 +2"),
        "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "interim answers only": INTERIM * 3,
        "interim answers without end": INTERIM * 100 + whole,
        "switched": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + whole,
    }
    if told.body:
        made["neither length nor chunks"] = re.sub(rb"Content-Length: \d+\r\n", b"", whole)
    return made


@pytest.mark.parametrize("kind", [statuses, bodies, cuts, heads])
def test_whatever_is_wrong_with_an_answer_makes_it_a_lost_one(kind: Any, asking: Asking, told: Told) -> None:
    """Never a success, and never an error that would settle what became of the key."""
    wrong = {
        what: found
        for what, answer in kind(told).items()
        if not isinstance(found := asking(answer), Answer) or not found.lost or not found.code or not found.message
    }

    assert not wrong


def test_an_error_counts_when_s3_says_its_code(asking: Asking, told: Told) -> None:
    """In a namespace or none, after interim answers, and of a HEAD by its status; else it is lost."""
    said = {
        "plain": told.answer(status=403, headers={}, body=DENIED),
        "after interim answers": INTERIM + told.answer(status=403, headers={}, body=DENIED),
        "in a namespace": told.answer(
            status=403,
            headers={},
            body=DENIED.replace(b"<Error>", b'<Error xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'),
        ),
    }
    code = "403" if told.is_head else "AccessDenied"
    message = "" if told.is_head else "no"

    found = {how: asking(answer) for how, answer in said.items()}

    assert found == dict.fromkeys(said, Answer(code=code, http_status=403, message=message))


def test_an_error_that_was_cut_off_settles_nothing(asking: Asking, told: Told) -> None:
    """Anywhere, and though an object's content was asked for, which botocore reads in another way."""
    whole = told.answer(status=404, headers={}, body=DENIED)

    cut = {at: asking(whole[:at]) for at in range(5, len(whole), 7)}

    assert not {at: found for at, found in cut.items() if not isinstance(found, Answer) or not found.lost}


@pytest.mark.parametrize("asking", [name for name, (_, told) in S3_CLIENTS.items() if not told.is_head], indirect=True)
@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 409, 412, 499, 501])
def test_an_error_of_some_other_servers_settles_nothing(status: int, asking: Asking, told: Told) -> None:
    """A page, or nothing at all: a proxy's, say. It has a code and a message for people; a HEAD's has no body."""
    for body in (b"", b"<html><body>403</body></html>", DENIED[:-1], b"<Error/>"):
        found = asking(told.answer(status=status, headers={}, body=body))

        assert isinstance(found, Answer)
        assert (found.lost, found.code) == (True, "UnexpectedAnswer")
        assert f"status {status}" in found.message


@pytest.mark.parametrize("status", [402, 408, 409, 410, 418, 421, 499])
def test_a_heads_status_that_s3_never_has_settles_nothing(
    status: int, server: Server, clients: Mapping[str, S3]
) -> None:
    """Nor can it be asked why, as it has no body."""
    for s3 in clients.values():
        found = Asking(s3, ALL[0], server)(ALL[0].answer(status=status))

        assert isinstance(found, Answer)
        assert found.lost
