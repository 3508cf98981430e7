"""
Copy one large object onto itself in parts: for what is above S3's limit for CopyObject.

A multipart upload keeps nothing of the object by itself, so everything is given, and what can't be
given is a reason to refuse before anything is begun.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from worker.actions.asking import S3
from worker.carry import checksum_algorithm, dropped_by_copy, dropped_by_multipart, lost_by_multipart

MAX_PARTS = 10_000
"""Parts of one upload, at most (S3 User Guide, "Amazon S3 multipart upload limits", 2026-11)."""

PARTS_IN_FLIGHT = 8
_MIB = 1024**2


class UnsupportedError(Exception):
    """The object can't be copied in parts without losing what the text says; nothing was done to it."""


def copy_in_parts(
    s3: S3, source: Mapping[str, str], head: Mapping[str, Any], *, target: str, part_bytes: int, now: datetime
) -> Mapping[str, Any]:
    """
    S3's answer to the completion of the upload.

    source: bucket, key and, on a versioned bucket, the version that was looked at.
    head: HeadObject's answer for it.
    Raises UnsupportedError, before anything is begun; RefusedError and StoppingError, after the upload was aborted.
    """
    bucket, key = source["Bucket"], source["Key"]
    # Its checksum is asked for only here: S3 has to call KMS for it, and a copy in one piece keeps it anyway.
    head = s3.ask("head_object", **source, IfMatch=head["ETag"], ChecksumMode="ENABLED")
    arguments = _arguments(s3, source, head, now)
    upload = s3.ask("create_multipart_upload", Bucket=bucket, Key=key, StorageClass=target, **arguments)
    place = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
    try:
        parts = _copy_parts(s3, place, source, head, part_bytes)
        kind = {"ChecksumType": arguments["ChecksumType"]} if "ChecksumType" in arguments else {}
        return s3.ask(
            "complete_multipart_upload",
            **place,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=head["ContentLength"],
            IfMatch=head["ETag"],
            **kind,
        )
    except BaseException:
        # On every way out, SIGTERM's too: parts left behind would be billed. Should it fail, the first error is told.
        with suppress(Exception):
            s3.client.abort_multipart_upload(**place)
        raise


def part_ranges(size_bytes: int, part_bytes: int) -> Iterator[tuple[int, int]]:
    """
    First and last byte of each part.

    The parts are as large as asked for, or as they must be for the object to have no more than S3 allows.
    """
    least = -(-size_bytes // MAX_PARTS)
    if least > part_bytes:
        # In whole MiB, but a part of the largest object must not thereby go over S3's limit for parts.
        part_bytes = min(-(-least // _MIB) * _MIB, 5 * 1024**3)
    for start in range(0, size_bytes, part_bytes):
        yield start, min(start + part_bytes, size_bytes) - 1


def _arguments(s3: S3, source: Mapping[str, str], head: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Everything that the new object must be told. Raises UnsupportedError when something can't be."""
    reason = lost_by_multipart(head)
    if not reason and _has_annotations(s3, source):
        reason = "it has annotations, which a copy in parts would lose"
    if reason:
        raise UnsupportedError(reason)
    # Asked whatever TagCount says: it is missing too where we may not read tags, and those would be lost in silence.
    tags = {tag["Key"]: tag["Value"] for tag in s3.ask("get_object_tagging", **source)["TagSet"]}
    return dropped_by_copy(head, now) | dropped_by_multipart(head, tags)


def _has_annotations(s3: S3, source: Mapping[str, str]) -> bool:
    """
    Whether the object has annotations; asked only of AWS.

    Another endpoint may not know the question and answer it with the object itself, gigabytes of it.
    """
    host = urlsplit(s3.client.meta.endpoint_url).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")) or not hasattr(s3.client, "list_object_annotations"):
        return False
    return bool(s3.ask("list_object_annotations", **source, MaxAnnotationResults=1).get("Annotations"))


def _copy_parts(
    s3: S3, place: Mapping[str, str], source: Mapping[str, str], head: Mapping[str, Any], part_bytes: int
) -> list[dict[str, Any]]:
    """The parts as CompleteMultipartUpload wants them, after all have been copied."""
    algorithm = checksum_algorithm(head)

    def copy(number: int, first: int, last: int) -> dict[str, Any]:
        answer = s3.ask_patiently(
            "upload_part_copy",
            **place,
            PartNumber=number,
            CopySource=dict(source),
            CopySourceRange=f"bytes={first}-{last}",
            CopySourceIfMatch=head["ETag"],
        )["CopyPartResult"]
        checksum = {f"Checksum{algorithm}": answer[f"Checksum{algorithm}"]} if f"Checksum{algorithm}" in answer else {}
        return {"PartNumber": number, "ETag": answer["ETag"], **checksum}

    ranges = enumerate(part_ranges(head["ContentLength"], part_bytes), start=1)
    parts: list[dict[str, Any]] = []
    with ThreadPoolExecutor(max_workers=PARTS_IN_FLIGHT) as pool:
        running: set[Future[dict[str, Any]]] = set()
        while True:
            wanted = PARTS_IN_FLIGHT - len(running)
            running |= {pool.submit(copy, number, *span) for number, span in islice(ranges, wanted)}
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            parts += [one.result() for one in done]
    return sorted(parts, key=lambda part: part["PartNumber"])
