"""The worker as a process, end to end, against a fake S3: the commands that a container runs."""

import json
from pathlib import Path

import pytest

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, Reply, faulty
from tests.worker.running import ROOT, Job, entry, fake_s3, make_bucket, put, restore, run, run_here
from tests.worker.server import Server
from worker.contract import OUTCOMES, LotEntry, Outcome, Phase, Tally

AWKWARD = 'a b+,"%2C";é\u2028$(x)&?#'
"""Not a line end, nor another control character: moto's server can't route those."""


def refuse(request: Request) -> Fault:
    """What moto can't be brought to say."""
    for word, fault in {
        "denied": Reply(403, "AccessDenied", "no policy allows it"),
        "changed": Reply(412, "PreconditionFailed"),
        "error": Reply(400, "InvalidRequest", "an unknown refusal"),
        "in-progress": Reply(409, "RestoreAlreadyInProgress"),
    }.items():
        if request.key == word and request.operation in ("CopyObject", "RestoreObject"):
            return fault
    return None


# python -m worker restore --lot lot.csv --results results --attempt 1 --days 7 --tier Bulk
def test_restore_reaches_every_outcome_of_its_table(aws: str, job: Job) -> None:
    """A lot with one key for each outcome of restore gives exactly those, and exit code 3."""
    make_bucket()
    put(AWKWARD, "extended", "in-progress", "denied", "error", storage_class="GLACIER")
    put("not-archived")
    restore("extended")
    keys = [AWKWARD, "extended", "in-progress", "not-archived", "missing", "denied", "error"]
    job.write_lot(map(entry, keys))

    with faulty(aws, refuse) as seen:
        code, log = run(job.arguments("restore", "--days", "7", "--tier", "Bulk"), AWS_ENDPOINT_URL=seen.endpoint)

    assert code == 3
    assert job.outcomes() == {AWKWARD: Outcome.REQUESTED} | {key: Outcome(key) for key in keys[1:]}
    assert set(job.outcomes().values()) == set(OUTCOMES[Phase.RESTORE]) - {Outcome.UNSUPPORTED}
    assert [json.loads(line)["message"] for line in log.splitlines()] == ["started", "finished"]


# python -m worker copy --lot lot.csv --results results --attempt 1 --storage-class STANDARD_IA
def test_copy_reaches_every_outcome_of_its_table(aws: str, job: Job) -> None:
    """A lot with one key for each outcome of copy gives exactly those, and exit code 3."""
    make_bucket(versioned=True)
    put(AWKWARD, "pending", "changed", storage_class="GLACIER")
    put("denied", "error", "unsupported")
    put("already", storage_class="STANDARD_IA")
    restore(AWKWARD, "changed")
    s3 = fake_s3()
    noncurrent = s3.head_object(Bucket="bucket", Key="unsupported")["VersionId"]
    put("unsupported")
    keys = [AWKWARD, "already", "pending", "missing", "denied", "changed", "error"]
    job.write_lot([*map(entry, keys), entry("unsupported", noncurrent)])

    with faulty(aws, refuse) as seen:
        code, _ = run(job.arguments("copy", "--storage-class", "STANDARD_IA"), AWS_ENDPOINT_URL=seen.endpoint)

    assert code == 3
    assert job.outcomes() == {
        AWKWARD: Outcome.COPIED,
        "unsupported": Outcome.UNSUPPORTED,
        **{key: Outcome(key) for key in keys[1:]},
    }
    assert set(job.outcomes().values()) == set(OUTCOMES[Phase.COPY])
    head = s3.head_object(Bucket="bucket", Key=AWKWARD)
    assert (head["StorageClass"], head["Metadata"]) == ("STANDARD_IA", {"a": "b"})
    copied = next(row for row in job.rows() if row.entry.key == AWKWARD)
    assert (copied.new_version_id, copied.size_bytes) == (head["VersionId"], len(AWKWARD.encode()))


@pytest.mark.parametrize(
    ("code", "keys"),
    [(0, ["good", "already"]), (4, ["good", "pending"]), (3, ["good", "pending", "missing"]), (0, [])],
)
def test_the_exit_code_sums_up(code: int, keys: list[str], aws: str, job: Job) -> None:
    """0 for good outcomes only and for an empty lot, 4 with a pending key, 3 with a failed one."""
    make_bucket()
    put("good")
    put("already", storage_class="STANDARD_IA")
    put("pending", storage_class="GLACIER")
    job.write_lot(map(entry, keys))

    assert run_here(job.arguments("copy", "--storage-class", "STANDARD_IA"), aws) == code

    done = job.done()
    assert done
    assert (done.keys, done.processed, done.exit_code) == (len(keys), len(keys), code)


