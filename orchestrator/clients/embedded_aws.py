"""The demo's own S3: moto's server in this process, on a free loopback port. Needs the `demo` extra."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from orchestrator.planning.demo_objects import BUCKET, DemoObject, demo_objects

REGION = "us-east-1"
PUTS_IN_FLIGHT = 8
LOOK_EVERY_S = 0.5


@contextmanager
def embedded_aws(restore_takes_s: int) -> Iterator[str]:
    """
    An empty AWS for as long as the block lasts: its endpoint.

    restore_takes_s: how long after it was asked for a restore is complete.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    over = threading.Event()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        delay = {"model_name": "s3::keyrestore", "transition": {"progression": "time", "seconds": restore_takes_s}}
        request = Request(  # noqa: S310 (our own server on loopback)
            f"{endpoint}/moto-api/state-manager/set-transition",
            data=json.dumps(delay).encode(),
            headers={"Content-Type": "application/json"},
        )
        urlopen(request).close()  # noqa: S310 (our own server on loopback)
        threading.Thread(target=_let_time_pass, args=(over,), daemon=True).start()
        yield endpoint
    finally:
        over.set()
        server.stop()


def _let_time_pass(over: threading.Event) -> None:
    """Let restores go on until it is over: moto's take a step only when somebody looks at the object."""
    while not over.wait(LOOK_EVERY_S):
        # The server's threads change what is looped over here: then the next look gets further.
        with suppress(RuntimeError):
            for bucket in tuple(s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.values()):
                for _, key in tuple(bucket.keys.items()):
                    if key.expiry_date is not None:
                        _ = key.status


def fill_bucket(endpoint: str) -> None:
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
