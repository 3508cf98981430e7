"""A kind of object: how one is made, and what a change of class does to it on each path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.contract import Outcome

MIB = 1024**2
OWNER = "owner"
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
TARGET = "STANDARD_IA"
"""The class that every kind is copied into."""

LATER = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Kind:
    """
    A kind of object.

    name: what is special about it; its key too, unless `key` gives another.
    put: PutObject's arguments. raw: headers of the PUT that boto3 has no way, or another way, to say.
    tags: given by PutObjectTagging. part_sizes: written in parts of these many bytes.
    bucket: one of `BUCKETS`.
    restored: asked out of its archive class before the copy.
    hidden: headers that S3 shows of such an object though no request of ours can make them; "" for one it doesn't show.
    grants, owner: likewise its ACL, and whose it is.
    noncurrent: overwritten since; the lot names the version.
    annotations: by name. checksummed: whether it has a checksum (all objects since December 2024 have).
    single, in_parts: what becomes of it on each path.
    """

    name: str
    key: str = ""
    body: bytes = b"content"
    put: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    part_sizes: tuple[int, ...] = ()
    bucket: str = "open"
    restored: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[tuple[str, str], ...] | None = None
    owner: str = OWNER
    noncurrent: bool = False
    annotations: Mapping[str, bytes] = field(default_factory=dict)
    checksummed: bool = True
    single: Outcome = Outcome.COPIED
    in_parts: Outcome = Outcome.COPIED

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def object_key(self) -> str:
        """The key of the object."""
        return self.key or self.name

    def expected(self, path: str) -> Outcome:
        """What becomes of it on a path."""
        return self.single if path == "single" else self.in_parts

    @property
    def customer_key(self) -> Mapping[str, Any]:
        """What must be said to see it at all."""
        return {name: value for name, value in self.put.items() if name.startswith("SSECustomer")}

    def content(self) -> bytes:
        """Its bytes: told apart wherever a part might begin or end."""
        return b"".join(bytes([65 + number]) * size for number, size in enumerate(self.part_sizes)) or self.body


BUCKETS = ("open", "enforced", "versioned", "locked", "retaining")
"""
Buckets whose defaults aren't what the objects have, so that what isn't carried over shows.

All: aws:kms with a bucket key by default. open: ACLs count. enforced: they don't.
locked: Object Lock. retaining: Object Lock with a default retention.
"""
