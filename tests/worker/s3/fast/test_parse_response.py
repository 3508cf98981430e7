"""What the fast client reads is what botocore would read."""

from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.s3.fast.scripted import OK_COPY_BODY
from tests.worker.s3.fast.wired import DATES, TEXT, answer_with
from worker.decide.judge_error import Answer
from worker.s3.ask import answer_of
from worker.s3.fast.build_request import COPY, HEAD, RESTORE
from worker.s3.fast.parse_response import Reading
from worker.s3.fast.reply import Reply, UnexpectedAnswerError

ARGUMENTS: dict[str, dict[str, Any]] = {
    HEAD: {},
    RESTORE: {"RestoreRequest": {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}},
    COPY: {"CopySource": {"Bucket": "bucket", "Key": "k"}},
}


def by_boto3(client: Any, operation: str, reply: Reply) -> dict[str, Any] | Answer:
    """What boto3 makes of an answer."""

    def give(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return answer_with(request, reply.status, dict(reply.lines), reply.body)

    client.meta.events.register("before-send.s3", give)
    try:
        found: dict[str, Any] = getattr(client, operation)(Bucket="bucket", Key="k", **ARGUMENTS[operation])
    except ClientError as error:
        return answer_of(error)
    finally:
        client.meta.events.unregister("before-send.s3", give)
    found["ResponseMetadata"] = {"HTTPStatusCode": found["ResponseMetadata"]["HTTPStatusCode"]}
    return found


def reply(status: int, headers: dict[str, str], body: bytes = b"") -> Reply:
    """An answer."""
    return Reply(status, {name.lower(): value for name, value in headers.items()}, list(headers.items()), body)


HTTP_DATES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda at: f"{at:%a, %d %b %Y %H:%M:%S} GMT")  # noqa: DTZ001 (hypothesis wants them so)
ISO_DATES = DATES.map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
COUNTS = st.integers(0, 10**13).map(str)
VALUES = {"string": TEXT, "integer": COUNTS, "long": COUNTS, "boolean": st.sampled_from(["true", "false"])}
HEAD_HEADERS = {
    "Restore": st.sampled_from(['ongoing-request="true"', 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012"']),
    "Expires": HTTP_DATES | st.sampled_from(["0", "-1", "never", "2033-12-01T16:00:00Z"]),
    "LastModified": HTTP_DATES,
    "ObjectLockRetainUntilDate": ISO_DATES,
}
NOT_IN_A_PLAIN_HEAD = {"SSECustomerAlgorithm", "SSECustomerKeyMD5", "MissingMeta", "DeleteMarker", "ContentRange"}


def _head_headers() -> st.SearchStrategy[dict[str, str]]:
    """Any headers that HeadObject may answer with, by botocore's model."""
    model = boto3.session.Session()._session.get_service_model("s3")  # noqa: SLF001 (boto3 has no way to ask)
    shape: Any = model.operation_model("HeadObject").output_shape
    headers = {
        member.serialization["name"]: HEAD_HEADERS[name] if name in HEAD_HEADERS else VALUES[member.type_name]
        for name, member in shape.members.items()
        if member.serialization["location"] == "header" and name not in NOT_IN_A_PLAIN_HEAD
    }
    needed = {name: headers.pop(name) for name in ("ETag", "Content-Length", "Last-Modified")}
    metadata = st.dictionaries(st.sampled_from(["a", "long-name", "x"]).map(lambda name: f"x-amz-meta-{name}"), TEXT)
    unknown = {"Server": st.just("AmazonS3"), "x-amz-id-2": TEXT, "x-amz-new": TEXT, "Accept-Ranges": st.just("bytes")}
    known = st.fixed_dictionaries(needed, optional=headers | unknown)
    return st.builds(lambda one, two: {**one, **two}, known, metadata)


@given(headers=_head_headers())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_head_is_read_as_boto3_reads_it(headers: dict[str, str], client: Any) -> None:
    """Every header that S3 may show, and any mixture of them: the same values, of the same types."""
    answer = reply(200, headers)

    found = Reading(client.meta.service_model).understand(HEAD, answer)

    assert isinstance(found, dict)
    assert shape_of(found) == shape_of(by_boto3(client, HEAD, answer))


def shape_of(found: Any) -> dict[str, tuple[type, Any]]:
    """The values with their types: True equals 1."""
    return {name: (type(value), value) for name, value in found.items()}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-amz-version-id": "v", "x-amz-copy-source-version-id": "u", "x-amz-server-side-encryption": "AES256"},
        {"x-amz-server-side-encryption-bucket-key-enabled": "true", "x-amz-request-charged": "requester"},
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        OK_COPY_BODY,
        b"  \n " + OK_COPY_BODY,
        b"<?xml version='1.0'?>\n \n<CopyObjectResult><ETag>e</ETag> <ChecksumMD5>a</ChecksumMD5></CopyObjectResult>",
        b"<CopyObjectResult><ETag>&#34;e&#34;</ETag><New>&lt;&amp;</New></CopyObjectResult>\n",
        b"<CopyObjectResult><!-- --><ETag>a</ETag></CopyObjectResult>",
    ],
)
def test_a_copy_is_read_as_boto3_reads_it(headers: dict[str, str], body: bytes, client: Any) -> None:
    """With white space before and within, as S3 sends it while a copy takes long."""
    answer = reply(200, headers, body.lstrip())

    found = Reading(client.meta.service_model).understand(COPY, reply(200, headers, body))

    assert found == by_boto3(client, COPY, answer)


