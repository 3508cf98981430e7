"""
Which lots may start in a wait for restores: it looks now and then, and decides lot by lot.

What a look means is decided in `restores/judge_readiness.py`; `lot_samples.py` takes the samples and looks at them.
A wait that is killed loses nothing: the next one takes the same samples and looks again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.objects.restore_times import look_every_s, restore_time
from orchestrator.restores.judge_readiness import KeyState, Verdict, copies_go_soon, judge_sample, next_delay_s
from orchestrator.restores.lot_samples import LotSamples, ProbeResult, ProbeSources
from orchestrator.restores.restarts import LotStart, after_task
from orchestrator.state.job_file import Restore
from orchestrator.state.lot_status import LotStatus, last_finished
from worker.contract import Outcome

FIRST_DELAY_S = 10
"""The first delay between two looks; each is twice the one before, up to what the restores' tier suggests."""

FAILED_LOOKS = 6
"""Looks in a row that may fail before the wait gives up: with their growing delays, half an hour without a network."""

FAILED_FIRST_S = 60


class Readiness:
    """
    Which lots may start; a watch asks it at each of its own looks, most of which it answers without any request.

    target: the class to copy into. say: told of looks that failed.
    """

    def __init__(
        self, sources: ProbeSources, *, target: str, restore: Restore, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._samples = LotSamples(sources, target=target, clock=clock)
        self._restoring, self._restore = sources.restoring, restore
        self._clock, self._say = clock, say
        self._started: set[str] = set()
        self._started_early: set[str] = set()
        self._starts: dict[str, LotStart] = {}
        self._kinds: frozenset[str] = frozenset()
        self._failed = 0
        self._delay_s = 0.0
        self._next_at = clock.monotonic()
        self._no_use: dict[str, int] = {}

    def may_start(self, lot_statuses: Sequence[LotStatus]) -> Sequence[str]:
        """
        The names of the lots that may start now; none while the time for a look hasn't come.

        lot_statuses: the lots that aren't complete and have no task.
        Raises S3ReclassError when the first look fails, or looking has failed too often.
        """
        self._hear_of(lot_statuses)
        if self._clock.monotonic() < self._next_at:
            return ()
        open_lots = [one for one in lot_statuses if not _all_settled(one)]
        try:
            result = self._samples.look(open_lots)
            decided = self._decide([one for one in open_lots if one.lot.name in set(result.lots)])
        except S3ReclassError as error:
            self._look_failed(error)
            return ()
        # Keys that failed before this run are tried once in it.
        start = [one.lot.name for one in lot_statuses if _all_settled(one) and one.lot.name not in self._started]
        start += decided
        self._started.update(start)
        self._plan_next(result, open_lots, started=bool(start))
        return start

    def waiting(self, lot_statuses: Iterable[LotStatus]) -> tuple[LotStatus, ...]:
        """Those of the lots that are worth waiting for."""
        return tuple(one for one in lot_statuses if self._is_open(one) and not self._is_no_use(one))

    def probe_at_once(self, lot_statuses: Iterable[LotStatus]) -> bool:
        """Whether there is news of any of the lots, so that the next look is due now: a task left keys pending."""
        news = not self._failed and any(not self._samples.is_of(one) for one in lot_statuses)
        if news:
            self._next_at = self._clock.monotonic()
        return news

    def no_use(self, lot_statuses: Iterable[LotStatus]) -> tuple[LotStatus, ...]:
        """Those of the lots that have pending keys, of which no restore is under way."""
        return tuple(one for one in lot_statuses if self._is_open(one) and self._is_no_use(one))

    def partly_ready(self, lot_status: LotStatus) -> bool:
        """Whether a look knew ready keys of the lot."""
        return self._samples.knows(lot_status.lot.name, KeyState.READY)

    @staticmethod
    def _is_open(lot_status: LotStatus) -> bool:
        return not lot_status.complete and not _all_settled(lot_status)

    def _is_no_use(self, lot_status: LotStatus) -> bool:
        return self._no_use.get(lot_status.lot.name) == lot_status.files.attempt

    @property
    def delay_s(self) -> float:
        """Seconds from now until the next look."""
        return max(0.0, self._next_at - self._clock.monotonic())

    @property
    def typical(self) -> str:
        """What S3 says of the restores that were seen under way: `tier Bulk: GLACIER 5 to 12 h`, or ""."""
        tier, asked_at = self._restore.tier, self._restore.requested_at
        times = [f"{kind} {time}" for kind in sorted(self._kinds) if (time := restore_time(kind, tier))]
        since = f"asked for from {asked_at:%Y-%m-%d %H:%M} UTC on, " if asked_at else ""
        return f"{since}tier {tier}: {', '.join(times)}" if times else ""

    def _decide(self, lot_statuses: Sequence[LotStatus]) -> list[str]:
        """The names of those of the lots that may start."""
        start, no_use = [], {}
        for lot_status in lot_statuses:
            name = lot_status.lot.name
            match judge_sample(self._samples[name]):
                case Verdict.START if self._may_try(lot_status):
                    start.append(name)
                case Verdict.NO_USE if not last_finished(lot_status):
                    # Each key gets an outcome, once: pending, and why.
                    start.append(name)
                case Verdict.NO_USE:
                    no_use[name] = lot_status.files.attempt
                case Verdict.WAIT if name not in self._started_early and self._copies_go_soon():
                    self._started_early.add(name)
                    start.append(name)
                case _:
                    pass
        # Asked last, as it reads a file for each lot: while restores are still being asked for, waiting is of use.
        self._no_use = {} if no_use and self._restoring() else no_use
        return start

    def _hear_of(self, lot_statuses: Iterable[LotStatus]) -> None:
        """Learn what became of the lots that were started: one that got nowhere is looked at again soon."""
        for lot_status in lot_statuses:
            last, attempt = self._starts.get(lot_status.lot.name), lot_status.files.attempt
            if last is None or attempt <= last.attempt or not last_finished(lot_status):
                continue
            pending = lot_status.outcomes.get(Outcome.PENDING, 0)
            start = after_task(last, attempt=attempt, pending=pending, now_s=self._clock.monotonic())
            self._starts[lot_status.lot.name] = start
            if start.pause_s and not self._failed:
                self._delay_s = min(self._delay_s, start.pause_s)
                self._next_at = min(self._next_at, start.again_at)

    def _may_try(self, lot_status: LotStatus) -> bool:
        """
        Whether a lot that looks ready may start: not in the pause after a task that got nowhere.

        A key may seem ready and be left pending: its restored copy expires too soon for its size, say.
        """
        name, pending = lot_status.lot.name, lot_status.outcomes.get(Outcome.PENDING, 0)
        last = self._starts.get(name, LotStart(attempt=0, pending=0))
        if self._clock.monotonic() < last.again_at:
            return False
        self._starts[name] = replace(last, attempt=lot_status.files.attempt, pending=pending or lot_status.lot.keys)
        return True

    def _copies_go_soon(self) -> bool:
        return copies_go_soon(self._restore.requested_at, self._restore.days, self._clock.now())

    def _plan_next(self, result: ProbeResult, open_lots: Iterable[LotStatus], *, started: bool) -> None:
        self._failed, now = 0, self._clock.monotonic()
        self._kinds = frozenset(result.kinds) or self._kinds
        self._delay_s = next_delay_s(
            self._delay_s,
            first_s=FIRST_DELAY_S,
            most_s=look_every_s(self._kinds, self._restore.tier),
            started=started,
            left_out=result.left_out,
        )
        starts = (self._starts.get(one.lot.name) for one in open_lots)
        pauses_end = (start.again_at for start in starts if start and start.again_at > now)
        self._next_at = min((now + self._delay_s, *pauses_end))

    def _look_failed(self, error: S3ReclassError) -> None:
        self._failed += 1
        if self._failed >= FAILED_LOOKS or not self._delay_s:
            raise error
        delay_s = FAILED_FIRST_S * 2 ** (self._failed - 1)
        self._next_at = self._clock.monotonic() + delay_s
        at = self._clock.now() + timedelta(seconds=delay_s)
        self._say(f"couldn't look at the restores ({error}): looking again at {at:%Y-%m-%d %H:%M:%S} UTC")


def _all_settled(lot_status: LotStatus) -> bool:
    """Whether the lot's keys all have outcomes, and none is pending: some have failed."""
    return last_finished(lot_status) and not lot_status.outcomes.get(Outcome.PENDING)
