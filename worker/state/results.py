"""Results: what earlier attempts left, and the parts, progress and tally that this one writes."""

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from worker.contract import (
    COPY_DIFFERS,
    MOST_PART_ROWS,
    ContractError,
    DigestTable,
    ExitCode,
    LotEntry,
    LotFileName,
    ObjectSnapshot,
    Outcome,
    PartsDigest,
    Phase,
    ResultRow,
    StatePaths,
    Tally,
    TaskStatus,
    digest_of,
    exit_code_of,
    format_result_rows,
    format_snapshot_line,
    parse_result_rows,
)
from worker.errors import WorkerError
from worker.state.results_store import Store

FLUSH_ROWS = MOST_PART_ROWS
"""Rows in a part, at most: a lot of 1,000,000 keys makes 200 full parts."""

FLUSH_S = 5.0
"""How long a row waits to be written, in seconds: what a kill can lose of the bookkeeping."""

PROGRESS_S = 5.0
"""How often progress.json is written, at most, in seconds."""

_OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierAttempts:
    """
    What the results folder held when this attempt began.

    finished: keys that need no more work, by their digests, each with its outcome's place among all outcomes;
        nothing else of earlier results is kept in memory.
    differing: what was found wrong with copies that were made, by the keys' digests.
    last_seq: the highest sequence number of this attempt's own parts (a run of it by hand, say), or 0.
    notes_of_uploads: the names of the notes that tell of uploads in parts for keys which aren't finished.
    parts: what the parts amount to that this was read from.
    """

    finished: DigestTable
    last_seq: int
    differing: Mapping[int, str] = field(default_factory=dict)
    notes_of_uploads: tuple[str, ...] = ()
    parts: PartsDigest = field(default_factory=PartsDigest)

    def outcome(self, entry: LotEntry) -> Outcome | None:
        """The outcome of a finished key, None for one that needs work."""
        place = self.finished.get(digest_of(entry)) if self.finished else None
        return None if place is None else _OUTCOMES[place]

    def told_again(self, row: ResultRow) -> ResultRow:
        """
        The row, or, of an object whose copy was found to differ, that finding once more.

        Such a key is tried again like every failed one, and by now the object is in its class: `already` would
        supersede what only the attempt that made the copy could see.
        """
        if row.outcome is not Outcome.ALREADY or not self.differing:
            return row
        found = self.differing.get(digest_of(row.entry))
        return replace(row, outcome=Outcome.ERROR, error_code=COPY_DIFFERS, message=found) if found else row


def read_earlier(store: Store, attempt: int, phase: Phase | None = None) -> EarlierAttempts:
    """
    What earlier attempts left in the results folder.

    phase: the one that the folder is of; None for any.

    Only succeeded results matter: nothing but another succeeded one supersedes them (contract.supersedes),
    and keys that failed or are pending are tried again.
    Raises WorkerError naming a part that is damaged.
    """
    names = store.names()
    numbers = [number for number in map(LotFileName.parse, names) if number and number.kind == "results"]
    finished = DigestTable(number_bytes=1)
    differing: dict[int, str] = {}
    parts = PartsDigest()
    for number in sorted(numbers):
        name = StatePaths.part_name(number.attempt, number.seq)
        content = store.read(name)
        parts.add(number.attempt, content)
        for row in _rows_in(content, store.where(name), phase):
            if row.outcome.status is TaskStatus.SUCCEEDED:
                finished[digest_of(row.entry)] = _OUTCOMES.index(row.outcome)
            elif row.error_code == COPY_DIFFERS:
                differing[digest_of(row.entry)] = row.message
    digests = {name: StatePaths.parse_upload_name(name) for name in names}
    return EarlierAttempts(
        finished=finished,
        differing=differing,
        last_seq=max((number.seq for number in numbers if number.attempt == attempt), default=0),
        notes_of_uploads=tuple(
            sorted(name for name, digest in digests.items() if digest is not None and digest not in finished)
        ),
        parts=parts,
    )


def _rows_in(content: bytes, where: str, phase: Phase | None) -> Iterator[ResultRow]:
    advice = "put it aside, and its keys are done again"
    try:
        text = content.decode()
        yield from parse_result_rows(text, phase)
    except (UnicodeDecodeError, ContractError) as error:
        raise WorkerError(f"{where} is damaged: {error}; {advice}") from error
    if not text.endswith("\n"):
        raise WorkerError(f"{where} is damaged: empty or cut off; {advice}")


