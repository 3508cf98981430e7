"""One run of the worker over one lot, from its options to its exit code."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from worker.actions.asking import S3
from worker.actions.copy import CopyAction
from worker.actions.restore import RestoreAction
from worker.command_line import Options
from worker.contract import ExitCode, LotEntry, Outcome, Phase, ResultRow
from worker.errors import WorkerError
from worker.loop import Action, Loop
from worker.lot import first_of, read_lot
from worker.pacing import Pace
from worker.results import Earlier, Recorder, read_earlier
from worker.store import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger("worker")

LOG_EVERY_S = 60.0


class Task:
    """
    A task: made once, run once, and told to stop from a signal handler or another thread.

    state_client: makes the client for lot and results. object_client: makes the client for the objects.
    """

    def __init__(
        self, options: Options, *, state_client: "Callable[[], S3Client]", object_client: "Callable[[int], S3Client]"
    ) -> None:
        self._options = options
        self._state_client = state_client
        self._object_client = object_client
        self._stop = threading.Event()
        self._stopping = False
        self._loop: Loop | None = None

    def stop(self) -> None:
        """Begin no more keys, let those in flight finish, record them; asking again changes nothing."""
        if self._stopping:
            # A second signal may come while the first is in the middle of setting the event, which isn't reentrant.
            return
        self._stopping = True
        self._stop.set()
        if self._loop:
            self._loop.wake()

    def run(self) -> ExitCode:
        """
        The exit code, after everything that was done is recorded.

        Raises WorkerError when the task can't go on; what was done by then is recorded, if the state can be written.
        """
        options = self._options
        store = open_store(options.results, self._state_client)
        pace = Pace(options.rate, self._stop)
        entries = first_of(read_lot(options.lot, self._state_client))
        earlier = read_earlier(store, options.attempt)
        action = self._action(pace)
        recorder = Recorder(store, attempt=options.attempt, last_seq=earlier.last_seq, requests=lambda: pace.sent)
        # Before the first key, so that a state which can't be written is found before anything is done.
        recorder.write_progress()
        _say("started", options, recorder, finished_earlier=len(earlier.finished))
        sink = _Sink(recorder, lambda: _say("running", options, recorder, limit=pace.limit))
        self._loop = Loop(action, sink, threads=options.threads, stop=self._stop)
        try:
            complete = self._loop.run(_left(entries, earlier, recorder))
        except WorkerError:
            with suppress(WorkerError):
                recorder.flush()
            raise
        code = recorder.finish(complete=complete)
        _say("finished" if complete else "interrupted", options, recorder, exit_code=int(code))
        return code

    def _action(self, pace: Pace) -> Action:
        options = self._options
        s3 = S3(self._object_client(options.threads), pace, options.phase)
        if options.phase is Phase.RESTORE:
            return RestoreAction(s3, days=options.days, tier=options.tier)
        return CopyAction(
            s3,
            target=options.storage_class,
            threshold_bytes=options.multipart_threshold_bytes,
            part_bytes=options.part_size_bytes,
        )


def _left(entries: Iterator[LotEntry], earlier: Earlier, recorder: Recorder) -> Iterator[LotEntry]:
    """The entries that need work; those that earlier attempts finished are counted and passed over."""
    for entry in entries:
        outcome = earlier.outcome(entry)
        if outcome is None:
            yield entry
        else:
            recorder.pass_over(outcome)


class _Sink:
    """Results on their way to the recorder, and a line in the log now and then."""

    def __init__(self, recorder: Recorder, say: Callable[[], None]) -> None:
        self._recorder = recorder
        self._say = say
        self._said_at = time.monotonic()

    def add(self, row: ResultRow) -> None:
        self._recorder.add(row)

    def tick(self) -> None:
        self._recorder.tick()
        if time.monotonic() - self._said_at >= LOG_EVERY_S:
            self._said_at = time.monotonic()
            self._say()


def _say(message: str, options: Options, recorder: Recorder, **more: float | None) -> None:
    tally = recorder.tally()
    fields = {
        "phase": options.phase.value,
        "lot": options.lot,
        "attempt": options.attempt,
        "keys": tally.keys,
        "outcomes": {Outcome(outcome).value: count for outcome, count in tally.outcomes.items()},
        "requests": tally.requests,
        **more,
    }
    log.info(message, extra={"fields": fields})
