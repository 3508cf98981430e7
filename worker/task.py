"""One run of the worker over one lot, from its options to its exit code."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from worker.actions.copy import CopyAction
from worker.actions.restore import RestoreAction
from worker.actions.upload_notes import UploadNotes, abort_left_behind
from worker.clock import Clock
from worker.contract import S3_CLIENTS, ExitCode, LotEntry, Options, Outcome, Phase, ResultRow
from worker.errors import StoppingError, WorkerError
from worker.pool.concurrency import MOST, Concurrency
from worker.pool.loop import LONG_THREADS, Action, Loop
from worker.pool.pacing import Pace
from worker.pool.part_threads import PARTS_IN_FLIGHT
from worker.pool.rate_share import following
from worker.s3.ask import S3
from worker.s3.clients import fast_client
from worker.state.lot import first_of, read_lot
from worker.state.results import EarlierAttempts, Recorder, read_earlier
from worker.state.results_store import Store, open_store
from worker.state.takeover import Takeover

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from worker.s3.fast.client import FastClient

log = logging.getLogger("worker")

LOG_EVERY_S = 60.0


class Task:
    """
    A task: made once and run once. A signal handler or another thread may stop it.

    state_client: makes the client for lot and results. object_client: makes the client for the objects.
    fast_client: makes the fast client beside that client, None where it can't be used.
    clock: measures delays, rates and intervals.
    """

    def __init__(
        self,
        options: Options,
        *,
        state_client: "Callable[[], S3Client]",
        object_client: "Callable[[int], S3Client]",
        fast_client: "Callable[[S3Client], FastClient | None]" = fast_client,
        clock: Clock = Clock(),
    ) -> None:
        self._options = options
        self._clock = clock
        self._state_client = state_client
        self._object_client = object_client
        self._fast_client = fast_client
        self._stop = threading.Event()
        self._stopping = False
        self._loop: Loop | None = None

    def stop(self) -> None:
        """Begin no more keys, let those in flight finish, record them. A second call changes nothing."""
        if self._stopping:
            # A second signal may come while the first one sets the event, which isn't reentrant.
            return
        self._stopping = True
        self._stop.set()
        if self._loop:
            self._loop.wake()

    def run(self) -> ExitCode:
        """
        The exit code, after everything that was done is recorded.

        Raises WorkerError when the task can't go on, after everything is recorded, if the state can be written.
        """
        options = self._options
        store = open_store(options.results, self._state_client)
        clock = self._clock
        takeover = Takeover(store, options.attempt, give_way=self.stop, stop=self._stop, clock=clock)
        pace = Pace(
            options.rate,
            self._stop,
            clock=clock,
            wait=lambda seconds: clock.wait(self._stop, seconds),
            hold=takeover.hold,
        )
        lot = read_lot(options.lot, self._state_client, sha256=options.lot_digest, keys=options.lot_keys)
        entries = first_of(lot)
        takeover.begin()
        earlier = read_earlier(store, options.attempt, options.phase)
        s3 = self._s3(pace)
        recorder = Recorder(
            store,
            attempt=options.attempt,
            last_seq=earlier.last_seq,
            requests=lambda: pace.sent,
            parts=earlier.parts,
            before_progress=takeover.check,
            clock=clock,
        )
        # Before the first key: a state that can't be written is found before anything is done.
        recorder.write_progress()
        _log("started", options, recorder, finished_earlier=len(earlier.finished))
        sink = _Sink(recorder, earlier, lambda: _log("running", options, recorder, limit=pace.limit))
        action = self._action(s3, store, recorder)
        threads = Concurrency(options.threads, sent=lambda: pace.sent, limit=lambda: pace.limit, clock=clock).threads
        self._loop = Loop(action, sink, threads=threads, stop=self._stop, clock=clock)
        try:
            # A task without a rate limit has no share of one.
            share = options.rate_from if options.rate else ""
            with following(share, pace.set_rate, state_client=self._state_client, clock=clock):
                with suppress(StoppingError):
                    abort_left_behind(s3, store, earlier)
                complete = self._loop.run(_left(entries, earlier, recorder))
        except WorkerError:
            with suppress(WorkerError):
                recorder.flush()
            raise
        finally:
            if s3.fast:
                s3.fast.close()
        code = recorder.finish(complete=complete)
        _log("finished" if complete else "interrupted", options, recorder, exit_code=int(code))
        return code

    def _s3(self, pace: Pace) -> S3:
        options = self._options
        always = {
            "RequestPayer": options.request_payer,
            "ExpectedBucketOwner": options.bucket_owner,
            "ExpectedSourceBucketOwner": options.bucket_owner,
        }
        connections = (options.threads or MOST) + LONG_THREADS + PARTS_IN_FLIGHT
        client = self._object_client(connections)
        return S3(
            client,
            pace,
            options.phase,
            {name: value for name, value in always.items() if value},
            self._fast_client(client) if options.s3_client == S3_CLIENTS[0] else None,
        )

    def _action(self, s3: S3, store: Store, recorder: Recorder) -> Action:
        options = self._options
        if options.phase is Phase.RESTORE:
            return RestoreAction(s3, days=options.days, tier=options.tier)
        audit = recorder.take_snapshot if options.audit else None
        return CopyAction(s3, options, uploads=UploadNotes(store, options.attempt), audit=audit)


def _left(entries: Iterator[LotEntry], earlier: EarlierAttempts, recorder: Recorder) -> Iterator[LotEntry]:
    """The entries that need work. Those that earlier attempts finished are counted and skipped."""
    for entry in entries:
        outcome = earlier.outcome(entry)
        if outcome is None:
            yield entry
        else:
            recorder.pass_over(outcome)


class _Sink:
    """Hands results to the recorder, and logs a line every minute."""

    def __init__(self, recorder: Recorder, earlier: EarlierAttempts, log_progress: Callable[[], None]) -> None:
        self._recorder = recorder
        self._earlier = earlier
        self._log_progress = log_progress
        self._logged_at = time.monotonic()

    def add(self, row: ResultRow) -> None:
        self._recorder.add(self._earlier.told_again(row))

    def flush(self) -> None:
        self._recorder.flush()

    def tick(self) -> None:
        self._recorder.tick()
        if time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            self._log_progress()


def _log(message: str, options: Options, recorder: Recorder, **more: float | None) -> None:
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
