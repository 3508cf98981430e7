"""`s3reclass run --phase all`: restore, wait, copy; the state alone says where it goes on."""

from collections.abc import Iterable

from orchestrator.common.output import say, tell
from orchestrator.objects.object_head import HeadOutcome, ObjectHead
from orchestrator.run.one_phase import Run, carry_out, finish, probe_some, say_next_steps, show_plans
from orchestrator.run.plan import make_plan
from orchestrator.run.restore_again import ask_again
from orchestrator.run.show_progress import counted
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

    asked_again: the exit code of restores that this run has just asked for again; it counts like the restore phase's.
    """
    copy_plan = make_plan(run.job, copy, run.settings.rate)
    if copy_plan.nothing_to_do:
        tell(f"both phases of job {run.job.lots.job} are finished: nothing to start.")
        return finish(run, copy_plan)
    begun = Phase.RESTORE in run.job.state.begun_phases()
    probed = probe_some(run, copy_plan) if run.estimate or not begun else None
    restores = begun or probed is None or needs_restore(probed.sample.heads, copy.storage_class)
    # A lot that is copied already needs no restore; in an archive class now, it would even be paid for.
    left = {one.lot.name for one in copy_plan.lot_statuses if not one.complete}
    restore_plan = make_plan(run.job, restore, run.settings.rate, left) if restores else None
    plans = [plan for plan in (restore_plan, copy_plan) if plan and not plan.nothing_to_do]
    if restore_plan is None and probed:
        heads = counted(len(probed.sample.heads), "key")
        say(f"restore: of the {heads} looked at none needs a restore: none is asked for")
    elif restore_plan and restore_plan.nothing_to_do:
        say("restore: every restore has been asked for")
    show_plans(run, plans, probed if run.estimate else None)
    if run.dry:
        return ExitCode.GOOD
    restored = [asked_again]
    if restore_plan and not restore_plan.nothing_to_do:
        code, result = carry_out(run, restore_plan)
        restored.append(code)
        if result.stopped:
            say_next_steps(run, Phase.RESTORE, code, result)
            return ExitCode.SOME_FAILED
    copied, result = carry_out(run, make_plan(run.job, copy, run.settings.rate))
    if not restores and totals(result.lot_statuses).outcomes.get(Outcome.PENDING) and not result.stopped:
        say("restore: some keys are archived after all: restores are asked for, of these alone")
        restored.append(ask_again(run, restore))
        copied, result = carry_out(run, make_plan(run.job, copy, run.settings.rate))
    code = ExitCode.SOME_FAILED if copied and ExitCode.SOME_FAILED in restored else copied
    say_next_steps(run, Phase.COPY, code, result)
    return code


def needs_restore(heads: Iterable[ObjectHead], target: str) -> bool:
    """Whether any of the objects is archived, is to leave its class, and has no restore under way or done."""
    return any(
        head.look is HeadOutcome.FOUND and head.archived and head.storage_class != target and not head.restore_asked
        for head in heads
    )
