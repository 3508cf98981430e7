"""`s3reclass run --phase all`: restore, wait, copy; where it stands is told by the state alone."""

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.common.output import say, tell
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.run.ask_again import ask_again
from orchestrator.run.one_phase import (
    ProbedSample,
    Run,
    carry_out,
    look_at_some,
    print_calls,
    say_next_steps,
    show_plan,
    summarize,
)
from orchestrator.run.plan import Plan, make_plan
from orchestrator.run.show_progress import counted
from orchestrator.run.watch_values import RunResult
from orchestrator.state.lot_status import totals
from worker.contract import ExitCode, Outcome, Phase, PhaseSettings


def run_both(
    run: Run, restore: PhaseSettings, copy: PhaseSettings, *, asked_again: ExitCode = ExitCode.GOOD
) -> ExitCode:
    """
    Run what is left of both phases; the exit code that all of it amounts to.

    | copy | restore | then |
    |---|---|---|
    | some keys failed | any | 3 |
    | some pending | some keys failed | 3: waiting alone won't help those |
    | some pending | any other | 4 |
    | all good | any | 0: whatever the restore phase met, each key is in the class |

    asked_again: what came of restores that this run asked for once more, before; they count like the restore phase's.
    """
    copy_plan = make_plan(run.job, copy, run.settings.rate)
    if copy_plan.nothing_to_do:
        tell(f"both phases of job {run.job.lots.job} are finished: nothing to start.")
        return summarize(run, Phase.COPY, RunResult(lot_statuses=copy_plan.lot_statuses, given_up={}, halted=""))
    begun = Phase.RESTORE in run.job.state.begun_phases()
    looked = look_at_some(run, copy_plan) if run.estimate or not begun else None
    asks = begun or looked is None or needs_restore(looked.sample.heads, copy.storage_class)
    # A lot that is copied already needs no restore; in an archive class now, it would even be paid for.
    left = {one.lot.name for one in copy_plan.lot_statuses if not one.complete}
    restore_plan = make_plan(run.job, restore, run.settings.rate, left) if asks else None
    _show(run, restore_plan, copy_plan, looked)
    if run.dry:
        _print_calls(run, restore_plan, copy_plan)
        return ExitCode.GOOD
    restored = [asked_again]
    if restore_plan and not restore_plan.nothing_to_do:
        ending = carry_out(run, restore_plan)
        restored.append(summarize(run, Phase.RESTORE, ending))
        if ending.halted:
            say_next_steps(run, Phase.RESTORE, restored[-1], ending)
            return ExitCode.SOME_FAILED
    ending = carry_out(run, make_plan(run.job, copy, run.settings.rate))
    copied = summarize(run, Phase.COPY, ending)
    if not asks and totals(ending.lot_statuses).outcomes.get(Outcome.PENDING) and not ending.halted:
        say("restore: some keys are archived after all: restores are asked for, of these alone")
        restored.append(ask_again(run, restore))
        ending = carry_out(run, make_plan(run.job, copy, run.settings.rate))
        copied = summarize(run, Phase.COPY, ending)
    code = ExitCode.SOME_FAILED if copied and ExitCode.SOME_FAILED in restored else copied
    say_next_steps(run, Phase.COPY, code, ending)
    return code


def needs_restore(heads: Iterable[ObjectHead], target: str) -> bool:
    """Whether any of the objects is archived, is to leave its class, and has no restore under way or done."""
    return any(
        head.look is HeadOutcome.FOUND and head.archived and head.storage_class != target and not head.restore_asked
        for head in heads
    )


def _show(run: Run, restore_plan: Plan | None, copy_plan: Plan, looked: ProbedSample | None) -> None:
    known = looked if run.estimate else None
    if restore_plan is None and looked:
        say(
            f"restore: of the {counted(len(looked.sample.heads), 'key')} looked at none needs a restore: none is "
            "asked for"
        )
    elif restore_plan and restore_plan.nothing_to_do:
        say("restore: every restore has been asked for")
    elif restore_plan:
        show_plan(run, restore_plan, known)
    show_plan(run, copy_plan, known)


def _print_calls(run: Run, restore_plan: Plan | None, copy_plan: Plan) -> None:
    if restore_plan:
        print_calls(run, restore_plan)
        uploaded = {lot.name for lot in restore_plan.uploads}
        copy_plan = replace(copy_plan, uploads=tuple(lot for lot in copy_plan.uploads if lot.name not in uploaded))
    print_calls(run, copy_plan)