@pytest.mark.parametrize("status", [200, 202])
def test_a_restore_is_read_as_boto3_reads_it(status: int, client: Any) -> None:
    """Its status is what counts."""
    answer = reply(status, {"x-amz-request-charged": "requester"})

    found = Reading(client.meta.service_model).understand(RESTORE, answer)

    assert found == by_boto3(client, RESTORE, answer)
    assert isinstance(found, dict)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status


def error(code: str, message: str = "Told &quot;so&quot;") -> bytes:
    """An error's body as S3 writes it."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
        "<Key>a&amp;b</Key><RequestId>1</RequestId><HostId/></Error>"
    ).encode()


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        (HEAD, reply(404, {})),
        (HEAD, reply(412, {})),
        (HEAD, reply(503, {})),
        (RESTORE, reply(403, {}, error("InvalidObjectState"))),
        (RESTORE, reply(409, {}, error("RestoreAlreadyInProgress", ""))),
        (RESTORE, reply(400, {}, error("InvalidArgument", "INTELLIGENT_TIERING ... Days"))),
        (RESTORE, reply(503, {}, error("GlacierExpeditedRetrievalNotAvailable"))),
        (COPY, reply(404, {}, error("NoSuchKey"))),
        (COPY, reply(403, {}, error("AccessDenied"))),
        (COPY, reply(412, {}, error("PreconditionFailed"))),
        (COPY, reply(503, {}, error("SlowDown"))),
    ],
)
def test_a_well_known_error_is_read_as_boto3_reads_it(operation: str, answer: Reply, client: Any) -> None:
    """Code, status and message are the same."""
    found = Reading(client.meta.service_model).understand(operation, answer)

    assert isinstance(found, Answer)
    assert found == by_boto3(client, operation, answer)


GOOD = {"ETag": '"e"', "Content-Length": "1", "Last-Modified": "Sun, 01 Jan 2023 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        (HEAD, reply(200, {"ETag": '"e"', "Content-Length": "1"})),
        (HEAD, reply(200, {**GOOD, "Last-Modified": "yesterday"})),
        (HEAD, reply(200, {**GOOD, "Expires": ""})),
        (HEAD, reply(200, {**GOOD, "Content-Length": "many"})),
        (HEAD, reply(200, {**GOOD, "x-amz-missing-meta": "1"})),
        (HEAD, reply(200, {**GOOD, "x-amz-server-side-encryption-customer-algorithm": "AES256"})),
        (HEAD, reply(200, {**GOOD, "x-amz-server-side-encryption-bucket-key-enabled": "perhaps"})),
        (HEAD, reply(200, {**GOOD, "x-amz-object-lock-retain-until-date": "2030-01-01"})),
        (HEAD, reply(204, GOOD)),
        (HEAD, reply(206, GOOD)),
        (HEAD, reply(301, {})),
        (HEAD, reply(400, {})),
        (HEAD, reply(403, {})),
        (HEAD, reply(500, {})),
        (RESTORE, reply(200, {}, b"<Error><Code>InternalError</Code></Error>")),
        (RESTORE, reply(404, {}, b"")),
        (RESTORE, reply(307, {}, error("TemporaryRedirect"))),
        (COPY, reply(200, {}, b"")),
        (COPY, reply(200, {}, error("InternalError"))),
        (COPY, reply(200, {}, OK_COPY_BODY[:-1])),
        (COPY, reply(200, {}, b"<CopyObjectResult></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag>a</ETag><ETag>b</ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag>a</ETag></CopyObjectResult><More/>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag>&what;</ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag>a & b</ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<!DOCTYPE a [<!ENTITY e 'x'>]><CopyObjectResult><ETag>&e;</ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult xmlns='urn:else'><ETag>a</ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag>a<b/></ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<CopyObjectResult><ETag> </ETag></CopyObjectResult>")),
        (COPY, reply(200, {}, b"<HTML><ETag>a</ETag></HTML>")),
        (COPY, reply(200, {}, b'{"ETag": "a"}')),
        (COPY, reply(201, {}, OK_COPY_BODY)),
        (RESTORE, reply(200, {}, b"<html/>")),
        (RESTORE, reply(201, {}, b"")),
        (RESTORE, reply(204, {}, b"")),
        (COPY, reply(200, {}, b"\xff<CopyObjectResult><ETag>a</ETag></CopyObjectResult>")),
        (COPY, reply(202, {}, OK_COPY_BODY)),
        (COPY, reply(403, {}, error("SignatureDoesNotMatch"))),
        (COPY, reply(403, {}, error("NoSuchKey"))),
        (COPY, reply(404, {}, b"<html><body>Not here</body></html>")),
        (COPY, reply(500, {}, error("InternalError"))),
        (COPY, reply(503, {}, b"")),
    ],
)
def test_anything_else_is_strange(operation: str, answer: Reply, client: Any) -> None:
    """Other statuses, codes, bodies and values: not understood, and what was asked for may have been done."""
    with pytest.raises(UnexpectedAnswerError) as strange:
        Reading(client.meta.service_model).understand(operation, answer)

    assert strange.value.sent
