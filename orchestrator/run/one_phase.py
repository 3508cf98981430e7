"""One phase of a job as `run` tells it: the plan, what there is to know before it starts, its progress, its summary."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import wiring as assemble
from orchestrator.common.clock import Clock
from orchestrator.common.output import say, tell, tell_json
from orchestrator.errors import S3ReclassError
from orchestrator.estimate.cost import Estimate, estimate_job
from orchestrator.estimate.estimate_text import summary_line
from orchestrator.estimate.probe_objects import sample_objects
from orchestrator.estimate.sample import Sample
from orchestrator.model import Lots
from orchestrator.objects.bucket_facts import BucketFacts, bucket_remarks
from orchestrator.objects.head_objects import region
from orchestrator.run.plan import Job, Plan, begin, plan_calls, see_through
from orchestrator.run.plan_remarks import phase_remarks
from orchestrator.run.restores_seen import readiness_of
from orchestrator.run.show_progress import counted, doubt_lines, outcome_lines, reporter_for
from orchestrator.run.wait_for_restores import Wait
from orchestrator.run.watch_values import STOPPED, RunResult
from orchestrator.settings.settings import Settings
from orchestrator.state.lot_status import exit_code_of_phase, totals
from worker.contract import ExitCode, Outcome, Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """
    What a run works on, and how.

    buckets: the facts of the lots' buckets. estimate: whether a sample is looked at, and the cost told first.
    dry: whether nothing is to be done.
    wait_limit_s: how long to wait for restores; None: not at all.
    both: whether this is one of a run's two phases, so that each line says which.
    """

    settings: Settings
    job: Job
    buckets: tuple[BucketFacts, ...]
    estimate: bool
    dry: bool
    wait_limit_s: float | None
    both: bool = False

    def voice(self, phase: Phase) -> Callable[[str], None]:
        """What says a remark on the phase."""
        return (lambda line: say(f"{phase}: {line}")) if self.both else say


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbedSample:
    """Some of the objects of these lots, looked at."""

    lots: Lots
    sample: Sample


def look_at_some(run: Run, plan: Plan) -> ProbedSample | None:
    """Some of the objects of the lots that the plan starts; None when it starts none."""
    names = {request.lot for request in plan.starts}
    some = replace(run.job.lots, lots=tuple(lot for lot in run.job.lots.lots if lot.name in names))
    if not names:
        return None
    sample = sample_objects(Path(run.settings.lots), some, arguments=run.settings.request_arguments())
    return ProbedSample(lots=some, sample=sample)


def show_plan(run: Run, plan: Plan, looked: ProbedSample | None) -> None:
    """Say what the phase will do, what it costs by this sample, and all that there is to know before it starts."""
    _show_what(run, plan)
    estimate = (
        estimate_job(looked.lots, looked.sample, run.settings, region(), (plan.settings.phase,)) if looked else None
    )
    _show_remarks(run, plan, estimate)


def _show_what(run: Run, plan: Plan) -> None:
    job, phase, voice = run.job, plan.settings.phase, run.voice(plan.settings.phase)
    what = (
        f"restore for {plan.settings.days} days, tier {plan.settings.tier}"
        if phase is Phase.RESTORE
        else f"copy into {plan.settings.storage_class}"
    )
    at_once = min(job.place.max_tasks, len(plan.starts) + len(plan.running))
    rate = f", {plan.budget:,.0f} requests/s together" if plan.budget else ""
    lots = job.lots
    say(f"job {lots.job}: {what}, {lots.keys:,} keys in {len(lots.lots)} lots of {', '.join(lots.buckets)}")
    place = f"{run.settings.place} on Spot" if job.place.spot else run.settings.place
    voice(f"place {place}: {counted(len(plan.starts), 'task')} to start, at most {at_once} at once{rate}")
    summed = plan.totals
    if summed.complete:
        voice(f"{summed.complete} of {summed.lots} lots are complete already and are left alone")
    for line in doubt_lines(phase, plan.lot_statuses):
        voice(line)
    if plan.running:
        voice(f"reattached to {counted(len(plan.running), 'running task')}")


def _show_remarks(run: Run, plan: Plan, estimate: Estimate | None) -> None:
    if estimate:
        say(summary_line(estimate, plan.settings.phase))
    begun = run.both or Phase.RESTORE in run.job.state.begun_phases()
    for remark in (
        *phase_remarks(plan.settings, estimate, restore_begun=begun),
        *(remark for bucket in run.buckets for remark in bucket_remarks(bucket, plan.settings)),
        *(estimate.warnings if estimate else ()),
    ):
        run.voice(plan.settings.phase)(f"- {remark}")


def print_calls(run: Run, plan: Plan) -> None:
    """Print each request that carries out the plan as a line of JSON."""
    for call in plan_calls(run.job, plan, run.settings.lots):
        tell_json({"service": call.service, "operation": call.operation, "parameters": call.parameters})


def carry_out(run: Run, plan: Plan) -> RunResult:
    """See the phase through: its ending."""
    clock, phase = Clock(), plan.settings.phase
    begin(run.job, plan, clock)
    try:
        with reporter_for(clock, phase if run.both else None) as watching:
            wait = None
            if run.wait_limit_s is not None and phase is Phase.COPY:
                wait = Wait(
                    limit_s=run.wait_limit_s,
                    readiness=readiness_of(run.settings, run.job, clock, watching.remark),
                )
            return see_through(
                run.job,
                plan,
                reporter=watching,
                clock=clock,
                limits=assemble.limits_for(run.job.place, run.settings),
                wait=wait,
            )
    except KeyboardInterrupt:
        say(_after_interrupt(run, plan))
        raise


def summarize(run: Run, phase: Phase, ending: RunResult) -> ExitCode:
    """
    Print the phase's outcomes; the exit code that they amount to.

    Raises S3ReclassError when no task could do its work.
    """
    summed = totals(ending.lot_statuses)
    tell(f"{phase} of job {run.job.lots.job}: {summed.done:,} of {summed.keys:,} keys have an outcome")
    for line in outcome_lines(phase, summed):
        tell(line)
    for lot, reason in list(ending.given_up.items())[:10]:
        say(f"{lot} was given up: {reason}; see `s3reclass logs {lot}`")
    if ending.halted and not summed.done and ending.halted != STOPPED:
        raise S3ReclassError(f"no task could do its work: {ending.halted}")
    if ending.halted:
        run.voice(phase)(f"no more tasks were started: {ending.halted}")
    return exit_code_of_phase(summed)


def say_next_steps(run: Run, phase: Phase, code: ExitCode, ending: RunResult) -> None:
    """Say what to do after the phase."""
    summed = totals(ending.lot_statuses)
    again = "`s3reclass run --phase all`" if run.both else f"`s3reclass run --phase {phase}`"
    if pending := summed.outcomes.get(Outcome.PENDING, 0):
        wait = "" if run.both else ", or with --wait"
        say(f"{pending:,} keys are pending: run {again} again later{wait}")
    if summed.unprocessed:
        say(f"{summed.unprocessed:,} keys are unprocessed: run the same command again")
    elif summed.unfinished:
        say(f"lots of {summed.unfinished:,} keys weren't finished: run the same command again")
    if code == ExitCode.SOME_FAILED:
        say("which keys and why: `s3reclass report --csv report.csv`; running again tries failed keys again")
    if phase is Phase.RESTORE and code == ExitCode.GOOD:
        say("next, when S3 has restored them: `s3reclass run --phase copy` (--wait waits for them, and copies all)")
    if phase is Phase.COPY and code == ExitCode.GOOD:
        say("next: `s3reclass report --csv report.csv`, `s3reclass verify`")


def _after_interrupt(run: Run, plan: Plan) -> str:
    again = f"`s3reclass run --phase {'all' if run.both else plan.settings.phase}`"
    if run.job.place.ends_with_launcher:
        return f"stopped; what was done is recorded, and {again} goes on from there"
    return f"the tasks run on: {again} reattaches to them, `s3reclass status` shows them, `s3reclass stop` stops them"
