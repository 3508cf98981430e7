"""Who this launcher is, and whether another one of the same machine has ended: for the lease."""

import getpass
import os
import platform
import subprocess
import uuid
from datetime import datetime
from pathlib import Path

from orchestrator.state.lease_file import Holder

_PROC = Path("/proc")
_STATE, _STARTTIME = 0, 19
"""Fields of /proc/<pid>/stat behind the command's name: 3, state, and 22, starttime (proc_pid_stat(5))."""

_ENDED = "ZX"
"""States of a process that has ended and whose exit code isn't fetched yet: zombie, dead."""


def this_launcher(command: str, since: datetime) -> Holder:
    """This process as the holder of a lease; command: what it does, in a user's words. since: the time of day, UTC."""
    process = began(os.getpid())
    return Holder(
        host=platform.node(),
        # Without the time of our start, our number can't be told from a later process's.
        machine=_machine() if process else "",
        pid=os.getpid(),
        process=process or "",
        user=_user(),
        command=command,
        since=f"{since:%Y-%m-%dT%H:%M:%SZ}",
    )


def has_ended(holder: Holder, ours: Holder) -> bool:
    """
    Whether the holder is known to have ended: a process of our own machine, not there any more or another by now.

    One that nothing can be known of, of another machine above all, is taken to live.
    """
    if not ours.machine or (holder.machine, holder.host) != (ours.machine, ours.host):
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        # Another user's, which we may be unable to look at.
        pass
    process = began(holder.pid)
    return process is not None and process != holder.process


def began(pid: int) -> str | None:
    """
    When the process began, in the machine's own words; "" for one that has ended, None when that can't be known.

    A number is given to another process sooner or later: only both together name one.
    """
    try:
        if _PROC.joinpath("self/stat").exists():
            # The command's name stands in brackets and may hold anything, brackets too.
            told = _PROC.joinpath(str(pid), "stat").read_text(errors="replace").rpartition(")")[2].split()
            return "" if told[_STATE] in _ENDED else told[_STARTTIME]
        told = subprocess.run(  # noqa: S603 (a number is all that is passed)
            ["ps", "-o", "state=,lstart=", "-p", str(pid)],  # noqa: S607 (its place differs between systems)
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        ).stdout.split()
    except (OSError, IndexError, subprocess.CalledProcessError):
        return None
    return "" if told[:1] == ["Z"] else " ".join(told[1:])


def _machine() -> str:
    """
    The machine, its boot and its container.

    Process ids mean something within one boot and one pid namespace alone.
    """
    try:
        boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {_PROC.joinpath('self/ns/pid').readlink()}"
    except OSError:
        # No Linux, so no containers. A machine without an address is given a random one: it is never the same again.
        return f"{uuid.getnode():x}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # In a container a user may have a number only.
        return str(os.getuid())
