"""Two launchers want one job: the lease, as the user meets it."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.end_to_end.conftest import User
from tests.fidelity.documented_objects import Request
from tests.worker.proxy import Fault, faulty

KEYS = [f"reel {number}" for number in range(12)]


def wait_until(happened: Callable[[], bool]) -> None:
    """Return once it has happened; fail after two minutes, so that a broken test ends."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


# s3reclass run --phase restore    (twice at once, then killed, then again)
def test_one_launcher_at_a_time_and_the_next_at_once_when_it_is_killed(user: User) -> None:
    """The second is told who has the job; after kill -9 it goes on with the tasks that run, and none runs twice."""
    user.archives(KEYS)
    user.writes("keys.txt", "\n".join(KEYS))
    user.types("s3reclass split keys.txt --lots 2")
    job = json.loads((user.folder / "lots" / "lots.json").read_text())["job"]
    folder = user.folder / ".s3reclass" / job
    release, asked = threading.Event(), Counter[str]()

    def hold(request: Request) -> Fault:
        if request.operation == "RestoreObject":
            asked[request.key] += 1
            assert release.wait(300)
        return None

    with faulty(user.endpoint, hold) as seen:
        user.environ["AWS_ENDPOINT_URL"] = seen.endpoint
        first = user.starts("s3reclass run --phase restore --no-estimate --max-tasks 2")
        wait_until(lambda: {KEYS.index(key) // 6 for key in asked} == {0, 1})
        second = user.types("s3reclass run --phase restore --no-estimate")
        dry = user.types("s3reclass run --phase restore --no-estimate --dry-run")
        status = user.types("s3reclass status")
        first.kill()
        first.communicate(timeout=60)
        release.set()
        third = user.types("s3reclass run --phase restore --no-estimate")
        over = user.types("s3reclass status")

    assert second.code == 1
    assert "is taken by `s3reclass run --phase restore` of" in second.err
    assert f"(pid {first.pid}, since" in second.err
    assert "its lease ends at" in second.err
    assert (dry.code, "reattached to 2 running tasks" in dry.err) == (0, True)
    assert "taken by `s3reclass run --phase restore`" in status.out
    assert "taken by" not in over.out
    assert third.code == 0, third.err
    assert sorted(path.name for path in folder.rglob("started-*")) == ["started-1.json"] * 2
    assert dict(asked) == dict.fromkeys(KEYS, 1)
    assert json.loads((folder / "lease.json").read_text())["released"]
