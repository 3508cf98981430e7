"""
What S3's answer must be for its news to be believed: one table for worker and launcher. Pure.

An answer that isn't what its row says, and isn't an error that S3 tells by its code, proves nothing. To the worker it
counts as lost, and the object is looked at; the launcher asks again, and then it is an error. An empty page, a proxy's
page or an answer cut off is no empty bucket, no missing job and no copied object. Those who read an answer see to it
that it arrived whole (its headers to the empty line, its body by its length or its last chunk): whole_answers.py for
boto3's clients, worker/s3/fast/connection.py for the fast one.

Sources: each operation's documentation in botocore 1.44.5, and its page in the S3 API reference ("Response Syntax").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import XML, Element, ParseError

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
MAX_BODY_BYTES = 1024**2
"""The longest body of an answer about an object or a bucket's settings; S3's are a few KB."""

MAX_PAGE_BYTES = 16 * MAX_BODY_BYTES
"""The longest page of a listing: 1,000 keys of 1,024 bytes, each of them `%XX`, and as much about each again."""

ERROR = 300
"""From this status on, an answer is no success."""

_SHOWN = 120
"""How much of an answer that proves nothing is shown to people, in bytes."""


class UnprovenError(Exception):
    """An answer that proves nothing: whether S3 did what was asked isn't known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """
    What a page of a listing holds.

    entries: the elements that are listed. fields: what each of them has, and how its text reads.
    more: what a page that isn't the last has; without it botocore takes the page for the last one.
    """

    entries: tuple[str, ...]
    fields: Mapping[str, re.Pattern[str]]
    more: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """
    What an operation's success looks like.

    statuses: any of these. headers: there and not empty; lower case.
    roots: the body's root element, any of these, in S3's namespace or none; () where the body is empty.
    texts: elements with text, each there once. elements: those that may be empty.
    streams: the body is an object's content, and is for the caller.
    page: of a listing. max_bytes: of the body.
    """

    statuses: tuple[int, ...] = (200,)
    headers: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    streams: bool = False
    page: Page | None = None
    max_bytes: int = MAX_BODY_BYTES


_ANY = re.compile(r"(?s:.+)")
_SIZE = re.compile(r"[0-9]{1,15}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{1,20}Z")

_OBJECT = ("etag", "last-modified", "content-length")
_ACL = Proof(roots=("AccessControlPolicy",), texts=("Owner/ID",), elements=("AccessControlList",))

PROOFS: Mapping[str, Proof] = {
    "HeadObject": Proof(headers=_OBJECT),
    "CopyObject": Proof(roots=("CopyObjectResult",), texts=("ETag",)),
    "RestoreObject": Proof(statuses=(200, 202)),
    "CreateMultipartUpload": Proof(roots=("InitiateMultipartUploadResult",), texts=("UploadId",)),
    "UploadPartCopy": Proof(roots=("CopyPartResult",), texts=("ETag",)),
    "CompleteMultipartUpload": Proof(roots=("CompleteMultipartUploadResult",), texts=("ETag",)),
    "AbortMultipartUpload": Proof(statuses=(204,)),
    "DeleteObject": Proof(statuses=(204,)),
    "GetObject": Proof(statuses=(200, 206), headers=_OBJECT, streams=True),
    "GetObjectAcl": _ACL,
    "GetObjectTagging": Proof(roots=("Tagging",), elements=("TagSet",)),
    "PutObjectTagging": Proof(),
    "ListObjectAnnotations": Proof(roots=("ListObjectAnnotationsOutput", "ListObjectAnnotationsResult")),
    "GetBucketAcl": _ACL,
    "GetBucketOwnershipControls": Proof(roots=("OwnershipControls",), texts=("Rule/ObjectOwnership",)),
    "GetObjectLockConfiguration": Proof(roots=("ObjectLockConfiguration",), texts=("ObjectLockEnabled",)),
    "PutObject": Proof(headers=("etag",)),
    "ListObjectsV2": Proof(
        roots=("ListBucketResult",),
        texts=("IsTruncated",),
        page=Page(
            entries=("Contents",),
            fields={"Key": _ANY, "Size": _SIZE, "LastModified": _TIME},
            more="NextContinuationToken",
        ),
        max_bytes=MAX_PAGE_BYTES,
    ),
    "HeadBucket": Proof(),
    "ListObjectVersions": Proof(
        roots=("ListVersionsResult",),
        texts=("IsTruncated",),
        page=Page(
            entries=("Version", "DeleteMarker"),
            fields={"Key": _ANY, "VersionId": _ANY},
            more="NextKeyMarker",
        ),
        max_bytes=MAX_PAGE_BYTES,
    ),
    "DeleteObjects": Proof(roots=("DeleteResult",)),
    "DeleteBucket": Proof(statuses=(204,)),
    "GetBucketVersioning": Proof(roots=("VersioningConfiguration", "GetBucketVersioningResponse")),
    "GetBucketRequestPayment": Proof(roots=("RequestPaymentConfiguration",), texts=("Payer",)),
}
"""
By S3's name of the operation. Those after HeadBucket are the launcher's; the worker's botocore asks HeadBucket by
itself, when S3 redirects it. ListObjectAnnotations' root has the first name in the documentation, the second elsewhere;
GetBucketVersioning's second is moto's (5.2).
"""

_BODILESS = frozenset({"HeadObject", "HeadBucket"})
"""Their errors have no body: the status is all that they say."""

_HEAD_ERRORS = frozenset({301, 302, 303, 307, 308, 400, 403, 404, 405, 412, 429})
"""Statuses of a HEAD that both sides know how to take, beside the server's own failures."""

