"""`s3reclass stop`, typed while a launcher runs elsewhere."""

from tests.end_to_end.conftest import BUCKET, User
from tests.end_to_end.test_local_job import wait_for

KEYS = [f"{number:03d}" for number in range(60)]


def test_a_stopped_job_goes_on_when_it_is_run_again(user: User) -> None:
    """Tasks end, the launcher starts no more and says why; what was done is kept, and nothing is copied twice."""
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    user.archives(KEYS, "STANDARD")
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 4")

    launcher = user.starts("s3reclass run --phase copy --rate 1 --max-tasks 2 --no-estimate")
    wait_for(lambda: any((user.folder / ".s3reclass").rglob("progress.json")))
    stopped = user.types("s3reclass stop")
    output, _ = launcher.communicate(timeout=300)
    begun = len(list((user.folder / ".s3reclass").rglob("started-1.json")))
    again = user.types("s3reclass run --phase copy --no-estimate")

    assert stopped.code == 0, stopped.err
    assert "asked to stop" in stopped.out
    assert launcher.returncode == 3, output
    assert "stopped by `s3reclass stop`" in output
    assert begun <= 2
    assert again.code == 0, again.err
    assert len(user.s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 2 * len(KEYS)


def test_restores_asked_for_again_are_stopped_too(user: User) -> None:
    """They are a job of their own, which the user needn't know of."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 1")
    user.types("s3reclass run --phase restore --no-estimate")
    user.archives(KEYS)  # the same objects, without the restored copies that they had
    pending = user.types("s3reclass run --phase copy --no-estimate")

    launcher = user.starts("s3reclass run --phase restore --again --rate 1 --no-estimate")
    wait_for(lambda: len(list((user.folder / ".s3reclass").glob("*/restore/*/progress.json"))) == 2)
    stopped = user.types("s3reclass stop")
    output, _ = launcher.communicate(timeout=300)
    again = user.types("s3reclass run --phase restore --again --no-estimate")

    assert pending.code == 4, pending.err
    assert "1 task asked to stop" in stopped.out
    assert launcher.returncode == 3, output
    assert again.code == 0, again.err
    assert "60 of 60 keys have an outcome" in again.out
