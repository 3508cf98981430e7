"""What `run` says before a phase starts: what else the phase changes or costs. Pure."""

from collections.abc import Iterator

from orchestrator.estimate.cost import Estimate
from orchestrator.estimate.cost_remarks import class_remarks, days_too_short
from orchestrator.objects.object_head import HeadOutcome
from worker.contract import Phase, PhaseSettings


def phase_remarks(settings: PhaseSettings, estimate: Estimate | None, *, restore_begun: bool) -> Iterator[str]:
    """
    A sentence for each thing to know, the most important first.

    estimate: the phase's, whose own warnings aren't repeated here; None when no object was probed.
    restore_begun: whether this job's restore phase was begun.
    """
    if settings.phase is Phase.RESTORE:
        if estimate is None:
            yield from days_too_short(settings.days, settings.tier)
        return
    if settings.delete_superseded:
        yield (
            "--delete-superseded: the version that was copied is deleted for good once its copy has been verified; "
            "one under an Object Lock retention or hold is never deleted, nor one of which no ETag or checksum proves "
            "that the copy has its content"
        )
    if settings.allow_noncurrent:
        yield "--allow-noncurrent: where a line names a version that isn't the current one, its copy becomes that"
    if not restore_begun:
        yield from _on_missing_restore(estimate)
    if estimate is None:
        yield from class_remarks(settings.storage_class)
    if settings.audit:
        yield "--audit: what each object was is kept in the state, for `s3reclass verify` to compare with"


def _on_missing_restore(estimate: Estimate | None) -> Iterator[str]:
    """Archiving needs one phase only: where no probed object is archived, restores aren't mentioned."""
    said = "no restore phase was run for this job: archived objects will be pending"
    if estimate is None:
        yield said
        return
    heads = [head for head in estimate.sample.heads if head.look is HeadOutcome.FOUND]
    waiting = sum(head.archived and not head.restore_asked and head.storage_class != estimate.target for head in heads)
    if waiting:
        yield f"{said} ({waiting:,} of {len(estimate.sample.heads):,} looked at are)"
