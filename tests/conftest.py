"""What every test gets: no way to the real AWS, dummy credentials, and moto's server when it asks for one."""

import faulthandler
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import boto3
import botocore.loaders
import botocore.session
import pytest
from hypothesis import settings
from moto.server import ThreadedMotoServer
from pytest_socket import socket_allow_hosts

from orchestrator.common.aws_sessions import session
from worker.s3.clients import session as worker_session

botocore.session.create_loader = cache(botocore.loaders.create_loader)
"""botocore's descriptions of services, some megabytes of JSON, are read once for all the sessions that tests make."""

settings.register_profile("anywhere", deadline=None)
"""Machines differ: how long an example may take is no business of a test."""
settings.load_profile("anywhere")

SITUATIONS = "hostile situations"
"""The property under which a test tells how many odd answers of the hostile S3 it has been through."""

NOWHERE = "http://127.0.0.1:9"
"""Loopback's discard port: nothing listens, so a test that forgot its fake AWS fails at once."""


def pytest_unconfigure(config: pytest.Config) -> None:
    """
    End the process a minute after the last test, with all stacks, when a thread that a test left keeps it.

    Not one of several processes, which waits for the others: the first of them ends it.
    """
    if not hasattr(config, "workerinput"):
        faulthandler.dump_traceback_later(60, exit=True, file=2)


def pytest_runtest_setup() -> None:
    """Only loopback can be connected to, whatever a test does."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many situations the hostile S3 was in (tests/faults/hostile), in whichever processes."""
    passed, failed = (
        sum(dict(one.user_properties).get(SITUATIONS, 0) for one in terminalreporter.getreports(word))
        for word in ("passed", "failed")
    )
    if passed + failed:
        end = f"see the failures for {failed} of them" if failed else "none believed"
        terminalreporter.line(f"hostile S3: {passed + failed} situations, {end}")


@pytest.fixture(autouse=True)
def no_real_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give every test dummy credentials, an endpoint where nothing listens, and none of the user's own settings."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    session.cache_clear()
    worker_session.cache_clear()
    yield
    session.cache_clear()
    worker_session.cache_clear()


@pytest.fixture(scope="module")
def module_settings() -> Iterator[pytest.MonkeyPatch]:
    """Variables for a whole module, dummy credentials among them: `no_real_aws` comes later, for each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield patch


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """Moto's server on a free loopback port: its endpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto_server: str, no_real_aws: None, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 (order: after no_real_aws)
    """An empty AWS in moto's server, named by AWS_ENDPOINT_URL: its endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_server)
    boto3.client("s3").meta.endpoint_url  # noqa: B018 (fails here, and clearly, when boto3 doesn't take the endpoint)
    _reset(moto_server)
    return moto_server


def _reset(endpoint: str) -> None:
    """Empty moto's server."""
    from urllib.request import Request, urlopen  # noqa: PLC0415

    urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()  # noqa: S310 (loopback)
