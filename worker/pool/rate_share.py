"""
The task's share of its job's request rate. The launcher divides that rate again as tasks end.

The share is read before the first request, and at intervals from then on. One that can't be read changes nothing: the
task keeps the one that it knows.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from worker.clock import Clock
from worker.contract import SHARE_EVERY_S, SHARE_SPREAD, ContractError, RateShare
from worker.errors import WorkerError
from worker.state.results_store import Store, open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger("worker")

JOIN_S = 1.0
"""How long a read under way is waited for at the end, in seconds; it changes nothing any more."""


class ShareReader:
    """
    Reads the share, and hands on a rate that is new.

    store, name: where it is. set_rate: takes requests a second.
    """

    def __init__(self, store: Store, name: str, set_rate: Callable[[float], None]) -> None:
        self._store = store
        self._name = name
        self._set_rate = set_rate
        self._rate: float | None = None

    def read(self) -> None:
        """Read the share once."""
        try:
            rate = RateShare.from_json(self._store.read(self._name)).rate
        except (WorkerError, ContractError) as error:
            log.debug("no rate share: %s", error)
            return
        if rate == self._rate:
            return
        if self._rate is not None:
            log.info("rate share", extra={"fields": {"rate": rate}})
        self._rate = rate
        self._set_rate(rate)


@contextmanager
def following(
    uri: str,
    set_rate: Callable[[float], None],
    *,
    state_client: "Callable[[], S3Client]",
    clock: Clock,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Iterator[None]:
    """
    A block in which the rate follows the share at this URI; "" for a task that has none.

    uniform: a random number between two.
    """
    if not uri:
        yield
        return
    folder, _, name = uri.rpartition("/")
    reader = ShareReader(open_store(folder, state_client), name, set_rate)
    reader.read()
    over = threading.Event()

    def follow() -> None:
        # At random intervals: a thousand tasks that start together must not ask together.
        while True:
            clock.wait(over, SHARE_EVERY_S * uniform(1 - SHARE_SPREAD, 1 + SHARE_SPREAD))
            if over.is_set():
                return
            reader.read()

    thread = threading.Thread(target=follow, name="share", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(JOIN_S)
