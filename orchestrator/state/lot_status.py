"""Where each lot stands in a phase, from the file names in the state and the tallies. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.model import Lot
from worker.contract import MOST_PART_ROWS, ExitCode, LotFileName, Outcome, Tally, exit_code_of


@dataclass(frozen=True, kw_only=True, slots=True)
class PartFiles:
    """The result parts of one attempt that are there. size_bytes: of all together."""

    count: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LotFiles:
    """
    What the state holds of one lot in one phase, by names and sizes alone.

    attempt: the highest attempt that left any file; 0 when there is none.
    done: the attempts that left a tally, ascending.
    started_only: whether the highest attempt left nothing but the launcher's note, so that its task
        may never have been asked for.
    parts: the result parts by attempt, when the files were listed.
    """

    attempt: int = 0
    done: tuple[int, ...] = ()
    started_only: bool = False
    parts: Mapping[int, PartFiles] = field(default_factory=dict, compare=False)

    @property
    def next_attempt(self) -> int:
        """
        The attempt to start now, no task of this lot running.

        A launcher that was killed between its note and the place's answer may or may not have started
        that attempt. Asking for the same attempt again is answered with the task that was started, if
        one was (a place promises that); a new number could start a second one beside it.
        """
        return self.attempt if self.started_only else self.attempt + 1


def files_by_lot(files: Iterable[tuple[str, int]], folder: str) -> Mapping[str, LotFiles]:
    """
    What the state holds of each lot, from a stream of names and sizes: a large job has a million parts.

    files: every path below the phase's folder, with its size in bytes. folder: that folder, with its `/`.
    """
    found: defaultdict[str, _Files] = defaultdict(_Files)
    for path, size_bytes in files:
        lot, _, name = path.removeprefix(folder).partition("/")
        if (parsed := LotFileName.parse(name)) is not None:
            found[lot].add(parsed, size_bytes)
    return {lot: files.summed_up() for lot, files in found.items()}


class _Files:
    """What is known of a lot's files, whatever their order."""

    def __init__(self) -> None:
        self._attempt = 0
        self._started_only = False
        self._done: set[int] = set()
        self._parts: dict[int, list[int]] = {}

    def add(self, name: LotFileName, size_bytes: int) -> None:
        """Take a file."""
        if name.attempt >= self._attempt:
            self._started_only = name.kind == "started" and (name.attempt > self._attempt or self._started_only)
            self._attempt = name.attempt
        if name.kind == "done":
            self._done.add(name.attempt)
        elif name.kind == "results":
            parts = self._parts.setdefault(name.attempt, [0, 0])
            parts[0] += 1
            parts[1] += size_bytes

    def summed_up(self) -> LotFiles:
        """All that was taken."""
        return LotFiles(
            attempt=self._attempt,
            done=tuple(sorted(self._done)),
            started_only=self._started_only,
            parts={attempt: PartFiles(count=count, size_bytes=size) for attempt, (count, size) in self._parts.items()},
        )


def keys_doubt(tally: Tally, lot: Lot) -> str:
    """That a tally isn't of this lot's keys, in words, or ""."""
    return "" if tally.keys == lot.keys else f"attempt {tally.attempt} worked on {tally.keys:,} keys of {lot.keys:,}"


