"""
A launcher's lease on its job: taken, renewed while it runs, given back; and lost, which it notices.

It is a file in the state that is only written on the condition that it hasn't changed since it was read.
`state/lease_file.py` decides what the file says, and who may take it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError
from orchestrator.state.job_state import JobState
from orchestrator.state.launcher_id import has_ended
from orchestrator.state.lease_file import (
    RENEW_AGAIN_S,
    RENEW_EVERY_S,
    SAFETY_S,
    Claim,
    Holder,
    Lease,
    LeaseHeldError,
    LeaseLostError,
    judge_lease,
)

TAKE_TRIES = 5
"""Tries at a free lease that others want too: each that fails is one that another launcher won."""

RELEASE_PATIENCE_S = 10.0
"""Seconds to wait for a renewal under way before the lease is given back; after that it ends by itself."""


class JobLease:
    """
    The lease of one launcher on one job. `renew` may be called from another thread than the rest.

    holder: this launcher.
    ended: whether a launcher (the first) is known, to this one (the second), to have ended.
    """

    def __init__(
        self, state: JobState, holder: Holder, *, clock: Clock, ended: Callable[[Holder, Holder], bool] = has_ended
    ) -> None:
        self._state, self._clock, self._ended = state, clock, ended
        self._lease = Lease(id=uuid4().hex, holder=holder)
        self._tag: str | None = None
        self._sure_until = (clock.monotonic(), clock.now())
        self._lost: Lease | None = None

    def take(self) -> None:
        """
        Take the lease, if it is free, its launcher has ended, or it has run out.

        Raises LeaseHeldError naming the launcher that has it.
        """
        for _ in range(TAKE_TRIES):
            found, tag, age_s = self._state.read_lease()
            ended = found is not None and self._ended(found.holder, self._lease.holder)
            if found and judge_lease(found, ours=self._lease.id, age_s=age_s, ended=ended) is Claim.HELD:
                raise LeaseHeldError(self._state.paths.job, found, age_s=age_s, now=self._clock.now())
            if self._write(tag):
                return
        raise S3ReclassError(
            f"job {self._state.paths.job}: several launchers want it at the same time: leave it to one, or try again"
        )

    def renew(self) -> None:
        """
        Renew the lease; `check` raises from then on if another launcher has it by now.

        Raises S3ReclassError when the state can't be reached: to be tried again.
        """
        if self._lost or self._write(self._tag):
            return
        found, tag, _ = self._state.read_lease()
        if found is None or found.id == self._lease.id:
            # The file was removed, or the answer to our own put was lost: no other launcher has the lease.
            self._write(tag)
        else:
            self._lost = found

    def check(self) -> bool:
        """
        Whether tasks may be started: the lease is ours, and certainly stays so for a while.

        Both clocks are asked: the monotonic one stands still while a machine sleeps, the other may be set back.
        Raises LeaseLostError when another launcher has it.
        """
        if self._lost:
            raise LeaseLostError(self._state.paths.job, self._lost)
        monotonic, now = self._sure_until
        return self._clock.monotonic() < monotonic and self._clock.now() < now

    def release(self) -> None:
        """Give the lease back, if it is ours. If the state can't be reached, the lease ends by itself."""
        if self._tag is None or self._lost:
            return
        try:
            self._state.write_lease(replace(self._lease, turn=self._lease.turn + 1, released=True), self._tag)
        except S3ReclassError:
            return
        self._tag = None

    def _write(self, tag: str | None) -> bool:
        """Write the lease in place of the one with this tag; False when that one isn't there any more."""
        lease = replace(self._lease, turn=self._lease.turn + 1)
        # Counted from before the write: the state's own count begins later.
        sure_s = lease.lasts_s - SAFETY_S
        sure_until = self._clock.monotonic() + sure_s, self._clock.now() + timedelta(seconds=sure_s)
        written = self._state.write_lease(lease, tag)
        if written is None:
            return False
        self._lease, self._tag, self._sure_until = lease, written, sure_until
        return True


@contextmanager
def held(lease: JobLease) -> Iterator[JobLease]:
    """
    A block in which this launcher has the lease, renewed in the background, and given back however the block ends.

    Raises LeaseHeldError when another launcher has it.
    """
    lease.take()
    over = threading.Event()
    renewing = threading.Thread(target=_keep, args=(lease, over), name="lease", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        over.set()
        renewing.join(RELEASE_PATIENCE_S)
        if not renewing.is_alive():
            lease.release()


def _keep(lease: JobLease, over: threading.Event) -> None:
    """Renew the lease until the block is over. A renewal that fails is tried again; if it goes on, `check` says no."""
    delay_s = RENEW_EVERY_S
    while not over.wait(delay_s):
        delay_s = RENEW_EVERY_S
        try:
            lease.renew()
        except S3ReclassError:
            delay_s = RENEW_AGAIN_S
