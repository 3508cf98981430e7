"""`s3reclass run --phase all`, and restores asked for again, as the user types them."""

import os
import signal

from tests.end_to_end.conftest import BUCKET, User
from tests.end_to_end.test_local_job import wait_for

KEYS = [f"{number:03d}" for number in range(8)]


def test_killed_in_either_phase_the_same_command_goes_on(user: User) -> None:
    """The state tells which phase is where; each object gets one new version; a last repetition finds all done."""
    line = "s3reclass run --phase all --no-estimate"
    user.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 1")

    for phase in ("restore", "copy"):
        launcher = user.starts(line)
        wait_for(lambda phase=phase: any((user.folder / ".s3reclass").glob(f"*/{phase}/*/started-1.json")))  # type: ignore[misc]  # mypy can't infer a lambda's default
        os.kill(launcher.pid, signal.SIGKILL)
        launcher.communicate(timeout=60)
    finished = user.types(line)
    again = user.types(line)

    assert (finished.code, again.code) == (0, 0), finished.err
    assert user.classes(KEYS) == {"STANDARD_IA"}
    assert len(user.s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 2 * len(KEYS)
    assert "both phases of job" in again.out


def test_restores_are_asked_for_again(user: User) -> None:
    """`run --phase restore --again`: of the pending keys alone, once for each time that they were found pending."""
    odd = "odd, with 100% ü"
    user.archives([*KEYS, odd])
    user.writes("keys.txt", "\n".join([*KEYS, odd]))
    user.types("s3reclass split keys.txt --lots 1")
    user.types("s3reclass run --phase restore --no-estimate")
    user.archives([odd])  # the same object, without the restored copy that it had
    pending = user.types("s3reclass run --phase copy --no-estimate")
    finished = user.types("s3reclass run --phase restore")

    dry = user.types("s3reclass run --phase restore --again --dry-run")
    again = user.types("s3reclass run --phase restore --again")
    twice = user.types("s3reclass run --phase restore --again")
    copy = user.types("s3reclass run --phase copy --wait --no-estimate")
    nothing = user.types("s3reclass run --phase restore --again")

    codes = [typed.code for typed in (pending, finished, dry, again, twice, copy, nothing)]
    assert codes == [4, 0, 0, 0, 0, 0, 0], again.err
    assert "`s3reclass run --phase restore --again`" in finished.err
    assert "1 key that the copy phase left pending" in again.err
    assert "asking again costs a request for each of 1 key" in again.err
    assert "restore: $" in again.err
    assert "requested     1" in again.out
    assert "asked for again already" in twice.err
    assert "copied        9" in copy.out
    assert "left no key pending" in nothing.err


def test_what_goes_with_which_phase(user: User) -> None:
    """Wrong usage is told before anything is done."""
    again = user.types("s3reclass run --phase copy --again")
    wait = user.types("s3reclass run --phase restore --wait")
    limit = user.types("s3reclass run --phase all --wait-limit soon")

    assert (again.code, wait.code, limit.code) == (2, 2, 2)
    assert "--again goes with --phase restore or all" in again.err
    assert "--wait goes with --phase copy" in wait.err
    assert "'soon' is no length of time" in limit.err
