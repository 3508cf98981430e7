"""`s3reclass run` as a process, killed at its n-th write into the state, and typed again."""

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from tests.end_to_end.conftest import BUCKET, User
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import CUT, Fault, faulty

# Five commands one after another, each a process with tasks of its own.
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

KEYS = [f"reel {number}" for number in range(12)]
LAUNCHERS_OWN = ("lease.json", "job.json", "rate.json", ".csv", "started-1.json")
LINE = "s3reclass run --phase copy --no-estimate --rate 40 --max-tasks 2"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 8, 10])
def test_killed_and_typed_again(number: int, aws: str, tmp_path: Path) -> None:
    """SIGKILL before the write gets through: the same line finishes the job, and each object has been copied once."""
    user = User(tmp_path, aws)
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    location: object = {"LocationConstraint": "eu-west-1"}
    user.s3.create_bucket(Bucket="state", CreateBucketConfiguration=location)  # type: ignore[arg-type]  # as AWS has it
    user.archives(KEYS, "STANDARD")
    user.writes("keys.txt", "\n".join(KEYS))
    user.writes(
        "s3reclass.toml",
        f'bucket = "{BUCKET}"\nstorage_class = "STANDARD_IA"\nplace = "local"\nstate = "s3://state/jobs"\n',
    )
    assert user.types("s3reclass split keys.txt --lots 3").code == 0
    writes = count(1)

    def decide(request: Request) -> Fault:
        if request.bucket != "state" or request.method != "PUT" or not request.key.endswith(LAUNCHERS_OWN):
            return None
        if "results-" in request.key:
            return None
        # Many threads ask, each of which gets a number of its own.
        if next(writes) == number:
            os.kill(launcher.pid, signal.SIGKILL)
            return CUT
        return None

    with faulty(aws, decide) as seen:
        user.environ["AWS_ENDPOINT_URL"] = seen.endpoint
        launcher = user.starts(LINE)
        output, _ = launcher.communicate(timeout=300)
        again = user.types(LINE)
        report = user.types("s3reclass report --csv report.csv")

    assert launcher.returncode == -signal.SIGKILL, output
    assert again.code == 0, again.err
    versions = user.s3.list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == 2 * len(KEYS)
    assert report.code == 0, report.err
    assert len((tmp_path / "report.csv").read_text().splitlines()) == len(KEYS)
