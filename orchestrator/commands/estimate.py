"""`s3reclass estimate`: what the job costs and how long it takes, before anything is spent."""

from pathlib import Path

import click

from orchestrator.common.clock import Clock
from orchestrator.common.counter import counting
from orchestrator.common.output import tell, tell_json
from orchestrator.errors import UsageError
from orchestrator.estimate.cost import estimate_job
from orchestrator.estimate.estimate_text import estimate_json, estimate_lines
from orchestrator.estimate.probe_objects import sample_objects
from orchestrator.estimate.sample import Sample
from orchestrator.lots.folder import read_lots, verify_lots
from orchestrator.lots.sample_keys import DEFAULT_SEED, DEFAULT_SIZE
from orchestrator.model import Lots
from orchestrator.objects.head_objects import region
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from worker.contract import STORAGE_CLASSES, LotEntry, Phase

MAX_SIZE = 1_000_000
"""The most keys to probe: a sample is kept in memory, some hundred bytes a key."""

_PHASES = {"restore": (Phase.RESTORE,), "copy": (Phase.COPY,), "all": (Phase.RESTORE, Phase.COPY)}


@click.command(
    epilog="\b\nExamples:\n    s3reclass estimate --phase copy --sample 1000\n"
    "    s3reclass estimate --no-sample --mean-size 4000000 --from-class DEEP_ARCHIVE"
)
@uses_settings("storage_class", "place", "request_payer", "bucket_owner", "lots", "days", "tier", "max_tasks", "rate")
@click.option("--phase", type=click.Choice(list(_PHASES)), default="all", show_default=True, help="What to estimate.")
@click.option(
    "--sample",
    "size",
    metavar="N",
    type=click.IntRange(1, MAX_SIZE),
    default=DEFAULT_SIZE,
    show_default=True,
    help="Objects to look at, by HEAD, chosen at random; all of them when the job has no more.",
)
@click.option("--no-sample", is_flag=True, help="Look at nothing: take --mean-size and --from-class for every object.")
@click.option("--mean-size", metavar="BYTES", type=click.IntRange(0), help="With --no-sample: an object's mean size.")
@click.option(
    "--from-class",
    metavar="CLASS",
    type=click.Choice(STORAGE_CLASSES, case_sensitive=False),
    help="With --no-sample: the class that the objects are in.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(  # noqa: PLR0913 (an option each)
    *,
    settings: Settings,
    phase: str,
    size: int,
    no_sample: bool,
    mean_size: int | None,
    from_class: str | None,
    as_json: bool,
) -> None:
    """
    Say what the job in lots/ costs and how long it takes.

    Looks at a random sample of the objects, which costs a HEAD request each; the same lots have the same
    sample. Prints each line with its formula: requests, data, Fargate tasks, the restored copies' storage,
    early deletion, and the storage of each month before and after. What comes from the sample has its 95%
    error bar. Prices are us-east-1's of a date that is shown; an unknown price is shown as unknown. `run`
    prints the same total before it starts.
    """
    if Phase.COPY in _PHASES[phase]:
        settings.require_storage_class()
    if no_sample and (mean_size is None or from_class is None):
        raise UsageError("--no-sample needs --mean-size BYTES and --from-class CLASS")
    if not no_sample and (mean_size is not None or from_class is not None):
        raise UsageError("--mean-size and --from-class go with --no-sample")
    folder = Path(settings.lots)
    lots = read_lots(folder)
    if no_sample:
        sample = _assumed(lots, mean_size or 0, from_class or "", Clock())
    else:
        verify_lots(folder, lots)
        with counting("looked at", min(size, lots.keys)) as count:
            arguments = settings.request_arguments()
            sample = sample_objects(folder, lots, size, DEFAULT_SEED, arguments=arguments, count=count)
    estimate = estimate_job(lots, sample, settings, region(), _PHASES[phase])
    if as_json:
        tell_json(estimate_json(estimate), indent=1)
    else:
        for line in estimate_lines(estimate):
            tell(line)


def _assumed(lots: Lots, mean_size: int, from_class: str, clock: Clock) -> Sample:
    """A sample of one made-up object that stands for all."""
    entry = LotEntry(bucket=lots.buckets[0] if lots.buckets else "", key="")
    head = ObjectHead(entry=entry, look=HeadOutcome.FOUND, storage_class=from_class, size_bytes=mean_size)
    return Sample(keys=lots.keys, heads=(head,), taken_at=clock.now(), assumed=True)
