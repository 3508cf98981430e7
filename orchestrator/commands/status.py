"""`s3reclass status`: how far a job is, from the state alone."""

import time
from collections.abc import Mapping
from typing import Any

import click

from orchestrator import wiring as assemble
from orchestrator.common.output import tell, tell_json
from orchestrator.model import Lots
from orchestrator.run.show_progress import doubt_lines, outcome_lines
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.state.lease_file import Holder
from orchestrator.state.lot_status import LotStatus, exit_code_of_phase, totals
from worker.contract import Phase

WATCH_EVERY_S = 5


@click.command(epilog="\b\nExample:\n    s3reclass status --watch --lots")
@uses_settings("state", "place", "lots", "stack")
@click.option("--job", metavar="ID", help="A job's id (default: the job of the lots in lots/).")
@click.option("--watch", is_flag=True, help="Show it every few seconds, until nothing is left to do or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--lots", "each_lot", is_flag=True, help="A line for each lot that isn't complete.")
def command(settings: Settings, job: str | None, *, watch: bool, as_json: bool, each_lot: bool) -> int:
    """
    Say how far a job is, in each phase.

    Reads only the state, so that it works for a job of another launcher, and when all else is gone.
    A lot that has lost results is named, and doesn't count as complete.
    Exit codes as of `run`: 3 while keys are failed or unprocessed, 4 while keys are pending, 0 when all is done.
    """
    state = assemble.open_state(settings, job)
    while True:
        lots = state.lots()
        phases = {phase: state.lot_statuses(lots, phase) for phase in state.begun_phases()}
        if as_json:
            tell_json(_as_json(lots, phases))
        else:
            _print(lots, phases, state.launcher(), each_lot=each_lot)
        last = list(phases.values())[-1] if phases else ()
        code = exit_code_of_phase(totals(last))
        if not watch or all(lot_status.complete for lot_status in last):
            return code
        time.sleep(WATCH_EVERY_S)


def _print(
    lots: Lots, phases: Mapping[Phase, tuple[LotStatus, ...]], launcher: Holder | None, *, each_lot: bool
) -> None:
    tell(f"job {lots.job}: {lots.keys:,} keys in {len(lots.lots)} lots of {', '.join(lots.buckets)}")
    if launcher:
        tell(f"taken by {launcher}")
    for phase, lot_statuses in phases.items():
        summed = totals(lot_statuses)
        tell(
            f"{phase}: {summed.done:,} of {summed.keys:,} keys have an outcome; lots: {summed.complete} complete, "
            f"{summed.begun - summed.complete} begun, {summed.lots - summed.begun} not begun"
        )
        for line in outcome_lines(phase, summed):
            tell(line)
        for line in doubt_lines(phase, lot_statuses):
            tell(line)
        for lot_status in lot_statuses if each_lot else ():
            if not lot_status.complete:
                tell(f"  {_lot_words(lot_status)}")


def _lot_words(lot_status: LotStatus) -> str:
    done = sum(lot_status.outcomes.values())
    told = f", last heard of at {lot_status.latest.at}" if lot_status.latest else ""
    why = f", in doubt: {lot_status.doubt}" if lot_status.doubt else ""
    lot, attempt = lot_status.lot, lot_status.files.attempt
    return f"{lot.name}: attempt {attempt}, {done:,} of {lot.keys:,} keys{told}{why}"


def _as_json(lots: Lots, phases: Mapping[Phase, tuple[LotStatus, ...]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for phase, lot_statuses in phases.items():
        summed = totals(lot_statuses)
        of_lots = {"all": summed.lots, "complete": summed.complete, "begun": summed.begun, "in_doubt": summed.doubted}
        outcomes = {outcome.value: count for outcome, count in summed.outcomes.items()}
        told[phase.value] = {
            "keys": summed.keys,
            "unprocessed": summed.unprocessed,
            "outcomes": outcomes,
            "lots": of_lots,
        }
    return {"job": lots.job, "buckets": list(lots.buckets), "keys": lots.keys, "phases": told}
