"""Why objects can't be moved into some storage classes. Pure."""

from collections.abc import Mapping

_FSX = "it is the class of files in Amazon FSx, which are reached through S3 but not kept in it"
_BACKUP = "it is the class of AWS Backup's own copies, which it alone makes"

NO_TARGETS: Mapping[str, str] = {
    "REDUCED_REDUNDANCY": "AWS advises against it: it keeps objects less safely than STANDARD and costs more",
    "EXPRESS_ONEZONE": "it is the class of directory buckets: an object gets there only by a copy into another bucket",
    "OUTPOSTS": "it is the class of S3 on Outposts: an object gets there only by a copy into a bucket on an Outpost",
    "SNOW": "it is the class of S3 on a Snow device: an object gets there only by a copy onto the device",
    "FSX_OPENZFS": _FSX,
    "FSX_ONTAP": _FSX,
    "AWS_BACKUP_WARM": _BACKUP,
    "AWS_BACKUP_LOW_COST_WARM": _BACKUP,
}
"""
The other classes that S3 knows (StorageClass; botocore 1.44.5), each with the reason why it is no target.

CopyObject, `StorageClass`; S3 User Guide, "Understanding and managing Amazon S3 storage classes"; 2026-11.
"""
