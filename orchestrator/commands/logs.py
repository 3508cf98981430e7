"""`s3reclass logs`: what a lot's task wrote."""

import click

from orchestrator import wiring as assemble
from orchestrator.common.output import tell
from orchestrator.errors import S3ReclassError
from orchestrator.model import Task
from orchestrator.report.report_rows import phase_to_report
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from worker.contract import Phase


@click.command(epilog="\b\nExample:\n    s3reclass logs lot-00003 --phase copy")
@click.argument("lot")
@uses_settings("state", "place", "lots", "stack")
@click.option("--phase", type=click.Choice([phase.value for phase in Phase]), help="Default: the last phase begun.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="Default: the latest.")
@click.option("--job", metavar="ID", help="A job's id (default: the job of the lots in lots/).")
def command(settings: Settings, lot: str, phase: str | None, attempt: int | None, job: str | None) -> int:
    """
    Show the log of a lot's task: JSON lines, oldest first.

    LOT is a lot's name (lot-00003) or its number (3).
    """
    state = assemble.open_state(settings, job)
    named = next((one for one in state.lots().lots if lot in (one.name, str(int(one.name.removeprefix("lot-"))))), None)
    if named is None:
        raise S3ReclassError(f"this job has no lot {lot}: `s3reclass status --lots` names them")
    wanted = Phase(phase) if phase else phase_to_report(state.begun_phases())
    number = attempt or state.lot_status(named, wanted).files.attempt
    note = state.started_note(wanted, named.name, number) if number else None
    if note is None:
        raise S3ReclassError(
            f"{named.name} has had no task in the {wanted} phase" + (f" with attempt {number}" if number else "")
        )
    task = Task(id=note.task, phase=wanted, lot=named.name, attempt=number)
    for line in assemble.log_lines(settings, state.paths.job, task, note):
        tell(line)
    return 0
