"""A server that gives the answers that it was told to, byte by byte as they are, and then hangs up."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

import pytest

from orchestrator.common.aws_sessions import client
from tests.worker.server import Server, serving


@contextmanager
def odd_s3(*answers: bytes) -> Iterator[Server]:
    """A block in which the server runs: it gives one answer after the other, the last again and again."""
    coming = chain(answers, repeat(answers[-1]))
    with serving(lambda _: (next(coming),), keep=False) as server:
        yield server


def s3_client(server: Server, attempts: int = 1) -> Any:
    """The launcher's S3 client, to this server, with so many tries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        how: Any = {"mode": "standard", "total_max_attempts": attempts}
        return client("s3", retries=how, s3={"addressing_style": "path"})


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """An answer with its headers, `_` in their names for `-`, and the body's length unless one is given."""
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body