def test_the_state_can_be_in_s3(aws: str, job: Job) -> None:
    """Lot and results under an s3:// prefix work as on the disk."""
    make_bucket()
    make_bucket("state")
    put("a", "b")
    job.write_lot([entry("a"), entry("b")])
    s3 = fake_s3()
    s3.put_object(Bucket="state", Key="p/job/lots/lot-00000.csv", Body=(job.folder / "lot.csv").read_bytes())

    what = ["--lot", "s3://state/p/job/lots/lot-00000.csv", "--results", "s3://state/p/job/copy/lot-00000/"]
    code, _ = run(
        ["copy", *what, "--attempt", "1", "--storage-class", "GLACIER_IR"],
        AWS_ENDPOINT_URL=aws,
    )

    assert code == 0
    names = {item["Key"] for item in s3.list_objects_v2(Bucket="state", Prefix="p/job/copy/")["Contents"]}
    assert names == {f"p/job/copy/lot-00000/{name}" for name in ("results-1-00001.csv", "progress.json", "done-1.json")}
    tally = Tally.from_json(s3.get_object(Bucket="state", Key="p/job/copy/lot-00000/done-1.json")["Body"].read())
    assert (tally.keys, tally.outcomes) == (2, {Outcome.COPIED: 2})
    assert tally.requests == 2 * 2 + 1


@pytest.mark.parametrize(
    ("says", "lot"),
    [
        ("lot.csv, line 2: not a manifest line", "bucket,a\nnonsense\n"),
        ("lot.csv, line 1: not a manifest line", "nonsense\n"),
        ("can't read the lot", None),
    ],
)
def test_an_unreadable_lot_stops_the_task(says: str, lot: str | None, aws: str, job: Job) -> None:
    """Exit code 1, one line that names the place, no tally; what was done before it is recorded."""
    make_bucket()
    put("a")
    if lot is not None:
        (job.folder / "lot.csv").write_text(lot)

    code, log = run(job.arguments("copy", "--storage-class", "STANDARD_IA"), AWS_ENDPOINT_URL=aws)

    assert code == 1
    assert says in json.loads(log.splitlines()[-1])["message"]
    assert job.done() is None
    assert job.outcomes() == ({"a": Outcome.COPIED} if lot and lot.startswith("bucket,a") else {})


def test_a_damaged_part_stops_the_task(aws: str, job: Job) -> None:
    """A part that can't be read is named, and no key is touched."""
    make_bucket()
    put("a")
    job.write_lot([entry("a")])
    job.results.mkdir()
    (job.results / "results-1-00001.csv").write_text("bucket,a,,succ")

    with faulty(aws, lambda _: None) as seen:
        code, log = run(
            job.arguments("copy", "--storage-class", "STANDARD_IA", attempt=2), AWS_ENDPOINT_URL=seen.endpoint
        )

    assert code == 1
    assert "results-1-00001.csv is damaged" in json.loads(log)["message"]
    assert seen.requests == []


def test_a_state_that_cannot_be_written_stops_the_task_before_the_first_key(aws: str, job: Job) -> None:
    """The results folder is tried first: exit code 1, and no object is touched."""
    make_bucket()
    put("a")
    job.write_lot([entry("a")])
    job.results.touch()

    with faulty(aws, lambda _: None) as seen:
        code, log = run(job.arguments("copy", "--storage-class", "STANDARD_IA"), AWS_ENDPOINT_URL=seen.endpoint)

    assert code == 1
    assert str(job.results) in json.loads(log)["message"]
    assert seen.requests == []


def test_no_credentials_are_told_in_one_line(job: Job) -> None:
    """Without any credentials nothing is tried: exit code 1."""
    job.write_lot([entry("a")])

    code, log = run(job.arguments("restore"), AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")

    assert code == 1
    assert json.loads(log)["message"].startswith("no credentials: ")


def test_wrong_usage_is_exit_code_2() -> None:
    """A command line that can't be meant says how it is used."""
    code, log = run(["copy", "--lot", "x"])

    assert code == 2
    assert "usage: python -m worker copy" in log


def test_the_worker_needs_nothing_of_the_orchestrator(tmp_path: Path, job: Job, aws: str) -> None:
    """In a container only the worker's own folder is there."""
    (tmp_path / "worker").symlink_to(ROOT / "worker")
    job.write_lot([LotEntry(bucket="none", key="a")])

    code, log = run(job.arguments("restore"), AWS_ENDPOINT_URL=aws, PYTHONPATH=str(tmp_path))

    assert code == 3, log
    assert job.outcomes() == {"a": Outcome.MISSING}


def test_the_budget_is_kept_and_every_request_counted(aws: str, job: Job) -> None:
    """The tally tells how many requests were sent, HEADs and the question about the bucket included."""
    make_bucket()
    put("a", "b", "c")
    job.write_lot(map(entry, ["a", "b", "c", "missing"]))

    with faulty(aws, lambda _: None) as seen:
        run_here(job.arguments("copy", "--storage-class", "STANDARD_IA", "--rate", "100"), seen.endpoint)

    done = job.done()
    assert done
    assert done.requests == len(seen.requests) == 4 + 3 + 1
    assert isinstance(seen, Server)
