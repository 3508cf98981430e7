"""Bad input and bad surroundings: one line saying what and what to do next, the right exit code, nothing half done."""

import json
from pathlib import Path

import boto3
import pytest

from tests.end_to_end.conftest import BUCKET, Typed, User


def assert_one_line(typed: Typed, code: int, *words: str) -> None:
    """The command ended with this code, and its last line on standard error has these words; no traceback."""
    assert (typed.code, "Traceback" in typed.err) == (code, False), typed.err
    lines = [line for line in typed.err.splitlines() if line.startswith("s3reclass: ")]
    assert len(lines) == 1, typed.err
    for word in words:
        assert word in lines[0]


@pytest.fixture
def job(user: User) -> User:
    """A user with lots, ready to run."""
    user.archives(["a", "b"])
    user.writes("keys.txt", "a\nb\n")
    assert user.types("s3reclass split keys.txt --lots 2").code == 0
    return user


def state_files(user: User) -> list[Path]:
    """Files of the user's state."""
    return [path for path in (user.folder / ".s3reclass").rglob("*.json") if "tasks" not in path.parts]


def test_no_credentials(job: User) -> None:
    """Nothing that boto3 looks for is there."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del job.environ[name]

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "no AWS credentials were found", "aws sso login")
    assert state_files(job) == []


def test_no_region(job: User) -> None:
    """CloudFormation has no Region to be asked in."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        del job.environ[name]

    typed = job.types("s3reclass status --place fargate")

    assert_one_line(typed, 1, "no AWS Region is set: set AWS_REGION")


def test_a_profile_that_isnt_there(job: User) -> None:
    """AWS_PROFILE names a profile that no file has."""
    job.environ["AWS_PROFILE"] = "nobody"

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "nobody", "AWS_PROFILE")


def test_no_connection(job: User) -> None:
    """Nothing listens at the endpoint."""
    job.environ["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    job.environ["AWS_MAX_ATTEMPTS"] = "1"

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "no connection", "AWS_ENDPOINT_URL")


def test_an_unknown_bucket(user: User) -> None:
    """The lots name a bucket that doesn't exist."""
    user.writes("keys.txt", "a\n")
    user.types("s3reclass split keys.txt --lots 1 --bucket nowhere-at-all")

    typed = user.types("s3reclass run --phase restore --bucket nowhere-at-all")

    assert_one_line(typed, 1, "nowhere-at-all")
    assert state_files(user) == []


def test_a_bucket_in_another_region(user: User) -> None:
    """The bucket is elsewhere: its Region is named."""
    s3 = boto3.client("s3", endpoint_url=user.endpoint, region_name="us-west-2")
    s3.create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    user.writes("keys.txt", "a\n")
    user.types("s3reclass split keys.txt --lots 1 --bucket far-away")

    typed = user.types("s3reclass run --phase restore --bucket far-away")

    assert_one_line(typed, 1, "far-away", "us-west-2", "AWS_REGION")


def test_lots_of_another_bucket(job: User) -> None:
    """The settings name another bucket than the lots."""
    typed = job.types("s3reclass run --phase restore --bucket other")

    assert_one_line(typed, 2, f"are of {BUCKET}", "other")


def test_no_lots(user: User) -> None:
    """`split` was never run."""
    for line in ("run --phase copy", "status", "report", "estimate", "verify"):
        assert_one_line(user.types(f"s3reclass {line}"), 1, "there are no lots in lots/", "s3reclass split")


def test_lots_changed_since_they_were_split(job: User) -> None:
    """Somebody edited a lot: nothing is started on what isn't the job's."""
    (job.folder / "lots/lot-00001.csv").write_text(f"{BUCKET},c\n")

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "lots/lot-00001.csv", "split the key file again")
    assert state_files(job) == []


def test_a_lot_that_is_gone(job: User) -> None:
    """A lot's file was deleted."""
    (job.folder / "lots/lot-00000.csv").unlink()

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "lot-00000.csv is missing")


def test_damaged_lots_json(job: User) -> None:
    """lots.json is half a file."""
    (job.folder / "lots/lots.json").write_text('{"version": 1, "lots"')

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "lots.json is damaged", "s3reclass split")


