"""Fixtures of the requests' and the answers' tests."""

from typing import Any

import pytest

from tests.worker.s3.fast.wired import with_endpoint


@pytest.fixture(scope="module")
def client() -> Any:
    """A client that answers what a test tells it to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        return with_endpoint("http://127.0.0.1:9")
