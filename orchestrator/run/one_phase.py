"""A phase as `run` does it: the plan, what there is to know before it starts, its progress, its summary."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator import wiring
from orchestrator.common.clock import Clock
from orchestrator.common.output import say, tell, tell_json
from orchestrator.errors import S3ReclassError
from orchestrator.estimate.cost import estimate_job
from orchestrator.estimate.estimate_text import summary_line
from orchestrator.estimate.probe_objects import sample_objects
from orchestrator.estimate.sample import Sample
from orchestrator.model import Lots
from orchestrator.objects.bucket_facts import BucketFacts, bucket_remarks
from orchestrator.objects.head_objects import region
from orchestrator.run.job import STOPPED, Job, RunResult
from orchestrator.run.plan import Plan, begin, make_plan, plan_calls
from orchestrator.run.plan_remarks import phase_remarks
from orchestrator.run.show_progress import counted, doubt_lines, outcome_lines, reporter_for
from orchestrator.run.wait_for_restores import Wait, see_through
from orchestrator.settings.settings import Settings
from orchestrator.state.lot_status import exit_code_of_phase, totals
from worker.contract import ExitCode, Outcome, Phase, PhaseSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """
    What a run works on, and how.

    buckets: the facts of the lots' buckets. estimate: whether a sample is probed, and the cost shown first.
    dry: whether the plan is shown and nothing done.
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

    def remark(self, phase: Phase, line: str) -> None:
        """Print a remark on the phase."""
        say(f"{phase}: {line}" if self.both else line)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbedSample:
    """Some of the objects of these lots, as HEAD found them."""

    lots: Lots
    sample: Sample


def run_one(run: Run, settings: PhaseSettings) -> ExitCode:
    """
    Run one phase; its exit code.

    Raises S3ReclassError when the state can't be read, or no task could do its work.
    """
    phase, job = settings.phase, run.job
    plan = make_plan(job, settings, run.settings.rate)
    if plan.nothing_to_do:
        tell(f"{phase} of job {job.lots.job} is finished: nothing to start.")
    else:
        show_plans(run, [plan], probe_some(run, plan) if run.estimate else None)
        if run.dry:
            return ExitCode.GOOD
    code = finish(run, plan)
    if plan.nothing_to_do and phase is Phase.RESTORE and Phase.COPY in job.state.begun_phases():
        # The restore phase touches no key again, and the copy phase alone can't help expired copies.
        copied = totals(job.state.lot_statuses(job.lots, Phase.COPY))
        if pending := copied.outcomes.get(Outcome.PENDING, 0):
            say(
                f"{counted(pending, 'key')} are pending in the copy phase. If their restored copies have expired, ask "
                "for them again: `s3reclass run --phase restore --again`"
            )
    return code


def probe_some(run: Run, plan: Plan) -> ProbedSample | None:
    """Some of the objects of the lots that the plan starts; None when it starts none."""
    names = {request.lot for request in plan.starts}
    if not names:
        return None
    some = replace(run.job.lots, lots=tuple(lot for lot in run.job.lots.lots if lot.name in names))
    sample = sample_objects(Path(run.settings.lots), some, arguments=run.settings.request_arguments())
    return ProbedSample(lots=some, sample=sample)


def show_plans(run: Run, plans: Iterable[Plan], probed: ProbedSample | None) -> None:
    """Say what the phases will do, what they cost by this sample, and what to know; in a dry run, each request too."""
    uploaded: set[str] = set()
    for plan in plans:
        _show_what(run, plan)
        _show_remarks(run, plan, probed)
        if run.dry:
            once = replace(plan, uploads=tuple(lot for lot in plan.uploads if lot.name not in uploaded))
            uploaded.update(lot.name for lot in plan.uploads)
            for call in plan_calls(run.job, once, run.settings.lots):
                tell_json({"service": call.service, "operation": call.operation, "parameters": call.parameters})


