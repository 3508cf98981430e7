"""
A stub of S3 that is faster than any client: compiles stub_s3/*.c, starts it, sets it and reads its counts.

    python -m benchmarks.stub --port 9001 --delay-ms 30     # until Ctrl-C; AWS_ENDPOINT_URL=http://127.0.0.1:9001

It answers HeadObject, CopyObject, RestoreObject, GetObject, ListObjectsV2, and what is asked of a bucket
(ownership, location, versioning, Object Lock), in any bucket that is named in the path; everything else is 501.
It keeps nothing, takes any signature, and speaks plain HTTP only, on loopback. An object is what the first part
of its key says, before and after any copy:

| key | the object | HEAD | copy into another class | restore |
|---|---|---|---|---|
| `ready/...` | GLACIER, with a restored copy | 200 | 200 | 200 |
| `archived/...` | GLACIER | 200 | 403 InvalidObjectState | 202 |
| `restoring/...` | GLACIER, its restore under way | 200 | 403 InvalidObjectState | 409 RestoreAlreadyInProgress |
| `ia/...` | STANDARD_IA | 200 | 200 | 403 InvalidObjectState |
| `missing/...`, or a key without `/` | none | 404 | 404 NoSuchKey | 404 NoSuchKey |
| `denied/...` | one that is nobody's business | 403 | 403 AccessDenied | 403 AccessDenied |
| any other | STANDARD | 200 | 200 | 403 InvalidObjectState |

Its ETag is made from its key; a copy with a wrong ETag in one of its conditions is 412, one that changes nothing
is 400. A listing has the keys `<first part of the prefix>/0000000000` and so on.

The control path isn't counted, delayed or throttled: `GET /-/counts` tells the counts, and
`POST /-/set?delay_ms=30&rate=150` sets what it names and zeroes them.
"""

import argparse
import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SOURCES = Path(__file__).parent / "stub_s3"
COMPILERS = ("cc", "gcc", "clang")


class StubError(Exception):
    """The stub can't be made or doesn't answer: in one line, what to do about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """
    What the stub has seen since it was last set.

    requests: all but those of the control path; head to other: those of them with an answer of their kind,
        an error among them too. refused: with 503 SlowDown. errors: with any 4xx, or 501.
    connections: new ones that brought a request. in_flight_max: requests waiting for their answers at once, at most.
    first_s, last_s: when the first request came and the last answer went, in time.monotonic's seconds.
    cpu_s: seconds of CPU that the stub itself took.
    """

    requests: int = 0
    head: int = 0
    copy: int = 0
    restore: int = 0
    list: int = 0
    get: int = 0
    other: int = 0
    refused: int = 0
    errors: int = 0
    connections: int = 0
    in_flight_max: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def span_s(self) -> float:
        """Seconds from the first request to the last answer."""
        return self.last_s - self.first_s


def compile_stub(folder: Path) -> Path:
    """The stub's program, compiled into the folder. Raises StubError."""
    named = os.environ.get("CC")
    found = named or next(filter(shutil.which, COMPILERS), None)
    if not found:
        raise StubError(
            f"the stub S3 needs a C compiler, and {', '.join(COMPILERS)} aren't there: install gcc, or name one in CC"
        )
    program = folder / "stub-s3"
    command = [*found.split(), "-O2", "-std=gnu11", "-o", str(program), *map(str, sorted(SOURCES.glob("*.c")))]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise StubError(f"can't run the C compiler {found}: {error.strerror}") from error
    if made.returncode:
        raise StubError(f"{found} can't compile the stub S3, which needs Linux (epoll): {made.stderr.strip()}")
    return program


class Stub:
    """
    A running stub; leaving the context ends it, and so does the end of this process.

    cores: those it may run on; None for any.
    """

    def __init__(self, *, port: int = 0, cores: set[int] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stub-s3-")
        try:
            program = compile_stub(Path(self._folder.name))
        except StubError:
            self._folder.cleanup()
            raise
        self._process = subprocess.Popen(
            [program, "--port", str(port), "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        if cores:
            os.sched_setaffinity(self._process.pid, cores)
        assert self._process.stdout  # noqa: S101 (a pipe was asked for)
        told = self._process.stdout.readline()
        if not told:
            self.__exit__(None, None, None)
            raise StubError(f"the stub S3 can't listen on 127.0.0.1:{port}: take another port")
        self.port = int(told)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def set(self, **settings: float) -> None:
        """
        Change settings and zero the counts.

        delay_ms: from a request to its answer. rate: requests a second above which it answers 503; 0: no limit.
        objects: in a listing. size: bytes of every object.
        """
        self._ask("POST", "/-/set?" + "&".join(f"{name}={value}" for name, value in settings.items()))
        # What was told before is old news.
        self.first_request(0)

    def first_request(self, timeout_s: float) -> bool:
        """Wait for the first request since it was last set; whether one came in time. Each is told only once."""
        assert self._process.stdout  # noqa: S101 (a pipe was asked for)
        told, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        return bool(told) and bool(os.read(self._process.stdout.fileno(), 4096))

    def counts(self) -> Counts:
        """What it has seen since it was last set."""
        told = self._ask("GET", "/-/counts")
        return Counts(**{field.name: told[field.name] for field in fields(Counts)})

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except OSError as error:
            raise StubError(f"the stub S3 doesn't answer: {error}") from error
        finally:
            connection.close()
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The end of its standard input ends it.
        self._process.communicate()
        self._folder.cleanup()


def main() -> None:
    """Run a stub by hand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0, help="requests a second; over it: 503 SlowDown. 0: no limit")
    parser.add_argument("--objects", type=int, default=0, help="in a listing")
    parser.add_argument("--size", type=int, default=1 << 20, help="bytes of every object")
    options = parser.parse_args()
    # To be ended by `kill` as by Ctrl-C, in the background too, where shells have it ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with Stub(port=options.port) as stub, suppress(KeyboardInterrupt):
        stub.set(delay_ms=options.delay_ms, rate=options.rate, objects=options.objects, size=options.size)
        print(f"AWS_ENDPOINT_URL={stub.endpoint}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
