"""What job.json says: the job's lots, and the settings of each phase that was begun. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots
from orchestrator.planning.readiness import Restore
from orchestrator.planning.worker_command import PhaseSettings
from worker.contract import Phase, lot_name

VERSION = 1


def lots_in(job: Mapping[str, Any]) -> Lots:
    """
    The job's lots.

    Raises S3ReclassError for lots of other names than ours: a lot's name becomes a part of paths.
    """
    names = [lot["name"] for lot in job["lots"]]
    if names != [lot_name(number) for number in range(len(names))]:
        raise S3ReclassError(
            "the job's job.json names lots that no `split` makes: somebody changed it; look at it, and move the "
            "job's folder away if it can be spared"
        )
    return Lots(
        lots=tuple(Lot(name=lot["name"], keys=lot["keys"], sha256=lot["sha256"]) for lot in job["lots"]),
        digest=job["digest"],
        buckets=tuple(job["buckets"]),
        source=job["source"],
        blank_lines=job["blank_lines"],
        duplicates=job["duplicates"],
    )


def restore_in(job: Mapping[str, Any] | None) -> Restore:
    """What a job asked for when it last began to ask for restores, as far as it has."""
    begun = (job.get("again") or job["phases"].get(Phase.RESTORE.value)) if job else None
    if not begun:
        return Restore()
    return Restore(tier=begun["tier"], days=begun["days"], requested_at=datetime.fromisoformat(begun["begun_at"]))


def with_again(job: Mapping[str, Any], again: str, settings: PhaseSettings, at: datetime) -> dict[str, Any]:
    """
    What is noted when restores are asked for again.

    again: the id of the job of these keys. Of a job that is gone on with, the time of its beginning stays.
    """
    known = job.get("again") or {}
    begun_at = known["begun_at"] if known.get("job") == again else at.isoformat(timespec="seconds")
    return {**job, "again": {"job": again, "days": settings.days, "tier": settings.tier, "begun_at": begun_at}}


def new_job(lots: Lots, at: datetime) -> dict[str, Any]:
    """A job of these lots, none of whose phases was begun."""
    return {
        "version": VERSION,
        "job": lots.job,
        "digest": lots.digest,
        "source": lots.source,
        "buckets": list(lots.buckets),
        "keys": lots.keys,
        "blank_lines": lots.blank_lines,
        "duplicates": lots.duplicates,
        "lots": [{"name": lot.name, "keys": lot.keys, "sha256": lot.sha256} for lot in lots.lots],
        "created_at": at.isoformat(timespec="seconds"),
        "phases": {},
    }


def phase_entry(settings: PhaseSettings, begun_at: str) -> dict[str, Any]:
    """What is noted of a phase: the settings of its last run."""
    asking = {"request_payer": settings.request_payer, "bucket_owner": settings.bucket_owner}
    if settings.phase is Phase.RESTORE:
        return {"days": settings.days, "tier": settings.tier, "begun_at": begun_at, **asking}
    return {
        "storage_class": settings.storage_class,
        "begun_at": begun_at,
        "audit": settings.audit,
        "allow_noncurrent": settings.allow_noncurrent,
        "delete_superseded": settings.delete_superseded,
        **asking,
    }
