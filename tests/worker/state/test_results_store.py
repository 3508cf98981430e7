"""The results folder: what both of its kinds promise, and what each does in trouble."""

import os
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import GARBLE, LOSE, SHORT, Fault, Reply, faulty
from worker.errors import WorkerError
from worker.s3.clients import state_client
from worker.state.results_store import S3Store, Store, open_store, split_s3_uri

Open = Callable[[str], Store]


@pytest.fixture(params=["directory", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens a results folder by its path below the state, in a directory or in S3."""
    if request.param == "directory":
        return lambda folder: open_store(str(tmp_path / folder), state_client)
    request.getfixturevalue("aws")
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return lambda folder: open_store(f"s3://state/{folder}", state_client)


def test_a_folder_that_does_not_exist_is_empty(opened: Open) -> None:
    """Before the first result there is nothing, and that is no error."""
    assert opened("job/copy/lot-00000/").names() == []


def test_what_was_created_is_read_and_listed(opened: Open) -> None:
    """A file comes back as it was written, and its name is listed; no other file appears."""
    store = opened("job/copy/lot-00000/")

    assert store.create("results-1-00001.csv", b"rows\n")

    assert store.read("results-1-00001.csv") == b"rows\n"
    assert store.names() == ["results-1-00001.csv"]


def test_the_slash_at_the_end_does_not_matter(opened: Open) -> None:
    """A folder's URI means the same with and without `/` at its end, and isn't its neighbour with a longer name."""
    opened("job/lot-1/").create("a", b"1")
    opened("job/lot-10").create("b", b"2")

    assert opened("job/lot-1").names() == ["a"]
    assert opened("job/lot-1").where("a").endswith("job/lot-1/a")


def test_a_taken_name_is_not_overwritten(opened: Open) -> None:
    """Creating a file that is there already changes nothing, and says so."""
    store = opened("folder")
    store.create("part", b"first")

    assert not store.create("part", b"second")

    assert store.read("part") == b"first"
    assert store.names() == ["part"]


def test_creating_the_same_file_again_is_harmless(opened: Open) -> None:
    """The same name with the same content counts as created: an answer may have been lost."""
    store = opened("folder")
    store.create("part", b"first")

    assert store.create("part", b"first")


def test_a_file_can_be_replaced(opened: Open) -> None:
    """Replacing makes a file or overwrites it."""
    store = opened("folder")
    store.replace("progress.json", b"1")
    store.replace("progress.json", b"2")

    assert store.read("progress.json") == b"2"
    assert store.names() == ["progress.json"]


def test_a_missing_file_is_named(opened: Open) -> None:
    """Reading what isn't there is an error with the file's URI."""
    store = opened("folder")

    with pytest.raises(WorkerError) as caught:
        store.read("part")

    assert store.where("part") in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_named(tmp_path: Path) -> None:
    """A directory that can't be written to is told with the file's path."""
    tmp_path.chmod(0o500)

    with pytest.raises(WorkerError, match=r"can't write .*Permission denied"):
        open_store(str(tmp_path / "folder"), state_client).replace("part", b"")


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    """A path that is a file can be neither listed nor written to."""
    (tmp_path / "folder").touch()
    store = open_store(str(tmp_path / "folder"), state_client)

    with pytest.raises(WorkerError, match=r"can't list .*folder"):
        store.names()
    with pytest.raises(WorkerError, match=r"can't write .*folder"):
        store.create("part", b"x")


def test_an_unknown_bucket_is_named(aws: str) -> None:
    """Each operation on a bucket that doesn't exist says which one it was."""
    assert aws
    store = open_store("s3://none/folder", state_client)

    for attempt in (store.names, lambda: store.create("part", b"x"), lambda: store.replace("part", b"x")):
        with pytest.raises(WorkerError, match=r"s3://none/folder/.*NoSuchBucket"):
            attempt()


@pytest.mark.parametrize("answers", [[LOSE], [LOSE, SHORT], [LOSE, GARBLE]], ids=["told", "cut off", "garbled"])
def test_a_put_whose_answer_is_lost_is_not_written_twice(answers: list[Fault], aws: str) -> None:
    """Botocore sends it again until S3 says plainly that the name is taken, and it is ours that took it."""
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    faults = iter(answers)

    def decide(request: Request) -> Fault:
        return next(faults, None) if request.operation == "PutObject" else None

    with faulty(aws, decide) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        store = open_store("s3://state/folder", state_client)

        assert store.create("part", b"rows")
        assert store.names() == ["part"]
    assert seen.count("PutObject") == 1 + len(answers)


@pytest.mark.parametrize(("conflicts", "works"), [(2, True), (50, False)])
def test_a_conflicting_put_is_tried_again(conflicts: int, works: bool, aws: str) -> None:  # noqa: FBT001 (a table)
    """409 ConditionalRequestConflict means to ask again, for a while."""
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    faults = iter([Reply(409, "ConditionalRequestConflict")] * conflicts)
    slept: list[float] = []

    def decide(request: Request) -> Fault:
        return next(faults, None) if request.operation == "PutObject" else None

    with faulty(aws, decide) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        store = S3Store(state_client(), "state", "folder/", sleep=slept.append)
        if works:
            assert store.create("part", b"rows")
        else:
            with pytest.raises(WorkerError, match="ConditionalRequestConflict"):
                store.create("part", b"rows")
    assert slept == sorted(slept)
    assert slept


@pytest.mark.parametrize(
    ("expected", "uri"),
    [
        (("b", "a/b"), "s3://b/a/b"),
        (("b", ""), "s3://b"),
        (None, "/state/s3://b"),
        (None, "relative/path"),
    ],
)
def test_uris_are_s3_or_paths(expected: tuple[str, str] | None, uri: str) -> None:
    """What begins with s3:// is in S3, everything else is a path."""
    assert expected == split_s3_uri(uri)


def test_a_uri_without_a_bucket_is_an_error() -> None:
    """`s3:///key` names nothing."""
    with pytest.raises(WorkerError, match="names no bucket"):
        split_s3_uri("s3:///key")