class Recorder:
    """
    Writes this attempt's results: rows in parts, progress now and then, the tally at the end.

    requests: how many requests this attempt has sent.
    parts: what the parts of earlier attempts, and of this one, amount to so far.
    before_progress: called before the progress is written again.
    clock: seconds, monotonic. now: the time in UTC.
    """

    def __init__(  # noqa: PLR0913 (what it writes, and what it asks for that: all given by name)
        self,
        store: Store,
        *,
        attempt: int,
        last_seq: int,
        requests: Callable[[], int],
        parts: PartsDigest | None = None,
        before_progress: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._attempt = attempt
        self._seq = self._audit_seq = last_seq
        self._snapshots: queue.SimpleQueue[tuple[LotEntry, ObjectSnapshot]] = queue.SimpleQueue()
        self._requests = requests
        self._parts = parts or PartsDigest()
        self._before_progress = before_progress
        self._clock = clock
        self._now = now
        self._rows: list[ResultRow] = []
        self._outcomes: Counter[Outcome] = Counter()
        self._processed = 0
        self._started_at = _iso(now())
        self._flushed_at = self._progress_at = clock()

    def pass_over(self, outcome: Outcome) -> None:
        """Count a key that an earlier attempt finished."""
        self._outcomes[outcome] += 1

    def take_snapshot(self, entry: LotEntry, snapshot: ObjectSnapshot) -> None:
        """Take the picture of an object that was copied, before its result is added; any thread may."""
        self._snapshots.put((entry, snapshot))

    def add(self, row: ResultRow) -> None:
        """Take a key's result; it is written with the next part."""
        self._rows.append(row)
        self._outcomes[row.outcome] += 1
        self._processed += 1
        if len(self._rows) >= FLUSH_ROWS:
            self.flush()

    def tick(self) -> None:
        """Write what has waited long enough."""
        now = self._clock()
        if now - self._flushed_at >= FLUSH_S:
            self.flush()
        if now - self._progress_at >= PROGRESS_S:
            self._before_progress()
            self.write_progress()

    def flush(self) -> None:
        """
        Write the waiting rows as a part of their own, under the first number that isn't taken.

        The pictures go before them: a kill between the two leaves a picture without a result, never the reverse.
        """
        snapshots = "".join(format_snapshot_line(*snapshot) for snapshot in self._taken_snapshots())
        if snapshots:
            self._audit_seq = self._create(StatePaths.audit_name, self._audit_seq, snapshots.encode())
        if self._rows:
            content = format_result_rows(self._rows).encode()
            self._seq = self._create(StatePaths.part_name, self._seq, content)
            self._parts.add(self._attempt, content)
            self._rows.clear()
        self._flushed_at = self._clock()

    def _taken_snapshots(self) -> Iterator[tuple[LotEntry, ObjectSnapshot]]:
        with suppress(queue.Empty):
            while True:
                yield self._snapshots.get_nowait()

    def _create(self, name: Callable[[int, int], str], seq: int, content: bytes) -> int:
        """Write a part under the first number after seq that isn't taken; that number."""
        seq += 1
        while not self._store.create(name(self._attempt, seq), content):
            seq += 1
        return seq

    def write_progress(self) -> None:
        """Write progress.json as of now."""
        self._store.replace(StatePaths.progress_name(), self.tally().to_json().encode())
        self._progress_at = self._clock()

    def finish(self, *, complete: bool) -> ExitCode:
        """
        Write the last rows, the progress and, when every key of the lot has its result, the tally; the exit code.

        complete: whether every key has. If not, the task was interrupted and there is no tally.
        """
        self.flush()
        code = exit_code_of(self._outcomes) if complete else ExitCode.INTERRUPTED
        tally = replace(self.tally(code), parts=self._parts.parts() if complete else None)
        content = tally.to_json().encode()
        self._store.replace(StatePaths.progress_name(), content)
        if complete:
            self._store.replace(StatePaths.done_name(self._attempt), content)
        return code

    def tally(self, code: ExitCode | None = None) -> Tally:
        """The tally as of now."""
        return Tally(
            attempt=self._attempt,
            keys=self._outcomes.total(),
            outcomes=dict(self._outcomes),
            processed=self._processed,
            requests=self._requests(),
            started_at=self._started_at,
            at=_iso(self._now()),
            exit_code=None if code is None else int(code),
        )


def _iso(time_utc: datetime) -> str:
    return time_utc.isoformat(timespec="seconds").replace("+00:00", "Z")
