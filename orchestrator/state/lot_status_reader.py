"""
Where a job's lots stand, read from its state with as few requests as that takes.

A finished attempt's tally is written once and never again, so it is read once; what running attempts tell
is read each time it is asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots
from orchestrator.state.lot_status import LotFiles, LotStatus, files_by_lot, standing_of
from orchestrator.state.state_store import StateStore
from worker.contract import OUTCOMES, ContractError, Phase, StatePaths, Tally


class LotStatusReader:
    """
    The standings of a job's lots. Every method raises S3ReclassError naming a tally that is damaged.

    damaged: the error to raise for a file that is.
    """

    def __init__(
        self, store: StateStore, paths: StatePaths, damaged: Callable[[str, Exception], S3ReclassError]
    ) -> None:
        self._store, self._paths, self._damaged = store, paths, damaged
        self._finished: dict[str, Tally] = {}

    def of_phase(self, lots: Lots, phase: Phase) -> tuple[LotStatus, ...]:
        """Where each lot stands in the phase, in order."""
        folder = self._paths.phase_folder(phase)
        by_lot = files_by_lot(self._store.sizes(folder), folder)
        done = {path for lot, files in by_lot.items() for path in self._done_paths(phase, lot, files.done)}
        running = {self._progress_path(phase, lot) for lot, files in by_lot.items() if files.attempt not in files.done}
        tallies = {**self._read_finished(phase, done), **self._read(phase, running)}
        return tuple(self._standing(lot, phase, by_lot.get(lot.name, LotFiles()), tallies) for lot in lots.lots)

    def of_lot(self, lot: Lot, phase: Phase) -> LotStatus:
        """Where one lot stands in the phase."""
        folder = self._paths.results_folder(phase, lot.name)
        files = files_by_lot(self._store.sizes(folder), self._paths.phase_folder(phase)).get(lot.name, LotFiles())
        tallies = self._read_finished(phase, self._done_paths(phase, lot.name, files.done))
        if files.attempt not in files.done:
            tallies = {**tallies, **self._read(phase, [self._progress_path(phase, lot.name)])}
        return self._standing(lot, phase, files, tallies)

    def after(self, known: LotStatus, phase: Phase, attempt: int) -> LotStatus:
        """
        Where a lot stands now that a task of it has stopped.

        One request where the attempt left its tally, as nearly all do; only where it didn't, the files are listed.
        """
        [path] = self._done_paths(phase, known.lot.name, [attempt])
        tally = self._read_finished(phase, [path]).get(path)
        if tally is None:
            return self.of_lot(known.lot, phase)
        done = tuple(sorted({*known.files.done, attempt}))
        files = replace(known.files, attempt=max(known.files.attempt, attempt), done=done, started_only=False)
        return standing_of(known.lot, files, (), None, believed=[tally, *([known.finished] if known.finished else [])])

    def progress(self, phase: Phase, lots: Iterable[str]) -> Mapping[str, Tally]:
        """The progress of these lots' running attempts, by lot name, as far as they have told any."""
        paths = {self._progress_path(phase, lot): lot for lot in lots}
        return {paths[path]: tally for path, tally in self._read(phase, paths).items()}

    def _standing(self, lot: Lot, phase: Phase, files: LotFiles, tallies: Mapping[str, Tally]) -> LotStatus:
        # One may be gone since the files were listed.
        done = [tallies[path] for path in self._done_paths(phase, lot.name, files.done) if path in tallies]
        return standing_of(lot, files, done, tallies.get(self._progress_path(phase, lot.name)))

    def _done_paths(self, phase: Phase, lot: str, attempts: Iterable[int]) -> list[str]:
        folder = self._paths.results_folder(phase, lot)
        return [folder + self._paths.done_name(attempt) for attempt in attempts]

    def _progress_path(self, phase: Phase, lot: str) -> str:
        return self._paths.results_folder(phase, lot) + self._paths.progress_name()

    def _read_finished(self, phase: Phase, paths: Iterable[str]) -> Mapping[str, Tally]:
        wanted = tuple(paths)
        self._finished |= self._read(phase, (path for path in wanted if path not in self._finished))
        return {path: self._finished[path] for path in wanted if path in self._finished}

    def _read(self, phase: Phase, paths: Iterable[str]) -> Mapping[str, Tally]:
        return {path: self._tally(phase, path, data) for path, data in self._store.read_many(paths).items()}

    def _tally(self, phase: Phase, path: str, data: bytes) -> Tally:
        try:
            tally = Tally.from_json(data)
        except ContractError as error:
            raise self._damaged(path, error) from error
        if others := tally.outcomes.keys() - set(OUTCOMES[phase]):
            raise self._damaged(path, ContractError(f"{', '.join(sorted(others))} is no outcome of the {phase} phase"))
        return tally
