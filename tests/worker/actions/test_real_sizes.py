"""Objects of real sizes, copied in parts by a client that keeps ranges and not bytes."""

import re
import threading
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.worker.actions.copying import copy_options
from tests.worker.actions.stores import MemoryStore
from worker.actions.copy import CopyAction
from worker.actions.upload_notes import UploadNotes
from worker.contract import LotEntry, Outcome, Phase, ResultRow
from worker.pool.loop import MoveToLongPool
from worker.pool.pacing import Pace
from worker.pool.part_threads import MAX_PART_BYTES, MAX_PARTS, PARTS_IN_FLIGHT
from worker.s3.ask import S3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GIB = 1024**3
TB = 10**12
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ENTRY = LotEntry(bucket="bucket", key="k")


class Meta:
    """What the worker asks of a client's own settings."""

    endpoint_url = "http://127.0.0.1:9"


class RangesOnly:
    """
    S3 with one object on a versioned bucket, as far as a copy in parts goes; safe to use from many threads.

    It refuses what S3 refuses: a part over 5 GB, a number over 10,000, a size that isn't the object's, a wrong guard.
    """

    meta = Meta()

    def __init__(self, size: int) -> None:
        self.size = size
        self.head = {
            "ContentLength": size,
            "ETag": '"e-7"',
            "LastModified": NOW,
            "VersionId": "v1",
            "ChecksumCRC64NVME": "c",
            "ChecksumType": "FULL_OBJECT",
            "ServerSideEncryption": "AES256",
        }
        self.parts: dict[int, tuple[int, int]] = {}
        self.in_flight = self.most_in_flight = 0
        self.pins: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def head_object(self, **_: Any) -> Mapping[str, Any]:
        """The object, or its copy once that is made."""
        return self.head

    def get_bucket_ownership_controls(self, **_: Any) -> Mapping[str, Any]:
        """ACLs without effect."""
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}

    def get_object_lock_configuration(self, **_: Any) -> Mapping[str, Any]:
        """No defaults."""
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}

    def get_object_tagging(self, **_: Any) -> Mapping[str, Any]:
        """No tags."""
        return {"TagSet": []}

    def create_multipart_upload(self, **asked: Any) -> Mapping[str, Any]:
        """The one upload."""
        assert (asked["ChecksumAlgorithm"], asked["ChecksumType"]) == ("CRC64NVME", "FULL_OBJECT")
        return {"UploadId": "u"}

    def upload_part_copy(self, **asked: Any) -> Mapping[str, Any]:
        """Keeps the range and the pin."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", asked["CopySourceRange"])
        assert match
        first, last = int(match[1]), int(match[2])
        number = asked["PartNumber"]
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            assert number not in self.parts
            assert 1 <= number <= MAX_PARTS
            assert 0 <= first <= last < self.size
            assert last - first < MAX_PART_BYTES
            self.parts[number] = (first, last)
            self.pins.add((asked["CopySourceIfMatch"], asked["CopySource"]["VersionId"]))
        with self._lock:
            self.in_flight -= 1
        return {"CopyPartResult": {"ETag": f'"{number}"', "ChecksumCRC64NVME": "p"}}

    def complete_multipart_upload(self, **asked: Any) -> Mapping[str, Any]:
        """The copy, when every byte is there once."""
        assert (asked["IfMatch"], asked["MpuObjectSize"]) == ('"e-7"', self.size)
        numbers = [part["PartNumber"] for part in asked["MultipartUpload"]["Parts"]]
        assert numbers == list(range(1, len(self.parts) + 1))
        end = -1
        for number in numbers:
            first, last = self.parts[number]
            assert first == end + 1
            end = last
        assert end == self.size - 1
        self.head = {**self.head, "StorageClass": "STANDARD_IA", "ETag": '"copy-9"', "VersionId": "v2"}
        return {"ETag": '"copy-9"', "VersionId": "v2"}

    def abort_multipart_upload(self, **_: Any) -> Mapping[str, Any]:
        """Never, here."""
        raise AssertionError


@pytest.mark.parametrize("size", [6 * GIB, 5 * TB, 50 * TB])
def test_every_byte_of_a_huge_object_is_copied_once(size: int) -> None:
    """
    Up to S3's largest object: each byte in exactly one part, each part pinned, and none too large.

    Memory doesn't grow with the object, but for the list of at most 10,000 parts that S3 wants at the end.
    """
    client = RangesOnly(size)
    s3 = S3(cast("S3Client", client), Pace(0, threading.Event()), Phase.COPY)
    options = copy_options(5 * GIB, 512 * 1024**2)
    action = CopyAction(s3, options, uploads=UploadNotes(MemoryStore(), 1), now=lambda: NOW)
    tracemalloc.start()
    try:
        found = action(ENTRY, None)
        assert isinstance(found, MoveToLongPool)
        row = found.action(ENTRY, None)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(row, ResultRow)
    assert (row.outcome, row.size_bytes, row.new_version_id) == (Outcome.COPIED, size, "v2"), row.message
    assert client.pins == {('"e-7"', "v1")}
    assert client.most_in_flight <= PARTS_IN_FLIGHT
    assert peak_bytes < 16 * 1024**2
