"""`s3reclass completion`: the script by which a shell completes commands, flags and their values."""

import click
from click.shell_completion import get_completion_class

from orchestrator.common.output import tell
from orchestrator.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, *, shell: str) -> None:
    """
    Print the script by which a shell completes s3reclass's commands, flags and their values.

    Put it where your shell looks for such scripts, and start a new shell:

    \b
        s3reclass completion bash > ~/.local/share/bash-completion/completions/s3reclass
        s3reclass completion zsh > ~/.zfunc/_s3reclass     # a folder of $fpath, before compinit
        s3reclass completion fish > ~/.config/fish/completions/s3reclass.fish
    """  # noqa: D301 (click reads the backspace itself: "don't rewrap")
    complete = get_completion_class(shell)
    if complete is None:
        raise UsageError(f"this version of click completes nothing in {shell}")
    program = complete(context.find_root().command, {}, "s3reclass", "_S3RECLASS_COMPLETE")
    # Its source() would start bash to check the version.
    for line in (program.source_template % program.source_vars()).splitlines():
        tell(line)
