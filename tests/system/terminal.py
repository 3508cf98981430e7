"""A folder and a terminal in it: the installed commands, run as a user types them."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
TIMEOUT_S = 240


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What a command said before it ended. out, err: its standard output and error."""

    out: str
    err: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Terminal:
    """
    A terminal in a folder.

    environment: the variables that it has besides the test's own.
    commands: the folder of the installed commands.
    """

    folder: Path
    environment: Mapping[str, str]
    commands: Path = BIN

    def types(self, line: str, *, exit_code: int = 0) -> Ended:
        """
        Run a command line, and return what it said.

        Raises AssertionError, with all that it said, when it ends with another exit code or shows a traceback.
        """
        ended = subprocess.run(
            self._arguments(line),
            cwd=self.folder,
            env=self._variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
        told = f"$ {line}\n{ended.stdout}{ended.stderr}[exit code {ended.returncode}]"
        assert ended.returncode == exit_code, told
        assert "Traceback" not in ended.stderr, told
        return Ended(out=ended.stdout, err=ended.stderr)

    def starts(self, line: str) -> subprocess.Popen[bytes]:
        """Start a command line and leave it to the test; its output goes to `started.log` in the folder."""
        with (self.folder / "started.log").open("wb") as log:
            return subprocess.Popen(
                self._arguments(line),
                cwd=self.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _arguments(self, line: str) -> list[str]:
        command, *arguments = shlex.split(line)
        return [str(self.commands / command), *arguments]

    def _variables(self) -> dict[str, str]:
        """The test's variables, without settings that the user of this machine may have for s3reclass."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("S3RECLASS_", "PYTHON"))}
        return own | dict(self.environment)
