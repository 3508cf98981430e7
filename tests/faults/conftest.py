"""What the tests of faults share."""

import pytest

from tests.faults.bench import LANES


@pytest.fixture(params=LANES, scope="session")
def lane(request: pytest.FixtureRequest) -> str:
    """Each of the worker's lanes."""
    name: str = request.param
    return name
