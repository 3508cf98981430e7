"""What job.json says: the job's lots, and the settings of each phase that was begun. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.errors import S3ReclassError
from orchestrator.model import Lot, Lots
from orchestrator.settings.settings import MAX_DAYS
from worker.contract import Phase, PhaseSettings, lot_name, whole_number, word

VERSION = 1

_JOB_ID = re.compile(r"[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_job(job: Mapping[str, Any]) -> None:
    """
    Raise ValueError, saying what is wrong, when a job.json isn't as it was written here.

    What it says becomes a part of paths and of times. What later versions add to it is let be.
    """
    try:
        job_id(job["job"])
        _digest(job["digest"])
        word(job["source"])
        for bucket in job["buckets"]:
            word(bucket)
        for name in ("keys", "blank_lines", "duplicates"):
            whole_number(job[name])
        for lot in job["lots"]:
            word(lot["name"])
            whole_number(lot["keys"])
            _digest(lot["sha256"])
        _time(job["created_at"])
        for phase, begun in job["phases"].items():
            _time(begun["begun_at"])
            if phase == Phase.RESTORE.value:
                _restore(begun)
            elif phase == Phase.COPY.value:
                word(begun["storage_class"])
        if again := job.get("again"):
            job_id(again["job"])
            _time(again["begun_at"])
            _restore(again)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{error!r} is missing or isn't what it should be") from error


def job_id(value: object) -> str:
    """The value, when it is a job's id. Raises ValueError."""
    if not _JOB_ID.fullmatch(word(value)):
        raise ValueError("an id that no job has")
    return word(value)


def _digest(value: object) -> None:
    if not _SHA256.fullmatch(word(value)):
        raise ValueError("a digest that isn't SHA-256's")


def _time(value: object) -> None:
    if datetime.fromisoformat(word(value)).tzinfo is None:
        raise ValueError("a time without a time zone")


def _restore(begun: Mapping[str, Any]) -> None:
    whole_number(begun["days"], least=1, most=MAX_DAYS)
    word(begun["tier"])


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Restore:
    """
    What the state knows of the restores waited for.

    tier: "" when this job asked for none. requested_at: when it began to ask. days: that restored copies stay.
    """

    tier: str = ""
    days: int = 7
    requested_at: datetime | None = None


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
