"""Who a launcher is, and whether another one has ended: asked of real processes."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.state.launcher_id import began, has_ended, this_launcher
from orchestrator.state.lease_file import Holder

US = this_launcher("s3reclass run", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def child() -> "subprocess.Popen[bytes]":
    """A process that waits for the end of its input."""
    return subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def holder_of(pid: int) -> Holder:
    """A process of this machine as a holder."""
    return replace(US, pid=pid, process=began(pid) or "")


def test_this_launcher_says_who_it_is() -> None:
    """Its process, its machine, its user, and when it began."""
    assert US.pid == os.getpid()
    assert US.since == "2026-01-02T03:04:05Z"
    assert all((US.host, US.machine, US.process, US.user))
    assert this_launcher("x", datetime.now(UTC)).process == US.process


def test_a_live_process_has_not_ended() -> None:
    """This one, and a child."""
    with child() as process:
        assert not has_ended(US, US)
        assert not has_ended(holder_of(process.pid), US)
        process.communicate(b"\n", timeout=60)


def test_a_killed_process_has_ended_also_before_anybody_has_asked_for_it() -> None:
    """A zombie bears its number still."""
    process = child()
    holder = holder_of(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert has_ended(holder, US)
    process.communicate(timeout=60)
    assert has_ended(holder, US)


def test_a_number_that_was_given_to_another_process_is_another_process() -> None:
    """The one that took the lease began at another time."""
    assert has_ended(replace(US, process="1"), US)


def test_of_other_machines_nothing_is_known() -> None:
    """Another host, another boot, another container: its numbers mean nothing here."""
    gone = replace(US, process="1")

    assert has_ended(gone, US)
    assert not has_ended(replace(gone, host="elsewhere"), US)
    assert not has_ended(replace(gone, machine="another boot"), US)
    assert not has_ended(replace(gone, machine=""), replace(US, machine=""))
