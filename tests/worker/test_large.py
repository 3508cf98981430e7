"""Large objects in a lot: beside the small ones, interrupted, killed, and finished by the next attempt."""

import itertools
import json
import signal
import threading
from collections.abc import Callable

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import LOSE, Fault, Reply, faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, run_here, start
from worker.contract import Outcome

MIB = 1024**2
LARGE = b"x" * (11 * MIB)
COPY = ("copy", "--storage-class", "STANDARD_IA", "--multipart-threshold", str(MIB), "--part-size", str(5 * MIB))


@pytest.fixture
def lot(aws: str, job: Job) -> str:
    """One large object and four small ones behind it, on a versioned bucket: the fake AWS's endpoint."""
    make_bucket(versioned=True)
    fake_s3().put_object(Bucket="bucket", Key="large", Body=LARGE, Metadata={"a": "b"}, Tagging="t=1")
    put("s1", "s2", "s3", "s4")
    job.write_lot(map(entry, ["large", "s1", "s2", "s3", "s4"]))
    return aws


def uploads() -> list[object]:
    """Uploads in parts that were begun and neither completed nor aborted."""
    return [*fake_s3().list_multipart_uploads(Bucket="bucket").get("Uploads", [])]


def hold(operation: str, release: threading.Event, reached: threading.Event) -> Callable[[Request], Fault]:
    """A server that keeps the requests of an operation waiting."""

    def decide(request: Request) -> Fault:
        if request.operation == operation:
            reached.set()
            release.wait(120)
        return None

    return decide


def test_a_large_object_does_not_hold_up_the_small_ones(lot: str, job: Job) -> None:
    """With one thread for keys, four small objects are copied while the large one before them waits for its parts."""
    small, every_small, under_way = itertools.count(1), threading.Event(), threading.Event()

    def decide(request: Request) -> Fault:
        if request.operation == "UploadPartCopy":
            under_way.set()
            assert every_small.wait(60)
        if request.operation == "CopyObject":
            assert under_way.wait(60)
            if next(small) == 4:
                every_small.set()
        return None

    with faulty(lot, decide) as seen:
        assert run_here(job.arguments(*COPY, "--threads", "1"), seen.endpoint) == 0

    order = [request.operation for request in seen.requests]
    assert order.index("UploadPartCopy") < len(order) - order[::-1].index("CopyObject")
    assert set(job.outcomes().values()) == {Outcome.COPIED}
    assert fake_s3().get_object(Bucket="bucket", Key="large")["Body"].read() == LARGE


def test_sigterm_in_the_middle_of_a_large_object_gives_it_up(lot: str, job: Job) -> None:
    """It can't take hours: the upload is aborted, the key has no result, what was done is recorded, exit code 75."""
    release, reached = threading.Event(), threading.Event()
    with (
        faulty(lot, hold("UploadPartCopy", release, reached)) as seen,
        start(job.arguments(*COPY), AWS_ENDPOINT_URL=seen.endpoint) as process,
    ):
        assert reached.wait(120)
        for _ in range(600):
            if seen.count("CopyObject") == 4:
                break
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGTERM)
        threading.Timer(1, release.set).start()
        _, log = process.communicate(timeout=40)

    assert process.returncode == 75, log
    assert job.outcomes() == dict.fromkeys(["s1", "s2", "s3", "s4"], Outcome.COPIED)
    assert uploads() == []

    assert run_here(job.arguments(*COPY, attempt=2), lot) == 0
    assert job.outcomes()["large"] is Outcome.COPIED


def test_a_kill_in_the_middle_of_a_large_object_leaves_no_upload_behind(lot: str, job: Job) -> None:
    """After SIGKILL the upload is still there; the next attempt aborts it, and no stranger's, and copies the object."""
    release, reached = threading.Event(), threading.Event()
    stranger = fake_s3().create_multipart_upload(Bucket="bucket", Key="large")["UploadId"]
    with (
        faulty(lot, hold("UploadPartCopy", release, reached)) as seen,
        start(job.arguments(*COPY), AWS_ENDPOINT_URL=seen.endpoint) as process,
    ):
        assert reached.wait(120)
        process.kill()
        process.communicate(timeout=300)
        release.set()
    assert len(uploads()) == 2

    assert run_here(job.arguments(*COPY, attempt=2), lot, speed=50) == 0

    left = fake_s3().list_multipart_uploads(Bucket="bucket")["Uploads"]
    assert [upload["UploadId"] for upload in left] == [stranger]
    assert job.outcomes()["large"] is Outcome.COPIED
    head = fake_s3().head_object(Bucket="bucket", Key="large")
    assert (head["StorageClass"], head["Metadata"]) == ("STANDARD_IA", {"a": "b"})


@pytest.mark.parametrize("fault", [LOSE, Reply(500, "InternalError")])
def test_a_completion_without_an_answer_is_looked_for(fault: Fault, lot: str, job: Job) -> None:
    """Made or not, the object ends in its class, once, and no upload stays."""
    faults = iter([fault])

    def decide(request: Request) -> Fault:
        return next(faults, None) if request.method == "POST" and "uploadId" in request.query else None

    with faulty(lot, decide) as seen:
        assert run_here(job.arguments(*COPY), seen.endpoint) == 0

    assert job.outcomes()["large"] is Outcome.COPIED
    versions = fake_s3().list_object_versions(Bucket="bucket", Prefix="large")["Versions"]
    assert len(versions) == 2
    assert uploads() == []


def test_the_notes_of_uploads_stand_with_the_results(lot: str, job: Job) -> None:
    """One for the large key, which names it and its upload."""
    run_here(job.arguments(*COPY), lot)

    (note,) = job.results.glob("uploads-1-*.json")
    told = json.loads(note.read_text())
    assert (told["bucket"], told["key"], len(told["upload_ids"])) == ("bucket", "large", 1)
