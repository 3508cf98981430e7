"""Checksums as S3 keeps them: over the whole object, or over its parts' checksums."""

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Sequence

ALGORITHMS = ("crc64nvme", "crc32", "crc32c", "sha1", "sha256", "sha512", "md5", "xxhash64", "xxhash3", "xxhash128")
_HASHES = {"sha1", "sha256", "sha512", "md5"}


def digest(algorithm: str, content: bytes) -> bytes:
    """The checksum; of algorithms that Python doesn't know, something that depends on the content in the same way."""
    if algorithm in _HASHES:
        return hashlib.new(algorithm, content).digest()
    if algorithm == "crc32":
        return zlib.crc32(content).to_bytes(4)
    return hashlib.sha256(algorithm.encode() + content).digest()[:8]


def full_object(algorithm: str, content: bytes) -> dict[str, str]:
    """The headers of a checksum over the whole object."""
    value = b64encode(digest(algorithm, content)).decode()
    return {f"x-amz-checksum-{algorithm}": value, "x-amz-checksum-type": "FULL_OBJECT"}


def composite(algorithm: str, parts: Sequence[bytes]) -> dict[str, str]:
    """The headers of a checksum over the checksums of the parts."""
    value = b64encode(digest(algorithm, b"".join(digest(algorithm, part) for part in parts))).decode()
    return {f"x-amz-checksum-{algorithm}": f"{value}-{len(parts)}", "x-amz-checksum-type": "COMPOSITE"}


def checksum_headers(algorithm: str, content: bytes) -> dict[str, str]:
    """The headers of a PUT that brings its content's checksum along."""
    value = b64encode(digest(algorithm, content)).decode()
    return {f"x-amz-checksum-{algorithm}": value, "x-amz-sdk-checksum-algorithm": algorithm.upper()}
