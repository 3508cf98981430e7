"""Puts the documented S3 in the place of the network: boto3's requests go to it, and its answers come back."""

from base64 import b64encode
from email.utils import format_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape, quoteattr

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.fidelity.checksums import digest
from tests.fidelity.documented_objects import CUSTOMER, RefusedError, Request, Version
from tests.fidelity.documented_s3 import DocumentedS3
from tests.fidelity.kind import MIB, OWNER
from tests.worker.s3.fast.scripted import client_to
from tests.worker.server import Answer
from worker.s3.clients import object_client
from worker.s3.fast.client import FastClient

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, amt: int = 65536, **_: Any) -> Any:
        """The body, piece by piece."""
        while piece := self.read(amt):
            yield piece


class Wire:
    """
    The way to one documented S3.

    Its clients are the worker's own, so what is tested is what botocore really sends.
    """

    def __init__(self, s3: DocumentedS3) -> None:
        self._s3 = s3

    def client(self, threads: int = 8) -> Any:
        """A client whose requests never reach a socket."""
        client = object_client(threads)
        client.meta.events.register("before-send.s3", self._send)  # type: ignore[arg-type]  # what it returns is the answer
        return client

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked = _request(request)
        status, headers, body = self.ask(asked)
        shown: Any = {"Content-Length": str(len(body)), **headers}
        return AWSResponse(request.url, status, shown, _Raw(b"" if asked.method == "HEAD" else body))

    def fast_client(self, client: "S3Client") -> FastClient:
        """The fast client beside a client: its bytes are read and answered where they would leave for the network."""

        def answer(data: bytes) -> bytes:
            asked = _request_in(data)
            status, headers, body = self.ask(asked)
            told = {"Content-Length": str(len(body)), **headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            return f"HTTP/1.1 {status} Any\r\n{lines}\r\n".encode("latin-1") + (asked.method != "HEAD") * body

        return client_to(client, answer)

    def ask(self, asked: Request) -> Answer:
        """The same as `answer`, once whoever meddles has had a go."""
        self._s3.meddle(asked)
        return self.answer(asked)

    def answer(self, asked: Request) -> Answer:
        """Status, headers and body of the answer to a request."""
        with self._s3.lock:
            self._s3.seen.append(asked)
            try:
                return self._answer(asked)
            except RefusedError as error:
                text = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
                return error.status, {}, text.encode()

    def _answer(self, asked: Request) -> Answer:
        if not asked.key:
            return self._answer_of_bucket(asked)
        subresource = next((name for name in ("tagging", "acl", "annotation", "legal-hold") if name in asked.query), "")
        if subresource:
            return self._answer_of_subresource(asked, subresource)
        if "uploadId" in asked.query or "uploads" in asked.query:
            return self._answer_of_upload(asked)
        return {
            "HEAD": self._shown,
            "GET": self._shown,
            "PUT": self._written,
            "POST": self._restored,
            "DELETE": self._deleted,
        }[asked.method](asked)

    def _written(self, asked: Request) -> Answer:
        if asked.operation != "CopyObject":
            made = self._s3.put(asked)
            return 200, {"ETag": made.etag, **_version(made)}, b""
        made = self._s3.copy(asked)
        return 200, _version(made), f"<CopyObjectResult><ETag>{escape(made.etag)}</ETag></CopyObjectResult>".encode()

    def _restored(self, asked: Request) -> Answer:
        until = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2096 00:00:00 GMT"'
        shown = self._s3.find(asked.bucket, asked.key).shown
        self._s3.change(asked.bucket, asked.key, shown={**shown, "x-amz-restore": until})
        return 202, {}, b""

    def _deleted(self, asked: Request) -> Answer:
        self._s3.delete(asked)
        version = asked.query.get("versionId", "")
        return 204, {"x-amz-version-id": version} if version else {}, b""

    def _shown(self, asked: Request) -> Answer:
        version = self._s3.find(asked.bucket, asked.key, asked.query.get("versionId", ""))
        if CUSTOMER in version.shown and CUSTOMER not in asked.headers:
            words = (
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided."
            )
            raise RefusedError(400, "InvalidRequest", words)
        if asked.headers.get("if-match", version.etag) != version.etag:
            raise RefusedError(412, "PreconditionFailed", "If-Match")
        headers = {
            **version.shown,
            **(version.checksums if asked.headers.get("x-amz-checksum-mode") == "ENABLED" else {}),
            **_version(version),
            "ETag": version.etag,
            "Last-Modified": format_datetime(version.modified, usegmt=True),
            "Content-Length": str(len(version.body)),
        }
        if version.tags:
            headers["x-amz-tagging-count"] = str(len(version.tags))
        return 200, headers, version.body

    def _answer_of_bucket(self, asked: Request) -> Answer:
        bucket = self._s3.buckets[asked.bucket]
        if "acl" in asked.query:
            return 200, {}, _acl(OWNER, _grant("FULL_CONTROL", OWNER))
        if "ownershipControls" in asked.query:
            rule = "BucketOwnerEnforced" if bucket.owner_enforced else "ObjectWriter"
            text = f"<OwnershipControls><Rule><ObjectOwnership>{rule}</ObjectOwnership></Rule></OwnershipControls>"
        elif "versioning" in asked.query:
            status = "<Status>Enabled</Status>" if bucket.versioned else ""
            text = f"<VersioningConfiguration>{status}</VersioningConfiguration>"
        elif "object-lock" in asked.query:
            if not bucket.locks:
                raise RefusedError(404, "ObjectLockConfigurationNotFoundError")
            mode, days = bucket.retention or ("", 0)
            rule = f"<Rule><DefaultRetention><Mode>{mode}</Mode><Days>{days}</Days></DefaultRetention></Rule>" * bool(
                mode
            )
            enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
            text = f"<ObjectLockConfiguration>{enabled}{rule}</ObjectLockConfiguration>"
        elif "requestPayment" in asked.query:
            text = "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
        elif "uploads" in asked.query:
            of_bucket = [(name, one) for name, one in self._s3.uploads.items() if one.request.bucket == asked.bucket]
            uploads = "".join(
                f"<Upload><Key>{escape(one.request.key)}</Key><UploadId>{name}</UploadId></Upload>"
                for name, one in of_bucket
                if one.request.key.startswith(asked.query.get("prefix", ""))
            )
            text = f"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{uploads}</ListMultipartUploadsResult>"
        else:
            raise RefusedError(501, "NotImplemented", f"{asked.method} {dict(asked.query)}")
        return 200, {}, text.encode()

    def _answer_of_subresource(self, asked: Request, subresource: str) -> Answer:
        version = self._s3.find(asked.bucket, asked.key, asked.query.get("versionId", ""))
        if asked.method == "PUT":
            self._s3.change(asked.bucket, asked.key, **_change(asked, subresource, version))
            return 200, {}, b""
        if subresource == "tagging":
            tags = "".join(
                f"<Tag><Key>{escape(k)}</Key><Value>{escape(v)}</Value></Tag>" for k, v in version.tags.items()
            )
            return 200, {}, f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()
        if subresource == "annotation":
            names = "".join(
                f"<AnnotationEntry><AnnotationName>{escape(n)}</AnnotationName></AnnotationEntry>"
                for n in version.annotations
            )
            text = f"<ListObjectAnnotationsResult><Annotations>{names}</Annotations></ListObjectAnnotationsResult>"
            return 200, {}, text.encode()
        grants = "".join(_grant(permission, grantee) for permission, grantee in version.grants)
        return 200, {}, _acl(version.owner, grants)

    def _answer_of_upload(self, asked: Request) -> Answer:
        if "uploads" in asked.query:
            upload_id = self._s3.begin(asked)
            words = f"<Key>{escape(asked.key)}</Key><UploadId>{upload_id}</UploadId>"
            return 200, {}, f"<InitiateMultipartUploadResult>{words}</InitiateMultipartUploadResult>".encode()
        upload = self._s3.upload(asked)
        if asked.method == "DELETE":
            del self._s3.uploads[asked.query["uploadId"]]
            return 204, {}, b""
        if asked.method == "POST":
            made = self._s3.complete(asked, _listed(asked.body))
            text = f"<CompleteMultipartUploadResult><ETag>{escape(made.etag)}</ETag></CompleteMultipartUploadResult>"
            return 200, _version(made), text.encode()
        body = asked.body
        if asked.operation == "UploadPartCopy":
            source = self._s3.source(asked)
            body = source.body
            if "x-amz-copy-source-range" in asked.headers:
                if len(body) <= 5 * MIB:
                    raise RefusedError(400, "InvalidRequest", "a range of a source of 5 MB or less")
                first, last = asked.headers["x-amz-copy-source-range"].removeprefix("bytes=").split("-")
                body = body[int(first) : int(last) + 1]
        upload.parts[int(asked.query["partNumber"])] = body
        algorithm = upload.request.headers.get("x-amz-checksum-algorithm", "")
        value = b64encode(digest(algorithm.lower(), body)).decode()
        checksum = f"<Checksum{algorithm}>{value}</Checksum{algorithm}>" if algorithm else ""
        text = f"<CopyPartResult><ETag>&quot;part&quot;</ETag>{checksum}</CopyPartResult>"
        if asked.operation == "UploadPartCopy":
            return 200, {}, text.encode()
        return 200, {"ETag": '"part"'} | ({f"x-amz-checksum-{algorithm.lower()}": value} if algorithm else {}), b""


def _request(request: AWSPreparedRequest) -> Request:
    """What botocore was about to send."""
    url = urlsplit(request.url)
    host = url.hostname or ""
    bucket = "" if host.startswith(("s3.", "127.")) else f"/{host.split('.')[0]}"
    body: Any = request.body
    content: Any = body.read() if hasattr(body, "read") else body or b""
    sent: Any = request.headers
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value) for name, value in sent.items()
    }
    content = content if isinstance(content, bytes) else content.encode()
    return Request.of_http(request.method, f"{bucket}{url.path}?{url.query}", headers, content)


