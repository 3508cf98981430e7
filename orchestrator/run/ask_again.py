"""`s3reclass run --phase restore --again`: restores asked for again, of the keys that the copy phase left pending."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.again import Again, pending_keys_of
from orchestrator.clients.objects import THREADS, head_objects
from orchestrator.clock import Clock
from orchestrator.commands.output import say
from orchestrator.commands.phases import Looked, Run, carry_out, print_calls, say_next_steps, show_plan, summarize
from orchestrator.commands.progress import counted
from orchestrator.flow import make_plan
from orchestrator.planning.sample import Sample
from orchestrator.planning.worker_command import PhaseSettings
from orchestrator.watching import Ending
from worker.contract import ExitCode, Phase


def ask_again(run: Run, restore: PhaseSettings) -> ExitCode:
    """
    Ask for the restores of the pending keys again, or go on with asking; the exit code of it.

    Raises S3ReclassError when the state can't be read, or no task could do its work.
    """
    with TemporaryDirectory(prefix="s3reclass-") as scratch:
        return _ask_again(run, restore, pending_keys_of(run.job, Path(scratch)))


def _ask_again(run: Run, restore: PhaseSettings, again: Again | None) -> ExitCode:
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
        return summarize(inner, Phase.RESTORE, Ending(standings=plan.standings, given_up={}, halted=""))
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


def _looked(run: Run, again: Again) -> Looked:
    """Some of the pending keys, looked at."""
    clock, arguments = Clock(), run.settings.request_arguments()
    heads = tuple(head_objects(again.some, arguments=arguments, clock=clock, threads=min(THREADS, len(again.some))))
    return Looked(lots=again.job.lots, sample=Sample(keys=again.job.lots.keys, heads=heads, taken_at=clock.now()))
