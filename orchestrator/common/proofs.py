"""
What S3's answer to the launcher must be for its news to be believed. Pure.

An empty page, a proxy's page or an answer cut off is no empty bucket, no missing job and no object that is fine.
Sources: each operation's documentation in botocore 1.44.5, and its page in the S3 API reference ("Response Syntax").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import XML, Element, ParseError

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"

MAX_DATE = 64
"""Characters of a date, at most: one in the format of RFC 9110 has 29."""

_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
_ANY = re.compile(r"(?s:.+)")
_SIZE = re.compile(r"[0-9]{1,15}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{1,20}Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """
    What an operation's success looks like.

    statuses: any of these. headers: there and not empty. root: of the body, in S3's namespace or none; "" for no body.
    holds: elements of the root with text, each there once. counts: the body or the headers tell how long the body is.
    """

    statuses: tuple[int, ...] = (200,)
    headers: tuple[str, ...] = ()
    root: str = ""
    holds: tuple[str, ...] = ()
    counts: bool = False


PROOFS: Mapping[str, Proof] = {
    "ListObjectsV2": Proof(root="ListBucketResult", holds=("IsTruncated",)),
    "ListObjectVersions": Proof(root="ListVersionsResult", holds=("IsTruncated",)),
    "HeadBucket": Proof(),
    "HeadObject": Proof(headers=("etag", "last-modified", "content-length")),
    "GetObject": Proof(statuses=(200, 206), headers=("etag", "last-modified"), counts=True),
    "PutObject": Proof(headers=("etag",)),
    "DeleteObject": Proof(statuses=(204,)),
    "DeleteObjects": Proof(root="DeleteResult"),
    "DeleteBucket": Proof(statuses=(204,)),
    "GetBucketVersioning": Proof(root="VersioningConfiguration"),
    "GetObjectLockConfiguration": Proof(root="ObjectLockConfiguration", holds=("ObjectLockEnabled",)),
    "GetBucketRequestPayment": Proof(root="RequestPaymentConfiguration", holds=("Payer",)),
}
"""By S3's name of each operation that the launcher calls."""

_MORE = {"ListObjectsV2": ("NextContinuationToken",), "ListObjectVersions": ("NextKeyMarker",)}
"""What a page that isn't the last must hold: without it, botocore takes it for the last."""


def what_is_wrong(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> str:
    """
    Why a success isn't believed, in words; "" for one that is, and for operations of which nothing is known.

    headers: found by their names in lower case. body: b"" for an object's content, which is for whoever asked.
    """
    proof = PROOFS.get(operation)
    if proof is None:
        return ""
    if status not in proof.statuses:
        return f"status {status} is none of its answers"
    missing = [name for name in proof.headers if not headers.get(name)]
    if missing:
        return f"it has no {', '.join(missing)}"
    if proof.counts and not _tells_its_length(headers):
        return "it doesn't say how long its body is"
    return _in_body(operation, proof, body) if proof.root else ""


_ENTRIES: Mapping[str, tuple[tuple[str, ...], Mapping[str, re.Pattern[str]]]] = {
    "ListObjectsV2": (("Contents",), {"Key": _ANY, "Size": _SIZE, "LastModified": _TIME}),
    "ListObjectVersions": (("Version", "DeleteMarker"), {"Key": _ANY, "VersionId": _ANY}),
}
"""What an operation's body lists, and what each entry must hold."""


def size_of_whole(content_range: str, start: int, length: int) -> int:
    """The size in bytes of the object of which this part came; 0 unless it is the part of this length from there."""
    found = _RANGE.fullmatch(content_range)
    if not found or not length or (int(found[1]), int(found[2])) != (start, start + length - 1):
        return 0
    return int(found[3])


def time_in(header: str) -> datetime | None:
    """The time in a Date header, None for what is none."""
    try:
        found = parsedate_to_datetime(header[:MAX_DATE])
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tells_its_length(headers: Mapping[str, str]) -> bool:
    length = headers.get("content-length", "")
    return (length.isascii() and length.isdigit()) or headers.get("transfer-encoding", "").lower() == "chunked"


def _in_body(operation: str, proof: Proof, body: bytes) -> str:
    root = _root(body)
    if root is None or root.tag.removeprefix(_NAMESPACE) != proof.root:
        return f"its body is no whole {proof.root}"
    truncated = _texts(root, "IsTruncated")
    if "IsTruncated" in proof.holds and truncated not in (["true"], ["false"]):
        return "it doesn't say whether it is the last page"
    for name in (*proof.holds, *(_MORE.get(operation, ()) if truncated == ["true"] else ())):
        if len(_texts(root, name)) != 1:
            return f"it has no {name}"
    return _in_entries(operation, root)


def _in_entries(operation: str, root: Element) -> str:
    """What is wrong with the first entry of a listing that isn't as it must be."""
    kinds, fields = _ENTRIES.get(operation, ((), {}))
    space = _space(root)
    for entry in (entry for kind in kinds for entry in root.iterfind(space + kind)):
        for name, form in fields.items():
            if not form.fullmatch(entry.findtext(space + name, "")):
                return f"an entry of it has no {name}, or one that can't be"
    return ""


def _space(root: Element) -> str:
    """The namespace of the root's elements."""
    return _NAMESPACE if root.tag.startswith(_NAMESPACE) else ""


def _root(body: bytes) -> Element | None:
    """The root of an XML document, None for anything else; a document type is refused, as S3 has none."""
    if b"<!DOCTYPE" in body:
        return None
    try:
        return XML(body)
    except (ParseError, ValueError, LookupError):
        # The latter two: an encoding that the parser can't be told, or doesn't know.
        return None


def _texts(root: Element, name: str) -> list[str]:
    """The texts of the root's elements of this name, in its own namespace, without the empty ones."""
    return [text for one in root.findall(_space(root) + name) if (text := (one.text or "").strip())]
