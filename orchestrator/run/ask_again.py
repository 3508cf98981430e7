"""`s3reclass run --phase restore --again`: restores asked for again, of the keys that the copy phase left pending."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.common.clock import Clock
from orchestrator.common.output import say
from orchestrator.estimate.sample import Sample
from orchestrator.objects.head_objects import THREADS, head_objects
from orchestrator.run.one_phase import ProbedSample, Run, carry_out, print_calls, say_next_steps, show_plan, summarize
from orchestrator.run.plan import make_plan
from orchestrator.run.restore_again import PendingKeys, pending_keys_of
from orchestrator.run.show_progress import counted
from orchestrator.run.watch_values import RunResult
from worker.contract import ExitCode, Phase, PhaseSettings


def ask_again(run: Run, restore: PhaseSettings) -> ExitCode:
    """
    Ask for the restores of the pending keys again, or go on with asking; the exit code of it.

    Raises S3ReclassError when the state can't be read, or no task could do its work.
    """
    with TemporaryDirectory(prefix="s3reclass-") as scratch:
        return _ask_again(run, restore, pending_keys_of(run.job, Path(scratch)))


def _ask_again(run: Run, restore: PhaseSettings, again: PendingKeys | None) -> ExitCode:
    if again is None:
        say("restore: the copy phase has left no key pending: nothing is to be asked for again")
        return ExitCode.GOOD
    job = again.job
    many = counted(job.lots.keys, "key")
    say(
        f"restore: {many} that the copy phase left pending become job {job.lots.job} in the same state "
        "(--job of status, logs and stop)"
    )
    inner = replace(run, job=job)
    plan = make_plan(job, restore, run.settings.rate)
    if plan.nothing_to_do:
        say("restore: asked for again already, since the copy phase last looked at them")
        return summarize(inner, Phase.RESTORE, RunResult(lot_statuses=plan.lot_statuses, given_up={}, halted=""))
    say(f"restore: asking again costs a request for each of {many}, and the retrieval of each whose copy has expired")
    show_plan(inner, plan, _looked(run, again) if run.estimate else None)
    if run.dry:
        print_calls(inner, plan)
        return ExitCode.GOOD
    run.job.state.note_again(job.lots.job, restore, Clock().now())
    ending = carry_out(inner, plan)
    code = summarize(inner, Phase.RESTORE, ending)
    if not run.both or code == ExitCode.SOME_FAILED:
        say_next_steps(inner, Phase.RESTORE, code, ending)
    return code


def _looked(run: Run, again: PendingKeys) -> ProbedSample:
    """Some of the pending keys, looked at."""
    clock, arguments = Clock(), run.settings.request_arguments()
    heads = tuple(head_objects(again.some, arguments=arguments, clock=clock, threads=min(THREADS, len(again.some))))
    return ProbedSample(lots=again.job.lots, sample=Sample(keys=again.job.lots.keys, heads=heads, taken_at=clock.now()))
