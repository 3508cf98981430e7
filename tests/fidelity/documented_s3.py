"""
S3 as its documentation says it is, as far as a change of class needs it: what a copy keeps, drops and refuses.

Emulators keep what S3 drops, or can't hold what S3 holds; this one is strict about both, and knows no more.
`wire.py` puts it in the place of the network behind a boto3 client.
Sources: the documentation of botocore 1.44.5 (CopyObject, CreateMultipartUpload, HeadObject, PutObject) and
the S3 User Guide, "Working with object metadata", "Checking object integrity", "Object Lock"; 2026-11.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.fidelity.checksums import ALGORITHMS, composite, full_object
from tests.fidelity.documented_objects import CUSTOMER, SSE, Bucket, RefusedError, Request, Upload, Version
from tests.fidelity.documented_rules import (
    algorithm_of,
    check_headers,
    check_lock,
    content_headers,
    encryption_of,
    grants_of,
    lock_of,
    metadata_headers,
    tags_of,
)

ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}


class DocumentedS3:
    """
    Buckets, and what S3 does with requests.

    meddle: called before each request is answered, for tests in which somebody else is at work.
    ignored: guards, by their headers, that are passed over as some emulators do.
    seen: every request, in order.
    """

    def __init__(self, **buckets: Bucket) -> None:
        self.buckets = {name.replace("_", "-"): bucket for name, bucket in buckets.items()}
        self.uploads: dict[str, Upload] = {}
        self.seen: list[Request] = []
        self.meddle: Callable[[Request], None] = lambda _: None
        self.ignored: frozenset[str] = frozenset()
        self.lock = threading.RLock()
        self._numbers = count(1)
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """A later second at each look, so that every write has a time of its own."""
        self._clock += timedelta(seconds=1)
        return self._clock

    def find(self, bucket: str, key: str, version_id: str = "") -> Version:
        """A version, the current one by default. Raises RefusedError as S3 does."""
        if bucket not in self.buckets:
            raise RefusedError(404, "NoSuchBucket")
        versions = self.buckets[bucket].objects.get(key, [])
        found = [one for one in versions if version_id in ("", one.version_id, "null" if not one.version_id else "")]
        if not found:
            raise RefusedError(404, "NoSuchVersion" if version_id else "NoSuchKey")
        if found[-1].deleted:
            raise RefusedError(405 if version_id else 404, "MethodNotAllowed" if version_id else "NoSuchKey")
        return found[-1]

    def put(self, request: Request) -> Version:
        """The new version that a PutObject makes."""
        self.check_destination(request)
        check_headers(request)
        algorithms = [name for name in ALGORITHMS if f"x-amz-checksum-{name}" in request.headers]
        return self._keep(
            request,
            body=request.body,
            told={**content_headers(request.headers), **metadata_headers(request.headers)},
            tags=tags_of(request.headers.get("x-amz-tagging", "")),
            checksums=full_object(algorithms[0] if algorithms else "crc64nvme", request.body),
        )

    def source(self, request: Request) -> Version:
        """The version that a copy's headers name, if their conditions hold and it may be read."""
        path, _, query = request.headers["x-amz-copy-source"].partition("?")
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        source = self.find(bucket, key, dict(parse_qsl(query)).get("versionId", ""))
        if self._guard(request, "x-amz-copy-source-if-match", source.etag) != source.etag:
            raise RefusedError(412, "PreconditionFailed", "x-amz-copy-source-if-match")
        if CUSTOMER in source.shown:
            raise RefusedError(400, "InvalidRequest", "stored using a form of Server Side Encryption")
        if source.storage_class in ARCHIVED and 'ongoing-request="false"' not in source.shown.get("x-amz-restore", ""):
            raise RefusedError(403, "ObjectNotInActiveTierError")
        return source

    def copy(self, request: Request) -> Version:
        """The new version that a CopyObject makes: content, metadata, tags, annotations, checksum are the source's."""
        source = self.source(request)
        self.check_destination(request)
        check_headers(request)
        headers = request.headers
        replaced = headers.get("x-amz-metadata-directive") == "REPLACE"
        told = headers if replaced else source.shown
        tags = tags_of(headers.get("x-amz-tagging", ""))
        algorithm = headers.get("x-amz-checksum-algorithm", "").lower() or algorithm_of(source) or "crc64nvme"
        return self._keep(
            request,
            body=source.body,
            told={**content_headers(told), **metadata_headers(told)},
            tags=tags if headers.get("x-amz-tagging-directive") == "REPLACE" else source.tags,
            annotations={} if headers.get("x-amz-object-annotation-directive") == "EXCLUDE" else source.annotations,
            checksums=full_object(algorithm, source.body),
            missing=0 if replaced else int(source.shown.get("x-amz-missing-meta", 0)),
        )

    def begin(self, request: Request) -> str:
        """The id of a new upload in parts."""
        check_headers(request)
        tags_of(request.headers.get("x-amz-tagging", ""))
        self._given(request)
        algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower()
        whole = request.headers.get("x-amz-checksum-type") == "FULL_OBJECT"
        if whole and algorithm and not algorithm.startswith("crc"):
            raise RefusedError(400, "InvalidRequest", f"the FULL_OBJECT type can't be used with {algorithm}")
        upload_id = f"upload-{next(self._numbers)}"
        self.uploads[upload_id] = Upload(request=request)
        return upload_id

    def complete(self, request: Request, listed: Mapping[int, Mapping[str, str]]) -> Version:
        """The new version that an upload ends as. Nothing of it is the source's: all is what its beginning told."""
        upload = self.upload(request)
        self.check_destination(request)
        if not upload.parts.keys() >= listed.keys():
            raise RefusedError(400, "InvalidPart", "One or more of the specified parts could not be found.")
        bodies = [upload.parts[number] for number in sorted(listed)]
        begun = upload.request.headers
        algorithm = begun.get("x-amz-checksum-algorithm", "").lower()
        checksums = full_object(algorithm or "crc64nvme", b"".join(bodies))
        if algorithm and begun.get("x-amz-checksum-type", "COMPOSITE") == "COMPOSITE":
            if not all(f"Checksum{algorithm.upper()}" in part for part in listed.values()):
                raise RefusedError(400, "InvalidRequest", f"the upload was created using the {algorithm} checksum")
            checksums = composite(algorithm, bodies)
        version = self._keep(
            upload.request,
            body=b"".join(bodies),
            told={**content_headers(begun), **metadata_headers(begun)},
            tags=tags_of(begun.get("x-amz-tagging", "")),
            checksums=checksums,
            etag=f'"{md5(b"".join(md5(one).digest() for one in bodies)).hexdigest()}-{len(bodies)}"',  # noqa: S324 (S3's)
        )
        del self.uploads[request.query["uploadId"]]
        return version

    def upload(self, request: Request) -> Upload:
        """The upload that a request names."""
        if request.query["uploadId"] not in self.uploads:
            raise RefusedError(404, "NoSuchUpload")
        return self.uploads[request.query["uploadId"]]

    def change(self, bucket: str, key: str, **changes: Any) -> None:
        """Change the current version in place: tags, an ACL, a hold; or what no request could have made of it."""
        versions = self.buckets[bucket].objects[key]
        versions[-1] = replace(versions[-1], **changes)

    def delete(self, request: Request) -> None:
        """Delete an object, with a delete marker where there are versions."""
        bucket = self.buckets[request.bucket]
        versions = bucket.objects.get(request.key, [])
        if "versionId" in request.query:
            check_lock(self.find(request.bucket, request.key, request.query["versionId"]), datetime.now(UTC))
            bucket.objects[request.key] = [one for one in versions if one.version_id != request.query["versionId"]]
        elif bucket.versioned:
            marker = Version(version_id=self._version_id(bucket), body=b"", etag="", modified=self.now(), shown={})
            versions[:] = [*_not_replaced(versions, marker), replace(marker, deleted=True)]
        else:
            bucket.objects.pop(request.key, None)

    def check_destination(self, request: Request) -> None:
        """Raise RefusedError unless what stands at the key is what `If-Match` names, or nothing, as `If-None-Match`."""
        if self._guard(request, "if-match"):
            current = self.find(request.bucket, request.key)
            if current.etag != request.headers["if-match"]:
                raise RefusedError(412, "PreconditionFailed", "If-Match")
        versions = self.buckets[request.bucket].objects.get(request.key, [])
        if self._guard(request, "if-none-match") and versions and not versions[-1].deleted:
            raise RefusedError(412, "PreconditionFailed", "If-None-Match")

    def _guard(self, request: Request, header: str, default: str = "") -> str:
        """What a guard says, or the default where there is none, or it is passed over."""
        return default if header in self.ignored else request.headers.get(header, default)

    def _keep(
        self, request: Request, *, body: bytes, told: Mapping[str, str], missing: int = 0, etag: str = "", **more: Any
    ) -> Version:
        bucket = self.buckets[request.bucket]
        shown = {**told, **self._given(request)}
        if missing:
            shown["x-amz-missing-meta"] = str(missing)
        number = next(self._numbers)
        # Under KMS and SSE-C an ETag is no MD5 of the content: another one at each write.
        opaque = shown.get(SSE, "").startswith("aws:kms") or CUSTOMER in shown
        digest = md5(body + str(number).encode() * opaque).hexdigest()  # noqa: S324 (S3's own ETag)
        version = Version(
            version_id=self._version_id(bucket) if bucket.versioned else "",
            body=body,
            etag=etag or f'"{digest}"',
            modified=self.now(),
            shown=shown,
            grants=grants_of(request.headers, bucket),
            **more,
        )
        versions = bucket.objects.setdefault(request.key, [])
        versions[:] = [*_not_replaced(versions, version), version] if bucket.versioned else [version]
        return version

    def _version_id(self, bucket: Bucket) -> str:
        return "null" if bucket.suspended else f"version-{next(self._numbers)}"

    def _given(self, request: Request) -> dict[str, str]:
        """What only the request itself can make of a new object: its encryption, redirect, lock and class."""
        bucket, headers = self.buckets[request.bucket], request.headers
        shown = {name: headers[name] for name in ("x-amz-website-redirect-location", CUSTOMER) if name in headers}
        storage_class = headers.get("x-amz-storage-class", "STANDARD")
        if storage_class != "STANDARD":
            shown["x-amz-storage-class"] = storage_class
        return shown | ({} if CUSTOMER in headers else encryption_of(headers, bucket)) | lock_of(headers, bucket)


def _not_replaced(versions: list[Version], new: Version) -> list[Version]:
    """The versions that stay beside a new one: all but the `null` version, where that is the new one's id."""
    return [one for one in versions if one.version_id != new.version_id]
