"""The demo's own S3: moto's server in this process, on loopback. Calls S3."""

import logging
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qsl

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_api import state_manager
from moto.s3.models import FakeKey, s3_backends
from moto.server import ThreadedMotoServer

from orchestrator.demo.demo_objects import BUCKET, demo_objects

REGION = "us-east-1"
CHECK_EVERY_S = 0.5

_RESTORES = "s3::keyrestore"
"""moto's name for the state of an object's restore."""


@contextmanager
def embedded_aws(restore_takes_s: float) -> Iterator[str]:
    """
    The endpoint of an AWS with the demo's bucket and its objects, until the block ends.

    restore_takes_s: seconds from the request for a restore to its end.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    over = threading.Event()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        # moto begins a restore with a step that looks like its end, and counts its time from when the object was made.
        # So moto takes no step: `_restore` does.
        state_manager.set_transition(_RESTORES, {"progression": "manual", "times": sys.maxsize})
        threading.Thread(target=_restore, args=(_filled_bucket(), restore_takes_s, over), daemon=True).start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        over.set()
        state_manager.unset_transition(_RESTORES)
        server.stop()


def _restore(objects: Sequence[FakeKey], takes_s: float, over: threading.Event) -> None:
    """Complete each restore `takes_s` after it was asked for, until the server stops."""
    asked_at: dict[str, float] = {}
    while not over.wait(CHECK_EVERY_S):
        now = time.monotonic()
        for one in objects:
            if one.expiry_date is not None and now - asked_at.setdefault(one.name, now) >= takes_s:
                one.status = "RESTORED"


def _filled_bucket() -> Sequence[FakeKey]:
    """The demo's objects, put into their bucket in the server's memory: 254 requests would take seconds."""
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    s3.create_bucket(BUCKET, REGION)
    objects = []
    for one in demo_objects():
        made = s3.put_object(BUCKET, one.key, one.key.encode(), storage=one.storage_class)
        made.set_metadata({f"x-amz-meta-{name}": value for name, value in one.metadata.items()})
        s3.put_object_tagging(made, dict(parse_qsl(one.tags)))
        made.status = "IN_PROGRESS"  # shown once its restore was asked for
        objects.append(made)
    return objects
