"""`s3reclass run`: one phase of a job, or both with the wait between them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from orchestrator import wiring
from orchestrator.common.output import say
from orchestrator.common.text import parse_duration
from orchestrator.errors import UsageError
from orchestrator.lots.folder import read_lots, verify_lots
from orchestrator.model import CHANGE_DATA
from orchestrator.objects.bucket_facts import BucketFacts
from orchestrator.run.both_phases import run_both
from orchestrator.run.one_phase import Run, run_one
from orchestrator.run.restore_again import ask_again
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from worker.contract import ExitCode, Phase, PhaseSettings

ALL = "all"


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """The seconds that a length of time stands for."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(epilog="Interrupted or killed, the same command again goes on where it was: nothing is started twice.")
@click.option(
    "--phase",
    required=True,
    type=click.Choice([*(phase.value for phase in Phase), ALL]),
    help="Which phase to run; all: restore, wait, copy.",
)
@uses_settings(
    "bucket",
    "storage_class",
    "state",
    "place",
    "request_payer",
    "bucket_owner",
    "lots",
    "days",
    "tier",
    "max_tasks",
    "rate",
    "threads",
    "s3_client",
    "spot",
    "spot_interruptions",
    "stack",
)
@click.option(
    "--audit", is_flag=True, help="Copy phase: keep what each object was in the state, for `verify` to compare with."
)
@click.option(
    "--allow-noncurrent",
    is_flag=True,
    help="Copy phase: copy versions that aren't the current one, too; each copy becomes the current version.",
)
@click.option(
    "--delete-superseded",
    is_flag=True,
    help="Copy phase: delete, for good, the version that was copied, once its copy is verified. Versions under "
    "Object Lock stay, and those of which nothing proves that the copy has their content.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Restore phase: ask again for the keys that the copy phase left pending: their restored copies have expired. "
    "Each costs a request and its retrieval once more.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and print each request it makes as a line of JSON; do nothing."
)
@click.option(
    "--wait", is_flag=True, help="Copy phase: start each lot when a look at some of its keys finds them restored."
)
@click.option(
    "--wait-limit",
    callback=_seconds,
    default="72h",
    show_default=True,
    metavar="DURATION",
    help="Wait no longer (30m, 60h, 2d).",
)
@click.option(
    "--lots-from",
    type=click.Choice(["state", "image"]),
    default="state",
    show_default=True,
    help="Where tasks find their lots: uploaded to the state, or in an image of `push-image --with-lots`.",
)
@click.option(
    "--estimate/--no-estimate", default=True, show_default=True, help="HEAD a sample and show the cost first."
)
def command(  # noqa: PLR0913 (one parameter for each option)
    settings: Settings,
    phase: str,
    *,
    audit: bool,
    allow_noncurrent: bool,
    delete_superseded: bool,
    again: bool,
    dry_run: bool,
    wait: bool,
    wait_limit: float,
    lots_from: str,
    estimate: bool,
) -> int:
    """
    Run a phase of the job in lots/, or both: one task for each lot.

    The restore phase asks S3 to restore every archived object; S3 then takes minutes to days. The copy phase
    copies each object onto itself with the target class, once its restored copy is ready; keys that
    aren't ready are `pending`, and running the phase again looks at them again. With --wait, lots start as
    their restores become ready. `--phase all` is the restore phase, the wait and the copy phase in one command;
    it asks for no restore where nothing needs one.
    """
    copy_flags = {
        "--wait": wait,
        "--audit": audit,
        "--allow-noncurrent": allow_noncurrent,
        "--delete-superseded": delete_superseded,
    }
    _refuse_nonsense(phase, {flag for flag, given in copy_flags.items() if given}, again=again)
    restore = phase_settings_of(Phase.RESTORE, settings)
    copy = replace(
        phase_settings_of(Phase.COPY, settings),
        audit=audit,
        allow_noncurrent=allow_noncurrent,
        delete_superseded=delete_superseded,
    )
    if phase != Phase.RESTORE:
        settings.require_storage_class()
    lots = read_lots(Path(settings.lots))
    verify_lots(Path(settings.lots), lots)
    buckets = wiring.bucket_facts_of(settings, lots)
    _refuse_to_delete_nothing(copy, buckets)
    job = wiring.open_job(
        settings,
        lots,
        lots_from_image=lots_from == "image",
        delete_superseded=delete_superseded,
        may_create=not dry_run,
        say=say,
    )
    if not dry_run:
        # From before the plan to the command's end, so that no other launcher starts what is in the plan.
        lease = click.get_current_context().with_resource(wiring.lease_of(job, f"s3reclass run --phase {phase}"))
        job = replace(job, has_lease=lease.check, asked_to_stop=job.state.stop_sign())
    run = Run(
        settings=settings,
        job=job,
        buckets=buckets,
        estimate=estimate,
        dry=dry_run,
        wait_limit_s=wait_limit if wait or phase == ALL else None,
        both=phase == ALL,
    )
    if phase == ALL:
        return run_both(run, restore, copy, asked_again=ask_again(run, restore) if again else ExitCode.GOOD)
    if again:
        return ask_again(run, restore)
    return run_one(run, restore if phase == Phase.RESTORE else copy)


def _refuse_nonsense(phase: str, flags: set[str], *, again: bool) -> None:
    """Raise UsageError for flags that don't go with the phase, or with each other."""
    if again and phase == Phase.COPY:
        raise UsageError("--again goes with --phase restore or all: it asks for restores again")
    if flags and phase == Phase.RESTORE:
        raise UsageError(f"{', '.join(sorted(flags))} goes with --phase copy: the restore phase only asks for restores")
    if set(CHANGE_DATA) <= flags:
        raise UsageError(
            "--allow-noncurrent and --delete-superseded don't go together: the one makes an old version the current "
            "one, the other deletes what was copied; run with the first, look at the objects, then decide"
        )


def _refuse_to_delete_nothing(settings: PhaseSettings, buckets: Iterable[BucketFacts]) -> None:
    """Raise UsageError when versions are to be deleted where there are none."""
    if settings.delete_superseded and all(bucket.never_versioned for bucket in buckets):
        names = ", ".join(bucket.bucket for bucket in buckets)
        raise UsageError(
            f"--delete-superseded: {names} was never versioned, so that a copy replaces its object and leaves no "
            "other version: leave the flag out"
        )


def phase_settings_of(phase: Phase, settings: Settings) -> PhaseSettings:
    """What the settings say of the phase."""
    return PhaseSettings(
        phase=phase,
        days=settings.days,
        tier=settings.tier,
        storage_class=settings.storage_class,
        threads=settings.threads or 0,
        s3_client=settings.s3_client,
        request_payer=settings.request_payer,
        bucket_owner=settings.bucket_owner,
    )
