"""What the fast client sends is what botocore would send."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.s3.fast.scripted import OK, OK_COPY_BODY, client_to
from tests.worker.s3.fast.wired import DATES, TEXT, answer_with, with_endpoint
from worker.s3.clients import object_client, session
from worker.s3.fast.build_request import COPY, HEAD, OPERATIONS, RESTORE, Sending
from worker.s3.fast.reply import UnexpectedAnswerError

ENDPOINTS = {"aws": None, "path": "http://127.0.0.1:4566", "ip6": "http://[::1]:80"}
NOT_COMPARED = {
    "authorization",
    "user-agent",
    "x-amz-date",
    "content-length",
    "amz-sdk-request",
    "amz-sdk-invocation-id",
}

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.sampled_from(
    ["a//b", "/a", "../x", "a/./b", "a b+c", "100%", "a%2Fb", "ä/日本", "line\nend", "\x01", "?x=1#y", "~-_.!*'()"]
)
BUCKETS = st.sampled_from(["bucket", "with.dots", "with-dashes-123", "xyz"])
VERSION = st.text("abcXYZ019._-", min_size=1, max_size=32)
WHOSE = {"RequestPayer": st.just("requester"), "ExpectedBucketOwner": st.just("123456789012")}


def _copy(bucket: str, key: str, version: str, more: dict[str, Any]) -> dict[str, Any]:
    source = {"Bucket": bucket, "Key": key} | ({"VersionId": version} if version else {})
    return {"Bucket": bucket, "Key": key, "CopySource": source, **more}


PARAMETERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    HEAD: st.fixed_dictionaries(
        {"Bucket": BUCKETS, "Key": KEYS},
        optional={"VersionId": VERSION, "ChecksumMode": st.just("ENABLED"), "IfMatch": TEXT, **WHOSE},
    ),
    RESTORE: st.fixed_dictionaries(
        {
            "Bucket": BUCKETS,
            "Key": KEYS,
            "RestoreRequest": st.builds(
                lambda days, tier: days | {"GlacierJobParameters": {"Tier": tier}},
                st.fixed_dictionaries({}, optional={"Days": st.integers(1, 1000)}),
                st.sampled_from(["Bulk", "Standard", "Expedited"]),
            ),
        },
        optional={"VersionId": VERSION, **WHOSE},
    ),
    COPY: st.builds(
        _copy,
        BUCKETS,
        KEYS,
        st.just("") | VERSION,
        st.fixed_dictionaries(
            {"CopySourceIfMatch": TEXT, "StorageClass": st.just("STANDARD_IA"), "MetadataDirective": st.just("COPY")},
            optional={
                "TaggingDirective": st.just("COPY"),
                "IfMatch": TEXT,
                "IfNoneMatch": st.just("*"),
                "ServerSideEncryption": st.sampled_from(["AES256", "aws:kms", "aws:kms:dsse"]),
                "SSEKMSKeyId": TEXT,
                "BucketKeyEnabled": st.booleans(),
                "WebsiteRedirectLocation": TEXT.map(lambda text: f"/{text}"),
                "ObjectLockMode": st.just("GOVERNANCE"),
                "ObjectLockRetainUntilDate": DATES,
                "ObjectLockLegalHoldStatus": st.just("ON"),
                "ObjectLockEventHold": st.just("ON"),
                "ObjectLockEventHoldDurationDays": st.integers(1, 100),
                "GrantFullControl": TEXT.map(lambda text: f'id="{text}"'),
                "GrantRead": st.just('uri="http://acs.amazonaws.com/groups/global/AllUsers", id="a"'),
                "ExpectedSourceBucketOwner": st.just("123456789012"),
                **WHOSE,
            },
        ),
    ),
}


class Both:
    """A client whose requests are kept instead of sent, and the fast client beside it, likewise."""

    def __init__(self, endpoint: str | None) -> None:
        self.client: Any = object_client(1) if endpoint is None else with_endpoint(endpoint)
        self.theirs: AWSPreparedRequest | None = None
        self.ours = b""
        self.s3_client = client_to(self.client, self._answer, token="token")
        answer: Any = self._keep
        self.client.meta.events.register("before-send.s3", answer)

    def _answer(self, data: bytes) -> bytes:
        self.ours = data
        return OK[data[:4]]

    def _keep(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        self.theirs = request
        told = {"ETag": '"e"', "Last-Modified": "Sun, 01 Jan 2023 12:00:00 GMT", "Content-Length": "1"}
        return answer_with(request, 200, told, OK_COPY_BODY if request.method == "PUT" else b"")


@pytest.fixture(scope="module", params=ENDPOINTS)
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    """Both ways to one endpoint; AWS itself as far as they know."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"ACCESS_KEY_ID": "AKIA", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": "token"}.items():
            patch.setenv(f"AWS_{name}", value)
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        session.cache_clear()
        yield Both(ENDPOINTS[request.param])


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_request_is_botocores(operation: str, both: Both, data: st.DataObject) -> None:
    """The same method, host, path, query, headers and body, whatever the bucket, the key and the arguments."""
    parameters = data.draw(PARAMETERS[operation])

    both.s3_client.ask(operation, parameters)
    getattr(both.client, operation)(**parameters)

    assert both.theirs
    assert read_bytes(both.ours) == read_prepared(both.theirs)


