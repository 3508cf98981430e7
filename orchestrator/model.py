"""The values that travel between the launcher's parts. Frozen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.contract import Phase

CHANGE_DATA = ("--allow-noncurrent", "--delete-superseded")
"""Flags with which a copy changes more than the class of a current version."""

RESTORE_REQUESTS_PER_SECOND = 1_000
"""
S3's limit on restore requests, per account and Region, all callers together.

S3 User Guide, "Restoring an archived object"; 2026-11.
"""

RESTORE_MARGIN = 0.9
"""Of that limit, what a job takes unless told otherwise: other callers in the account need some too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lot:
    """
    One lot as `lots.json` names it.

    name: `lot-00000`; its file is `<name>.csv`.
    keys: lines in it.
    sha256: of the file's bytes, in hex.
    """

    name: str
    keys: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lots:
    """
    A key file cut into lots: what `lots.json` says.

    lots: in the key file's order.
    digest: sha256 over the lots, in hex; its first 12 digits are the job's id.
    buckets: every bucket that the lines name, sorted.
    source: the key file as the user named it.
    source_path, source_sha256: its absolute path ("" for standard input) and its bytes' digest, unpacked:
        how `split` knows the same key file again.
    blank_lines, duplicates: lines left out, as counted by `split`.
    """

    lots: tuple[Lot, ...]
    digest: str
    buckets: tuple[str, ...]
    source: str
    source_path: str = ""
    source_sha256: str = ""
    blank_lines: int = 0
    duplicates: int = 0

    @property
    def job(self) -> str:
        """The job's id: the same lots are the same job, always."""
        return self.digest[:12]

    @property
    def keys(self) -> int:
        """Keys in all lots."""
        return sum(lot.keys for lot in self.lots)


class Architecture(StrEnum):
    """A CPU architecture, in the words of ECS's runtimePlatform."""

    X86_64 = "X86_64"
    ARM64 = "ARM64"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """
    A worker image in ECR.

    repository_uri: without tag or digest.
    tag: names the content; see `image/tag.py`.
    digest: `sha256:...`, what a task definition pins.
    architecture: what it was built for.
    lots_job: the job whose lots it carries, or "".
    """

    repository_uri: str
    tag: str
    digest: str
    architecture: Architecture
    lots_job: str = ""

    @property
    def uri(self) -> str:
        """The image by digest."""
        return f"{self.repository_uri}@{self.digest}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """
    The parts of an AWS account that a run on Fargate uses: the stack's, each replaced by what `s3reclass.toml` names.

    state_bucket: the bucket's name.
    repository: the ECR repository's name.
    """

    state_bucket: str
    repository: str
    cluster: str
    task_role_arn: str
    execution_role_arn: str
    log_group: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    assign_public_ip: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRequest:
    """
    One task to start: everything that a place needs to know of it.

    job, phase, lot, attempt: what it works on; attempt counts from 1.
    command: the worker's command line, without `python -m worker`.
    spot: on capacity that costs less and that the place may take back, where it has such.
    """

    job: str
    phase: Phase
    lot: str
    attempt: int
    command: tuple[str, ...]
    spot: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """
    A task that a place has started.

    id: the place's own name for it: an ECS task ARN, or a process id.
    """

    id: str
    phase: Phase
    lot: str
    attempt: int


class TaskStatus(StrEnum):
    """Where a task stands in its place."""

    PENDING = "pending"  # accepted, not yet running
    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"  # the place has no memory of it (or not yet): the state decides


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskState:
    """
    What a place says of one task.

    exit_code: the worker's, once it stopped and if the place knows it; never of a task that still runs.
    reason: why it stopped or doesn't start, in words that say what to do; "" when there is nothing to say.
    interrupted: stopped by the place or the user, not by a fault of its own (Spot, `stop`, a host's retirement).
    never_started: it stopped before the worker ran.
    no_capacity: that was for want of capacity, no fault of the task's.
    """

    status: TaskStatus
    exit_code: int | None = None
    reason: str = ""
    interrupted: bool = False
    never_started: bool = False
    no_capacity: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """
    A task request that a place did not take.

    reason: in words that say what to do.
    retry: whether asking again later can help (capacity, throttling), as it can't with a wrong ARN.
    no_capacity: the place has none free of the kind that was asked for, and so has surely started nothing.
    """

    request: TaskRequest
    reason: str
    retry: bool
    no_capacity: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """
    One request to AWS, as data: what `--dry-run` prints is what the client sends.

    service, operation: botocore's names (`ecs`, `run_task`).
    parameters: as boto3 takes them.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
