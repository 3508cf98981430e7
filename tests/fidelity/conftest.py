"""What the tests of kinds share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def settings() -> Iterator[pytest.MonkeyPatch]:
    """Variables for a whole module, dummy credentials among them: `no_real_aws` comes later, for each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield patch