def _show_what(run: Run, plan: Plan) -> None:
    job, lots, phase = run.job, run.job.lots, plan.settings.phase
    what = (
        f"restore for {plan.settings.days} days, tier {plan.settings.tier}"
        if phase is Phase.RESTORE
        else f"copy into {plan.settings.storage_class}"
    )
    at_once = min(job.place.max_tasks, len(plan.starts) + len(plan.running))
    rate = f", {plan.budget:,.0f} requests/s together" if plan.budget else ""
    say(f"job {lots.job}: {what}, {lots.keys:,} keys in {len(lots.lots)} lots of {', '.join(lots.buckets)}")
    place = f"{run.settings.place} on Spot" if job.place.spot else run.settings.place
    tasks = counted(len(plan.starts), "task")
    run.remark(phase, f"place {place}: {tasks} to start, at most {at_once} at once{rate}")
    summed = totals(plan.lot_statuses)
    if summed.complete:
        run.remark(phase, f"{summed.complete} of {summed.lots} lots are complete already and are left alone")
    for line in doubt_lines(phase, plan.lot_statuses):
        run.remark(phase, line)
    if plan.running:
        run.remark(phase, f"reattached to {counted(len(plan.running), 'running task')}")


def _show_remarks(run: Run, plan: Plan, probed: ProbedSample | None) -> None:
    phase = plan.settings.phase
    estimate = estimate_job(probed.lots, probed.sample, run.settings, region(), (phase,)) if probed else None
    if estimate:
        say(summary_line(estimate, phase))
    begun = run.both or Phase.RESTORE in run.job.state.begun_phases()
    for remark in (
        *phase_remarks(plan.settings, estimate, restore_begun=begun),
        *(remark for bucket in run.buckets for remark in bucket_remarks(bucket, plan.settings)),
        *(estimate.warnings if estimate else ()),
    ):
        run.remark(phase, f"- {remark}")


def finish(run: Run, plan: Plan) -> ExitCode:
    """
    Carry out the plan, if there is anything to do, sum up, and say what to do next; the exit code.

    Raises S3ReclassError when no task could do its work.
    """
    code, result = carry_out(run, plan)
    if not plan.nothing_to_do and (not run.both or code == ExitCode.SOME_FAILED):
        say_next_steps(run, plan.settings.phase, code, result)
    return code


def carry_out(run: Run, plan: Plan) -> tuple[ExitCode, RunResult]:
    """
    See the phase through, if there is anything to do, and print its outcomes: its exit code and result.

    Raises S3ReclassError when no task could do its work.
    """
    result = RunResult(lot_statuses=plan.lot_statuses) if plan.nothing_to_do else _see_through(run, plan)
    phase, summed = plan.settings.phase, totals(result.lot_statuses)
    tell(f"{phase} of job {run.job.lots.job}: {summed.done:,} of {summed.keys:,} keys have an outcome")
    for line in outcome_lines(phase, summed):
        tell(line)
    for lot, reason in list(result.given_up.items())[:10]:
        say(f"{lot} was given up: {reason}; see `s3reclass logs {lot}`")
    if result.stopped and not summed.done and result.stopped != STOPPED:
        raise S3ReclassError(f"no task could do its work: {result.stopped}")
    if result.stopped:
        run.remark(phase, f"no more tasks were started: {result.stopped}")
    return exit_code_of_phase(summed), result


def _see_through(run: Run, plan: Plan) -> RunResult:
    clock, job, phase = Clock(), run.job, plan.settings.phase
    begin(job, plan, clock)
    try:
        with reporter_for(clock, phase if run.both else None) as reporter:
            wait = None
            if run.wait_limit_s is not None and phase is Phase.COPY:
                readiness = wiring.readiness_of(run.settings, job, clock, reporter.remark)
                wait = Wait(limit_s=run.wait_limit_s, readiness=readiness)
            limits = wiring.limits_for(job.place, run.settings)
            return see_through(job, plan, reporter=reporter, clock=clock, limits=limits, wait=wait)
    except KeyboardInterrupt:
        again = f"`s3reclass run --phase {'all' if run.both else phase}`"
        say(
            f"stopped; what was done is recorded, and {again} goes on from there"
            if job.place.ends_with_launcher
            else f"the tasks run on: {again} reattaches to them, `s3reclass status` shows them, `s3reclass stop` "
            "stops them"
        )
        raise


def say_next_steps(run: Run, phase: Phase, code: ExitCode, result: RunResult) -> None:
    """Say what to do after the phase."""
    summed = totals(result.lot_statuses)
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
