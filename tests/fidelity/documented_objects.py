"""What the documented S3 holds and is asked: requests, objects, buckets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import parse_qsl, unquote

from tests.fidelity.kind import EVERYBODY, OWNER

SSE = "x-amz-server-side-encryption"
KMS_KEY = f"{SSE}-aws-kms-key-id"
BUCKET_KEY = f"{SSE}-bucket-key-enabled"
CUSTOMER = f"{SSE}-customer-algorithm"
LOCK = "x-amz-object-lock-"
CANNED = {
    "private": (("FULL_CONTROL", OWNER),),
    "bucket-owner-full-control": (("FULL_CONTROL", OWNER),),
    "public-read": (("FULL_CONTROL", OWNER), ("READ", EVERYBODY)),
}
"""The ACLs that have names, as permissions with whom they are for."""

_SUBRESOURCES: Mapping[tuple[str, str, bool], str] = {
    ("GET", "acl", True): "GetObjectAcl",
    ("GET", "acl", False): "GetBucketAcl",
    ("GET", "tagging", True): "GetObjectTagging",
    ("PUT", "tagging", True): "PutObjectTagging",
    ("GET", "ownershipControls", False): "GetBucketOwnershipControls",
    ("GET", "object-lock", False): "GetObjectLockConfiguration",
    ("POST", "restore", True): "RestoreObject",
    ("POST", "uploads", True): "CreateMultipartUpload",
    ("POST", "uploadId", True): "CompleteMultipartUpload",
    ("DELETE", "uploadId", True): "AbortMultipartUpload",
    ("DELETE", "versionId", True): "DeleteObjectVersion",
}
_METHODS = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as S3 sees it: headers in lower case, key and query decoded. target: the path as it was sent."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str = ""

    @classmethod
    def of_http(cls, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Self:
        """A request with its bucket in the path."""
        place, _, query = path.partition("?")
        bucket, _, key = unquote(place).removeprefix("/").partition("/")
        return cls(
            method=method,
            bucket=bucket,
            key=key,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            target=path,
        )

    @property
    def operation(self) -> str:
        """S3's name for what it asks."""
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "UploadPartCopy" if "partNumber" in self.query else "CopyObject"
        named = (_SUBRESOURCES.get((self.method, word, bool(self.key))) for word in self.query)
        return next(filter(None, named), _METHODS.get(self.method, self.method))


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """
    One version of an object.

    shown: the headers with which HEAD shows it, but for its checksums and tags.
    checksums: by header, in lower case. grants: permissions with whom they are for.
    """

    version_id: str
    body: bytes
    etag: str
    modified: datetime
    shown: Mapping[str, str]
    checksums: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, bytes] = field(default_factory=dict)
    grants: tuple[tuple[str, str], ...] = CANNED["private"]
    owner: str = OWNER
    deleted: bool = False

    @property
    def storage_class(self) -> str:
        """Its class, also where HEAD shows none."""
        return self.shown.get("x-amz-storage-class", "STANDARD")


@dataclass(kw_only=True)
class Bucket:
    """
    A bucket's settings and its objects, each a list of versions, the current one last.

    encryption: the headers that say what a request gets which says nothing.
    retention: the mode and days of the default retention. owner_enforced: ACLs don't count.
    suspended: new versions of a versioned bucket have the id `null`, and replace each other.
    """

    encryption: Mapping[str, str] = field(default_factory=lambda: {SSE: "AES256"})
    versioned: bool = False
    suspended: bool = False
    locks: bool = False
    retention: tuple[str, int] | None = None
    owner_enforced: bool = False
    objects: dict[str, list[Version]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Upload:
    """An upload in parts: what the new object was told to be, and its parts so far."""

    request: Request
    parts: dict[int, bytes] = field(default_factory=dict)
