"""S3's words that both sides check: storage classes to copy into, and retrieval tiers. Pure."""

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
