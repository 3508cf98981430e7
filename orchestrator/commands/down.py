"""`s3reclass down`: remove the stack; what is the user's goes only if asked."""

import sys

import click

from orchestrator.common.output import say, tell
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.stack.teardown import Teardown, plan_teardown, take_down


@click.command(name="down", epilog="\b\nExample:\n    s3reclass down --yes")
@uses_settings("stack")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--delete-state", is_flag=True, help="Empty and delete the state bucket too: the results of all jobs are lost."
)
def command(*, settings: Settings, yes: bool, delete_state: bool) -> None:
    """
    Remove the stack.

    Your buckets and objects are not touched. The state bucket is kept unless it is empty or --delete-state is
    given. The images are deleted: push-image can build them again. So are the task definitions that refer to the
    stack: the next run registers new ones. The command refuses while tasks run.
    """
    teardown = plan_teardown(settings)
    if teardown is None:
        say(f"there is no stack {settings.stack}: nothing to do")
        return
    _show(teardown, delete_state=delete_state)
    if not yes:
        _ask(teardown, delete_state=delete_state)
    take_down(teardown, delete_state=delete_state, say=say)


def _show(teardown: Teardown, *, delete_state: bool) -> None:
    """Print what goes and what stays."""
    kept = bool(teardown.state_bucket) and not delete_state and not teardown.state_is_empty
    stays = {"StateBucket", "StateBucketPolicy"} if kept else set()
    tell(f"stack {teardown.stack.name} ({teardown.stack.status}): these go:")
    for part, physical_id in sorted(teardown.parts.items()):
        if part not in stays:
            tell(f"  {part:<20}{physical_id}")
    if kept:
        tell(f"this stays, with the state of your jobs: {teardown.state_bucket}")


def _ask(teardown: Teardown, *, delete_state: bool) -> None:
    """Ask before anything is deleted. Raises S3ReclassError on a no, UsageError without a terminal."""
    if not sys.stdin.isatty():
        raise UsageError("down asks before it deletes, and there is no terminal to ask on: give --yes")
    questions = [f"Delete the stack {teardown.stack.name}?"]
    if delete_state and not teardown.state_is_empty:
        questions.append(f"Delete everything in {teardown.state_bucket}, the results of all jobs, for good?")
    for question in questions:
        if not click.confirm(question, err=True):
            raise S3ReclassError("nothing was deleted")
