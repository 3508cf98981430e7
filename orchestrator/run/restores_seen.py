"""What a wait for restores sees with: the clients, the lots on disk, and the job's state, put together."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from orchestrator.common.clock import Clock
from orchestrator.lots.folder import entries_at
from orchestrator.objects.head_objects import THREADS, head_client, head_objects
from orchestrator.objects.list_objects import list_restores
from orchestrator.objects.object_head import ObjectHead
from orchestrator.restores.lot_samples import ProbeSources
from orchestrator.restores.readiness import Readiness
from orchestrator.run.plan import Job
from orchestrator.run.restore_again import pending_in
from orchestrator.settings.settings import Settings
from orchestrator.state.job_file import restore_in
from worker.contract import LotEntry, Phase


def readiness_of(settings: Settings, job: Job, clock: Clock, say: Callable[[str], None]) -> Readiness:
    """
    What a wait asks which lots may start.

    say: told of looks that failed.
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
    """What is asked of S3, of the lots and of the state to see how far the job's restores are."""
    arguments, folder = settings.request_arguments(), Path(settings.lots)
    clients: list[Any] = []

    def heads(entries: Iterable[LotEntry]) -> Iterator[ObjectHead]:
        asked = tuple(entries)
        # Made at the first look and kept: making a client takes longer than many requests.
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
        pending=lambda lot, attempt: pending_in(job, lot.name, attempt),
        restoring=restoring,
    )
