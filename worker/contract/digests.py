"""
Digests that stand for a lot's lines, and a table of them, small even for millions of keys. Pure.

Both sides must remember something of every key of a lot at times: the worker which keys are finished, the
launcher which result of a key stands. With its entry as the key of a dict that takes some 400 bytes for each.
"""

import hashlib
from dataclasses import dataclass

from worker.contract.rows import LotEntry

DIGEST_BYTES = 16

_BUCKET_BITS = 12
"""A million digests make buckets of some 250: few enough to search by `find`, so many that empty ones cost little."""


def digest_of(entry: LotEntry) -> int:
    """128 bits of a hash that stand for the entry: a collision within a lot is as good as impossible."""
    text = f"{entry.bucket}\0{entry.version_id}\0{entry.key}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest())


class DigestTable:
    """
    A whole number for each of many digests, in about 20 bytes and those of the number: a dict takes over 130.

    Digests lie one behind the other in buckets, each followed by its number, and are found by a search
    for their bytes: exact, and as fast as hashing a key.

    number_bytes: how many bytes the numbers take, which are 0 or more.
    """

    def __init__(self, number_bytes: int) -> None:
        self._number_bytes = number_bytes
        self._width = DIGEST_BYTES + number_bytes
        self._buckets: dict[int, bytearray] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, digest: int) -> bool:
        return self.get(digest) is not None

    def get(self, digest: int) -> int | None:
        """The digest's number, None for an unknown digest."""
        bucket = self._buckets.get(_number_of_bucket(digest))
        at = -1 if bucket is None else self._find(bucket, digest)
        if bucket is None or at < 0:
            return None
        return int.from_bytes(bucket[at + DIGEST_BYTES : at + self._width])

    def __setitem__(self, digest: int, number: int) -> None:
        bucket = self._buckets.setdefault(_number_of_bucket(digest), bytearray())
        at = self._find(bucket, digest)
        if at < 0:
            bucket += digest.to_bytes(DIGEST_BYTES) + number.to_bytes(self._number_bytes)
            self._count += 1
        else:
            bucket[at + DIGEST_BYTES : at + self._width] = number.to_bytes(self._number_bytes)

    def _find(self, bucket: bytearray, digest: int) -> int:
        """Where the digest begins in the bucket, -1 when it isn't there."""
        wanted = digest.to_bytes(DIGEST_BYTES)
        at = bucket.find(wanted)
        # The same bytes across two records' border are chance, and no digest.
        while at > 0 and at % self._width:
            at = bucket.find(wanted, at + 1)
        return at


def _number_of_bucket(digest: int) -> int:
    return digest >> (8 * DIGEST_BYTES - _BUCKET_BITS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """
    The result parts of one attempt, all together.

    count: how many. size_bytes: their bytes' sum. sha256: of all their bytes in the order of writing, in hex.
    """

    attempt: int
    count: int
    size_bytes: int
    sha256: str


class PartsDigest:
    """What result parts amount to, attempt by attempt; to be given all parts of an attempt in the order of writing."""

    def __init__(self) -> None:
        self._hashes: dict[int, hashlib._Hash] = {}
        self._count: dict[int, int] = {}
        self._size_bytes: dict[int, int] = {}

    def add(self, attempt: int, content: bytes) -> None:
        """Take a part of this attempt."""
        self._hashes.setdefault(attempt, hashlib.sha256()).update(content)
        self._count[attempt] = self._count.get(attempt, 0) + 1
        self._size_bytes[attempt] = self._size_bytes.get(attempt, 0) + len(content)

    def parts(self) -> tuple[Parts, ...]:
        """What was taken so far, by attempt."""
        return tuple(
            Parts(attempt=attempt, count=count, size_bytes=self._size_bytes[attempt], sha256=digest.hexdigest())
            for attempt, count in sorted(self._count.items())
            for digest in [self._hashes[attempt]]
        )
