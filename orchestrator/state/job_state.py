"""
A job's folder in the state, as the launcher reads and writes it: the only truth about a job.

The launcher writes job.json, its lease, the lots, the tasks' shares of the request rate, and a note before
each start; all else is the workers'.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestrator.errors import NoStateError, S3ReclassError
from orchestrator.model import Call, Lot, Lots, TaskRequest
from orchestrator.state.job_file import VERSION, check_job, lots_in, new_job, phase_entry, with_again
from orchestrator.state.lease_file import Holder, Lease
from orchestrator.state.lot_status import LotStatus
from orchestrator.state.lot_status_reader import LotStatusReader
from orchestrator.state.start_note import StartedNote
from orchestrator.state.state_store import StateStore
from worker.contract import (
    ContractError,
    LotEntry,
    LotFileName,
    ObjectSnapshot,
    PartsDigest,
    Phase,
    PhaseSettings,
    RateShare,
    ResultRow,
    StatePaths,
    Tally,
    parse_object,
    parse_result_rows,
    parse_snapshot_lines,
)

PARTS_AT_ONCE = 16
"""Parts read ahead: a part has 5,000 lines at most, so that these are some megabytes."""


class JobState:
    """The state of one job."""

    def __init__(self, store: StateStore, job: str) -> None:
        self._store = store
        self.paths = StatePaths(job)
        self._lot_statuses = LotStatusReader(store, self.paths, self._damaged)

    # ------------------------------------------------------------ the job

    def read_job(self) -> dict[str, Any] | None:
        """What job.json says, or None before the job's first run. Raises S3ReclassError when it is damaged."""
        data = self._store.read(self.paths.job_file)
        if data is None:
            return None
        try:
            job = dict(parse_object(data))
            if job["version"] != VERSION:
                raise S3ReclassError(
                    f"{self._where(self.paths.job_file)} is of version {job['version']}, written by another "
                    f"s3reclass: this one reads version {VERSION}"
                )
            check_job(job)
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(self.paths.job_file, error) from error
        return job

    def lots(self) -> Lots:
        """The job's lots, from job.json alone. Raises NoStateError when the state holds no such job."""
        job = self.read_job()
        if job is None:
            raise NoStateError(
                f"the state {self._where('')} holds no job {self.paths.job}: run `s3reclass run` first, "
                "or name another state with --state"
            )
        return lots_in(job)

    def begin_phase(self, lots: Lots, settings: PhaseSettings, at: datetime) -> None:
        """
        Note in job.json that the phase begins, with its settings.

        Raises S3ReclassError when the phase was begun with another target class: the finished keys of
        this job would then be in one class and the rest in another.
        """
        job = self.read_job() or new_job(lots, at)
        begun = job["phases"].get(settings.phase.value)
        if begun and settings.phase is Phase.COPY and begun["storage_class"] != settings.storage_class:
            raise S3ReclassError(
                f"this job's copy phase was begun with storage class {begun['storage_class']}, not "
                f"{settings.storage_class}: go on with that one, or start anew for the same keys under another --state"
            )
        wanted = phase_entry(settings, begun["begun_at"] if begun else at.isoformat(timespec="seconds"))
        if begun != wanted:
            job["phases"][settings.phase.value] = wanted
            self._store.write(self.paths.job_file, json.dumps(job, indent=1).encode())

    def note_again(self, again: str, settings: PhaseSettings, at: datetime) -> None:
        """Note in job.json that the job with the id `again` asks for this one's restores again."""
        job = self.read_job()
        if job is not None and (noted := with_again(job, again, settings, at)) != job:
            self._store.write(self.paths.job_file, json.dumps(noted, indent=1).encode())

    def asked_again(self) -> "JobState | None":
        """The state of the job that asks for this one's restores again, None when there is none."""
        noted = (self.read_job() or {}).get("again")
        return self.sibling(noted["job"]) if noted else None

    def sibling(self, job: str) -> "JobState":
        """The state of another job in the same place."""
        return JobState(self._store, job)

    def begun_phases(self) -> tuple[Phase, ...]:
        """The phases that have been begun, restore first."""
        job = self.read_job()
        return tuple(phase for phase in Phase if job and phase.value in job["phases"])

    def ask_to_stop(self, at: datetime) -> None:
        """Tell every launcher of this job to start no more tasks."""
        self._store.write(self.paths.stop_file, json.dumps({"at": at.isoformat()}).encode())

    def stop_sign(self) -> Callable[[], bool]:
        """Whether a stop was asked for since this was called. No clock is compared: the other one may be wrong."""
        before = self._store.read(self.paths.stop_file)
        return lambda: self._store.read(self.paths.stop_file) != before

    # ------------------------------------------------------------ lots

    def missing_lots(self, lots: Lots, size_of: Callable[[Lot], int]) -> tuple[Lot, ...]:
        """The lots that the state has no copy of, or one of another size; size_of: a lot's, in bytes."""
        there = dict(self._store.sizes(f"{self.paths.job}/lots/"))
        return tuple(
            lot for lot in lots.lots if (size := there.get(self.paths.lot(lot.name))) is None or size != size_of(lot)
        )

    def lot_uri(self, lot: Lot) -> str:
        """Where a worker finds the lot's copy."""
        return self._store.uri(self.paths.lot(lot.name))

    def results_uri(self, phase: Phase, lot: Lot) -> str:
        """The folder that a worker writes the lot's results into."""
        return self._store.uri(self.paths.results_folder(phase, lot.name))

    def upload_calls(self, lot: Lot, source: str) -> tuple[Call, ...]:
        """What uploading the lot sends, for a dry run; source: its file."""
        return self._store.write_calls(self.paths.lot(lot.name), source)

    def upload_lot(self, lot: Lot, content: bytes | Path) -> None:
        """Put the lot's copy into the state; content: its file, or its bytes."""
        path = self.paths.lot(lot.name)
        if isinstance(content, Path):
            self._store.write_file(path, content)
        else:
            self._store.write(path, content)

    # ------------------------------------------------------------ standings

    def lot_statuses(self, lots: Lots, phase: Phase) -> tuple[LotStatus, ...]:
        """Where each lot stands in the phase, in order. Raises S3ReclassError naming a damaged tally."""
        return self._lot_statuses.of_phase(lots, phase)

    def lot_status(self, lot: Lot, phase: Phase) -> LotStatus:
        """Where one lot stands in the phase."""
        return self._lot_statuses.of_lot(lot, phase)

    def standing_after(self, known: LotStatus, phase: Phase, attempt: int) -> LotStatus:
        """Where a lot stands now that a task of it has stopped; known: how it stood before."""
        return self._lot_statuses.after(known, phase, attempt)

    def progress(self, phase: Phase, lots: Iterable[str]) -> Mapping[str, Tally]:
        """The progress of these lots' running attempts, by lot name, as far as they have told any."""
        return self._lot_statuses.progress(phase, lots)

    # ------------------------------------------------------------ starts

    def note_start(self, request: TaskRequest, place: str, task: str = "", *, interruptions: int = 0) -> None:
        """Write down that this task is about to be started (before), and its id (after)."""
        note = StartedNote.of(request, place, task, interruptions=interruptions)
        self._store.write(self._note_path(request.phase, request.lot, request.attempt), note.to_json())

    def started_note(self, phase: Phase, lot: str, attempt: int) -> StartedNote | None:
        """What was noted before this attempt was started, or None."""
        path = self._note_path(phase, lot, attempt)
        data = self._store.read(path)
        if data is None:
            return None
        try:
            return StartedNote.from_json(data)
        except ValueError as error:
            raise self._damaged(path, error) from error

    def _note_path(self, phase: Phase, lot: str, attempt: int) -> str:
        return self.paths.results_folder(phase, lot) + self.paths.started_name(attempt)

    # ------------------------------------------------------------ lease and shares

    def read_lease(self) -> tuple[Lease | None, str | None, float]:
        """The lease on the job, its file's tag, and its age in seconds. Raises S3ReclassError when it is damaged."""
        found = self._store.read_stamped(self.paths.lease_file)
        if found is None:
            return None, None, 0
        try:
            return Lease.from_json(found.data), found.tag, found.age_s
        except ValueError as error:
            raise self._damaged(self.paths.lease_file, error) from error

    def launcher(self) -> Holder | None:
        """The launcher that holds the lease; it may have been killed in the last two minutes."""
        lease, _, age_s = self.read_lease()
        return lease.holder if lease and not lease.released and age_s <= lease.lasts_s else None

    def write_lease(self, lease: Lease, tag: str | None) -> str | None:
        """Put the lease there if its file still has this tag (None: if there is none): the new tag, else None."""
        return self._store.write_if(self.paths.lease_file, lease.to_json(), tag)

    def share_uri(self, phase: Phase) -> str:
        """Where a worker reads its share of the request rate."""
        return self._store.uri(self.paths.rate_file(phase))

    def share(self, phase: Phase) -> RateShare | None:
        """The share that running tasks were told last, or None. Raises S3ReclassError when it is damaged."""
        path = self.paths.rate_file(phase)
        data = self._store.read(path)
        try:
            return None if data is None else RateShare.from_json(data)
        except ContractError as error:
            raise self._damaged(path, error) from error

    def tell_share(self, phase: Phase, share: RateShare) -> None:
        """Tell running tasks, and those to come, their share."""
        self._store.write(self.paths.rate_file(phase), share.to_json().encode())

    # ------------------------------------------------------------ results

    def result_rows(
        self, phase: Phase, lot: str, attempt: int = 0, *, seen: PartsDigest | None = None
    ) -> Iterator[ResultRow]:
        """
        Each result of the lot in the order of writing: all attempts', or this one's.

        seen: takes in each part that is read.
        Raises S3ReclassError naming a damaged part.
        """
        for path, data in self._parts(phase, lot, lambda paths: parts_in_order(paths, attempt)):
            name = LotFileName.parse(path.rpartition("/")[2])
            if seen is not None and name is not None:
                seen.add(name.attempt, data)
            try:
                yield from parse_result_rows(data.decode(), phase)
            except ValueError as error:  # ContractError and UnicodeDecodeError are both
                raise self._damaged(path, error) from error

    def snapshots(self, lot: str) -> Iterator[tuple[LotEntry, ObjectSnapshot]]:
        """
        Each before-picture that the lot's copies left, in the order of writing, all attempts'.

        Raises S3ReclassError naming a damaged part.
        """
        for path, data in self._parts(Phase.COPY, lot, audit_parts_in_order):
            try:
                yield from parse_snapshot_lines(data.decode())
            except ValueError as error:
                raise self._damaged(path, error) from error

    def _parts(
        self, phase: Phase, lot: str, choose: Callable[[Iterable[str]], Sequence[str]]
    ) -> Iterator[tuple[str, bytes]]:
        """Each of the lot's files that `choose` picks, by path, in its order; a few are in memory at once."""
        paths = choose(self._store.names(self.paths.results_folder(phase, lot)))
        for first in range(0, len(paths), PARTS_AT_ONCE):
            some = paths[first : first + PARTS_AT_ONCE]
            read = self._store.read_many(some)
            yield from ((path, read.get(path, b"")) for path in some)

    def lot_chunks(self, lot: str) -> Iterator[bytes]:
        """The bytes of the lot's copy in the state, in chunks; none when the job's lots travel in the image."""
        return self._store.chunks(self.paths.lot(lot))

    def tally_uri(self, phase: Phase, lot: str, attempt: int) -> str:
        """Where the tally of a finished attempt is."""
        return self._store.uri(self.paths.results_folder(phase, lot) + self.paths.done_name(attempt))

    def _where(self, path: str) -> str:
        return self._store.uri(path)

    def _damaged(self, path: str, error: Exception) -> S3ReclassError:
        return S3ReclassError(
            f"{self._where(path)} is damaged ({error}): look at it, and move it away if it can be spared "
            "(what it told is then done again)"
        )


def parts_in_order(paths: Iterable[str], attempt: int = 0) -> Sequence[str]:
    """The result parts among these paths of one lot, in the order they were written; of one attempt, if it is named."""
    named = ((LotFileName.parse(path.rpartition("/")[2]), path) for path in paths)
    parts = sorted((name, path) for name, path in named if name and name.kind == "results")
    return [path for name, path in parts if attempt in (0, name.attempt)]


_AUDIT_PART = re.compile(r"audit-([0-9]{1,9})-([0-9]{1,9})\.jsonl")
"""As `StatePaths.audit_name` names them."""


def audit_parts_in_order(paths: Iterable[str]) -> Sequence[str]:
    """The parts of before-pictures among these paths of one lot, in the order they were written."""
    named = ((_AUDIT_PART.fullmatch(path.rpartition("/")[2]), path) for path in paths)
    return [path for _, _, path in sorted((int(name[1]), int(name[2]), path) for name, path in named if name)]
