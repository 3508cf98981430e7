"""Whether a service holds what a kind of object is about: asked of it, never assumed."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from tests.fidelity.kind import EVERYBODY, Kind
from tests.fidelity.photograph import Photograph

_NOT_SHOWN = {"SSECustomerKey", "ChecksumAlgorithm", "ACL"}
"""Arguments of a PUT that no field of HeadObject shows again under the same name; nor does it show grants."""


def lacks(kind: Kind, seen: Photograph) -> Iterator[str]:
    """What the table wants the object to have and the service didn't show; empty where it holds everything."""
    yield from _headers(kind, seen)
    yield from _access(kind, seen)
    if dict(kind.tags) != dict(seen.tags):
        yield f"tags: {dict(seen.tags)}"
    if set(kind.annotations) != set(seen.annotations):
        yield f"annotations: {seen.annotations}"
    if seen.digest not in ("", sha256(kind.content()).hexdigest()) and not kind.noncurrent:
        yield "other bytes"
    if kind.part_sizes and not seen.head["ETag"].endswith(f'-{len(kind.part_sizes)}"'):
        yield f"one part: {seen.head['ETag']}"
    if (kind.bucket == "versioned") > ("VersionId" in seen.head):
        yield "no version"


def _headers(kind: Kind, seen: Photograph) -> Iterator[str]:
    by_default = {"StorageClass": "STANDARD", "BucketKeyEnabled": False, "ObjectLockLegalHoldStatus": "OFF"}
    head: Mapping[str, Any] = {**by_default, **seen.head}
    for name, value in kind.put.items():
        if name not in _NOT_SHOWN and not name.startswith("Grant") and head.get(name) != value:
            yield f"{name}: {value!r} is shown as {head.get(name)!r}"
    # botocore takes an Expires that is no date out of the headers and keeps its text apart.
    headers = seen.head["ResponseMetadata"]["HTTPHeaders"] | {"expires": head.get("ExpiresString")}
    for name, value in {**kind.raw, **kind.hidden}.items():
        if name != "x-amz-sdk-checksum-algorithm" and headers.get(name.lower(), "") != value:
            yield f"{name}: {value!r} is shown as {headers.get(name.lower())!r}"
    algorithm = kind.put.get("ChecksumAlgorithm")
    if algorithm and f"Checksum{algorithm}" not in head:
        yield f"no {algorithm}"
    if not kind.checksummed and seen.snapshot.checksums:
        yield f"checksums: {seen.snapshot.checksums}"


def _access(kind: Kind, seen: Photograph) -> Iterator[str]:
    if kind.put.get("ACL") == "public-read" and not any(grantee == EVERYBODY for _, grantee in seen.grants):
        yield f"not public: {seen.grants}"
    granted = {f"Grant{permission}".replace("_", "").upper() for permission, _ in seen.grants}
    for name in kind.put:
        if name.startswith("Grant") and name.upper() not in granted:
            yield f"no {name}: {seen.grants}"
    if kind.grants is not None and set(kind.grants) != set(seen.grants):
        yield f"grants: {seen.grants}"
