"""The kinds of objects that a change of class must not harm: each property alone, and the awkward pairs."""

from datetime import UTC, datetime
from typing import Any

from tests.fidelity.checksums import ALGORITHMS, checksum_headers
from tests.fidelity.kind import EVERYBODY, KEY, LATER, MIB, Kind
from worker.contract import Outcome

UNSUPPORTED = Outcome.UNSUPPORTED
HELD = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": LATER}
NO_LOCK = {"x-amz-object-lock-mode": "", "x-amz-object-lock-retain-until-date": ""}
REFUSED: Any = {"single": UNSUPPORTED, "in_parts": UNSUPPORTED}
KMS = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}
AES = {"ServerSideEncryption": "AES256"}

HEADERS = (
    Kind(name="nothing special"),
    Kind(name="no content type of its own", put={"ContentType": "binary/octet-stream"}),
    Kind(name="content type", put={"ContentType": "text/html; charset=utf-8"}),
    Kind(name="content encoding", put={"ContentEncoding": "gzip"}),
    Kind(name="two content encodings", put={"ContentEncoding": "gzip, br"}),
    Kind(name="content language", put={"ContentLanguage": "pt-BR, en"}),
    Kind(
        name="content disposition",
        put={"ContentDisposition": "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A9"},
    ),
    Kind(name="cache control", put={"CacheControl": "max-age=0, no-store"}),
    Kind(name="expires", put={"Expires": datetime(2096, 12, 1, 16, tzinfo=UTC)}),
    Kind(name="expires in the past", put={"Expires": datetime(1999, 12, 1, 16, tzinfo=UTC)}),
    Kind(name="expires that is no date", raw={"Expires": "tomorrow"}),
    Kind(name="expires 0", raw={"Expires": "0"}),
    Kind(name="expires as RFC 850 has it", raw={"Expires": "Thursday, 01-Dec-33 16:00:00 GMT"}),
    Kind(
        name="content disposition beyond ASCII",
        hidden={"content-disposition": 'attachment; filename="Ã©.txt"'},
        in_parts=UNSUPPORTED,
    ),
    Kind(name="website redirect", put={"WebsiteRedirectLocation": "/elsewhere?a=b"}),
    Kind(name="website redirect to another site", put={"WebsiteRedirectLocation": "https://example.org/%C3%A9"}),
)

METADATA = (
    Kind(name="metadata", put={"Metadata": {"a": "b", "owner-of-it": "Ana"}}),
    Kind(name="metadata without a value", put={"Metadata": {"empty": ""}}),
    Kind(name="metadata with quotes and commas", put={"Metadata": {"q": "\"a, b\"; c='d'", "eq": "a=b&c=d+e%20f"}}),
    Kind(name="metadata like JSON", put={"Metadata": {"json": '{"a": [1, "\\u00e9"], "b": null}'}}),
    Kind(name="metadata with inner spaces", put={"Metadata": {"spaces": "a    b\tc"}}),
    Kind(
        name="metadata with odd names", put={"Metadata": {"x_y.z~1": "1", "_": "2", "content-type": "not the real one"}}
    ),
    Kind(name="metadata up to 2 KB", put={"Metadata": {"long": "x" * 2_000}}),
    Kind(name="metadata of many entries", put={"Metadata": {f"m{number}": str(number) for number in range(60)}}),
    Kind(name="metadata beyond ASCII", raw={"x-amz-meta-e": "=?UTF-8?Q?caf=C3=A9?="}),
    Kind(name="metadata beyond ASCII, shown raw", hidden={"x-amz-meta-e": "cafÃ©"}, in_parts=UNSUPPORTED),
    Kind(
        name="metadata that headers can't show",
        hidden={"x-amz-missing-meta": "2"},
        **REFUSED,
    ),
)

LONG_TAGS = {f"{number}" + "k" * 127: "v" * 256 for number in range(10)}
WIDE_TAGS = {f"{number}" + "é" * 127: "ü" * 256 for number in range(10)}
TAGS = (
    Kind(name="a tag", tags={"project": "reels"}),
    Kind(name="ten tags", tags={f"tag {number}": str(number) for number in range(10)}),
    Kind(name="ten tags as long as can be", tags=LONG_TAGS),
    Kind(name="ten long tags beyond ASCII", tags=WIDE_TAGS, in_parts=UNSUPPORTED),
    Kind(name="tag with spaces and pluses", tags={"a + b": " c + d ", "+": "+"}),
    Kind(name="tag with equals, slash, colon, at", tags={"a=b": "c=d", "x/y:z": "m@n.o", "-_": "_-"}),
    Kind(name="tag beyond ASCII", tags={"ação": "é ü 漢字"}),
    Kind(name="tag without a value", tags={"empty": "", "full": "x"}),
    Kind(name="tags that differ by case", tags={"a": "1", "A": "2"}),
)

