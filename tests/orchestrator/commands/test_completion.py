"""`s3reclass completion`: scripts that a shell takes, and what it completes with them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli import run

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.mark.parametrize(
    ("shell", "sign"),
    [
        ("bash", "complete -o nosort -F _s3reclass_completion s3reclass"),
        ("zsh", "#compdef s3reclass"),
        ("fish", "complete --no-files --command s3reclass"),
    ],
)
def test_each_shell_has_its_script(shell: str, sign: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks s3reclass itself, by the variable that click reads."""
    code = run(["completion", shell])
    script = capsys.readouterr().out

    assert code == 0
    assert sign in script
    assert f"_S3RECLASS_COMPLETE={shell}_complete" in script


def test_another_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the message names those that there are."""
    assert run(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words, once it has read the script."""
    program = folder / "bin" / "s3reclass"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m orchestrator "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    lines = [
        'eval "$(s3reclass completion bash)"',
        f"COMP_WORDS=(s3reclass {' '.join(words)}); COMP_CWORD={len(words)}",
        "_s3reclass_completion s3reclass",
        r'printf "%s\n" "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        ["bash", "--norc", "-euc", "\n".join(lines)],
        env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@needs_bash
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("re",), ["report"]),
        (("run", "--ph"), ["--phase"]),
        (("run", "--phase", "co"), ["copy"]),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_bash_completes_commands_flags_and_values(tmp_path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    """As after the Tab key."""
    assert completed(tmp_path, *words) == offered