_FAILURE = 500


def prove(operation: str, status: int, headers: Mapping[str, str], body: bytes | None) -> Element | None:
    """
    The body's root element, None where it has none, of an answer that proves what it says.

    operation: S3's name. headers: found by their names in lower case. body: None for one that is still to be read.
    Raises UnprovenError.
    """
    proof = PROOFS[operation]
    if status not in proof.statuses:
        raise UnprovenError(f"{operation}: status {status} is no answer: {_shown(body)}")
    for name in proof.headers:
        if not headers.get(name):
            raise UnprovenError(f"{operation}: the answer has no {name}")
    if not proof.roots:
        if body and not proof.streams:
            raise UnprovenError(f"{operation}: the answer has a body: {_shown(body)}")
        return None
    root = _root(body or b"", proof.max_bytes)
    if root is None or root.tag.removeprefix(NAMESPACE) not in proof.roots:
        raise UnprovenError(f"{operation}: the answer is no {proof.roots[0]}: {_shown(body)}")
    _hold(operation, root, proof)
    return root


def told_error(operation: str, status: int, body: bytes) -> tuple[str, str]:
    """
    Code and message of an error that S3 tells; of a HEAD's, which has no body, the status is the code.

    Raises UnprovenError for all else, as that may be some other server's on the way, or cut off.
    """
    if operation in _BODILESS:
        if status not in _HEAD_ERRORS and status < _FAILURE:
            raise UnprovenError(f"{operation}: status {status} is no answer of S3's")
        return str(status), ""
    root = _root(body, MAX_BODY_BYTES)
    if root is not None and local_name(root) == "Error":
        said: dict[str, list[str]] = {}
        for child in root:
            said.setdefault(local_name(child), []).append((child.text or "").strip())
        codes = said.get("Code", [])
        if len(codes) == 1 and codes[0]:
            return codes[0], said.get("Message", [""])[0]
    raise UnprovenError(f"{operation}: status {status} without an error code of S3's: {_shown(body)}")


def check(operation: str, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """Make sure that an answer, good or bad, may be believed. Raises UnprovenError."""
    if status >= ERROR:
        told_error(operation, status, body or b"")
    else:
        prove(operation, status, headers, body)


def is_unknown_setting(operation: str, body: bytes) -> bool:
    """
    Whether a server that doesn't know this setting of a bucket has answered with the bucket's listing.

    Of the launcher's questions only: to the worker's, where a copy depends on the answer, that is no answer.
    """
    root = _root(body, MAX_PAGE_BYTES) if operation in ("GetBucketVersioning", "GetBucketRequestPayment") else None
    return root is not None and local_name(root) == "ListBucketResult"


def local_name(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _root(body: bytes, max_bytes: int) -> Element | None:
    """
    The root element of an XML document, None for anything else.

    White space may come first: S3 sends it while a copy takes long. A document type is refused, as S3 has none and
    entities could be defined in it.
    """
    if len(body) > max_bytes or b"<!DOCTYPE" in body:
        return None
    try:
        return XML(body.lstrip())
    except (ParseError, ValueError, LookupError):
        # ValueError, LookupError: an encoding that Python's parser can't be told, or doesn't know.
        return None


def _hold(operation: str, root: Element, proof: Proof) -> None:
    """Make sure that the root holds what it must. Raises UnprovenError."""
    space = NAMESPACE if root.tag.startswith(NAMESPACE) else ""
    for path in (*proof.texts, *proof.elements):
        found = root.findall(space + path.replace("/", f"/{space}"))
        if len(found) != 1 or (path in proof.texts and not (found[0].text or "").strip()):
            raise UnprovenError(f"{operation}: the answer has no {path}, or more than one")
    if proof.page:
        _hold_page(operation, root, proof.page, space)


def _hold_page(operation: str, root: Element, page: Page, space: str) -> None:
    """Make sure that what is listed is as it must be, and that the next page will be found. Raises UnprovenError."""
    truncated = root.findtext(space + "IsTruncated", "").strip()
    if truncated not in ("true", "false"):
        raise UnprovenError(f"{operation}: the answer doesn't say whether it is the last page")
    more = [one.text for one in root.findall(space + page.more) if (one.text or "").strip()]
    if truncated == "true" and len(more) != 1:
        raise UnprovenError(f"{operation}: the answer has no {page.more}, or more than one")
    for entry in (entry for kind in page.entries for entry in root.iterfind(space + kind)):
        for name, form in page.fields.items():
            if not form.fullmatch(entry.findtext(space + name, "")):
                raise UnprovenError(f"{operation}: an entry of the answer has no {name}, or one that can't be")


def _shown(body: bytes | None) -> str:
    """The beginning of a body, for people."""
    return repr((body or b"")[:_SHOWN].decode("latin-1"))
