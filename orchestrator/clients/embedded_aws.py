"""The demo's own S3: moto's server in this process, on a free loopback port. Needs the `demo` extra."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from orchestrator.planning.demo_objects import BUCKET, DemoObject, demo_objects

REGION = "us-east-1"
PUTS_IN_FLIGHT = 8


@contextmanager
def embedded_aws(restore_takes_s: int) -> Iterator[str]:
    """
    An empty AWS for as long as the block lasts: its endpoint.

    restore_takes_s: how long after an object was made its restore is complete.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
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
        yield endpoint
    finally:
        server.stop()


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