ENCRYPTION = (
    Kind(name="SSE-S3 where KMS is the default", put=AES),
    Kind(name="SSE-KMS with bucket key", put={**KMS, "BucketKeyEnabled": True}),
    Kind(name="SSE-KMS without bucket key", put={**KMS, "BucketKeyEnabled": False}),
    Kind(name="SSE-KMS with the AWS managed key", put={"ServerSideEncryption": "aws:kms", "BucketKeyEnabled": False}),
    Kind(name="DSSE-KMS", put={"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY}),
    Kind(name="SSE-KMS in parts", put={**KMS, "BucketKeyEnabled": False}, part_sizes=(5 * MIB, 7)),
    Kind(
        name="not encrypted, as old objects can be",
        raw={"x-amz-server-side-encryption": "AES256"},
        hidden={"x-amz-server-side-encryption": ""},
    ),
    Kind(
        name="SSE-C",
        put={"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
        **REFUSED,
    ),
)

LOCKS = (
    Kind(name="governance", bucket="locked", put=HELD),
    Kind(name="compliance", bucket="locked", put={**HELD, "ObjectLockMode": "COMPLIANCE"}),
    Kind(name="legal hold", bucket="locked", put={"ObjectLockLegalHoldStatus": "ON"}),
    Kind(name="legal hold and retention", bucket="locked", put={**HELD, "ObjectLockLegalHoldStatus": "ON"}),
    Kind(name="legal hold that is off", bucket="locked", put={"ObjectLockLegalHoldStatus": "OFF"}),
    Kind(name="no lock where locks are", bucket="locked"),
    Kind(
        name="event hold",
        bucket="locked",
        put={"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 30},
    ),
    Kind(
        name="retention that has passed",
        bucket="locked",
        hidden={"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z"},
    ),
    Kind(name="retention of its own where there is a default", bucket="retaining", put=HELD),
    Kind(name="no lock where there is a default", bucket="retaining", hidden=NO_LOCK, **REFUSED),
    Kind(
        name="legal hold alone where there is a default",
        bucket="retaining",
        hidden={**NO_LOCK, "x-amz-object-lock-legal-hold": "ON"},
        **REFUSED,
    ),
    Kind(
        name="retention that has passed where there is a default",
        bucket="retaining",
        hidden={"x-amz-object-lock-retain-until-date": "2020-01-01T00:00:00Z"},
        **REFUSED,
    ),
)

FRIEND, COLLEAGUE = 'id="friend"', 'id="colleague"'
ACLS = (
    Kind(name="ACL private", put={"ACL": "private"}),
    Kind(name="ACL public-read", put={"ACL": "public-read"}),
    Kind(name="ACL that lets a friend read", put={"GrantFullControl": 'id="owner"', "GrantRead": FRIEND}),
    Kind(name="ACL without its owner", put={"GrantRead": FRIEND}),
    Kind(
        name="ACL of every permission",
        put={
            "GrantFullControl": f'id="owner", {FRIEND}',
            "GrantRead": f'{COLLEAGUE}, uri="{EVERYBODY}"',
            "GrantReadACP": COLLEAGUE,
            "GrantWriteACP": COLLEAGUE,
        },
    ),
    Kind(name="ACL public-read and KMS in parts", put={"ACL": "public-read", **KMS}, part_sizes=(5 * MIB, 1)),
    Kind(name="ACL public-read, versioned", bucket="versioned", put={"ACL": "public-read"}),
    Kind(name="ACL that grants nothing", grants=(), **REFUSED),
    Kind(name="another account's", owner="stranger", grants=(("FULL_CONTROL", "stranger"),), **REFUSED),
    Kind(name="no ACL where ACLs don't count", bucket="enforced"),
)

CHECKSUMS = (
    *(Kind(name=name.upper(), raw=checksum_headers(name, b"content")) for name in ALGORITHMS),
    Kind(name="no checksum, as old objects have none", checksummed=False),
    Kind(name="in two parts", part_sizes=(5 * MIB, 1)),
    Kind(
        name="in two parts, SHA256 of parts",
        part_sizes=(5 * MIB, 9),
        put={"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"},
    ),
    Kind(
        name="in two parts, CRC32 of the whole",
        part_sizes=(5 * MIB, 9),
        put={"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"},
    ),
)

KEYS = (
    Kind(name="key with a space", key="a b/ c /d "),
    Kind(name="key with a plus and a percent", key="a+b%20c%2Bd%"),
    Kind(name="key beyond ASCII", key="ação/漢字/😀"),
    Kind(name="key with a newline", key="a\nb\r\nc"),
    Kind(name="key with query characters", key="a?versionId=b&c=d#e;f"),
    Kind(name="key with quotes", key="a\"b'c`d,e"),
    Kind(name="key with slashes", key="//a///b/"),
    Kind(name="key with dots", key="a/../b/./c"),
    Kind(name="key with other line ends", key="a\u2028b\u0085c"),
    Kind(name="key that XML can't say", key="a\x01b\x0bc", in_parts=UNSUPPORTED),
    Kind(name="key as long as can be", key="k" * 1_024),
    Kind(name="key that ends in a folder", key="folder/", body=b""),
)

SIZES = (
    Kind(name="empty", body=b""),
    Kind(name="empty with everything", body=b"", put={"Metadata": {"a": "b"}, **AES}, tags={"t": "1"}),
    Kind(name="one byte", body=b"x"),
    Kind(name="a part exactly", body=b"p" * (5 * MIB)),
    Kind(name="a part and a byte", body=b"p" * (5 * MIB) + b"q"),
)

CLASSES = (
    *(
        Kind(name=f"from {name}", put={"StorageClass": name})
        for name in ("STANDARD", "REDUCED_REDUNDANCY", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR")
    ),
    Kind(name="restored from GLACIER", put={"StorageClass": "GLACIER", **AES}, restored=True),
    Kind(
        name="restored from DEEP_ARCHIVE", put={"StorageClass": "DEEP_ARCHIVE", "Metadata": {"a": "b"}}, restored=True
    ),
    Kind(
        name="archived in GLACIER",
        put={"StorageClass": "GLACIER"},
        single=Outcome.PENDING,
        in_parts=Outcome.PENDING,
    ),
    Kind(
        name="in an archive tier",
        hidden={"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"},
        single=Outcome.PENDING,
        in_parts=Outcome.PENDING,
    ),
    Kind(
        name="in its class already",
        put={"StorageClass": "STANDARD_IA"},
        single=Outcome.ALREADY,
        in_parts=Outcome.ALREADY,
    ),
)

PAIRS = (
    Kind(name="annotations", annotations={"note": b"a", "other": b"b"}, in_parts=UNSUPPORTED),
    Kind(name="versioned", bucket="versioned", put={"Metadata": {"a": "b"}}, tags={"t": "1"}),
    Kind(name="versioned, restored", bucket="versioned", put={"StorageClass": "GLACIER"}, restored=True),
    Kind(name="not the current version", bucket="versioned", noncurrent=True, **REFUSED),
    Kind(name="KMS and a checksum", put={**KMS, "BucketKeyEnabled": False}, raw=checksum_headers("sha256", b"content")),
    Kind(name="KMS and a lock", bucket="locked", put={**KMS, **HELD, "BucketKeyEnabled": False}),
    Kind(name="redirect, tags and no content", body=b"", put={"WebsiteRedirectLocation": "/x"}, tags={"t": "a b"}),
    Kind(
        name="everything at once",
        key="every/thing é+ ",
        bucket="locked",
        part_sizes=(5 * MIB, MIB),
        put={
            "ContentType": "text/plain",
            "ContentEncoding": "gzip",
            "ContentLanguage": "pt",
            "ContentDisposition": "inline",
            "CacheControl": "no-store",
            "Expires": datetime(2096, 12, 1, 16, tzinfo=UTC),
            "Metadata": {"a": "b", "c": ""},
            "WebsiteRedirectLocation": "/elsewhere",
            "ChecksumAlgorithm": "SHA1",
            "ObjectLockLegalHoldStatus": "ON",
            "StorageClass": "GLACIER",
            **KMS,
            **HELD,
            "BucketKeyEnabled": True,
        },
        tags={"a b": "c+d", "é": ""},
        restored=True,
    ),
)

KINDS = (*HEADERS, *METADATA, *TAGS, *ENCRYPTION, *LOCKS, *ACLS, *CHECKSUMS, *KEYS, *SIZES, *CLASSES, *PAIRS)
