"""Everything a command needs, put together in one place: from settings to state, place and job."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.common.aws_sessions import client
from orchestrator.common.clock import Clock
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.image.push import find_image
from orchestrator.lots.folder import entries_at, lot_path, read_lots
from orchestrator.model import Lots, Resources, Task
from orchestrator.objects.bucket_facts import BucketFacts
from orchestrator.objects.buckets import bucket_facts, check_bucket
from orchestrator.objects.head_objects import THREADS, head_client, head_objects
from orchestrator.objects.list_objects import list_restores
from orchestrator.objects.object_head import ObjectHead
from orchestrator.places.base import Place
from orchestrator.places.fargate import FargatePlace
from orchestrator.places.fargate_ecs import Ecs
from orchestrator.places.fargate_logs import Logs
from orchestrator.places.fargate_task_definition import log_stream
from orchestrator.places.local import LocalPlace, task_id
from orchestrator.restores.lot_samples import ProbeSources
from orchestrator.restores.readiness import Readiness
from orchestrator.run.job import Job, Limits
from orchestrator.run.lease import JobLease, held
from orchestrator.settings.settings import Settings
from orchestrator.stack.ensure import ensure_stack, probe_bucket, resources
from orchestrator.state.job_file import restore_in
from orchestrator.state.job_state import JobState
from orchestrator.state.launcher_id import this_launcher
from orchestrator.state.start_note import StartedNote
from orchestrator.state.state_store import StateStore, open_store
from worker.contract import LotEntry, Phase

LOCAL_STATE = ".s3reclass"
LOTS_IN_IMAGE = "/lots"
"""Where the image of `push-image --with-lots` keeps its lots."""

Say = Callable[[str], None]

_JOB_ID = re.compile("[0-9a-f]{12}")


def open_job(
    settings: Settings,
    lots: Lots,
    *,
    lots_from_image: bool,
    delete_superseded: bool,
    may_create: bool,
    say: Say,
) -> Job:
    """
    The job of these lots, its state and its place.

    delete_superseded: whether tasks must be allowed to delete versions.
    may_create: whether the stack may be brought up when it is missing; a dry run only looks.
    Raises S3ReclassError when a bucket can't be worked on, or the place isn't ready and can't be made so.
    """
    if settings.bucket and lots.buckets != (settings.bucket,):
        raise UsageError(
            f"the lots in {settings.lots}/ are of {', '.join(lots.buckets)}, but the settings name the bucket "
            f"{settings.bucket}: split the key file again, or name the lots' bucket"
        )
    for bucket in lots.buckets:
        if settings.place == "local":
            check_bucket(bucket, arguments=settings.request_arguments())
        else:
            probe_bucket(settings, bucket)
    folder = Path(settings.lots)
    lots_in_image = LOTS_IN_IMAGE if lots_from_image else ""
    if settings.place == "local":
        if lots_from_image:
            raise UsageError("--lots-from image goes with --place fargate: local tasks read the lots themselves")
        store: StateStore = open_store(settings.state or LOCAL_STATE)
        place: Place = _local_place(settings)
    else:
        _refuse_local_state(settings)
        parts = (
            ensure_stack(settings, say=say, buckets=lots.buckets, delete_superseded=delete_superseded or None)
            if may_create
            else resources(settings)
        )
        store = open_store(_fargate_state(settings, parts))
        image = find_image(parts.repository, lots_job=lots.job if lots_from_image else "")
        place = FargatePlace(_ecs(), settings, parts, image)
    return Job(
        lots=lots,
        state=JobState(store, lots.job),
        place=place,
        read_lot=lambda lot: lot_path(folder, lot),
        lots_in_image=lots_in_image,
    )


def open_state(settings: Settings, job: str | None) -> JobState:
    """
    The state of the job with this id, or of the lots in lots/.

    Raises S3ReclassError when there are no lots and no job is named, NoStateError when there is no stack to have it.
    """
    if job and not _JOB_ID.fullmatch(job):
        # It becomes a part of paths.
        raise UsageError(f"--job {job!r} is no job's id: that is 12 hex digits, as `s3reclass split` prints them")
    job_id = job or read_lots(Path(settings.lots)).job
    if settings.state:
        return JobState(open_store(settings.state), job_id)
    uri = LOCAL_STATE if settings.place == "local" else _fargate_state(settings, resources(settings))
    return JobState(open_store(uri), job_id)


def open_place(settings: Settings) -> Place:
    """The place of running tasks, to look at them and stop them; it can start none."""
    if settings.place == "local":
        return _local_place(settings)
    return FargatePlace(_ecs(), settings, resources(settings), None)


def log_lines(settings: Settings, job: str, task: Task, note: StartedNote) -> Iterator[str]:
    """
    What a task wrote, line by line.

    task: its id from the note, if it has one; a process's isn't taken from there, as it names a file.
    Raises S3ReclassError when nothing of it is left.
    """
    if note.place == LocalPlace.name:
        own = replace(task, id=task_id(job, task.phase, task.lot, task.attempt))
        try:
            with _local_place(settings).log_file(own).open(encoding="utf-8", errors="replace") as file:
                yield from (line.rstrip("\n") for line in file)
        except OSError as error:
            raise S3ReclassError(f"no log of {task.lot} is on this machine: {error.strerror}") from error
    elif not task.id:
        raise S3ReclassError(f"the start of {task.lot}'s task was never confirmed: run `s3reclass run` again")
    else:
        group = resources(settings).log_group
        yield from (event.message for event in Logs(client("logs")).events(group, log_stream(task.id)))


def bucket_facts_of(settings: Settings, lots: Lots) -> tuple[BucketFacts, ...]:
    """The settings of the lots' buckets that may be read."""
    return tuple(bucket_facts(bucket, owner=settings.bucket_owner) for bucket in lots.buckets)