def doubt(tally: Tally, lot: Lot, files: LotFiles) -> str:
    """
    Why a finished attempt's tally isn't believed, in words; "" when it is.

    Its keys must be the lot's, and the result parts that it rests on must be there, as long as they were. There may be
    more: another attempt's worker may have written some after this one had read them.
    """
    if why := keys_doubt(tally, lot):
        return why
    if tally.exit_code != exit_code_of(tally.outcomes):
        return f"attempt {tally.attempt} ended with exit code {tally.exit_code}, and its outcomes say otherwise"
    if tally.parts is None:
        # From a version that didn't name its parts: each key has a row, and a part holds 5,000 at most.
        count = sum(parts.count for parts in files.parts.values())
        return "" if count * MOST_PART_ROWS >= tally.keys else "parts of its results are missing"
    for told in tally.parts:
        there = files.parts.get(told.attempt, PartFiles())
        if there.count < told.count:
            return f"{there.count} of {told.count} parts of the results of attempt {told.attempt} are there"
        if there.size_bytes < told.size_bytes:
            return f"the results of attempt {told.attempt} were {told.size_bytes:,} bytes and are {there.size_bytes:,}"
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LotStatus:
    """
    Where one lot stands in one phase.

    files: what the state holds of it.
    finished: the tally of the attempt that ended last with a tally, or None. When two tasks were on one
        lot, one that left every key succeeded is believed.
    latest: the newest tally of all, a running attempt's progress included.
    doubt: why the lot isn't finished though there is a tally, in words, or "".
    """

    lot: Lot
    files: LotFiles = LotFiles()
    finished: Tally | None = None
    latest: Tally | None = None
    doubt: str = ""

    @property
    def complete(self) -> bool:
        """Whether every key of the lot has succeeded, so that nothing is left to do."""
        return self.finished is not None and self.finished.exit_code == ExitCode.GOOD

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How many keys stand at each outcome, as far as tallies tell."""
        best = self.finished if self.complete else self.latest
        return best.outcomes if best else {}


def last_finished(lot_status: LotStatus) -> bool:
    """Whether the lot's last attempt came to its end, so that each key has an outcome."""
    return lot_status.finished is not None and lot_status.finished.attempt == lot_status.files.attempt


def standing_of(
    lot: Lot, files: LotFiles, done: Iterable[Tally], progress: Tally | None, *, believed: Iterable[Tally] = ()
) -> LotStatus:
    """
    The lot's standing.

    done: the tallies of its finished attempts, in any order. progress: its progress file, if there is one.
    believed: those that need no look at the files.
    """
    judged = [(tally, doubt(tally, lot, files)) for tally in done]
    judged += [(tally, keys_doubt(tally, lot)) for tally in believed]
    good = [tally for tally, why in judged if not why]
    finished = max(good, key=lambda tally: (tally.exit_code == ExitCode.GOOD, tally.attempt), default=None)
    latest = max((tally for tally in (finished, progress) if tally), key=lambda tally: tally.attempt, default=None)
    if finished and latest and latest.attempt == finished.attempt:
        latest = finished
    _, why = max(judged, key=lambda one: one[0].attempt) if judged and not finished else (None, "")
    return LotStatus(lot=lot, files=files, finished=finished, latest=latest, doubt=why)


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """
    A phase in numbers.

    outcomes: keys at each outcome, by the newest tallies. unprocessed: keys without one.
    finished: keys at each outcome in the lots whose task came to its end: what a progress tells is no proof.
    complete, begun: lots. doubted: lots whose tally isn't believed.
    """

    keys: int
    outcomes: Mapping[Outcome, int]
    lots: int
    complete: int
    begun: int
    finished: Mapping[Outcome, int] = field(default_factory=dict)
    doubted: int = 0

    @property
    def done(self) -> int:
        """Keys that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def unprocessed(self) -> int:
        """Keys without a result."""
        return self.keys - self.done

    @property
    def unfinished(self) -> int:
        """Keys of lots whose task hasn't come to its end."""
        return self.keys - sum(self.finished.values())


def totals(lot_statuses: Iterable[LotStatus]) -> Totals:
    """The lots' standings summed up."""
    outcomes: Counter[Outcome] = Counter()
    finished: Counter[Outcome] = Counter()
    keys = lots = complete = begun = doubted = 0
    for lot_status in lot_statuses:
        outcomes.update(lot_status.outcomes)
        finished.update(lot_status.finished.outcomes if lot_status.finished else {})
        keys += lot_status.lot.keys
        lots += 1
        complete += lot_status.complete
        begun += lot_status.files.attempt > 0
        doubted += bool(lot_status.doubt)
    return Totals(
        keys=keys,
        outcomes=dict(outcomes),
        lots=lots,
        complete=complete,
        begun=begun,
        finished=dict(finished),
        doubted=doubted,
    )


def exit_code_of_phase(totals: Totals) -> ExitCode:
    """
    The exit code of a phase that has ended.

    | keys in lots that aren't finished, or failed | pending keys | code |
    |---|---|---|
    | some | any | 3 |
    | none | some | 4 |
    | none | none | 0 |
    """
    return ExitCode.SOME_FAILED if totals.unfinished else exit_code_of(totals.finished)
