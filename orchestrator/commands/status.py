"""`s3reclass status`: how far a job is, from the state alone."""

import time
from collections.abc import Mapping
from typing import Any

import click

from orchestrator import assemble
from orchestrator.commands.options import uses_settings
from orchestrator.commands.output import tell, tell_json
from orchestrator.commands.progress import doubt_lines, outcome_lines
from orchestrator.model import Lots
from orchestrator.planning.lease import Holder
from orchestrator.planning.standing import LotStanding, exit_code_of_phase, totals
from orchestrator.settings import Settings
from worker.contract import Phase

WATCH_EVERY_S = 5


@click.command()
@uses_settings("state", "place", "lots", "stack")
@click.option("--job", metavar="ID", help="A job's id (default: the job of the lots in lots/).")
@click.option("--watch", is_flag=True, help="Show it again every few seconds, until nothing is left to do or Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
@click.option("--lots", "each_lot", is_flag=True, help="A line for each lot that isn't complete.")
def command(settings: Settings, job: str | None, *, watch: bool, as_json: bool, each_lot: bool) -> int:
    """
    Say how far a job is, in each phase.

    Reads the state alone: it tells the truth whoever runs the job, and after everything else is gone.
    A lot whose results aren't all there any more is named, and isn't counted as complete.
    Exit codes as of `run`: 3 while keys are failed or unprocessed, 4 while keys are pending, 0 when all is done.
    """
    state = assemble.open_state(settings, job)
    while True:
        lots = state.lots()
        phases = {phase: state.standings(lots, phase) for phase in state.begun_phases()}
        if as_json:
            tell_json(_as_json(lots, phases))
        else:
            _print(lots, phases, state.launcher(), each_lot=each_lot)
        last = list(phases.values())[-1] if phases else ()
        code = exit_code_of_phase(totals(last))
        if not watch or all(standing.complete for standing in last):
            return code
        time.sleep(WATCH_EVERY_S)


def _print(
    lots: Lots, phases: Mapping[Phase, tuple[LotStanding, ...]], launcher: Holder | None, *, each_lot: bool
) -> None:
    tell(f"job {lots.job}: {lots.keys:,} keys in {len(lots.lots)} lots of {', '.join(lots.buckets)}")
    if launcher:
        tell(f"taken by {launcher}")
    for phase, standings in phases.items():
        summed = totals(standings)
        tell(
            f"{phase}: {summed.done:,} of {summed.keys:,} keys have an outcome; lots: {summed.complete} complete, "
            f"{summed.begun - summed.complete} begun, {summed.lots - summed.begun} not begun"
        )
        for line in outcome_lines(phase, summed):
            tell(line)
        for line in doubt_lines(phase, standings):
            tell(line)
        for standing in standings if each_lot else ():
            if not standing.complete:
                tell(f"  {_lot_words(standing)}")


def _lot_words(standing: LotStanding) -> str:
    done = sum(standing.outcomes.values())
    told = f", last heard of at {standing.latest.at}" if standing.latest else ""
    why = f", in doubt: {standing.doubt}" if standing.doubt else ""
    return f"{standing.lot.name}: attempt {standing.files.attempt}, {done:,} of {standing.lot.keys:,} keys{told}{why}"


def _as_json(lots: Lots, phases: Mapping[Phase, tuple[LotStanding, ...]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for phase, standings in phases.items():
        summed = totals(standings)
        told[phase.value] = {
            "keys": summed.keys,
            "unprocessed": summed.unprocessed,
            "outcomes": {outcome.value: count for outcome, count in summed.outcomes.items()},
            "lots": {
                "all": summed.lots,
                "complete": summed.complete,
                "begun": summed.begun,
                "in_doubt": summed.doubted,
            },
        }
    return {"job": lots.job, "buckets": list(lots.buckets), "keys": lots.keys, "phases": told}
