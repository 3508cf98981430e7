"""The launcher's S3 clients before answers that are cut, odd or somebody else's: an error, or asked again."""

from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.objects.buckets import bucket_facts, check_bucket, delete_bucket, empty_bucket, is_empty
from orchestrator.objects.list_objects import list_objects_v2
from orchestrator.state.s3_state import S3Store
from tests.orchestrator.common.odd_s3 import answer, odd_s3, s3_client

NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
WHEN = "Sat, 28 Nov 2026 10:00:00 GMT"
KEY = (
    b"<Contents><Key>k</Key><LastModified>2026-11-28T10:00:00.000Z</LastModified><ETag>e</ETag><Size>1</Size>"
    b"</Contents>"
)


def listing(inside: bytes = b"", more: str = "false", root: str = "ListBucketResult") -> bytes:
    """A listing."""
    return f"<{root}{NS}><IsTruncated>{more}</IsTruncated>".encode() + inside + f"</{root}>".encode()


DENIED = b"<Error><Code>AccessDenied</Code><Message>m</Message></Error>"
OBJECT = answer(b"data", etag='"e"', last_modified=WHEN)

READS: dict[str, tuple[Callable[[Any], Any], bytes, Any]] = {
    "list_objects_v2": (
        lambda s3: [found.key for found in list_objects_v2("bucket", "", s3=s3)],
        answer(listing(KEY)),
        ["k"],
    ),
    "names": (lambda s3: [*S3Store("bucket", "", s3=s3).names("")], answer(listing(KEY)), ["k"]),
    "read": (lambda s3: S3Store("bucket", "", s3=s3).read("job.json"), OBJECT, b"data"),
    "chunks": (
        lambda s3: [*S3Store("bucket", "", s3=s3).chunks("lot.csv")],
        answer(b"data", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes 0-3/4"),
        [b"data"],
    ),
    "write_if": (
        lambda s3: S3Store("bucket", "", s3=s3).write_if("lease.json", b"x", None),
        answer(etag='"e"'),
        '"e"',
    ),
    "is_empty": (lambda s3: is_empty("bucket", s3=s3), answer(listing(root="ListVersionsResult")), True),
    "check_bucket": (lambda s3: check_bucket("bucket", s3=s3), answer(x_amz_bucket_region="eu-west-1"), None),
    "empty_bucket": (lambda s3: empty_bucket("bucket", s3=s3), answer(listing(root="ListVersionsResult")), 0),
    "delete_bucket": (lambda s3: delete_bucket("bucket", s3=s3), b"HTTP/1.1 204 No Content\r\n\r\n", None),
}
"""What the launcher does, with an answer that it takes, and what comes of that."""

ODD = {
    "a page": answer(b"<html><body>Please log in</body></html>", content_type="text/html"),
    "no body": answer(),
    "other root": answer(b"<Other/>"),
    "an error in it": answer(f"<Error{NS}><Code>InternalError</Code><Message>m</Message></Error>".encode()),
    "json": answer(b"{}"),
    "201": answer(b"<a/>", "201 Created"),
    "204 or 200": answer(b"", "202 Accepted"),
    "an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "cut in the status": b"HTTP/1.1 200",
    "cut after the status": b"HTTP/1.1 200 OK\r\n",
    "cut in the headers": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\netag: x\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("doing", READS)
def test_the_right_answer_is_taken(doing: str) -> None:
    """What follows would hold of a client that takes nothing."""
    does, right, expected = READS[doing]
    with odd_s3(right) as odd:
        assert does(s3_client(odd)) == expected


# HeadBucket's answer has no body, which is all that is odd about these.
NOTHING_IN_BODY = {("check_bucket", odd) for odd in ("a page", "no body", "other root", "an error in it", "json")}
PAIRS = [(doing, odd) for doing in READS for odd in ODD if (doing, odd) not in NOTHING_IN_BODY]


@pytest.mark.parametrize(("doing", "odd_answer"), PAIRS)
def test_an_odd_answer_is_an_error(doing: str, odd_answer: str) -> None:
    """Never an empty bucket, no such file, or done."""
    does, _, _ = READS[doing]
    with odd_s3(ODD[odd_answer]) as odd, pytest.raises(S3ReclassError):
        does(s3_client(odd))


ODD_AND_PASSING = {
    "cut": ODD["cut in the headers"],
    "a proxy's": answer(b"<html>no</html>", "403 Forbidden"),
    "a code in no Error": answer(b"<Other><Code>AccessDenied</Code></Other>", "403 Forbidden"),
    "an error cut off": answer(DENIED[:-4], "403 Forbidden"),
    "an error that broke off": answer(DENIED, "403 Forbidden")[:-4],
    "a header twice": b"HTTP/1.1 200 OK\r\netag: a\r\netag: b\r\ncontent-length: 0\r\n\r\n",
    "a signed length": b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\netag: a\r\nlast-modified: " + WHEN.encode() + b"\r\n\r\n",
}
"""Answers that prove nothing, good or bad, and after which a server may answer well."""


@pytest.mark.parametrize("odd_answer", ODD_AND_PASSING)
@pytest.mark.parametrize("doing", [name for name in READS if name != "check_bucket"])
def test_an_odd_answer_is_asked_for_again(doing: str, odd_answer: str) -> None:
    """And the right one is taken. HeadBucket's has no body, so that any would do."""
    does, right, expected = READS[doing]
    with odd_s3(ODD_AND_PASSING[odd_answer], right) as odd:
        assert does(s3_client(odd, attempts=2)) == expected
        assert len(odd.requests) == 2


def test_a_cut_head_is_asked_for_again() -> None:
    """HeadBucket too."""
    does, right, _ = READS["check_bucket"]
    with odd_s3(ODD["cut in the headers"], right) as odd:
        does(s3_client(odd, attempts=2))
        assert len(odd.requests) == 2


def test_what_comes_after_an_answer_is_none() -> None:
    """Nothing is asked on that connection again: the next answer would be taken for another's."""
    with odd_s3(OBJECT + answer(b"late", etag='"l"', last_modified=WHEN), OBJECT) as odd:
        store = S3Store("bucket", "", s3=s3_client(odd))
        assert (store.read("job.json"), store.read("job.json")) == (b"data", b"data")
        assert len(odd.requests) == 2


@pytest.mark.parametrize("doing", READS)
def test_every_cut_in_the_headers_is_noticed(doing: str) -> None:
    """Wherever the connection ends before the empty line."""
    does, right, _ = READS[doing]
    head = right.index(b"\r\n\r\n") + 2
    for end in range(0, head + 1, 7):
        with odd_s3(right[:end]) as odd, pytest.raises(S3ReclassError):
            does(s3_client(odd))


@pytest.mark.parametrize("doing", ["list_objects_v2", "names", "read", "chunks", "is_empty"])
def test_every_cut_in_the_body_is_noticed(doing: str) -> None:
    """By its length, or by the document's end where no length is told."""
    does, right, _ = READS[doing]
    begins = right.index(b"\r\n\r\n") + 4
    for end in range(begins, len(right), 9):
        with odd_s3(right[:end]) as odd, pytest.raises(S3ReclassError):
            does(s3_client(odd))


@pytest.mark.parametrize(
    "page",
    [
        listing(KEY, more="true"),
        listing(KEY).replace(b"<IsTruncated>false</IsTruncated>", b""),
        listing(KEY, more=""),
        listing(KEY, more="perhaps"),
        listing(KEY).replace(b"2026-11-28T10:00:00.000Z", b"9999999-99-99"),
        listing(KEY).replace(b"<Size>1</Size>", b"<Size>" + b"9" * 5_000 + b"</Size>"),
        listing(KEY).replace(b"<Size>1</Size>", b"<Size>one</Size>"),
        listing(KEY).replace(b"<Size>1</Size>", b"<Size>-1</Size>"),
        listing(KEY).replace(b"2026-11-28T10:00:00.000Z", b"9999-12-31T23:59:59-14:00"),
        listing(KEY).replace(b"<Key>k</Key>", b""),
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + listing(KEY),
        listing(KEY).replace(NS.encode(), b' xmlns="http://example.org/"'),
        b"\xff\xfe" + listing(KEY),
        b"<a>" * 10_000 + listing(KEY),
    ],
    ids=range(14),
)
def test_a_page_that_lacks_something_is_no_page(page: bytes) -> None:
    """What comes after it would be missed, or what it tells can't be."""
    with odd_s3(answer(page)) as odd, pytest.raises(S3ReclassError):
        list(list_objects_v2("bucket", "", s3=s3_client(odd)))


@pytest.mark.parametrize("status", ["404 Not Found", "404 Gone Fishing"])
@pytest.mark.parametrize("body", [b"", b"<html>nobody here</html>", b"<Error><Code>NoSuch", b"<Error><Code/></Error>"])
def test_only_s3_says_that_a_file_is_missing(status: str, body: bytes) -> None:
    """A job whose state some other server doesn't know isn't begun again."""
    with odd_s3(answer(body, status)) as odd, pytest.raises(S3ReclassError):
        S3Store("bucket", "", s3=s3_client(odd)).read("job.json")

    told = b"<Error><Code>NoSuchKey</Code><Message>m</Message></Error>"
    with odd_s3(answer(told, status)) as odd:
        assert S3Store("bucket", "", s3=s3_client(odd)).read("job.json") is None


@pytest.mark.parametrize(
    "part",
    [
        OBJECT,
        answer(b"data", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes 4-7/8"),
        answer(b"data", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes 0-9/10"),
        answer(b"data", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes */4"),
        answer(b"", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes 0-0/9"),
    ],
    ids=range(5),
)
def test_a_part_that_was_not_asked_for_is_no_part(part: bytes) -> None:
    """A lot would be taken for a shorter one, or for another."""
    with odd_s3(part) as odd, pytest.raises(S3ReclassError, match=r"lot\.csv can't be read"):
        list(S3Store("bucket", "", s3=s3_client(odd)).chunks("lot.csv"))


def test_a_part_is_no_whole() -> None:
    """A file of the state that was asked for whole."""
    part = answer(b"data", "206 Partial Content", etag='"e"', last_modified=WHEN, content_range="bytes 0-3/9")
    with odd_s3(part) as odd, pytest.raises(S3ReclassError, match=r"job\.json can't be read"):
        S3Store("bucket", "", s3=s3_client(odd)).read("job.json")


@pytest.mark.parametrize("odd_answer", [name for name in ODD if name != "no body"])
def test_settings_that_were_not_told_are_unknown(odd_answer: str) -> None:
    """A bucket isn't taken for one that was never versioned, has no lock, and is paid for by its owner."""
    with odd_s3(ODD[odd_answer]) as odd:
        try:
            facts = bucket_facts("bucket", s3=s3_client(odd))
        except S3ReclassError:
            return
    assert set(facts.unknown) == {"versioning", "Object Lock", "who pays"}
    assert not facts.never_versioned


def test_a_header_that_cannot_be_read_ends_no_headers() -> None:
    """http.client takes what comes after it for a body, and so an archived object for one that isn't."""
    head = OBJECT.replace(b"content-length: 4", b"no header\r\ncontent-length: 4")
    with odd_s3(head) as odd, pytest.raises(S3ReclassError):
        S3Store("bucket", "", s3=s3_client(odd)).read("job.json")
