"""What the state holds: its paths, and the tally of an attempt. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from worker.contract.digests import Parts
from worker.contract.outcomes import ContractError, Outcome, Phase
from worker.contract.values import parse_object, whole_number, word


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """
    The tally of one attempt, written last (`done-N.json`), and its progress while it runs.

    attempt: counts from 1.
    keys: keys looked at so far, those that earlier attempts finished included; in a done file, the lot's.
    outcomes: how many keys stand at each outcome, earlier attempts' included; sums to `keys`.
    processed: keys that this attempt worked on itself.
    requests: requests sent to S3 by this attempt.
    started_at, at: when the attempt began and when this was written, ISO 8601 in UTC.
    exit_code: how the worker will end; None while it runs.
    parts: the result parts that it rests on, of all attempts; None in a progress, and from versions that didn't tell.
    """

    attempt: int
    keys: int
    outcomes: Mapping[Outcome, int]
    processed: int
    requests: int
    started_at: str
    at: str
    exit_code: int | None = None
    parts: tuple[Parts, ...] | None = None

    def to_json(self) -> str:
        """The tally as the JSON text that the state keeps."""
        parts = {} if self.parts is None else {"parts": [_parts_as_json(parts) for parts in self.parts]}
        return json.dumps(
            {
                "attempt": self.attempt,
                "keys": self.keys,
                "outcomes": {outcome.value: count for outcome, count in self.outcomes.items() if count},
                "processed": self.processed,
                "requests": self.requests,
                "started_at": self.started_at,
                "at": self.at,
                "exit_code": self.exit_code,
                **parts,
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The tally that the text holds. Raises ContractError when it holds none."""
        try:
            data = parse_object(text)
            tally = cls(
                attempt=whole_number(data["attempt"], least=1),
                keys=whole_number(data["keys"]),
                outcomes={Outcome(name): whole_number(count) for name, count in data["outcomes"].items()},
                processed=whole_number(data["processed"]),
                requests=whole_number(data["requests"]),
                started_at=word(data["started_at"]),
                at=word(data["at"]),
                exit_code=None if data["exit_code"] is None else whole_number(data["exit_code"]),
                parts=None if data.get("parts") is None else tuple(map(_parts_of_json, data["parts"])),
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ContractError(f"not a tally ({error}): {text[:200]!r}") from error
        if sum(tally.outcomes.values()) != tally.keys:
            raise ContractError(f"not a tally (its outcomes aren't as many as its keys): {text[:200]!r}")
        return tally


def _parts_as_json(parts: Parts) -> Mapping[str, Any]:
    return {"attempt": parts.attempt, "parts": parts.count, "bytes": parts.size_bytes, "sha256": parts.sha256}


def _parts_of_json(data: Mapping[str, Any]) -> Parts:
    return Parts(
        attempt=whole_number(data["attempt"], least=1),
        count=whole_number(data["parts"]),
        size_bytes=whole_number(data["bytes"]),
        sha256=word(data["sha256"]),
    )


MOST_PART_ROWS = 5_000
"""Rows in a result part, at most."""


def lot_name(number: int) -> str:
    """The name of the lot with this number, from 0: `lot-00000`."""
    return f"lot-{number:05d}"


_LOT_FILE = re.compile(r"(results|done|started)-([0-9]{1,18})(?:-([0-9]{1,18}))?\.(?:csv|json)")

_UPLOAD_FILE = re.compile(r"uploads-[0-9]{1,18}-([0-9a-f]{32})\.json")


@dataclass(frozen=True, slots=True)
class StatePaths:
    """
    Every path in a job's state, relative to the state's root, `/` between the parts.

        <job>/job.json                                  the job's settings, written by the launcher
        <job>/stop.json                                 when a stop was last asked for
        <job>/lease.json                                which launcher may start tasks, until when
        <job>/lots/<lot>.csv                            the lot, uploaded before its first task
        <job>/<phase>/rate.json                         the share of the job's rate that each running task may take
        <job>/<phase>/<lot>/started-<attempt>.json      what the launcher asked a place to start, written before asking
        <job>/<phase>/<lot>/results-<attempt>-<seq>.csv append-only parts
        <job>/<phase>/<lot>/audit-<attempt>-<seq>.jsonl the pictures of copied objects from before their copies
        <job>/<phase>/<lot>/uploads-<attempt>-<digest>.json  an upload in parts, written before its first part
        <job>/<phase>/<lot>/progress.json               overwritten while the task runs
        <job>/<phase>/<lot>/takeover.json               the last attempt that took the lot over from another
        <job>/<phase>/<lot>/done-<attempt>.json         the tally, written last

    The worker is told the folder `<job>/<phase>/<lot>/` and uses the names alone.

    job: the job's id.
    """

    job: str

    @property
    def job_file(self) -> str:
        """The job's settings."""
        return f"{self.job}/job.json"

    @property
    def stop_file(self) -> str:
        """The launchers' sign to start no more tasks."""
        return f"{self.job}/stop.json"

    @property
    def lease_file(self) -> str:
        """The launcher's lease on the job."""
        return f"{self.job}/lease.json"

    def rate_file(self, phase: Phase) -> str:
        """The share of the phase's running tasks."""
        return f"{self.job}/{phase}/rate.json"

    def lot(self, name: str) -> str:
        """The lot's copy in the state."""
        return f"{self.job}/lots/{name}.csv"

    def phase_folder(self, phase: Phase) -> str:
        """The folder of all lots' results of a phase, with its `/`."""
        return f"{self.job}/{phase}/"

    def results_folder(self, phase: Phase, lot: str) -> str:
        """The folder that a worker writes into, with its `/`."""
        return f"{self.job}/{phase}/{lot}/"

    @staticmethod
    def part_name(attempt: int, seq: int) -> str:
        """The name of a result part; both numbers count from 1."""
        return f"results-{attempt}-{seq:05d}.csv"

    @staticmethod
    def audit_name(attempt: int, seq: int) -> str:
        """
        The name of a part of pictures; both numbers count from 1.

        A part is written before the result part that holds its rows: what is recorded as copied has its picture.
        """
        return f"audit-{attempt}-{seq:05d}.jsonl"

    @staticmethod
    def upload_name(attempt: int, digest: int) -> str:
        """The name of the note of a key's uploads in parts; digest: 128 bits that stand for the lot's line."""
        return f"uploads-{attempt}-{digest:032x}.json"

    @staticmethod
    def parse_upload_name(name: str) -> int | None:
        """The digest in the name of a note of uploads, None for another name."""
        match = _UPLOAD_FILE.fullmatch(name)
        return int(match[1], 16) if match else None

    @staticmethod
    def progress_name() -> str:
        """The name of the running attempt's tally."""
        return "progress.json"

    @staticmethod
    def takeover_name() -> str:
        """The name of the note of the last attempt that took the lot over from another."""
        return "takeover.json"

    @staticmethod
    def done_name(attempt: int) -> str:
        """The name of a finished attempt's tally."""
        return f"done-{attempt}.json"

    @staticmethod
    def started_name(attempt: int) -> str:
        """The name of the launcher's note that it starts this attempt."""
        return f"started-{attempt}.json"


@dataclass(frozen=True, slots=True, order=True)
class LotFileName:
    """
    A numbered file name in a lot's results folder, taken apart; parts sort in the order they were written.

    attempt: from 1.
    seq: a part's sequence number; 0 for `done` and `started`.
    kind: `results`, `done` or `started`.
    """

    attempt: int
    seq: int
    kind: str

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """The numbers in a file name, or None for a name that carries none (progress.json, a stranger's file)."""
        match = _LOT_FILE.fullmatch(name)
        if not match:
            return None
        found = cls(attempt=int(match[2]), seq=int(match[3] or 0), kind=match[1])
        # Another way to write the same numbers is no name of ours, and would be looked for under ours.
        return found if _NAMES[found.kind](found) == name else None


_NAMES: Mapping[str, Callable[[LotFileName], str]] = {
    "results": lambda name: StatePaths.part_name(name.attempt, name.seq),
    "done": lambda name: StatePaths.done_name(name.attempt),
    "started": lambda name: StatePaths.started_name(name.attempt),
}
