"""`s3reclass run`: one phase of a job, from plan to summary."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import click

from orchestrator import assemble
from orchestrator.clock import Clock
from orchestrator.commands.options import uses_settings
from orchestrator.commands.progress import audience, counted, outcome_lines, say
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.flow import Job, Plan, Wait, begin, make_plan, plan_calls, see_through
from orchestrator.lots_folder import read_lots, verify_lots
from orchestrator.planning.bucket_facts import BucketFacts, bucket_remarks
from orchestrator.planning.cost import Estimate
from orchestrator.planning.estimate_text import summary_line
from orchestrator.planning.plan_remarks import phase_remarks
from orchestrator.planning.standing import exit_code_of_phase, totals
from orchestrator.planning.worker_command import CHANGE_DATA, PhaseSettings
from orchestrator.settings import Settings
from orchestrator.watch import Ending
from worker.contract import ExitCode, Outcome, Phase

HOUR_S = 3_600


@click.command(epilog="Interrupted or killed, the same command again goes on where it was: nothing is started twice.")
@click.option("--phase", required=True, type=click.Choice([phase.value for phase in Phase]), help="Which phase to run.")
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
    "Object Lock stay.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and print each request it makes as a line of JSON; do nothing."
)
@click.option("--wait", is_flag=True, help="Copy phase: look again, ever more rarely, until no key is pending.")
@click.option(
    "--wait-limit", type=click.FloatRange(min=0), default=72, show_default=True, metavar="HOURS", help="Wait no longer."
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
    dry_run: bool,
    wait: bool,
    wait_limit: float,
    lots_from: str,
    estimate: bool,
) -> int:
    """
    Run a phase of the job in lots/: one task for each lot.

    The restore phase asks S3 to restore every archived object; S3 then takes minutes to days. The copy phase
    copies each object onto itself with the target class, once its restored copy is ready; keys that
    aren't ready are `pending`, and running the phase again (or --wait) looks at them again.
    """
    copy_flags = {
        "--wait": wait,
        "--audit": audit,
        "--allow-noncurrent": allow_noncurrent,
        "--delete-superseded": delete_superseded,
    }
    _refuse_nonsense(Phase(phase), {flag for flag, given in copy_flags.items() if given})
    phase_settings = replace(
        _phase_settings(Phase(phase), settings),
        audit=audit,
        allow_noncurrent=allow_noncurrent,
        delete_superseded=delete_superseded,
    )
    lots = read_lots(Path(settings.lots))
    verify_lots(Path(settings.lots), lots)
    buckets = assemble.bucket_facts_of(settings, lots)
    _refuse_to_delete_nothing(phase_settings, buckets)
    job = assemble.open_job(
        settings,
        lots,
        lots_from_image=lots_from == "image",
        delete_superseded=delete_superseded,
        may_create=not dry_run,
        say=say,
    )
    plan = make_plan(job, phase_settings, settings.rate)
    if plan.nothing_to_do:
        click.echo(f"{phase} of job {lots.job} is finished: nothing to start.")
        _summary(plan.settings.phase, job, Ending(standings=plan.standings, given_up={}, halted=""))
        if plan.settings.phase is Phase.RESTORE and (advice := _pending_after_restore(job)):
            say(advice)
        return ExitCode.GOOD
    _show_plan(job, plan, settings)
    known = (
        assemble.estimate_for(settings, lots, {one.lot for one in plan.starts}, Phase(phase))
        if estimate and plan.starts
        else None
    )
    _show_remarks(job, plan, buckets, known)
    if dry_run:
        for call in plan_calls(job, plan, settings.lots):
            click.echo(
                json.dumps({"service": call.service, "operation": call.operation, "parameters": call.parameters})
            )
        return ExitCode.GOOD
    return _carry_out(job, plan, Wait(limit_s=wait_limit * HOUR_S) if wait else None)


def _carry_out(job: Job, plan: Plan, wait: Wait | None) -> int:
    clock = Clock()
    begin(job, plan, clock)
    try:
        with audience(clock) as watching:
            ending = see_through(
                job, plan, audience=watching, clock=clock, limits=assemble.limits_for(job.place), wait=wait
            )
    except KeyboardInterrupt:
        say(_after_interrupt(job, plan))
        raise
    return _summary(plan.settings.phase, job, ending)


def _refuse_nonsense(phase: Phase, flags: set[str]) -> None:
    """Raise UsageError for flags that don't go with the phase, or with each other."""
    if flags and phase is not Phase.COPY:
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


