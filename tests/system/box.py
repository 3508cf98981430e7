"""Starts and ends AWS in a box: a virtual environment with ministack, made once, and the server in it."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from requirements.install import install

REPOSITORY = Path(__file__).parents[2]
REQUIREMENTS = REPOSITORY / "requirements" / "system.txt"
REGION = "eu-west-1"
ACCOUNT = "123456789012"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """
    A running AWS in a box.

    endpoint: what AWS_ENDPOINT_URL should be.
    """

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make boto3 talk to it, as its root user."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def registry(self) -> str:
        """The host and port that its repositories' URIs begin with."""
        return self.endpoint.removeprefix("http://")

    def empty(self) -> None:
        """Make it a new account: nothing in it, no container of its tasks left."""
        request = urllib.request.Request(f"{self.endpoint}/_ministack/reset", method="POST")  # noqa: S310 (loopback)
        urllib.request.urlopen(request, timeout=STOP_TIMEOUT_S).close()  # noqa: S310 (loopback)


def virtual_environment() -> Path:
    """
    A virtual environment with exactly what `requirements/system.txt` pins, made the first time.

    It lies in the user's cache, under the digest of its content.
    """
    content = REQUIREMENTS.read_bytes() + sys.version.encode()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "s3reclass"
    folder = cache / f"ministack-{hashlib.sha256(content).hexdigest()[:12]}"
    install(folder, REQUIREMENTS)
    return folder


@contextmanager
def running_box(docker_environment: dict[str, str], log: Path) -> Iterator[Box]:
    """
    An AWS in a box on a free port, ended afterwards with all containers of its tasks.

    docker_environment: the variables that lead to the Docker engine.
    log: the file that the server's own words go to.
    """
    python = virtual_environment() / "bin" / "python"
    # The server is handed the listening socket itself, so nobody else can take the port in between.
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as words:
        port = listener.getsockname()[1]
        server = subprocess.Popen(
            [python, "-m", "hypercorn", "--workers", "0", "--bind", f"fd://{listener.fileno()}", "aws_in_a_box:app"],
            cwd=Path(__file__).parent,
            env=_server_environment(port) | docker_environment,
            pass_fds=[listener.fileno()],
            stdout=words,
            stderr=subprocess.STDOUT,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(endpoint, server, log)
        yield Box(endpoint=endpoint)
    finally:
        _end(server)


def _server_environment(port: int) -> dict[str, str]:
    """The server's variables: nothing of the user's own AWS settings among them."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "PYTHONDONTWRITEBYTECODE": "1",
        "SFTP_ENABLED": "0",
    }


def _wait_until_it_answers(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2).close()  # noqa: S310 (loopback)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"AWS in a box doesn't answer on {endpoint}:\n{log.read_text(errors='replace')[-4000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Let it remove its containers; a server that doesn't end by itself is killed."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
