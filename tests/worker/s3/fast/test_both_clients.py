"""Both clients over one lot: the same results, row for row, and the same objects in the end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, Reply, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, restore, run_here
from worker.contract import ResultRow
from worker.s3.clients import fast_client, object_client

KEYS = ['a b+,"%2C";é\u2028$(x)&?#', "ä/日本", "a//b", "x=1&y", "~-_.!*'()", "100%"]
PHASES: Mapping[str, tuple[str, ...]] = {"restore": (), "copy": ("--storage-class", "STANDARD_IA")}


def refuse(request: Request) -> Fault:
    """What moto can't be brought to say."""
    faults = {
        "denied": Reply(403, "AccessDenied", "no policy allows it"),
        "changed": Reply(412, "PreconditionFailed"),
        "odd": Reply(400, "InvalidRequest", "a refusal nobody knows"),
    }
    return faults.get(request.key) if request.operation in ("CopyObject", "RestoreObject") else None


def rows(s3_client: str, phase: str, folder: Path, endpoint: str) -> dict[str, ResultRow]:
    """Each key's result in this s3_client, in a bucket that is made anew."""
    s3 = fake_s3()
    make_bucket()
    put(*KEYS, "changed", "restored", storage_class="GLACIER")
    put("denied", "odd", "standard")
    put("already", storage_class="STANDARD_IA")
    restore("restored", KEYS[0])
    folder.mkdir()
    job = Job(folder)
    names = [*KEYS, "changed", "restored", "denied", "odd", "standard", "already", "missing"]
    job.write_lot(map(entry, names))
    with faulty(endpoint, refuse) as seen:
        code = run_here(job.arguments(phase, *PHASES[phase], "--s3-client", s3_client), seen.endpoint)
    assert code == 3
    for item in s3.list_objects_v2(Bucket="bucket")["Contents"]:
        s3.delete_object(Bucket="bucket", Key=item["Key"])
    s3.delete_bucket(Bucket="bucket")
    return {row.entry.key: row for row in job.rows()}


@pytest.mark.parametrize("phase", PHASES)
def test_the_results_are_the_same_row_for_row(phase: str, aws: str, tmp_path: Path) -> None:
    """A mixed lot, every kind of outcome in it."""
    fast, careful = (rows(s3_client, phase, tmp_path / s3_client, aws) for s3_client in ("fast", "boto3"))

    assert fast == careful
    assert len({row.outcome for row in fast.values()}) > 3


@pytest.mark.usefixtures("aws")
def test_answers_are_boto3s() -> None:
    """HeadObject's as both clients give it, for objects of many kinds: not one value or type differs."""
    make_bucket(versioned=True)
    many: list[dict[str, Any]] = [
        {},
        {"Metadata": {"a": "b", "long-name": "c  d"}, "ContentType": "text/plain; charset=utf-8"},
        {"CacheControl": "no-cache", "ContentDisposition": 'attachment; filename="a"', "ContentLanguage": "de, en"},
        {"ContentEncoding": "gzip", "Expires": "Wed, 21 Oct 2099 07:28:00 GMT"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:eu-west-1:1:key/k", "BucketKeyEnabled": True},
        {"StorageClass": "GLACIER", "Tagging": "a=b&c=d"},
        {"StorageClass": "DEEP_ARCHIVE", "ChecksumAlgorithm": "SHA256"},
        {"WebsiteRedirectLocation": "/elsewhere"},
    ]
    for number, more in enumerate(many):
        fake_s3().put_object(Bucket="bucket", Key=f"{KEYS[number % len(KEYS)]}{number}", Body=b"x" * number, **more)
    client = object_client(1)
    s3_client = fast_client(client)
    assert s3_client

    for item in fake_s3().list_object_versions(Bucket="bucket")["Versions"]:
        named: dict[str, Any] = {
            "Bucket": "bucket",
            "Key": item["Key"],
            "VersionId": item["VersionId"],
            "ChecksumMode": "ENABLED",
        }
        theirs: dict[str, Any] = dict(client.head_object(**named))
        theirs["ResponseMetadata"] = {"HTTPStatusCode": theirs["ResponseMetadata"]["HTTPStatusCode"]}
        ours = s3_client.ask("head_object", named)
        assert isinstance(ours, dict)
        assert {name: (type(value), value) for name, value in ours.items()} == {
            name: (type(value), value) for name, value in theirs.items()
        }
    s3_client.close()
