"""What the tests of faults share."""

import pytest

from tests.faults.bench import S3_CLIENTS


@pytest.fixture(params=S3_CLIENTS, scope="session")
def s3_client(request: pytest.FixtureRequest) -> str:
    """Each of the worker's S3 clients."""
    name: str = request.param
    return name
