"""
What lease.json says, and which launcher may take the lease. Pure.

A lease ends by itself unless it is renewed, so a launcher whose machine has gone leaves nothing to clean up.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

from orchestrator.common.text import printable
from orchestrator.errors import S3ReclassError
from worker.contract import parse_object, real_number, whole_number, word

LASTS_S = 120.0
"""Seconds that a lease lasts from its last renewal: how long a state that can't be reached is no harm."""

MOST_LASTS_S = 3_600.0
"""No launcher, of any version, has a lease for longer: a file that says so is none."""

RENEW_EVERY_S = 30.0

RENEW_AGAIN_S = 5.0
"""Seconds until the next try after a renewal that failed."""

SAFETY_S = 20.0
"""Seconds before its end from which a lease isn't counted on any more: a start that was begun by then takes a while."""

VERSION = 1

MAX_PID = 2**31 - 1
"""The largest that a process id can be anywhere; 0 and less mean groups of processes (kill(2))."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """
    A launcher.

    host: its machine's name.
    machine: what tells machines, their boots and their containers apart; "" where nothing does.
    pid, process: its process, and when that began in the machine's own words, as numbers are used again.
    user: who started it. command: what it does. since: from when, ISO 8601 in UTC.
    """

    host: str
    machine: str
    pid: int
    process: str
    user: str
    command: str
    since: str

    def __str__(self) -> str:
        """The launcher in words: what, who, where, since when."""
        return printable(f"`{self.command}` of {self.user} on {self.host} (pid {self.pid}, since {self.since})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """
    A launcher's lease on a job.

    id: random, of this lease alone. turn: counts its renewals, so that no two contents are the same.
    lasts_s: seconds from when it was written. released: given back.
    """

    id: str
    holder: Holder
    turn: int = 0
    lasts_s: float = LASTS_S
    released: bool = False

    def to_json(self) -> bytes:
        """The lease as the state keeps it."""
        told = {
            "version": VERSION,
            "id": self.id,
            "turn": self.turn,
            "lasts_s": self.lasts_s,
            "released": self.released,
            **asdict(self.holder),
        }
        return json.dumps(told, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """The lease that the bytes hold. Raises ValueError when they hold none that we know."""
        try:
            told = parse_object(data)
            if whole_number(told["version"]) != VERSION:
                raise ValueError(f"version {told['version']}, not {VERSION}")
            described = {one.name: word(told[one.name]) for one in fields(Holder) if one.name != "pid"}
            return cls(
                id=word(told["id"]),
                holder=Holder(pid=whole_number(told["pid"], least=1, most=MAX_PID), **described),
                turn=whole_number(told["turn"]),
                lasts_s=real_number(told["lasts_s"], least=0, most=MOST_LASTS_S),
                released=told["released"] is True,
            )
        except KeyError as error:
            raise ValueError(f"no lease: {error!r}") from error


class Claim(Enum):
    """What a launcher may do with a lease that it found."""

    FREE = "take it"
    OURS = "it has it"
    HELD = "leave it"


def judge_lease(found: Lease | None, *, ours: str, age_s: float, ended: bool) -> Claim:
    """
    Whether the lease can be had.

    | lease | written | its holder's process | claim |
    |---|---|---|---|
    | none, or released | | | free |
    | ours | | | ours |
    | another's | longer ago than it lasts | any | free |
    | another's | since | has ended | free |
    | another's | since | lives, or that can't be known here | held |

    ours: our lease's id. age_s: seconds since it was written. ended: whether the holder is known to have ended.
    """
    if found is None:
        return Claim.FREE
    if found.id == ours:
        return Claim.OURS
    if found.released or ended or age_s > found.lasts_s:
        return Claim.FREE
    return Claim.HELD


class LeaseHeldError(S3ReclassError):
    """Another launcher works on the job."""

    def __init__(self, job: str, found: Lease, *, age_s: float, now: datetime) -> None:
        """now: the time of day, UTC."""
        ends = now + timedelta(seconds=min(max(0.0, found.lasts_s - age_s), MOST_LASTS_S))
        super().__init__(
            f"job {job} is taken by {found.holder}: let it finish (`s3reclass status` shows how far it is), or end it "
            f"there with Ctrl-C; if it is dead, its lease ends at {ends:%Y-%m-%d %H:%M:%S} UTC: run this again then"
        )


class LeaseLostError(S3ReclassError):
    """Another launcher has taken the job over, so this one starts no more tasks."""

    def __init__(self, job: str, found: Lease) -> None:
        """found: the lease as it is now."""
        by = f"{found.holder}, which has ended" if found.released else f"{found.holder}"
        super().__init__(
            f"this launcher was out of reach of the state for so long that job {job} was taken over by {by}: it starts "
            "no more tasks, those that run go on; `s3reclass status` shows them"
        )
