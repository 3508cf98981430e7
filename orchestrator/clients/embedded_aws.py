"""The demo's own S3: moto's server in this process, on a free loopback port. Needs the `demo` extra."""

import logging
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api import state_manager
from moto.s3.models import FakeKey, s3_backends
from moto.server import ThreadedMotoServer

from orchestrator.planning.demo_objects import BUCKET, DemoObject, demo_objects

REGION = "us-east-1"
PUTS_IN_FLIGHT = 8
LOOK_EVERY_S = 0.5

_RESTORES = "s3::keyrestore"
"""moto's name for the state of an object's restore."""


@contextmanager
def embedded_aws(restore_takes_s: float) -> Iterator[str]:
    """
    An AWS with the demo's bucket and its objects for as long as the block lasts: its endpoint.

    restore_takes_s: how long after it was asked for a restore is complete.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    over = threading.Event()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        # moto's own first step of a restore looks like the last one (restored, and then in progress), and its time is
        # counted from when the object was made. So moto takes no step: `_restore` does.
        state_manager.set_transition(_RESTORES, {"progression": "manual", "times": sys.maxsize})
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        _fill_bucket(endpoint)
        objects = tuple(s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET].keys.values())
        for one in objects:
            one.status = "IN_PROGRESS"  # shown once its restore was asked for
        threading.Thread(target=_restore, args=(objects, restore_takes_s, over), daemon=True).start()
        yield endpoint
    finally:
        over.set()
        state_manager.unset_transition(_RESTORES)
        server.stop()


def _restore(objects: Sequence[FakeKey], takes_s: float, over: threading.Event) -> None:
    """Complete each restore so long after it was asked for, until it is over."""
    asked_at: dict[str, float] = {}
    while not over.wait(LOOK_EVERY_S):
        now = time.monotonic()
        for one in objects:
            if one.expiry_date is not None and now - asked_at.setdefault(one.name, now) >= takes_s:
                one.status = "RESTORED"


def _fill_bucket(endpoint: str) -> None:
    """Make the demo's bucket and its objects."""
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="demo",
        aws_secret_access_key="demo",  # noqa: S106 (no secret: the demo's own server takes any)
        config=Config(max_pool_connections=PUTS_IN_FLIGHT),
    )
    s3.create_bucket(Bucket=BUCKET)

    def put(one: DemoObject) -> None:
        s3.put_object(
            Bucket=BUCKET,
            Key=one.key,
            Body=one.key.encode(),
            StorageClass=one.storage_class,  # type: ignore[arg-type]  # a str here, a Literal in the stubs
            Metadata=one.metadata,
            Tagging=one.tags,
        )

    with ThreadPoolExecutor(PUTS_IN_FLIGHT) as pool:
        for _ in pool.map(put, demo_objects()):
            pass
