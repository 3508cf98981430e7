"""What job.json says: the job's lots, and the settings of each phase that was begun. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.model import Lot, Lots
from orchestrator.planning.worker_command import PhaseSettings
from worker.contract import Phase

VERSION = 1


def lots_in(job: Mapping[str, Any]) -> Lots:
    """The job's lots."""
    return Lots(
        lots=tuple(Lot(name=lot["name"], keys=lot["keys"], sha256=lot["sha256"]) for lot in job["lots"]),
        digest=job["digest"],
        buckets=tuple(job["buckets"]),
        source=job["source"],
        blank_lines=job["blank_lines"],
        duplicates=job["duplicates"],
    )


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
