"""The copy phase's options, end to end: what is kept, what is deleted, whose bucket it must be."""

import pytest

from tests.worker.proxy import faulty
from tests.worker.running import Job, entry, fake_s3, make_bucket, put, run_here
from worker.contract import Outcome, parse_snapshot_lines, snapshot_of

COPY = ("copy", "--storage-class", "STANDARD_IA")


def version_ids(key: str) -> list[str]:
    """The key's versions, newest first."""
    versions = fake_s3().list_object_versions(Bucket="bucket", Prefix=key).get("Versions", [])
    return [version["VersionId"] for version in versions]


def test_the_audit_keeps_what_each_object_was(aws: str, job: Job) -> None:
    """A snapshot for each key that is copied and for no other, of the object as it was, at no further request."""
    make_bucket()
    put("a", "b")
    put("already", storage_class="STANDARD_IA")
    job.write_lot(map(entry, ["a", "already", "b", "missing"]))
    before = {key: snapshot_of(fake_s3().head_object(Bucket="bucket", Key=key, ChecksumMode="ENABLED")) for key in "ab"}

    with faulty(aws, lambda _: None) as seen:
        assert run_here(job.arguments(*COPY, "--audit"), seen.endpoint) == 3

    (part,) = job.results.glob("audit-*")
    assert part.name == "audit-1-00001.jsonl"
    told = dict(parse_snapshot_lines(part.read_text()))
    assert {one.key: snapshot for one, snapshot in told.items()} == before
    assert before["a"].checksums
    assert len(seen.requests) == 4 + 2 + 1


def test_superseded_versions_are_deleted_only_when_asked_for(aws: str, job: Job) -> None:
    """Without the option every version stays."""
    make_bucket(versioned=True)
    put("a")
    job.write_lot([entry("a")])

    run_here(job.arguments(*COPY), aws)

    assert len(version_ids("a")) == 2


def test_exactly_the_version_that_was_copied_is_deleted(aws: str, job: Job) -> None:
    """Older versions and the copy stay; a small object and one in parts alike."""
    make_bucket(versioned=True)
    for content in (b"older", b"current"):
        for key in ("small", "large"):
            fake_s3().put_object(Bucket="bucket", Key=key, Body=content * (1_000 if key == "large" else 1))
    older = {key: version_ids(key)[1] for key in ("small", "large")}
    job.write_lot(map(entry, ["small", "large"]))

    assert run_here(job.arguments(*COPY, "--delete-superseded", "--multipart-threshold", "5000"), aws) == 0

    for row in job.rows():
        assert version_ids(row.entry.key) == [row.new_version_id, older[row.entry.key]]
        assert row.message.endswith("is deleted")


def test_a_noncurrent_version_is_copied_when_asked_for(aws: str, job: Job) -> None:
    """Its content becomes the current one."""
    make_bucket(versioned=True)
    for content in (b"older", b"newer"):
        fake_s3().put_object(Bucket="bucket", Key="k", Body=content)
    older = version_ids("k")[1]
    job.write_lot([entry("k", older)])

    assert run_here(job.arguments(*COPY), aws) == 3
    assert run_here(job.arguments(*COPY, "--allow-noncurrent", attempt=2), aws) == 0

    answer = fake_s3().get_object(Bucket="bucket", Key="k")
    assert (answer["Body"].read(), answer["StorageClass"]) == (b"older", "STANDARD_IA")
    assert len(version_ids("k")) == 3
    assert "its copy is" in job.rows()[-1].message


@pytest.mark.parametrize("phase", [("restore",), COPY])
def test_who_pays_and_whose_bucket_go_with_every_request(phase: tuple[str, ...], aws: str, job: Job) -> None:
    """In both phases, as headers of all requests to the objects and their bucket."""
    make_bucket()
    put("archived", storage_class="GLACIER")
    put("a", "large-content")
    job.write_lot(map(entry, ["archived", "a", "large-content"]))
    more = ["--multipart-threshold", "5"] if phase == COPY else []
    whose = ["--request-payer", "requester", "--bucket-owner", "123456789012"]

    with faulty(aws, lambda _: None) as seen:
        run_here(job.arguments(*phase, *whose, *more), seen.endpoint)

    assert Outcome.COPIED in job.outcomes().values() or phase != COPY
    for request in seen.requests:
        assert request.headers["x-amz-expected-bucket-owner"] == "123456789012"
        assert request.headers.get("x-amz-request-payer", "") == ("requester" if request.key else "")
        if "x-amz-copy-source" in request.headers:
            assert request.headers["x-amz-source-expected-bucket-owner"] == "123456789012"
