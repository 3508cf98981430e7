"""What the system tests stand on: a Docker engine that is there, AWS in a box, a folder with a terminal in it."""

import os
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from tests.system.account import Account
from tests.system.box import Box, running_box
from tests.system.engine import Engine, Start
from tests.system.terminal import Terminal


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the processes that tests are shared out to, one gets all that need the engine: they look at what is in it."""
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("engine"))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The Docker engine. Without one each of these tests fails, at once: they are never skipped."""
    try:
        client = docker.from_env()
    except (DockerException, OSError) as error:
        pytest.fail(
            f"the system tests need a Docker engine, and none answers ({error}): start one, or set DOCKER_HOST",
            pytrace=False,
        )
    yield Engine(client)
    client.close()


@pytest.fixture(scope="session")
def running(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One AWS in a box for all tests, over the engine."""
    leads_to_docker = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    with running_box(leads_to_docker, tmp_path_factory.mktemp("box") / "log") as box:
        yield box
        engine.remove_images(box.registry)


@pytest.fixture
def box(running: Box, no_real_aws: None, monkeypatch: pytest.MonkeyPatch) -> Box:  # noqa: ARG001 (order: after no_real_aws)
    """AWS in a box, empty, and what AWS_ENDPOINT_URL names."""
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    running.empty()
    return running


@pytest.fixture
def account(box: Box) -> Account:
    """The test's own look at the account in the box, and its way of putting things there."""
    return Account(box.endpoint)


@pytest.fixture
def starts(engine: Engine, box: Box) -> Iterator[list[Start]]:
    """Every container that was started of an image in the box's repositories."""
    with engine.watched(box.registry) as starts:
        yield starts


@pytest.fixture
def terminal(box: Box, tmp_path: Path) -> Terminal:
    """A terminal in an empty folder, where the installed `s3reclass` talks to the box."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Terminal(folder=folder, environment=box.environment)
