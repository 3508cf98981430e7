"""Run the worker: as a process, as the container does, or in this one, where that is quicker."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from worker.clock import Clock
from worker.command_line import parse_command_line
from worker.contract import (
    ExitCode,
    LotEntry,
    LotFileName,
    Outcome,
    ResultRow,
    Tally,
    format_lot_line,
    parse_result_rows,
)
from worker.s3.clients import OBJECT_READ_TIMEOUT_S, object_client, session, state_client
from worker.task import Task

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Job:
    """
    One lot and its results folder on the disk.

    folder: where both are.
    """

    folder: Path

    @property
    def results(self) -> Path:
        """The results folder."""
        return self.folder / "results"

    def write_lot(self, entries: Iterable[LotEntry]) -> None:
        """Write the lot."""
        (self.folder / "lot.csv").write_text("".join(map(format_lot_line, entries)))

    def arguments(self, phase: str, *more: str, attempt: int = 1) -> list[str]:
        """The worker's command line."""
        what = ["--lot", str(self.folder / "lot.csv"), "--results", str(self.results), "--attempt", str(attempt)]
        return [phase, *what, *more]

    def rows(self, attempt: int | None = None) -> list[ResultRow]:
        """Every result row, in order; of one attempt, or of all."""
        numbers = sorted(filter(None, (LotFileName.parse(path.name) for path in self.results.glob("results-*"))))
        return [
            row
            for number in numbers
            if attempt in (None, number.attempt)
            for row in parse_result_rows((self.results / f"results-{number.attempt}-{number.seq:05d}.csv").read_text())
        ]

    def outcomes(self) -> dict[str, Outcome]:
        """Each key's last outcome."""
        return {row.entry.key: row.outcome for row in self.rows()}

    def done(self, attempt: int = 1) -> Tally | None:
        """The attempt's tally, None when it left none."""
        path = self.results / f"done-{attempt}.json"
        return Tally.from_json(path.read_bytes()) if path.exists() else None


class Process(subprocess.Popen[str]):
    """A process that is killed at the end of its block if it hasn't ended by then: no test waits for it without end."""

    def __exit__(self, *error: object) -> None:
        self.kill()
        super().__exit__(None, None, None)


def start(arguments: Sequence[str], **environ: str) -> Process:
    """The worker as a process of its own, in another folder than the project's."""
    return Process(
        [sys.executable, "-m", "worker", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        cwd="/",
        stderr=subprocess.PIPE,
        text=True,
    )


def run(arguments: Sequence[str], **environ: str) -> tuple[int, str]:
    """The exit code and the log of a worker process."""
    with start(arguments, **environ) as process:
        _, log = process.communicate(timeout=300)
    return process.returncode, log


def run_here(
    arguments: Sequence[str],
    endpoint: str,
    *,
    speed: float = 1,
    read_timeout_s: float = OBJECT_READ_TIMEOUT_S,
    **environ: str,
) -> ExitCode:
    """
    The exit code of a task run in this process, against this endpoint. Raises WorkerError when it could not proceed.

    speed: of its time. read_timeout_s: its patience with answers.
    environ: its variables, its credentials among them unless these are the usual dummies.
    """
    given = environ or {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.delenv(name, raising=False)
        for name, value in (given | {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": endpoint}).items():
            patch.setenv(name, value)
        # boto3 keeps the credentials that it found first.
        session.cache_clear()
        return Task(
            parse_command_line(arguments),
            state_client=state_client,
            object_client=partial(object_client, read_timeout_s=read_timeout_s),
            clock=Clock(speed=speed),
        ).run()


@cache
def _client(endpoint: str) -> "S3Client":
    return boto3.client("s3", endpoint_url=endpoint)


def fake_s3() -> "S3Client":
    """A client of the fake AWS, to prepare a test and to look at what came of it."""
    return _client(os.environ["AWS_ENDPOINT_URL"])


def make_bucket(name: str = "bucket", *, versioned: bool = False, acls: bool = False) -> None:
    """A bucket in the fake AWS, with the ownership setting that AWS gives new ones unless ACLs are to matter."""
    s3 = fake_s3()
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    if not acls:
        s3.put_bucket_ownership_controls(
            Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def put(*keys: str, storage_class: str = "STANDARD", bucket: str = "bucket") -> None:
    """Objects of this class, their keys their content."""
    for key in keys:
        fake_s3().put_object(
            Bucket=bucket,
            Key=key,
            Body=key.encode(),
            StorageClass=storage_class,  # type: ignore[arg-type]  # any of S3's classes
            Metadata={"a": "b"},
        )


def restore(*keys: str) -> None:
    """Restore objects, which moto does at once."""
    for key in keys:
        fake_s3().restore_object(Bucket="bucket", Key=key, RestoreRequest={"Days": 7})


def entry(key: str, version: str = "") -> LotEntry:
    """A lot line for a key of the bucket."""
    return LotEntry(bucket="bucket", key=key, version_id=version)
