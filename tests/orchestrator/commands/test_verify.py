"""`s3reclass verify`, as typed."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.cli import run
from tests.orchestrator.lots.lots_on_disk import write_lots


@pytest.fixture
def bucket(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001 (the server must be there)
    """A bucket on moto's server, in a folder whose settings name STANDARD_IA."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S3RECLASS_STORAGE_CLASS", "STANDARD_IA")
    monkeypatch.delenv("S3RECLASS_LOTS_DIR", raising=False)
    made = boto3.resource("s3").Bucket("bucket")
    made.create(CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return made


def fill(bucket: Any, storage_class: str, *keys: str) -> None:
    """Put objects into the bucket."""
    for key in keys:
        bucket.put_object(Key=key, Body=b"x", StorageClass=storage_class)


def test_every_key_in_the_class(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass verify` ends with 0 and says how many it looked at."""
    fill(bucket, "STANDARD_IA", "a", "b", "c")
    made = write_lots(Path("lots"), ["a", "b"], ["c"])

    assert run(["verify"]) == 0

    captured = capsys.readouterr()
    assert captured.out == f"looked at all 3 keys of job {made.job}: 3 in STANDARD_IA\n  in-class     3\n"
    assert captured.err.startswith("only the class is looked at, nothing is compared: there is no stack s3reclass")


def test_what_is_not_in_the_class_is_named(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass verify --csv rows.csv` ends with 3, names the keys and writes a row for each, without a header."""
    fill(bucket, "STANDARD_IA", "good")
    fill(bucket, "GLACIER", "cold, é")
    made = write_lots(Path("lots"), ["good", "cold, é", "none"])

    assert run(["verify", "--csv", "rows.csv"]) == 3

    out = capsys.readouterr().out
    assert out.startswith(f"looked at all 3 keys of job {made.job}: 1 in STANDARD_IA\n")
    assert "other-class: s3://bucket/cold%2C%20%C3%A9: GLACIER\n" in out
    assert "missing: s3://bucket/none: no such key or version\n" in out
    assert out.endswith("all of them: rows.csv\n")
    assert sorted(Path("rows.csv").read_text(encoding="utf-8").splitlines()) == [
        "bucket,cold%2C%20%C3%A9,,other-class,GLACIER,",
        "bucket,none,,missing,,no such key or version",
    ]
    assert sorted(path.name for path in Path().iterdir()) == ["lots", "rows.csv"]


def test_only_the_first_20_are_named(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Of many keys that differ the first 20 are printed, the others counted."""
    del bucket
    write_lots(Path("lots"), [str(number) for number in range(25)])

    assert run(["verify"]) == 3

    out = capsys.readouterr().out
    assert out.count("missing: s3://bucket/") == 20
    assert "... and 5 more\n" in out


def test_a_sample_is_told_as_one(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass verify --sample 4` looks at 4 keys and doesn't say that all are well."""
    keys = [str(number) for number in range(20)]
    fill(bucket, "STANDARD_IA", *keys)
    made = write_lots(Path("lots"), keys)

    assert run(["verify", "--sample", "4"]) == 0
    assert f"looked at 4 of 20 keys, chosen at random, of job {made.job}: 4 in STANDARD_IA\n" in capsys.readouterr().out


def test_the_current_version_counts(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A lot that names an archived version is well when the copy, a newer version, is in the class."""
    bucket.Versioning().enable()
    old = bucket.put_object(Key="a", Body=b"x", StorageClass="GLACIER").version_id
    bucket.put_object(Key="a", Body=b"x", StorageClass="STANDARD_IA")
    write_lots(Path("lots"), ["a"], version_id=old)

    assert run(["verify"]) == 0
    assert ": 1 in STANDARD_IA\n" in capsys.readouterr().out


@pytest.mark.parametrize("csv", ["no/such/folder/rows.csv", "lots/lot-00000.csv/rows.csv"])
def test_a_csv_that_cannot_be_written(csv: str, bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that can't be written is told before any key is looked at."""
    del bucket
    write_lots(Path("lots"), ["a"])

    assert run(["verify", "--csv", csv]) == 1
    assert f"{csv} can't be written" in capsys.readouterr().err


def test_a_missing_bucket_leaves_no_half_file(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A verify that stops leaves the earlier file as it was, and nothing beside it."""
    bucket.delete()
    write_lots(Path("lots"), ["a"])
    Path("rows.csv").write_text("earlier\n", encoding="utf-8")

    assert run(["verify", "--csv", "rows.csv"]) == 1

    assert "there is no bucket bucket" in capsys.readouterr().err
    assert Path("rows.csv").read_text(encoding="utf-8") == "earlier\n"
    assert sorted(path.name for path in Path().iterdir()) == ["lots", "rows.csv"]


def test_no_class_and_no_lots(bucket: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without lots, or without a target class, verify says what to do."""
    del bucket

    assert run(["verify"]) == 1
    assert "run `s3reclass split` first" in capsys.readouterr().err
    monkeypatch.delenv("S3RECLASS_STORAGE_CLASS")
    assert run(["verify"]) == 2
    assert "no target class is named" in capsys.readouterr().err
