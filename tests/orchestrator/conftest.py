"""What the launcher's tests share: no Docker engine but a fake one, and a state for a lease."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.state.state_store import DirectoryStore
from tests.orchestrator.image.fake_docker import FakeDocker, serve_docker
from tests.orchestrator.run.leases import World

NO_ENGINE = "tcp://127.0.0.1:9"


@pytest.fixture(autouse=True)
def no_real_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Point docker-py at a port where nothing listens, and away from the user's own configuration."""
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", NO_ENGINE)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker-config"))


@pytest.fixture
def docker(no_real_docker: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDocker]:  # noqa: ARG001 (order: after no_real_docker)
    """A fake Docker engine, named by DOCKER_HOST."""
    with serve_docker() as fake:
        monkeypatch.setenv("DOCKER_HOST", fake.url)
        yield fake


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of leases, whose state is a directory."""
    return World(DirectoryStore(tmp_path))


@pytest.fixture
def small_files() -> Iterator[None]:
    """A disk that is full when a file has 4,096 bytes: the system says so to each write beyond."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