def _phase_settings(phase: Phase, settings: Settings) -> PhaseSettings:
    return PhaseSettings(
        phase=phase,
        days=settings.days,
        tier=settings.tier,
        storage_class=settings.require_storage_class() if phase is Phase.COPY else settings.storage_class,
        threads=settings.threads,
        request_payer=settings.request_payer,
        bucket_owner=settings.bucket_owner,
    )


def _show_plan(job: Job, plan: Plan, settings: Settings) -> None:
    phase = plan.settings.phase
    what = (
        f"restore for {plan.settings.days} days, tier {plan.settings.tier}"
        if phase is Phase.RESTORE
        else f"copy into {plan.settings.storage_class}"
    )
    at_once = min(job.place.max_tasks, len(plan.starts) + len(plan.running))
    rate = f", {plan.rate:,.0f} requests/s each" if plan.rate else ""
    lots = job.lots
    say(f"job {lots.job}: {what}, {lots.keys:,} keys in {len(lots.lots)} lots of {', '.join(lots.buckets)}")
    say(f"place {settings.place}: {counted(len(plan.starts), 'task')} to start, at most {at_once} at once{rate}")
    summed = plan.totals
    if summed.complete:
        say(f"{summed.complete} of {summed.lots} lots are complete already and are left alone")
    if plan.running:
        say(f"reattached to {counted(len(plan.running), 'running task')}")


def _show_remarks(job: Job, plan: Plan, buckets: Iterable[BucketFacts], estimate: Estimate | None) -> None:
    """The phase's total, if it was estimated, and all that there is to know before it starts."""
    if estimate:
        say(summary_line(estimate, plan.settings.phase))
    begun = Phase.RESTORE in job.state.begun_phases()
    for remark in (
        *phase_remarks(plan.settings, estimate, restore_begun=begun),
        *(remark for bucket in buckets for remark in bucket_remarks(bucket, plan.settings)),
        *(estimate.warnings if estimate else ()),
    ):
        say(f"- {remark}")


def _summary(phase: Phase, job: Job, ending: Ending) -> int:
    summed = totals(ending.standings)
    click.echo(f"{phase} of job {job.lots.job}: {summed.done:,} of {summed.keys:,} keys have an outcome")
    for line in outcome_lines(phase, summed):
        click.echo(line)
    for lot, reason in list(ending.given_up.items())[:10]:
        say(f"{lot} was given up: {reason}; see `s3reclass logs {lot}`")
    if ending.halted and not summed.done:
        raise S3ReclassError(f"no task could do its work: {ending.halted}")
    if ending.halted:
        say(f"no more tasks were started: {ending.halted}")
    code = exit_code_of_phase(summed)
    for line in _next_steps(phase, code, summed.outcomes.get(Outcome.PENDING, 0), summed.unprocessed):
        say(line)
    return code


def _next_steps(phase: Phase, code: int, pending: int, unprocessed: int) -> list[str]:
    lines = []
    if pending:
        lines.append(f"{pending:,} keys are pending: run `s3reclass run --phase copy` again later, or with --wait")
    if unprocessed:
        lines.append(f"{unprocessed:,} keys are unprocessed: run the same command again")
    if code == ExitCode.SOME_FAILED:
        lines.append("which keys and why: `s3reclass report --csv report.csv`; running again tries failed keys again")
    if phase is Phase.RESTORE and code == ExitCode.GOOD:
        lines.append(
            "next, when S3 has restored them: `s3reclass run --phase copy` (--wait looks again until all are copied)"
        )
    if phase is Phase.COPY and code == ExitCode.GOOD:
        lines.append("next: `s3reclass report --csv report.csv`, `s3reclass verify`")
    return lines


def _pending_after_restore(job: Job) -> str:
    """What to do about keys that the copy phase left pending once the restore phase has done its part, or ""."""
    if Phase.COPY not in job.state.begun_phases():
        return ""
    pending = totals(job.state.standings(job.lots, Phase.COPY)).outcomes.get(Outcome.PENDING, 0)
    if not pending:
        return ""
    return (
        f"{counted(pending, 'key')} are pending in the copy phase. If their restored copies have expired, begin a job "
        "of these keys: `s3reclass report --outcome pending --csv again.csv`, `s3reclass split again.csv "
        "--bucket-column 1 --key-column 2 --version-column 3 --url-encoded --lots-dir again`, then both phases with "
        "--lots-dir again"
    )


def _after_interrupt(job: Job, plan: Plan) -> str:
    again = f"`s3reclass run --phase {plan.settings.phase}`"
    if job.place.ends_with_launcher:
        return f"stopped; what was done is recorded, and {again} goes on from there"
    return f"the tasks run on: {again} reattaches to them, `s3reclass status` shows them, `s3reclass stop` stops them"
