"""What the tests of the requests and of the answers share."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from hypothesis import strategies as st

from worker.s3.clients import object_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
DATES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001 (hypothesis wants them so)


def with_endpoint(endpoint: str) -> "S3Client":
    """A client of this endpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        return object_client(1)


def answer_with(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    """An answer that didn't come over any network."""

    class Raw(BytesIO):
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.read()

    given: Any = headers
    return AWSResponse(request.url, status, given, Raw(body))
