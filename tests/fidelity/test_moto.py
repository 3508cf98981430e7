"""Every kind of object that moto can hold, copied on both paths by the worker, over HTTP."""

import logging
from pathlib import Path

import pytest

from tests.fidelity.bench import PATHS, World, make_buckets
from tests.fidelity.emulated import held_after_all, plain_client, unlike, wrong
from tests.fidelity.kinds import ACLS
from worker.s3.clients import object_client

HOLDS_NOT = {
    "content disposition beyond ASCII",
    "metadata with odd names",
    "metadata beyond ASCII, shown raw",
    "metadata that headers can't show",
    "tag with spaces and pluses",
    "DSSE-KMS",
    "SSE-KMS in parts",
    "not encrypted, as old objects can be",
    "SSE-C",
    "event hold",
    "retention that has passed",
    "no lock where there is a default",
    "legal hold alone where there is a default",
    "retention that has passed where there is a default",
    "key with a newline",
    "in an archive tier",
    "annotations",
    "everything at once",
}
"""What moto 5.2 doesn't hold. `test_documented.py` has these kinds too."""

NOT_ASKED = {kind.name for kind in ACLS if kind.put or kind.grants is not None}
"""moto fails (500) when asked for the ACL of an object that was uploaded in parts: ACLs don't count in its buckets."""

NO_DIGEST = "Content-MD5"
IGNORED = "instead of copied: copied from STANDARD to STANDARD_IA; but it isn't as it was"
LOCKED = (
    "governance",
    "compliance",
    "legal hold",
    "legal hold and retention",
    "retention of its own where there is a default",
    "KMS and a lock",
)
LOSES = {
    # It wants a digest of the empty body of a CopyObject that locks; botocore knows no such argument.
    "single": dict.fromkeys(LOCKED, NO_DIGEST),
    # It ignores these arguments of CreateMultipartUpload, and makes a CRC32 of every checksum; the worker sees it.
    "in-parts": {
        **dict.fromkeys(LOCKED, IGNORED),
        "SSE-KMS without bucket key": IGNORED,
        "SSE-KMS with the AWS managed key": IGNORED,
        "KMS and a checksum": IGNORED,
        "CRC64NVME": IGNORED,
        "CRC32C": IGNORED,
        "ten long tags beyond ASCII": "copied instead of unsupported",  # it takes headers of any length
    },
}
"""Where moto doesn't do what it is told, by path: what is wrong then."""


@pytest.fixture
def world(aws: str) -> World:  # noqa: ARG001 (it is what AWS_ENDPOINT_URL names)
    """Moto's server with all buckets in it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3 = plain_client()
    make_buckets(s3, acls=False)
    return World(s3=s3, worker_client=object_client, acls=False)


@pytest.mark.parametrize("path", PATHS)
def test_no_object_is_harmed(path: str, world: World, tmp_path: Path) -> None:
    """All that moto holds ends as the table says; what moto itself drops on the way, the worker notices."""
    found = wrong(world, HOLDS_NOT | NOT_ASKED, path, tmp_path)

    assert unlike(LOSES[path], found) == {}


def test_what_moto_does_not_hold(world: World) -> None:
    """No kind is left out that moto could hold."""
    assert set() == held_after_all(world, HOLDS_NOT)
