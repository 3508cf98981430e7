"""Both stores of the state, held to the same promises."""

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.state.s3_state import CHUNK_BYTES
from orchestrator.state.state_store import DirectoryStore, StateStore, open_store
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import LOSE, SHORT, Fault, faulty

Opener = Callable[[], StateStore]


@pytest.fixture(params=["directory", "s3"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """A way to open the same state again."""
    if request.param == "directory":
        return lambda: open_store(str(tmp_path / "state"))
    request.getfixturevalue("aws")
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return lambda: open_store("s3://state/some/prefix/")


def test_what_is_written_is_read_by_another(opener: Opener) -> None:
    """A file is there, whole, for whoever opens the state next; and can be replaced."""
    opener().write("job/job.json", b"one")
    opener().write("job/job.json", b"two")

    assert opener().read("job/job.json") == b"two"


def test_a_file_that_isnt_there_is_none(opener: Opener) -> None:
    """Absence is an answer, not an error."""
    assert opener().read("job/job.json") is None


def test_many_are_read_at_once_and_the_absent_left_out(opener: Opener) -> None:
    """Only what exists is in the answer."""
    store = opener()
    for number in range(30):
        store.write(f"job/{number}", str(number).encode())

    found = store.read_many([f"job/{number}" for number in range(40)])

    assert found == {f"job/{number}": str(number).encode() for number in range(30)}


def test_names_are_those_below_the_folder(opener: Opener) -> None:
    """Whole paths, from every depth, of this folder alone."""
    store = opener()
    for path in ("job/restore/lot-00000/a", "job/restore/lot-00001/b", "job/restored/c", "job/job.json"):
        store.write(path, b"")

    assert sorted(store.names("job/restore/")) == ["job/restore/lot-00000/a", "job/restore/lot-00001/b"]
    assert list(store.names("job/copy/")) == []


def test_a_file_is_read_in_chunks(opener: Opener) -> None:
    """Whatever its size: larger than a chunk, empty, or not there at all."""
    store = opener()
    large = bytes(range(256)) * (CHUNK_BYTES // 256 + 1)
    store.write("job/large", large)
    store.write("job/empty", b"")

    chunks = list(store.chunks("job/large"))

    assert b"".join(chunks) == large
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES, 256]
    assert list(store.chunks("job/empty")) == []
    assert list(store.chunks("job/nothing")) == []


def test_a_local_file_is_copied_there(opener: Opener, tmp_path: Path) -> None:
    """As it is; one that can't be read is named."""
    source = tmp_path / "lot.csv"
    source.write_bytes(b"bucket,key\n" * 1_000)

    opener().write_file("job/lots/lot-00000.csv", source)

    assert opener().read("job/lots/lot-00000.csv") == source.read_bytes()
    with pytest.raises(S3ReclassError, match=r"gone\.csv can't be read: No such file"):
        opener().write_file("job/lots/lot-00000.csv", tmp_path / "gone.csv")


def test_a_file_is_written_only_by_whoever_knows_what_is_there(opener: Opener) -> None:
    """The first needs that there is none, each later one the tag of the last; the others change nothing."""
    store, path = opener(), "job/lease.json"
    first = store.write_if(path, b"one", None)

    assert first is not None
    assert store.write_if(path, b"two", None) is None
    second = opener().write_if(path, b"two", first)
    assert second is not None
    assert store.write_if(path, b"three", first) is None
    found = store.read_stamped(path)
    assert found is not None
    assert (found.data, found.tag) == (b"two", second)
    assert -2 <= found.age_s < 600
    assert list(store.names("job/")) == [path]


def test_a_conditional_write_needs_the_file_to_be_there(opener: Opener) -> None:
    """One that was removed meanwhile has been changed."""
    store = opener()

    assert store.read_stamped("job/lease.json") is None
    assert store.write_if("job/lease.json", b"two", "0" * 32) is None
    assert store.read("job/lease.json") is None


@pytest.mark.parametrize("answers", [[LOSE], [LOSE, SHORT]], ids=["told", "cut off"])
def test_a_conditional_write_that_was_sent_twice_has_succeeded(answers: list[Fault], aws: str) -> None:
    """Its first answer was lost, and botocore's next try whose answer arrives finds what the first has written."""
    boto3.client("s3").create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    faults = iter(answers)

    def decide(request: Request) -> Fault:
        return next(faults, None) if request.operation == "PutObject" else None

    with faulty(aws, decide) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        store = open_store("s3://state")
        tag = store.write_if("lease.json", b"ours", None)

        assert tag is not None
        assert seen.count("PutObject") == 1 + len(answers)
        assert store.write_if("lease.json", b"ours", None) == tag
        assert store.write_if("lease.json", b"theirs", None) is None


def test_uris_are_what_a_worker_is_told(aws: str, tmp_path: Path) -> None:
    """S3 URIs keep the prefix; a directory's are absolute; a folder keeps its slash."""
    assert aws
    assert open_store("s3://state/p/").uri("job/lots/x.csv") == "s3://state/p/job/lots/x.csv"
    assert open_store("s3://state").uri("job/restore/lot/") == "s3://state/job/restore/lot/"
    assert DirectoryStore(tmp_path).uri("job/restore/lot/") == f"{tmp_path}/job/restore/lot/"


def test_a_write_in_progress_isnt_listed(tmp_path: Path) -> None:
    """Whoever was killed before the rename left a dot file, and nobody takes it for state."""
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / ".half").write_bytes(b"ha")

    assert list(DirectoryStore(tmp_path).names("job/")) == []


def test_a_bucket_that_isnt_there_is_named(aws: str) -> None:
    """Reading, listing and writing say what to do."""
    assert aws
    store = open_store("s3://nowhere/p")
    message = "the state's bucket nowhere doesn't exist: run `s3reclass up`"

    with pytest.raises(S3ReclassError, match=message):
        store.read("job/job.json")
    with pytest.raises(S3ReclassError, match=message):
        list(store.names("job/"))
    with pytest.raises(S3ReclassError, match=message):
        store.write("job/job.json", b"")
    with pytest.raises(S3ReclassError, match=message):
        store.write_if("job/lease.json", b"", None)


def test_a_directory_that_cant_be_written_is_named(tmp_path: Path) -> None:
    """A file stands where the state should be."""
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(S3ReclassError, match=r"the state can't be written: .*name another place with --state"):
        open_store(str(tmp_path / "state")).write("job/job.json", b"")


@pytest.mark.usefixtures("small_files")
def test_a_write_that_failed_leaves_no_file(tmp_path: Path) -> None:
    """The folder would fill with them, of a job that writes every few seconds; what was there stays."""
    store = DirectoryStore(tmp_path)
    store.write("job/progress.json", b"old")

    with pytest.raises(S3ReclassError, match=r"the state can't be written: .*File too large"):
        store.write("job/progress.json", bytes(10_000))

    assert [path.name for path in (tmp_path / "job").iterdir()] == ["progress.json"]
    assert store.read("job/progress.json") == b"old"
