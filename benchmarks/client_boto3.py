"""
What one writes with boto3 for the same work: a loop over the keys, or a pool of threads.

    python -m benchmarks.client_boto3 copy lot.csv --threads 64

It sends what the worker sends: RestoreObject, or HeadObject and a CopyObject pinned to the ETag that it showed.
boto3's settings are its defaults, but for as many connections as threads: with the default, 10, most requests
would need a new one.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def entries(lot: Path) -> Iterator[tuple[str, str]]:
    """The bucket and the key on each line; the benchmark's keys need no decoding."""
    with lot.open(encoding="utf-8") as lines:
        for line in lines:
            bucket, _, key = line.rstrip("\n").partition(",")
            yield bucket, key


def copy(s3: "S3Client", bucket: str, key: str) -> None:
    """Copy an object onto itself, if it still is what HEAD showed."""
    etag = s3.head_object(Bucket=bucket, Key=key)["ETag"]
    s3.copy_object(
        Bucket=bucket,
        Key=key,
        CopySource={"Bucket": bucket, "Key": key},
        CopySourceIfMatch=etag,
        IfMatch=etag,
        StorageClass="STANDARD_IA",
        MetadataDirective="COPY",
        TaggingDirective="COPY",
        ServerSideEncryption="AES256",
    )


def restore(s3: "S3Client", bucket: str, key: str) -> None:
    """Ask for a restored copy."""
    s3.restore_object(Bucket=bucket, Key=key, RestoreRequest={"Days": 7, "GlacierJobParameters": {"Tier": "Bulk"}})


def main() -> int:
    """Work through a lot: 0, or 3 when keys failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phase", choices=("copy", "restore"))
    parser.add_argument("lot", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    s3 = boto3.client("s3", config=Config(max_pool_connections=max(10, options.threads)))
    phase: Callable[[S3Client, str, str], None] = copy if options.phase == "copy" else restore

    def fails(entry: tuple[str, str]) -> bool:
        try:
            phase(s3, *entry)
        except (ClientError, BotoCoreError):
            return True
        return False

    if options.threads == 1:
        failed = sum(map(fails, entries(options.lot)))
    else:
        with ThreadPoolExecutor(options.threads) as pool:
            failed = sum(pool.map(fails, entries(options.lot)))
    print(f"{failed} keys failed")
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
