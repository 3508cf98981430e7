"""Whatever keys, metadata and tags objects have, both ways of copying keep them."""

import string
import threading
from email.header import Header

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.actions.copying import copy_options
from tests.worker.actions.stores import MemoryStore
from worker.actions.copy import CopyAction
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, Outcome, Phase, ResultRow, differences, snapshot_of
from worker.pool.loop import MoveToLongPool
from worker.pool.pacing import Pace
from worker.s3.ask import S3
from worker.s3.clients import object_client

_SEEN = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"))
"""Not what moto's server can't route, or headers can't hold."""

KEYS = st.text(_SEEN | st.just(" "), min_size=1, max_size=60).filter(
    # "." and ".." as a part of a path are resolved by the HTTP client of the tests, not by S3.
    lambda key: key == key.strip() and not {".", "..", ""} & set(key.split("/"))
)
NAMES = st.text(string.ascii_lowercase + string.digits + "-._", min_size=1, max_size=12).filter(
    lambda name: name[0] not in "-._"
)
ASCII = st.text([chr(code) for code in range(33, 127)], min_size=1, max_size=40)
SHOWN = st.text(_SEEN, min_size=1, max_size=20).map(
    # As S3 shows metadata that isn't ASCII.
    lambda value: Header(value, "utf-8", maxlinelen=10_000).encode()
)
TAGS = st.text(st.characters(categories=("L", "N")) | st.sampled_from(" +-=._:/@"), min_size=1, max_size=20).filter(
    lambda tag: tag == tag.strip() and not tag.startswith("aws:")
)


@pytest.fixture
def bucket(aws: str) -> str:
    """A bucket: its endpoint."""
    boto3.client("s3").create_bucket(
        Bucket="bucket",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        ObjectOwnership="BucketOwnerEnforced",
    )
    return aws


@pytest.mark.parametrize("threshold_bytes", [1_000, 1])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    key=KEYS,
    metadata=st.dictionaries(NAMES, ASCII | SHOWN, max_size=4),
    tags=st.dictionaries(TAGS, st.just("") | TAGS, max_size=4),
)
def test_what_goes_in_comes_out(
    key: str,
    metadata: dict[str, str],
    tags: dict[str, str],
    *,
    threshold_bytes: int,
    bucket: str,  # noqa: ARG001 (it is there)
) -> None:
    """Key, metadata and tags are after the copy what they were before it."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket="bucket", Key=key, Body=b"content", Metadata=metadata)
    tag_set = sorted(tags.items())
    if tags:
        s3.put_object_tagging(
            Bucket="bucket", Key=key, Tagging={"TagSet": [{"Key": name, "Value": value} for name, value in tag_set]}
        )
    before = s3.head_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED")
    options = copy_options(threshold_bytes, 5 * 1024**2)
    asking = S3(object_client(8), Pace(0, threading.Event()), Phase.COPY)
    entry = LotEntry(bucket="bucket", key=key)

    found = CopyAction(asking, options, uploads=UploadNotes(MemoryStore(), 1))(entry, None)
    if isinstance(found, MoveToLongPool):
        found = found.action(entry, None)

    assert isinstance(found, ResultRow)
    assert found.outcome is Outcome.COPIED, found
    after = s3.head_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED")
    assert after["StorageClass"] == "STANDARD_IA"
    assert list(differences(snapshot_of(before), snapshot_of(after), now=before["LastModified"])) == []
    kept = s3.get_object_tagging(Bucket="bucket", Key=key)["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in kept) == tag_set
