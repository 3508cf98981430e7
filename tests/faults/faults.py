"""The faults that pass: each befalls a key's first request of an operation, and the second goes through."""

import random
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from tests.fidelity.documented_objects import Request
from tests.worker.proxy import CUT, GARBLE, LOSE, LOSE_LATE, NOISE, SHORT, Fault, Reply
from tests.worker.server import HANG, RESET

ELSEWHERE = (("Location", "http://127.0.0.1:9/"),)

FAULTS: Mapping[str, Fault] = {
    "503 SlowDown": Reply(503, "SlowDown", "Please reduce your request rate."),
    "503 without a word": Reply(503, body=b""),
    "429": Reply(429, "TooManyRequestsException"),
    "400 ThrottlingException": Reply(400, "ThrottlingException", "Rate exceeded"),
    "400 RequestTimeout": Reply(400, "RequestTimeout", "Your socket connection was not read from in time."),
    "500 InternalError": Reply(500, "InternalError"),
    "502 of a load balancer": Reply(502, body=b"<html><body>Bad Gateway</body></html>"),
    "307 to elsewhere": Reply(307, "TemporaryRedirect", headers=ELSEWHERE),
    "302 to elsewhere": Reply(302, body=b"<html>log in", headers=ELSEWHERE),
    "connection cut": CUT,
    "connection reset": RESET,
    "no HTTP": NOISE,
    "no answer": HANG,
    "answer lost": LOSE,
    "answer lost, late": LOSE_LATE,
    "answer cut short": SHORT,
}

WITH_A_BODY: Mapping[str, Fault] = {
    "200 with InternalError": Reply(200, "InternalError"),
    "200 with SlowDown": Reply(200, "SlowDown"),
    "answer garbled": GARBLE,
}
"""Faults in an answer's body: of the operations whose answer has one."""

OPERATIONS_WITH_A_BODY = {"CopyObject", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"}


def faults_of(operation: str) -> Mapping[str, Fault]:
    """The faults that an operation can meet, by name."""
    return {**FAULTS, **(WITH_A_BODY if operation in OPERATIONS_WITH_A_BODY else {})}


class EachKeyItsOwn:
    """
    A fault of its own for each key, at its first request of one operation.

    operations: what may go wrong. each: how many keys each fault of each operation gets.
    """

    def __init__(self, operations: Iterable[str], each: int) -> None:
        rows = [(operation, name) for operation in operations for name in faults_of(operation)]
        self.keys: Mapping[tuple[str, str], Sequence[str]] = {
            row: [f"{number:03}-{one}" for one in range(each)] for number, row in enumerate(rows)
        }
        self._of_key = {key: row for row, keys in self.keys.items() for key in keys}
        self._lock = threading.Lock()
        self.met: Counter[str] = Counter()

    def __call__(self, request: Request) -> Fault:
        """The fault of the request's key, once."""
        operation, name = self._of_key.get(request.key, ("", ""))
        if request.operation != operation:
            return None
        with self._lock:
            self.met[request.key] += 1
            return faults_of(operation)[name] if self.met[request.key] == 1 else None


class Mixed:
    """Requests that go wrong with this probability, in every way there is but these. seed: of the chance."""

    def __init__(self, seed: int, probability: float, *, but: Collection[Fault] = ()) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._probability = probability
        self._but = but
        self._lock = threading.Lock()
        self.met: Counter[str] = Counter()

    def __call__(self, request: Request) -> Fault:
        """A fault, or none."""
        faults = faults_of(request.operation)
        with self._lock:
            if self._chance.random() >= self._probability:
                return None
            name = self._chance.choice([one for one in faults if faults[one] not in self._but])
            self.met[name] += 1
        return faults[name]


class Outage:
    """
    One fault for everything, from a request in the middle of the lot on, for some of the worker's seconds.

    fell: how many requests it befell.
    """

    def __init__(self, fault: Fault, seconds: float, *, speed: float, after: int = 60) -> None:
        self._fault, self._after, self._seconds = fault, after, seconds / speed
        self._since: float | None = None
        self._seen = self.fell = 0

    @property
    def going_on(self) -> bool:
        """Whether it is on."""
        if self._since is None and self._seen >= self._after:
            self._since = time.monotonic()
        return self._since is not None and time.monotonic() - self._since < self._seconds

    def __call__(self, _: Request) -> Fault:
        """The fault while it is on."""
        self._seen += 1
        on = self.going_on
        self.fell += on
        return self._fault if on else None
