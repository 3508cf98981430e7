"""Words that both sides check: storage classes to copy into, retrieval tiers, who pays, S3 clients. Pure."""

STORAGE_CLASSES = (
    "STANDARD",
    "INTELLIGENT_TIERING",
    "STANDARD_IA",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
"""The classes that an object can be copied into in an ordinary bucket (CopyObject, `StorageClass`; botocore 1.44.5)."""

TIERS = ("Bulk", "Standard", "Expedited")
"""How soon S3 restores an object, the slowest and cheapest first (RestoreObject, `Tier`; botocore 1.44.5)."""

REQUESTER = "requester"
"""The one thing that S3's RequestPayer can be (botocore 1.44.5)."""

S3_CLIENTS = ("fast", "boto3")
"""How a worker talks to S3: the fast client beside boto3, or boto3 alone."""