def _request_in(data: bytes) -> Request:
    """What S3 would read in these bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    method, target, _ = line.split(" ")
    headers = dict(one.split(": ", 1) for one in lines)
    return Request.of_http(method, f"/{headers['host'].split('.')[0]}{target}", headers, body)


def _version(version: Version) -> dict[str, str]:
    return {"x-amz-version-id": version.version_id} if version.version_id else {}


def _acl(owner: str, grants: str) -> bytes:
    text = f"<Owner><ID>{owner}</ID></Owner><AccessControlList>{grants}</AccessControlList>"
    return f"<AccessControlPolicy>{text}</AccessControlPolicy>".encode()


def _grant(permission: str, grantee: str) -> str:
    kind, name = ("Group", "URI") if grantee.startswith("http") else ("CanonicalUser", "ID")
    xsi = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type={quoteattr(kind)}'
    return f"<Grant><Grantee {xsi}><{name}>{grantee}</{name}></Grantee><Permission>{permission}</Permission></Grant>"


def _xml(body: bytes) -> Element:
    """The root of a request's XML, its tags without namespace."""
    root = fromstring(body)  # noqa: S314 (botocore wrote it)
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root


def _change(asked: Request, subresource: str, version: Version) -> dict[str, Any]:
    """What a PUT of a subresource changes of the version."""
    if subresource == "tagging":
        tags = {tag.findtext("Key", ""): tag.findtext("Value", "") for tag in _xml(asked.body).iter("Tag")}
        return {"tags": tags}
    if subresource == "annotation":
        return {"annotations": {**version.annotations, asked.query["annotationName"]: asked.body}}
    if subresource == "legal-hold":
        status = _xml(asked.body).findtext("Status", "")
        return {"shown": {**version.shown, "x-amz-object-lock-legal-hold": status}}
    grants = tuple(
        (grant.findtext("Permission", ""), grant.findtext("Grantee/ID") or grant.findtext("Grantee/URI") or "")
        for grant in _xml(asked.body).iter("Grant")
    )
    return {"grants": tuple(sorted(grants))}


def _listed(body: bytes) -> dict[int, dict[str, str]]:
    """The parts that a completion lists, by number."""
    return {
        int(part.findtext("PartNumber", "0")): {field.tag: field.text or "" for field in part}
        for part in _xml(body).iter("Part")
    }
