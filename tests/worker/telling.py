"""What S3 says when it has done what it was asked, operation by operation, and how to ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.contract.proofs import NAMESPACE

XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'
HERE = {"Bucket": "bucket", "Key": "k"}
PART = {**HERE, "UploadId": "u", "PartNumber": 1}
OBJECT = {"ETag": '"e"', "Last-Modified": "Sun, 01 Jan 2023 12:00:00 GMT", "Content-Length": "3"}
RESTORE = {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """
    An operation, and its good answer.

    name: S3's. call: boto3's. asked: boto3's arguments. elsewhere: not asked of an object that a worker changes.
    """

    name: str
    call: str
    asked: Mapping[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    elsewhere: bool = False

    @property
    def is_head(self) -> bool:
        """Whether its answers have no body."""
        return self.name.startswith("Head")

    def answer(self, **changed: Any) -> bytes:
        """The bytes of its answer, with the status, the headers or the body as they are told."""
        status, body = changed.get("status", self.status), changed.get("body", self.body)
        headers = {"Server": "AmazonS3", **changed.get("headers", self.headers)}
        if not self.is_head and status != 204:
            headers.setdefault("Content-Length", str(len(body)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {status} Any\r\n{lines}\r\n".encode() + (b"" if self.is_head else body)


def _xml(root: str, content: str) -> bytes:
    return XML + f'<{root} xmlns="{NAMESPACE.strip("{}")}">{content}</{root}>'.encode()


_OWNER = "<Owner><ID>me</ID></Owner>"
_ACL = _xml("AccessControlPolicy", f"{_OWNER}<AccessControlList/>")
_ETAG = "<ETag>&quot;e&quot;</ETag>"

ALL = (
    Told(name="HeadObject", call="head_object", asked=HERE, headers=OBJECT),
    Told(
        name="CopyObject",
        call="copy_object",
        asked={**HERE, "CopySource": HERE},
        body=_xml("CopyObjectResult", f"<LastModified>2026-10-28T22:32:00.000Z</LastModified>{_ETAG}"),
    ),
    Told(name="RestoreObject", call="restore_object", asked={**HERE, "RestoreRequest": RESTORE}, status=202),
    Told(
        name="CreateMultipartUpload",
        call="create_multipart_upload",
        asked=HERE,
        body=_xml("InitiateMultipartUploadResult", "<Bucket>bucket</Bucket><Key>k</Key><UploadId>u</UploadId>"),
    ),
    Told(
        name="UploadPartCopy",
        call="upload_part_copy",
        asked={**PART, "CopySource": HERE},
        body=_xml("CopyPartResult", _ETAG),
    ),
    Told(
        name="CompleteMultipartUpload",
        call="complete_multipart_upload",
        asked={**HERE, "UploadId": "u", "MultipartUpload": {"Parts": [{"ETag": '"e"', "PartNumber": 1}]}},
        body=_xml("CompleteMultipartUploadResult", f"<Bucket>bucket</Bucket><Key>k</Key>{_ETAG}"),
    ),
    Told(name="AbortMultipartUpload", call="abort_multipart_upload", asked={**HERE, "UploadId": "u"}, status=204),
    Told(
        name="DeleteObject",
        call="delete_object",
        asked={**HERE, "VersionId": "v"},
        status=204,
        headers={"x-amz-version-id": "v"},
    ),
    Told(
        name="GetObject",
        call="get_object",
        asked=HERE,
        status=206,
        headers={**OBJECT, "Content-Length": "1"},
        body=b"x",
    ),
    Told(name="GetObjectAcl", call="get_object_acl", asked=HERE, body=_ACL),
    Told(name="GetObjectTagging", call="get_object_tagging", asked=HERE, body=_xml("Tagging", "<TagSet/>")),
    Told(name="PutObjectTagging", call="put_object_tagging", asked={**HERE, "Tagging": {"TagSet": []}}),
    Told(
        name="ListObjectAnnotations",
        call="list_object_annotations",
        asked=HERE,
        body=_xml("ListObjectAnnotationsOutput", "<AnnotationCount>0</AnnotationCount>"),
    ),
    Told(name="GetBucketAcl", call="get_bucket_acl", asked={"Bucket": "bucket"}, body=_ACL),
    Told(
        name="GetBucketOwnershipControls",
        call="get_bucket_ownership_controls",
        asked={"Bucket": "bucket"},
        body=_xml("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
    ),
    Told(
        name="GetObjectLockConfiguration",
        call="get_object_lock_configuration",
        asked={"Bucket": "bucket"},
        body=_xml("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"),
    ),
    Told(
        name="PutObject",
        call="put_object",
        asked={**HERE, "Body": b"rows"},
        headers={"ETag": '"e"'},
        elsewhere=True,
    ),
    Told(
        name="ListObjectsV2",
        call="list_objects_v2",
        asked={"Bucket": "bucket"},
        body=_xml("ListBucketResult", "<Name>bucket</Name><IsTruncated>false</IsTruncated>"),
        elsewhere=True,
    ),
    Told(name="HeadBucket", call="head_bucket", asked={"Bucket": "bucket"}, elsewhere=True),
    Told(
        name="ListObjectVersions",
        call="list_object_versions",
        asked={"Bucket": "bucket"},
        body=_xml("ListVersionsResult", "<Name>bucket</Name><IsTruncated>false</IsTruncated>"),
        elsewhere=True,
    ),
    Told(
        name="DeleteObjects",
        call="delete_objects",
        asked={"Bucket": "bucket", "Delete": {"Objects": [{"Key": "k"}]}},
        body=_xml("DeleteResult", ""),
        elsewhere=True,
    ),
    Told(name="DeleteBucket", call="delete_bucket", asked={"Bucket": "bucket"}, status=204, elsewhere=True),
    Told(
        name="GetBucketVersioning",
        call="get_bucket_versioning",
        asked={"Bucket": "bucket"},
        body=_xml("VersioningConfiguration", ""),
        elsewhere=True,
    ),
    Told(
        name="GetBucketRequestPayment",
        call="get_bucket_request_payment",
        asked={"Bucket": "bucket"},
        body=_xml("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
        elsewhere=True,
    ),
)
"""One of each row of the table."""
