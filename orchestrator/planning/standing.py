"""Where each lot of a phase stands, from the names of the files in the state and the tallies among them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.model import Lot
from worker.contract import ExitCode, LotFileName, Outcome, Tally, exit_code_of


@dataclass(frozen=True, kw_only=True, slots=True)
class LotFiles:
    """
    What the state holds of one lot in one phase, by name alone.

    attempt: the highest attempt that left any file; 0 when there is none.
    done: the attempts that left a tally, ascending.
    started_only: whether the highest attempt left nothing but the launcher's note, so that its task
        may never have been asked for.
    """

    attempt: int = 0
    done: tuple[int, ...] = ()
    started_only: bool = False

    @property
    def next_attempt(self) -> int:
        """
        The attempt to start now, no task of this lot running.

        A launcher that was killed between its note and the place's answer may or may not have started
        that attempt. Asking for the same attempt again is answered with the task that was started, if
        one was (a place promises that); a new number could start a second one beside it.
        """
        return self.attempt if self.started_only else self.attempt + 1


def files_by_lot(paths: Iterable[str], folder: str) -> Mapping[str, LotFiles]:
    """
    What the state holds of each lot, from a stream of names: a large job has a million parts.

    paths: every path below the phase's folder. folder: that folder, with its `/`.
    """
    found: dict[str, LotFiles] = {}
    for path in paths:
        lot, _, name = path.removeprefix(folder).partition("/")
        if (parsed := LotFileName.parse(name)) is not None:
            found[lot] = _with_file(found.get(lot, LotFiles()), parsed)
    return found


def _with_file(files: LotFiles, name: LotFileName) -> LotFiles:
    """What is known of a lot with one more of its files, in any order."""
    if name.attempt < files.attempt:
        started_only = files.started_only
    else:
        started_only = name.kind == "started" and (name.attempt > files.attempt or files.started_only)
    return LotFiles(
        attempt=max(files.attempt, name.attempt),
        done=tuple(sorted({*files.done, name.attempt})) if name.kind == "done" else files.done,
        started_only=started_only,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LotStanding:
    """
    Where one lot stands in one phase.

    files: what the state holds of it.
    finished: the tally of the attempt that ended last with a tally, or None. When two tasks were on one
        lot, one that left every key succeeded is believed.
    latest: the newest tally of all, a running attempt's progress included.
    """

    lot: Lot
    files: LotFiles = LotFiles()
    finished: Tally | None = None
    latest: Tally | None = None

    @property
    def complete(self) -> bool:
        """Whether every key of the lot has succeeded, so that nothing is left to do."""
        return self.finished is not None and self.finished.exit_code == ExitCode.GOOD

    @property
    def outcomes(self) -> Mapping[Outcome, int]:
        """How many keys stand at each outcome, as far as tallies tell."""
        best = self.finished if self.complete else self.latest
        return best.outcomes if best else {}


def standing_of(lot: Lot, files: LotFiles, done: Iterable[Tally], progress: Tally | None) -> LotStanding:
    """
    The lot's standing.

    done: the tallies of its finished attempts, in any order. progress: its progress file, if there is one.
    """
    finished = max(done, key=lambda tally: (tally.exit_code == ExitCode.GOOD, tally.attempt), default=None)
    latest = max((tally for tally in (finished, progress) if tally), key=lambda tally: tally.attempt, default=None)
    if finished and latest and latest.attempt == finished.attempt:
        latest = finished
    return LotStanding(lot=lot, files=files, finished=finished, latest=latest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """
    A phase in numbers.

    outcomes: keys at each outcome. unprocessed: keys without one.
    complete, begun: lots.
    """

    keys: int
    outcomes: Mapping[Outcome, int]
    lots: int
    complete: int
    begun: int

    @property
    def done(self) -> int:
        """Keys that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def unprocessed(self) -> int:
        """Keys without a result."""
        return self.keys - self.done


def totals(standings: Iterable[LotStanding]) -> Totals:
    """The lots' standings summed up."""
    outcomes: Counter[Outcome] = Counter()
    keys = lots = complete = begun = 0
    for standing in standings:
        outcomes.update(standing.outcomes)
        keys += standing.lot.keys
        lots += 1
        complete += standing.complete
        begun += standing.files.attempt > 0
    return Totals(keys=keys, outcomes=dict(outcomes), lots=lots, complete=complete, begun=begun)


def exit_code_of_phase(totals: Totals) -> ExitCode:
    """
    The exit code of a phase that has ended.

    | unprocessed or failed keys | pending keys | code |
    |---|---|---|
    | some | any | 3 |
    | none | some | 4 |
    | none | none | 0 |
    """
    return ExitCode.SOME_FAILED if totals.unprocessed else exit_code_of(totals.outcomes)
