"""Every kind of object that AWS in a box can hold, copied on both paths by the worker."""

from pathlib import Path

import pytest

from tests.fidelity.bench import PATHS, World, make_buckets
from tests.fidelity.emulated import held_after_all, plain_client, unlike, wrong
from tests.system.box import Box
from tests.system.conftest import box, engine, running  # noqa: F401 (fixtures)
from worker.s3.clients import object_client, session

# The box is started first, the first time with its virtual environment.
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

HOLDS_NOT = {
    "content disposition beyond ASCII",
    "metadata beyond ASCII, shown raw",
    "metadata that headers can't show",
    "SSE-KMS with bucket key",
    "SSE-KMS with the AWS managed key",
    "DSSE-KMS",
    "not encrypted, as old objects can be",
    "event hold",
    "retention that has passed",
    "no lock where there is a default",
    "legal hold alone where there is a default",
    "retention that has passed where there is a default",
    "ACL that lets a friend read",
    "ACL without its owner",
    "ACL of every permission",
    "ACL public-read and KMS in parts",
    "ACL that grants nothing",
    "another account's",
    "CRC64NVME",
    "CRC32C",
    "SHA512",
    "MD5",
    "XXHASH64",
    "XXHASH3",
    "XXHASH128",
    "in two parts, CRC32 of the whole",
    "in an archive tier",
    "annotations",
    "everything at once",
}
"""What ministack 1.5 doesn't hold, or not as these tests say it. `test_documented.py` has these kinds too."""

DROPPED = "instead of copied: copied from STANDARD to STANDARD_IA; but it isn't as it was"
NO_CHECKSUM = "became none; Checksum"
LOSES = {
    "single": {},
    # What it drops of an upload in parts, and the worker tells.
    "in-parts": {
        **dict.fromkeys(("governance", "compliance", "legal hold", "legal hold and retention"), DROPPED),
        **dict.fromkeys(("retention of its own where there is a default", "KMS and a lock"), DROPPED),
        **dict.fromkeys(
            ("CRC32", "SHA1", "SHA256", "in two parts, SHA256 of parts", "KMS and a checksum"), NO_CHECKSUM
        ),
        "ACL public-read, versioned": DROPPED,
        "ten long tags beyond ASCII": "copied instead of unsupported",  # it takes headers of any length
    },
}
"""Where the box doesn't do what it is told, by path: what is wrong then."""


@pytest.fixture
def world(box: Box, monkeypatch: pytest.MonkeyPatch) -> World:  # noqa: ARG001, F811 (it is what AWS_ENDPOINT_URL names)
    """AWS in a box with all buckets in it."""
    # Another test's credentials may be in it.
    session.cache_clear()
    s3 = plain_client()
    make_buckets(s3, acls=True)
    return World(s3=s3, worker_client=object_client)


@pytest.mark.parametrize("path", PATHS)
def test_no_object_is_harmed(path: str, world: World, tmp_path: Path) -> None:
    """All that the box holds ends as the table says; what it drops on the way by itself, the worker notices."""
    found = wrong(world, HOLDS_NOT, path, tmp_path)

    assert unlike(LOSES[path], found) == {}


def test_what_the_box_does_not_hold(world: World) -> None:
    """No kind is left out that the box could hold."""
    assert set() == held_after_all(world, HOLDS_NOT)