def test_an_unknown_class(job: User) -> None:
    """A typing error in the class is caught before anything is asked of AWS."""
    typed = job.types("s3reclass run --phase copy --storage-class STANDRAD_IA")

    assert_one_line(typed, 2, "STANDRAD_IA", "did you mean STANDARD_IA?")


def test_another_class_in_the_middle_of_a_job(job: User) -> None:
    """The copy phase goes on with the class that it was begun with."""
    assert job.types("s3reclass run --phase copy").code == 4

    typed = job.types("s3reclass run --phase copy --storage-class STANDARD")

    assert_one_line(typed, 1, "begun with storage class STANDARD_IA", "--state")


def test_a_state_that_cant_be_written(job: User) -> None:
    """A file is in the way of the state's directory."""
    job.writes("in-the-way", "")

    typed = job.types("s3reclass run --phase restore --state in-the-way/state")

    assert_one_line(typed, 1, "in-the-way", "state")


def test_a_state_bucket_that_isnt_there(job: User) -> None:
    """The state's bucket doesn't exist."""
    typed = job.types("s3reclass run --phase restore --state s3://no-such-state/x")

    assert_one_line(typed, 1, "no-such-state", "--state")


def test_damaged_job_json(job: User) -> None:
    """The state holds something else than what we wrote."""
    assert job.types("s3reclass run --phase restore").code == 0
    (path,) = (job.folder / ".s3reclass").glob("*/job.json")
    path.write_text(json.dumps({"version": 99}))

    assert_one_line(job.types("s3reclass status"), 1, "version 99")

    path.write_text("{")
    assert_one_line(job.types("s3reclass status"), 1, "job.json is damaged")


def test_a_local_state_for_fargate(job: User) -> None:
    """Tasks on Fargate can't reach a folder of this machine."""
    job.writes(
        "s3reclass.toml",
        f'bucket = "{BUCKET}"\nplace = "fargate"\nstate = "here"\n[fargate]\ncluster = "c"\nrepository = "worker"\n'
        'task_role_arn = "arn:aws:iam::123456789012:role/t"\nexecution_role_arn = "arn:aws:iam::123456789012:role/e"\n'
        'log_group = "l"\nsubnets = ["subnet-1"]\nsecurity_groups = ["sg-1"]\n',
    )

    assert_one_line(job.types("s3reclass run --phase restore"), 2, "--state here", "s3://bucket/prefix")


def test_no_image_in_ecr(job: User) -> None:
    """`run` on Fargate before `push-image`."""
    boto3.client("ecr", endpoint_url=job.endpoint).create_repository(repositoryName="worker")
    job.writes(
        "s3reclass.toml",
        f'bucket = "{BUCKET}"\nplace = "fargate"\nstate = "s3://{BUCKET}/state"\n[fargate]\ncluster = "c"\n'
        'repository = "worker"\ntask_role_arn = "arn:aws:iam::123456789012:role/t"\n'
        'execution_role_arn = "arn:aws:iam::123456789012:role/e"\n'
        'log_group = "l"\nsubnets = ["subnet-1"]\nsecurity_groups = ["sg-1"]\n',
    )

    assert_one_line(job.types("s3reclass run --phase restore"), 1, "image", "s3reclass push-image")


@pytest.mark.parametrize("line", ["status", "report", "logs 0", "stop"])
def test_no_stack(job: User, line: str) -> None:
    """Looking at a job on Fargate when there is no stack."""
    assert_one_line(job.types(f"s3reclass {line} --place fargate"), 1, "there is no stack s3reclass", "s3reclass up")


def test_key_files_that_cant_be_read(user: User) -> None:
    """A directory, nothing at all, and text that isn't UTF-8: each is named, and no lots are left."""
    (user.folder / "folder.txt").mkdir()
    (user.folder / "latin.txt").write_bytes(b"good\ncaf\xe9\n")

    for name, word in (("folder.txt", "directory"), ("absent.txt", "absent.txt"), ("latin.txt", "line 2")):
        typed = user.types(f"s3reclass split {name} --lots 2")

        assert typed.code in (1, 2)
        assert_one_line(typed, typed.code, name, word)
        assert not (user.folder / "lots").exists()