def lease_of(job: Job, command: str) -> AbstractContextManager[JobLease]:
    """
    A block in which this launcher, and no other one, may start the job's tasks.

    command: what it does, for the message to other launchers.
    """
    clock = Clock()
    return held(JobLease(job.state, this_launcher(command, clock.now()), clock=clock))


def readiness_of(settings: Settings, job: Job, clock: Clock, say: Say) -> Readiness:
    """
    What a wait asks which lots may start.

    say: told of probes that failed.
    Raises S3ReclassError when the state can't be read.
    """
    return Readiness(
        probe_sources_of(settings, job, clock),
        target=settings.storage_class,
        restore=restore_in(job.state.read_job()),
        clock=clock,
        say=say,
    )


def probe_sources_of(settings: Settings, job: Job, clock: Clock) -> ProbeSources:
    """What S3, the lots and the state are asked to see how far the job's restores are."""
    arguments, folder = settings.request_arguments(), Path(settings.lots)
    clients: list[Any] = []

    def heads(entries: Iterable[LotEntry]) -> Iterator[ObjectHead]:
        asked = tuple(entries)
        # Made at the first probe and kept: making a client takes longer than many requests.
        clients[:] = clients or [head_client()]
        threads = min(THREADS, len(asked))
        return head_objects(asked, arguments=arguments, clock=clock, threads=threads, s3=clients[0])

    def restoring() -> bool:
        lot_statuses = job.state.lot_statuses(job.lots, Phase.RESTORE)
        return any(one.files.attempt for one in lot_statuses) and not all(one.finished for one in lot_statuses)

    return ProbeSources(
        heads=heads,
        page=lambda bucket, after: list_restores(bucket, after, arguments),
        entries=lambda lot, places: entries_at(folder, lot, places),
        pending=lambda lot, attempt: job.pending(lot.name, attempt),
        restoring=restoring,
    )


def limits_for(place: Place, settings: Settings) -> Limits:
    """How patient a run is in this place: asking processes of this machine is free, ECS is asked in growing steps."""
    poll_s, poll_max_s = (0.2, 2.0) if place.ends_with_launcher else (2.0, 10.0)
    return Limits(poll_s=poll_s, poll_max_s=poll_max_s, spot_interruptions=settings.fargate.spot_interruptions)


def _ecs() -> Ecs:
    return Ecs(client("ecs"))


def _local_place(settings: Settings) -> LocalPlace:
    state = settings.state or LOCAL_STATE
    # Locks and logs have to be on this machine even when the state is in S3.
    folder = Path(LOCAL_STATE if state.startswith("s3://") else state) / "tasks"
    return LocalPlace(folder.absolute(), max_tasks=settings.max_tasks)


def _fargate_state(settings: Settings, parts: Resources) -> str:
    _refuse_local_state(settings)
    return settings.state or f"s3://{parts.state_bucket}"


def _refuse_local_state(settings: Settings) -> None:
    if settings.state and not settings.state.startswith("s3://"):
        raise UsageError(
            f"--state {settings.state}: tasks on Fargate can't reach this machine's folders; name s3://bucket/prefix"
        )
