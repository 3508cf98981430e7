"""`s3reclass list`, as typed, against moto."""

import gzip
from pathlib import Path

import boto3
import pytest

from orchestrator.cli import run
from orchestrator.lots.folder import read_lots
from tests.orchestrator.lots.lots_on_disk import iter_entries

OBJECTS = {
    "a/1": "GLACIER",
    "a/2 +%\x01": "DEEP_ARCHIVE",
    'a/q"uo,te': "GLACIER",
    "a/std": "STANDARD",
    "b/other": "GLACIER",
}


@pytest.fixture(autouse=True)
def here(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 (its endpoint is set)
    """A bucket, and the process in an empty folder."""
    monkeypatch.chdir(tmp_path)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key, storage_class in OBJECTS.items():
        s3.put_object(Bucket="my-bucket", Key=key, Body=b"12", StorageClass=storage_class)  # type: ignore[arg-type]  # the class is a variable
    return tmp_path


def test_a_class_of_a_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    """`s3reclass list s3://my-bucket/a/ --storage-class GLACIER` prints those alone."""
    assert run(["list", "s3://my-bucket/a/", "--storage-class", "GLACIER"]) == 0

    out, err = capsys.readouterr()
    assert [line.rsplit(",", 1)[0] for line in out.splitlines()] == ["a/1,2,GLACIER", '"a/q""uo,te",2,GLACIER']
    assert err == "2 of 4 objects under s3://my-bucket/a/ listed in GLACIER\n"


def test_several_classes(capsys: pytest.CaptureFixture[str]) -> None:
    """Classes are named with commas or one by one; without any, every object is listed."""
    assert run(["list", "s3://my-bucket", "--storage-class", "deep_archive,STANDARD"]) == 0
    assert run(["list", "s3://my-bucket", "--storage-class", "DEEP_ARCHIVE", "--storage-class", "STANDARD"]) == 0
    assert run(["list", "--bucket", "my-bucket"]) == 0

    assert [line.split(" objects")[0] for line in capsys.readouterr().err.splitlines()] == [
        "2 of 5",
        "2 of 5",
        "5 of 5",
    ]


@pytest.mark.parametrize("name", ["keys.csv", "keys.csv.gz", "keys"])
def test_split_takes_what_list_writes(here: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """What is listed to a file goes into lots as it is, whatever the file's name."""
    assert run(["list", "s3://my-bucket/", "--output", name]) == 0
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == ("", f"next: s3reclass split {name}")
    assert [path.name for path in here.iterdir()] == [name]
    assert (here / name).read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")

    assert run(["split", name, "--bucket", "my-bucket"]) == 0
    assert [entry.key for entry in iter_entries("lots", read_lots("lots"))] == sorted(OBJECTS)


def test_a_listing_that_breaks_off_leaves_no_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bucket that can't be listed is one line and exit code 1, and no file; one that was there stays."""
    (here / "keys.csv").write_bytes(b"old")

    assert run(["list", "s3://no-bucket/", "--output", "keys.csv"]) == 1
    assert run(["list", "s3://no-bucket/", "--output", "new.csv.gz"]) == 1

    assert "NoSuchBucket" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["keys.csv"]
    assert (here / "keys.csv").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("code", "message", "line"),
    [
        (2, "GLACIR is no class: did you mean GLACIER?", "list s3://my-bucket --storage-class GLACIR"),
        (2, "'my-bucket' is no place in S3", "list my-bucket"),
        (2, "no bucket is named", "list"),
        (1, "nowhere/keys.csv can't be written: No such file", "list s3://my-bucket --output nowhere/keys.csv"),
    ],
)
def test_what_cannot_be_listed(capsys: pytest.CaptureFixture[str], code: int, message: str, line: str) -> None:
    """Wrong usage and a file that can't be written are one line with the right exit code."""
    assert run(line.split()) == code
    assert message in capsys.readouterr().err


def test_an_empty_prefix(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is said, and the file is empty."""
    assert run(["list", "s3://my-bucket/none/", "--output", "keys.csv.gz"]) == 0

    assert capsys.readouterr().err == "0 of 0 objects under s3://my-bucket/none/ listed\n"
    assert gzip.decompress((here / "keys.csv.gz").read_bytes()) == b""
