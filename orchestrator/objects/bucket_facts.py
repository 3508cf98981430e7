"""What a bucket's settings mean for a change of class, and what to tell the user about them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from worker.contract import Phase, PhaseSettings

VERSIONING, OBJECT_LOCK, REQUEST_PAYMENT = "versioning", "Object Lock", "who pays"
"""What a bucket is asked, in words."""

ACTIONS: Mapping[str, str] = {
    VERSIONING: "s3:GetBucketVersioning",
    OBJECT_LOCK: "s3:GetBucketObjectLockConfiguration",
    REQUEST_PAYMENT: "s3:GetBucketRequestPayment",
}
"""The permission that each question needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketFacts:
    """
    What a bucket's settings are.

    versioning: Enabled, Suspended, or "" for never.
    default_retention: of Object Lock, in words, or "".
    unknown: what couldn't be asked, with S3's error code; what is said of it above is then not to be trusted.
    """

    bucket: str
    versioning: str = ""
    object_lock: bool = False
    default_retention: str = ""
    requester_pays: bool = False
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def never_versioned(self) -> bool:
        """Whether no object here can have a second version, as far as is known."""
        return not self.versioning and VERSIONING not in self.unknown


def bucket_remarks(facts: BucketFacts, settings: PhaseSettings) -> Iterator[str]:
    """What a user should know of the bucket before the phase begins."""
    if settings.phase is Phase.COPY:
        yield from _on_versions(facts, settings)
        yield from _on_locks(facts)
    if facts.requester_pays and not settings.request_payer:
        yield (
            f"{facts.bucket} is a Requester Pays bucket: if it is another account's, S3 refuses requests without "
            "--request-payer requester, with which you pay for requests and data"
        )
    asked = (VERSIONING, OBJECT_LOCK, REQUEST_PAYMENT) if settings.phase is Phase.COPY else (REQUEST_PAYMENT,)
    unknown = [what for what in asked if what in facts.unknown]
    if unknown == [REQUEST_PAYMENT] and settings.request_payer:
        return
    if unknown:
        codes = ", ".join(sorted({facts.unknown[what] for what in unknown}))
        yield (
            f"{facts.bucket} couldn't be asked about {', '.join(unknown)} ({codes}); "
            f"the question needs {', '.join(ACTIONS[what] for what in unknown)}"
        )
    if VERSIONING in unknown:
        yield "if it is versioned, the version that was copied stays beside each copy, and is billed"


def _on_versions(facts: BucketFacts, settings: PhaseSettings) -> Iterator[str]:
    """Sources: S3 User Guide, "Retaining multiple versions of objects with S3 Versioning"; 2026-11."""
    if facts.versioning == "Enabled":
        stays = (
            "--delete-superseded deletes it"
            if settings.delete_superseded
            else "it stays, and is billed in its old class, until you delete it (or with --delete-superseded)"
        )
        yield f"{facts.bucket} is versioned: each copy is a new version; the version that was copied: {stays}"
    elif facts.versioning:
        yield (
            f"{facts.bucket} had versioning, now suspended: a copy takes the place of the version null; "
            "a version with an id of its own stays beside the copy, and is billed"
        )


def _on_locks(facts: BucketFacts) -> Iterator[str]:
    """Sources: S3 User Guide, "Locking objects with Object Lock", on default retention too; 2026-11."""
    if not facts.object_lock:
        return
    yield f"{facts.bucket} has Object Lock: a copy gets the retention and the holds that its object has"
    if facts.default_retention:
        yield (
            f"objects without retention, or with one that has ended, will be `unsupported`: the default retention of "
            f"{facts.bucket} ({facts.default_retention}) would lock their copies"
        )
