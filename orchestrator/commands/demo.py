"""`s3reclass demo`: a whole job on this machine; each command is shown before it runs."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from orchestrator.common.text import duration
from orchestrator.demo.demo_folder import Began, demo_folder
from orchestrator.demo.demo_objects import BUCKET, MISSING_KEY, demo_keys
from orchestrator.errors import S3ReclassError
from orchestrator.lots.folder import read_lots
from orchestrator.state.job_state import JobState
from orchestrator.state.lot_status import totals
from orchestrator.state.state_store import DirectoryStore
from orchestrator.wiring import LOCAL_STATE
from worker.contract import ExitCode, Outcome, Phase

S3RECLASS = (sys.executable, "-P", "-m", "orchestrator")
TARGET = "STANDARD_IA"
RESTORE_TAKES_S = 8
"""Seconds that the embedded S3 takes for a restore: the copy phase then has something to wait for."""

COMMAND_MOST_S = 240
"""The most seconds for a command: two minutes for the restores, and two for the work, which takes seconds."""


@click.command(epilog="\b\nExample:\n    s3reclass demo")
def command() -> int:
    """
    Watch a whole job run on this machine: no AWS account, no Docker, about a minute.

    The demo has an S3 of its own (moto's server), with a few hundred archived objects in a bucket. The real
    commands restore them, wait, copy them, report and verify. Nothing is left behind.
    """
    try:
        from orchestrator.demo.embedded_aws import embedded_aws  # noqa: PLC0415 (an extra may be missing)
    except ImportError as error:
        raise S3ReclassError(f"the demo needs moto's server ({error}): pip install 's3reclass[demo]'") from error
    with demo_folder() as (folder, began), embedded_aws(RESTORE_TAKES_S) as endpoint:
        click.echo(f"An S3 of its own serves {endpoint}; it holds {len(demo_keys()) - 1} objects, nearly all archived.")
        (folder / "keys.txt").write_text("".join(f"{key}\n" for key in demo_keys()), encoding="utf-8")
        Stage(folder=folder, environment=environment_for(endpoint), began=began).play(SCENES)
        _count_rows((folder / "report.csv").read_text(encoding="utf-8").splitlines())
    click.echo(
        '\nThat was the whole job. The same commands with `place = "fargate"` and your own AWS account do it at scale.'
    )
    return ExitCode.GOOD


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """An explanation, a command, and the exit code that it must end with."""

    words: str
    line: str
    code: ExitCode = ExitCode.SOME_FAILED  # as one key doesn't exist


SCENES = (
    Scene(
        words="Name the bucket and the class to move its objects into (writes s3reclass.toml).",
        line=f"init --bucket {BUCKET} --storage-class {TARGET} --place local",
        code=ExitCode.GOOD,
    ),
    Scene(words="Cut the key file into lots.", line="split keys.txt --lots 4", code=ExitCode.GOOD),
    Scene(
        words="Phase 1: ask S3 to restore every archived object. One key doesn't exist, hence exit code 3.",
        line="run --phase restore",
    ),
    Scene(
        words="Phase 2: copy each object onto itself with the new class, waiting for the restores.",
        line="run --phase copy --wait --wait-limit 2m",
    ),
    Scene(
        words="Once more: only the missing key is tried again, nothing is copied twice.",
        line="run --phase copy --no-estimate",
    ),
    Scene(words="What became of every key.", line="report --csv report.csv"),
    Scene(words="Look at every object: which isn't in the class?", line="verify"),
)


class DemoWaitedError(S3ReclassError):
    """What the demo waited for didn't come in time."""

    exit_code = ExitCode.SOME_PENDING


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """
    Where the demo runs.

    began: called for each command's process. most_s: seconds that each may take.
    """

    folder: Path
    environment: Mapping[str, str]
    began: Began = lambda _: None
    most_s: float = COMMAND_MOST_S

    def play(self, scenes: Iterable[Scene]) -> None:
        """
        Run the scenes' commands, each shown first.

        Raises DemoWaitedError when a command, or the restores, took too long; S3ReclassError for another exit code.
        """
        for scene in scenes:
            click.echo(f"\n# {scene.words}")
            click.secho(f"$ s3reclass {scene.line}", bold=True)
            code = self._run(scene.line)
            if "--wait" in scene.line and (pending := self._pending()):
                raise DemoWaitedError(
                    f"{pending} keys still wait for their restores, and this demo waits no longer. Its own S3 takes "
                    f"{RESTORE_TAKES_S} s for a restore: this machine may be too busy"
                )
            if code != scene.code:
                raise S3ReclassError(f"`s3reclass {scene.line}` ended with exit code {code}, not {int(scene.code)}")

    def _run(self, line: str) -> int:
        """The exit code of a command line."""
        command = [*S3RECLASS, *shlex.split(line)]
        with subprocess.Popen(command, cwd=self.folder, env=self.environment) as process:  # noqa: S603 (our own commands)
            self.began(process.pid)
            try:
                return process.wait(self.most_s)
            except subprocess.TimeoutExpired:
                raise DemoWaitedError(
                    f"`s3reclass {line}` hasn't ended after {duration(self.most_s)}, and this demo waits no longer: "
                    "this machine may be too busy"
                ) from None
            finally:
                process.kill()  # does nothing once it has ended
                process.wait()
                self.began(0)

    def _pending(self) -> int:
        """Keys that the copy phase has left pending."""
        lots = read_lots(self.folder / "lots")
        state = JobState(DirectoryStore(self.folder / LOCAL_STATE), lots.job)
        return totals(state.lot_statuses(lots, Phase.COPY)).outcomes.get(Outcome.PENDING, 0)


def _count_rows(rows: Sequence[str]) -> None:
    """Say what the report holds. Raises S3ReclassError when that isn't a row for each key, one of them failed."""
    failed = [row for row in rows if ",succeeded," not in row]
    click.echo(f"\nreport.csv has a row for each of the {len(rows)} keys; the only one that didn't succeed:")
    for row in failed:
        click.echo(f"  {row}")
    if len(rows) != len(demo_keys()) or len(failed) != 1 or MISSING_KEY not in failed[0]:
        raise S3ReclassError("the report doesn't account for every key as it should")


def environment_for(endpoint: str) -> dict[str, str]:
    """This process's environment without the user's AWS and s3reclass settings: the demo can reach its own S3 only."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3RECLASS_"))}
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
