"""`s3reclass estimate`, as typed."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.cli import run
from tests.orchestrator.lots.lots_on_disk import write_lots


@pytest.fixture
def bucket(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001 (the server must be there)
    """A bucket on moto's server, in a folder of its own that names no settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("S3RECLASS_STORAGE_CLASS", "S3RECLASS_BUCKET", "S3RECLASS_LOTS_DIR"):
        monkeypatch.delenv(name, raising=False)
    made = boto3.resource("s3").Bucket("bucket")
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return made


def test_estimate(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass estimate --storage-class STANDARD_IA`: each line with its formula, the unseen told, the same twice."""
    keys = [f"photos/{number} é.jpg" for number in range(4)]
    for key in keys:
        bucket.put_object(Key=key, Body=b"x" * 1024, StorageClass="DEEP_ARCHIVE")
    bucket.put_object(Key="done", Body=b"x", StorageClass="STANDARD_IA")
    write_lots(Path("lots"), [*keys[:3]], [keys[3], "done", "none"])

    assert run(["estimate", "--storage-class", "STANDARD_IA"]) == 0
    first = capsys.readouterr()
    assert run(["estimate", "--storage-class", "STANDARD_IA"]) == 0

    assert capsys.readouterr() == first
    assert first.err == ""
    assert "6 keys in 2 lots into STANDARD_IA" in first.out
    assert "looked at all 6 keys:" in first.out
    assert "4 / 1,000 x $0.025 = $0.0001" in first.out
    assert "- missing: 1 of 6 looked at" in first.out
    assert "- in STANDARD_IA already: 1 of 6 looked at" in first.out
    assert "there is no table for eu-west-1" in first.out


def test_estimate_of_a_sample(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass estimate --phase restore --sample 5 --json`: JSON alone on standard output, and no class is needed."""
    for number in range(10):
        bucket.put_object(Key=str(number), Body=b"x" * number, StorageClass="GLACIER")
    write_lots(Path("lots"), [str(number) for number in range(10)])

    assert run(["estimate", "--phase", "restore", "--sample", "5", "--json"]) == 0

    data = json.loads(capsys.readouterr().out)
    assert (data["sample"]["size"], data["sample"]["of"]) == (5, 10)
    assert data["sample"]["kinds"]["GLACIER"]["keys"] == 10
    assert list(data["phases"]) == ["restore"]


def test_estimate_without_looking(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001 (for its folder)
    """`s3reclass estimate --no-sample --mean-size .. --from-class ..` sends nothing and says that it assumed."""
    write_lots(Path("lots"), ["a", "b"])

    code = run(
        [
            "estimate",
            "--storage-class",
            "STANDARD",
            "--no-sample",
            "--mean-size",
            "1073741824",
            "--from-class",
            "glacier",
        ]
    )

    out = capsys.readouterr().out
    assert code == 0
    assert "assumed, not looked at: every object is 1.00 GB and in GLACIER" in out
    assert "Bulk retrieval, GLACIER" in out


@pytest.mark.parametrize(
    ("code", "message", "arguments"),
    [
        (2, "no target class is named", []),
        (
            2,
            "--no-sample needs --mean-size BYTES and --from-class CLASS",
            ["--storage-class", "STANDARD", "--no-sample"],
        ),
        (2, "go with --no-sample", ["--storage-class", "STANDARD", "--mean-size", "5"]),
        (1, "run `s3reclass split` first", ["--storage-class", "STANDARD"]),
        (2, "0 is not in the range", ["--sample", "0"]),
    ],
)
def test_what_estimate_refuses(
    code: int, message: str, arguments: list[str], bucket: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each mistake gets its exit code and a line that says what to do."""
    del bucket

    assert run(["estimate", *arguments]) == code
    assert message in capsys.readouterr().err


def test_lots_that_were_changed_are_refused(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An estimate of other lots than the job's would be of no use."""
    del bucket
    write_lots(Path("lots"), ["a", "b"])
    Path("lots/lot-00000.csv").write_text("bucket,a\n", encoding="utf-8")

    assert run(["estimate", "--storage-class", "STANDARD"]) == 1
    assert "was changed after" in capsys.readouterr().err


def test_a_bucket_that_is_not_there(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing bucket is an error, not a job of missing keys."""
    bucket.delete()
    write_lots(Path("lots"), ["a", "b"])

    assert run(["estimate", "--storage-class", "STANDARD"]) == 1
    assert "there is no bucket bucket" in capsys.readouterr().err
