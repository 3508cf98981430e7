"""`s3reclass stop`: stop a job's tasks."""

import click

from orchestrator import wiring as assemble
from orchestrator.common.clock import Clock
from orchestrator.common.output import tell
from orchestrator.run.show_progress import counted
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from worker.contract import Phase


@click.command(epilog="\b\nExample:\n    s3reclass stop")
@uses_settings("state", "place", "lots", "stack")
@click.option("--job", metavar="ID", help="A job's id (default: the job of the lots in lots/).")
def command(settings: Settings, job: str | None) -> int:
    """
    Stop the tasks of a job, whichever launcher started them.

    Each task finishes its requests in flight and records its results; the next `run` goes on from there.
    A launcher that runs the job starts no more tasks. Restores that the job asks for again (`run --again`) stop too.
    """
    state = assemble.open_state(settings, job)
    again = state.asked_again()
    jobs = [state, again] if again else [state]
    for one in jobs:
        one.ask_to_stop(Clock().now())
    place = assemble.open_place(settings)
    tasks = [task for one in jobs for phase in Phase for task in place.running(one.paths.job, phase)]
    place.stop(tasks, "s3reclass stop")
    for task in tasks:
        tell(f"stopping {task.phase} {task.lot} (attempt {task.attempt})")
    tell(f"{counted(len(tasks), 'task')} asked to stop" if tasks else "no task of this job is running")
    return 0
