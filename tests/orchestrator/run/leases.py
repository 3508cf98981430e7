"""A state that holds a job's lease, and launchers that want it, in time that passes only when it is told to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.run.lease import JobLease
from orchestrator.state.job_state import JobState
from orchestrator.state.lease_file import Holder, Lease
from orchestrator.state.s3_state import Stamped
from orchestrator.state.state_store import StateStore
from worker.contract import StatePaths

JOB = "0123456789ab"
PATH = StatePaths(JOB).lease_file
ANA = Holder(host="h", machine="m", pid=1, process="p", user="ana", command="run", since="now")
BEN = replace(ANA, pid=2, user="ben")


class Aging:
    """A store whose files are as old as a test says. down: whether it can't be reached."""

    def __init__(self, store: StateStore) -> None:
        """Make it over another store."""
        self.store = store
        self.older_s = 0.0
        self.down = False
        self.lost_answers = 0

    def read_stamped(self, path: str) -> Stamped | None:
        """The file, older."""
        self._reach()
        found = self.store.read_stamped(path)
        return found and replace(found, age_s=found.age_s + self.older_s)

    def write_if(self, path: str, data: bytes, tag: str | None) -> str | None:
        """Write, which makes the file new; the answer may get lost."""
        self._reach()
        written = self.store.write_if(path, data, tag)
        if written:
            self.older_s = 0
        if self.lost_answers:
            self.lost_answers -= 1
            raise S3ReclassError("no answer")
        return written

    def uri(self, path: str) -> str:
        """The path."""
        return self.store.uri(path)

    def _reach(self) -> None:
        if self.down:
            raise S3ReclassError("no connection")


class World:
    """A state, and launchers that want its job."""

    def __init__(self, store: StateStore) -> None:
        """Make a world in which no time has passed."""
        self.store = Aging(store)
        self.awake_s = self.asleep_s = 0.0
        self.dead: set[str] = set()

    def passes(self, seconds: float, *, asleep: bool = False) -> None:
        """Let time pass; the launchers' machine may sleep through it."""
        self.store.older_s += seconds
        if asleep:
            self.asleep_s += seconds
        else:
            self.awake_s += seconds

    def lease(self, holder: Holder) -> JobLease:
        """A launcher's lease, not taken yet."""
        clock = Clock(
            monotonic=lambda: self.awake_s,
            sleep=self.passes,
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=self.awake_s + self.asleep_s),
        )
        state = JobState(self.store, JOB)  # type: ignore[arg-type]  # it has what a lease needs
        return JobLease(state, holder, clock=clock, ended=lambda one, _: one.user in self.dead)

    def taken(self, holder: Holder) -> JobLease:
        """A lease that is taken."""
        lease = self.lease(holder)
        lease.take()
        return lease

    def found(self) -> Lease:
        """The lease as the state holds it."""
        stamped = self.store.store.read_stamped(PATH)
        assert stamped is not None
        return Lease.from_json(stamped.data)
