"""boto3 clients for the worker: its timeouts and retries; credentials, region and endpoint are boto3's own."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from worker.errors import WorkerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 10
STATE_READ_TIMEOUT_S = 60
STATE_ATTEMPTS = 10
OBJECT_READ_TIMEOUT_S = 300
"""CopyObject answers when the copy is made, which for 5 GB can take minutes."""


def state_client() -> "S3Client":
    """
    The client for the lot and the results: botocore's standard retries, as each of its requests may be repeated.

    Raises WorkerError when boto3 isn't set up well enough to make one.
    """
    return _client(
        Config(
            retries={"mode": "standard", "total_max_attempts": STATE_ATTEMPTS},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=STATE_READ_TIMEOUT_S,
            tcp_keepalive=True,
        )
    )


def object_client(threads: int) -> "S3Client":
    """
    The client for the lot's objects: each request is sent once, and the loop decides about another.

    botocore's own retries would repeat a copy whose answer got lost, which on a versioned bucket makes a
    second billed version; and they hide throttling from our pacing, then fail the key when their quota is
    empty. One client serves all threads: boto3 clients are safe to share.
    Raises WorkerError when boto3 isn't set up well enough, or finds no credentials.
    """
    client = _client(
        Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=OBJECT_READ_TIMEOUT_S,
            tcp_keepalive=True,
            max_pool_connections=threads,
            # No request to an object has a body worth a checksum of its own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    try:
        found = boto3.DEFAULT_SESSION and boto3.DEFAULT_SESSION.get_credentials()
    except BotoCoreError as error:
        raise WorkerError(f"no credentials: {error}") from error
    if not found:
        raise WorkerError("no credentials: boto3 finds none in the environment, a profile or the task's role")
    return client


def _client(config: Config) -> "S3Client":
    try:
        return boto3.client("s3", config=config)
    except (BotoCoreError, ValueError) as error:
        # ValueError: an endpoint that is no URL.
        raise WorkerError(f"boto3 can't be set up: {error}") from error
