"""Listing a bucket, against moto."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.objects.list_objects import list_objects_v2, list_restores
from orchestrator.objects.listing_csv import ListedObject, ListedRestore

AWKWARD = ["a b+c%20", "tab\t\x01", "quo\"te,'", "ключ/\U0001f4a9", "\u2028", "&<>"]


@pytest.mark.usefixtures("aws")
def test_any_key_is_listed() -> None:
    """Keys with awkward characters come back as they are, in the order of their bytes, with size and class."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in AWKWARD:
        s3.put_object(Bucket="bucket", Key=key, Body=b"123", StorageClass="DEEP_ARCHIVE")
    s3.put_object(Bucket="bucket", Key="pre/fix", Body=b"")

    found = list(list_objects_v2("bucket", ""))

    assert {one.key for one in found} == {*AWKWARD, "pre/fix"}
    assert {(one.size_bytes, one.storage_class) for one in found} == {(3, "DEEP_ARCHIVE"), (0, "STANDARD")}
    assert [one.key for one in list_objects_v2("bucket", "pre/")] == ["pre/fix"]
    assert found[0].last_modified.tzinfo is not None


PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix>
<KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>{rest}<Contents><Key>{key}</Key>
<LastModified>2024-01-02T03:04:05.000Z</LastModified><ETag>&quot;0&quot;</ETag><Size>5000000000000</Size>
<StorageClass>GLACIER</StorageClass>{restore}</Contents></ListBucketResult>"""
RESTORED = """<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>
<RestoreExpiryDate>2026-01-10T00:00:00.000Z</RestoreExpiryDate></RestoreStatus>"""
MORE = "<IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c=</NextContinuationToken>"
END = "<IsTruncated>false</IsTruncated>"


@pytest.fixture
def two_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, list[str]]]]:
    """An S3 whose listing has two pages, encoded as S3 does it: the queries that it was sent."""
    queries: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            restore = RESTORED if "x-amz-optional-object-attributes" in self.headers else ""
            sent = {name: [value] for name, value in self.headers.items() if name.startswith("x-amz-")}
            queries.append({**query, **sent})
            again = "continuation-token" in query
            body = PAGE.format(
                key="z%2B%25" if again else "new%0Aline+%01%E2%80%A8", rest=END if again else MORE, restore=restore
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield queries
    server.shutdown()
    server.server_close()
    thread.join(60)


def test_pages_come_when_they_are_wanted(two_pages: list[dict[str, list[str]]]) -> None:
    """A page is asked for when the one before has been used up, URL-encoded; keys come decoded, newlines and all."""
    found = list_objects_v2("bucket", "p/")

    assert next(found) == ListedObject(
        key="new\nline \x01\u2028",
        size_bytes=5_000_000_000_000,
        storage_class="GLACIER",
        last_modified=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    assert len(two_pages) == 1
    assert [one.key for one in found] == ["z+%"]
    assert [(query["prefix"], query["encoding-type"]) for query in two_pages] == [(["p/"], ["url"])] * 2
    assert two_pages[1]["continuation-token"] == ["a+b/c="]


def test_payer_and_owner_go_with_each_page(two_pages: list[dict[str, list[str]]]) -> None:
    """A Requester Pays bucket lists for those who say that they pay."""
    list(list_objects_v2("bucket", "p/", {"ExpectedBucketOwner": "123456789012", "RequestPayer": "requester"}))

    sent = [(page["x-amz-request-payer"], page["x-amz-expected-bucket-owner"]) for page in two_pages]
    assert sent == [(["requester"], ["123456789012"])] * 2


@pytest.mark.usefixtures("aws")
def test_an_unknown_bucket_is_told() -> None:
    """A bucket that isn't there is an error that names it."""
    with pytest.raises(S3ReclassError, match=r"listing s3://no-bucket/a: NoSuchBucket"):
        list(list_objects_v2("no-bucket", "a"))


def test_a_page_of_restores(two_pages: list[dict[str, list[str]]]) -> None:
    """One request, whatever follows: the page behind a key, with what S3 says of each restore."""
    found = list_restores("bucket", "after\nthis", {"RequestPayer": "requester"})

    assert found == (
        ListedRestore(
            key="new\nline \x01\u2028",
            storage_class="GLACIER",
            ongoing=False,
            expires_at=datetime(2026, 1, 10, tzinfo=UTC),
        ),
    )
    (query,) = two_pages
    assert query["start-after"] == ["after\nthis"]
    assert query["x-amz-optional-object-attributes"] == ["RestoreStatus"]
    assert query["x-amz-request-payer"] == ["requester"]


@pytest.mark.usefixtures("aws")
def test_an_s3_without_restore_status() -> None:
    """Nothing is known then; an empty bucket has an empty page, and one that isn't there is an error."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bare", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert list_restores("bare", "") == ()
    s3.put_object(Bucket="bare", Key="k", Body=b"", StorageClass="GLACIER")

    assert list_restores("bare", "a") == (ListedRestore(key="k", storage_class="GLACIER", ongoing=None),)
    with pytest.raises(S3ReclassError, match="NoSuchBucket"):
        list_restores("no-bucket", "a")
