"""A lot read as a stream, from a file and from S3."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from unittest.mock import Mock

import boto3
import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import CUT, Fault, faulty
from worker.contract import LotEntry, format_lot_line
from worker.errors import WorkerError
from worker.s3.clients import state_client
from worker.state import lot
from worker.state.lot import CHUNK_BYTES, first_of, read_lot


def entries(count: int) -> list[LotEntry]:
    """Keys with line ends of all kinds and letters of more than one byte."""
    return [LotEntry(bucket="b", key=f"é\u2028\n{number:06d}" + "x" * 900) for number in range(count)]


@pytest.fixture
def in_s3(aws: str) -> str:
    """A lot of more than one chunk in S3: its endpoint."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="state", Key="lot.csv", Body="".join(map(format_lot_line, entries(5_000))).encode())
    assert s3.head_object(Bucket="state", Key="lot.csv")["ContentLength"] > CHUNK_BYTES
    return aws


def test_a_lot_in_s3_is_read_in_chunks(in_s3: str) -> None:
    """Every entry of a lot larger than a chunk comes out, in order."""
    with faulty(in_s3, lambda _: None) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        read = list(read_lot("s3://state/lot.csv", state_client))

    assert read == entries(5_000)
    assert seen.count("GetObject") == 2


def test_a_cut_connection_is_tried_again(in_s3: str) -> None:
    """A GET of the lot that fails on the way is repeated, and no line is lost or doubled."""
    cut = iter([CUT])

    def decide(_: Request) -> Fault:
        return next(cut, None)

    with faulty(in_s3, decide) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", seen.endpoint)
        read = list(read_lot("s3://state/lot.csv", state_client))

    assert read == entries(5_000)


def test_a_lot_that_changes_while_it_is_read_is_an_error(in_s3: str) -> None:
    """Chunks of two different lots are never mixed."""
    assert in_s3
    reading = read_lot("s3://state/lot.csv", state_client)
    next(reading)
    boto3.client("s3").put_object(Bucket="state", Key="lot.csv", Body=b"b,other\n" * 10**6)

    with pytest.raises(WorkerError, match=r"s3://state/lot.csv was overwritten"):
        list(reading)


@pytest.mark.parametrize(
    ("told", "body"),
    [
        ({}, b"bucket,k\n"),
        ({"ContentRange": "bytes 9-17/18"}, b"bucket,k\n"),
        ({"ContentRange": "bytes 0-8/" + "9" * 5_000}, b"bucket,k\n"),
        ({"ContentRange": "bytes */18"}, b"bucket,k\n"),
        ({"ContentRange": "bytes 0-8/18"}, b""),
        ({"ContentRange": "bytes 0-8/18", "ETag": ""}, b"bucket,k\n"),
    ],
)
def test_other_bytes_than_were_asked_for_are_no_lot(told: dict[str, str], body: bytes) -> None:
    """An answer without its range, with another one, or that ends too soon: the keys behind it aren't left out."""
    odd = Mock()
    odd.get_object.side_effect = lambda **_: {"ETag": '"e"', **told, "Body": BytesIO(body)}

    with pytest.raises(WorkerError, match=r"can't read the lot s3://state/lot\.csv"):
        list(read_lot("s3://state/lot.csv", lambda: odd))


def test_an_empty_lot_has_no_entries(aws: str, tmp_path: Path) -> None:
    """An empty lot is read as such, in S3 and in a file."""
    assert aws
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="state", Key="empty.csv", Body=b"")
    (tmp_path / "empty.csv").touch()

    assert list(first_of(read_lot("s3://state/empty.csv", state_client))) == []
    assert list(first_of(read_lot(str(tmp_path / "empty.csv"), state_client))) == []


@pytest.mark.parametrize(
    ("says", "content"),
    [
        ("line 2: not a manifest line", b"b,k\nb\n"),
        ("line 2: not a manifest line", b"b,k\n\nb,k\n"),
        ("line 1: not UTF-8", b"b,\xff\n"),
        ("line 1: the key isn't URL-encoded UTF-8", b"b,%ff\n"),
    ],
)
def test_a_bad_line_is_named(says: str, content: bytes, tmp_path: Path) -> None:
    """The error names the lot and the line."""
    path = tmp_path / "lot.csv"
    path.write_bytes(content)

    with pytest.raises(WorkerError) as caught:
        list(read_lot(str(path), state_client))

    assert str(caught.value).startswith(f"{path}, {says}")


@pytest.mark.parametrize("uri", ["s3://state/none.csv", "s3://none/lot.csv", "/none/lot.csv", "/"])
def test_a_lot_that_is_not_there_is_named(uri: str, in_s3: str) -> None:
    """A missing object, bucket or file, or a folder, is told with its name, before a key is worked on."""
    assert in_s3
    with pytest.raises(WorkerError, match=f"can't read the lot {uri}: "):
        first_of(lot.read_lot(uri, state_client))


LINES = "".join(f"bucket,k{number}\n" for number in range(20))


@pytest.mark.parametrize(
    ("content", "keys", "told"),
    [
        (LINES, 20, ""),
        (LINES, None, ""),
        (LINES, 21, "it has 20 lines and not 21"),
        (LINES[:-1], 20, "its sha256 is"),
        (LINES.replace("k3", "kX"), 20, "its sha256 is"),
        (LINES.replace("bucket,k3\n", ""), 20, "it has 19 lines and not 20"),
        ("", 20, "it has 0 lines and not 20"),
    ],
)
def test_of_another_lot_no_key_is_read(content: str, keys: int | None, told: str, tmp_path: Path) -> None:
    """Whatever of it is other than what was asked for, its last line's end included."""
    path = tmp_path / "lot.csv"
    path.write_text(content)

    reading = read_lot(str(path), state_client, sha256=sha256(LINES.encode()).hexdigest(), keys=keys)

    if told:
        with pytest.raises(WorkerError, match=rf"lot\.csv isn't the lot that it should be: {told}"):
            next(reading)
    else:
        assert len(list(reading)) == 20


def test_a_lot_that_is_exchanged_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """The second reading is looked at as the first: such a lot never counts as finished."""
    lines = "bucket,".ljust(1_000, "k") + "\n"
    content = lines * (CHUNK_BYTES // len(lines) + 100)
    path = tmp_path / "lot.csv"
    path.write_text(content)
    reading = read_lot(str(path), state_client, sha256=sha256(content.encode()).hexdigest())
    next(reading)

    path.write_text(content[:-3] + "x" + content[-2:])

    with pytest.raises(WorkerError, match="its sha256 is"):
        list(reading)