def read_bytes(sent: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """What is compared of a request."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    method, target, version = line.split(" ")
    headers = dict(one.split(": ", 1) for one in lines)
    host = headers.pop("host")
    assert version == "HTTP/1.1"
    assert headers.get("content-length", "0") == str(len(body))
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", *headers} - {"authorization", "content-length"} == set(signed)
    return method, f"{host}{target}", {k: v for k, v in headers.items() if k not in NOT_COMPARED}, body


def read_prepared(request: AWSPreparedRequest) -> tuple[str, str, dict[str, str], bytes]:
    """The same of botocore's."""
    _, _, rest = request.url.partition("://")
    sent: Any = request.headers
    headers = {name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in sent.items()}
    body: Any = request.body
    return (
        request.method,
        rest.replace("[::1]:80/", "[::1]/"),
        {name: value for name, value in headers.items() if name not in NOT_COMPARED},
        body or b"",
    )


PLACE = {"Bucket": "bucket", "Key": "k"}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        (HEAD, {**PLACE, "PartNumber": 1}),
        (HEAD, {**PLACE, "IfMatch": "é"}),
        (HEAD, {**PLACE, "IfMatch": "a\r\nb: c"}),
        (COPY, {**PLACE, "CopySource": {"Bucket": "arn:aws:s3:eu-west-1:1:accesspoint/a", "Key": "k"}}),
        (COPY, {**PLACE, "CopySource": {"Bucket": "bucket", "Key": "k", "VersionId": "a?b"}}),
        (COPY, {**PLACE, "CopySource": PLACE, "Metadata": {"a": "b"}}),
        (COPY, {**PLACE, "CopySource": PLACE, "WebsiteRedirectLocation": "/ü"}),
        (
            COPY,
            {**PLACE, "CopySource": PLACE, "ObjectLockRetainUntilDate": datetime(2030, 1, 1, 0, 0, 0, 5, tzinfo=UTC)},
        ),
        (RESTORE, {**PLACE, "RestoreRequest": {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}, "Type": "SELECT"}}),
    ],
)
def test_what_it_cannot_send_is_never_sent(operation: str, parameters: dict[str, Any], client: Any) -> None:
    """Arguments that it doesn't know, and values that a header doesn't carry plainly: boto3's client's, unsent."""
    with pytest.raises(UnexpectedAnswerError) as strange:
        Sending(client.meta.service_model).request(operation, parameters)

    assert not strange.value.sent
