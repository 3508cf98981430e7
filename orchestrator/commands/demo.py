"""`s3reclass demo`: a whole job on this machine, each command shown before it runs."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from orchestrator.errors import S3ReclassError
from orchestrator.planning.demo_objects import BUCKET, MISSING_KEY, demo_keys
from worker.contract import ExitCode

S3RECLASS = (sys.executable, "-P", "-m", "orchestrator")
TARGET = "STANDARD_IA"
RESTORE_TAKES_S = 8
"""How long the embedded S3 takes to restore an object, so that the copy phase has something to wait for."""


@click.command()
def command() -> int:
    """
    Watch a whole job run on this machine: no AWS account, no Docker, under a minute.

    An S3 of its own (moto's server) gets a bucket with a few hundred archived objects; the real commands
    then restore them, wait, copy them, report and verify. Nothing is left behind.
    """
    try:
        from orchestrator.clients.embedded_aws import embedded_aws, fill_bucket  # noqa: PLC0415 (an extra may be missing)
    except ImportError as error:
        raise S3ReclassError(f"the demo needs moto's server ({error}): pip install 's3reclass[demo]'") from error
    with tempfile.TemporaryDirectory(prefix="s3reclass-demo-") as folder, embedded_aws(RESTORE_TAKES_S) as endpoint:
        click.echo(f"An S3 of its own serves {endpoint}; it holds {len(demo_keys()) - 1} objects, nearly all archived.")
        fill_bucket(endpoint)
        Path(folder, "keys.txt").write_text("".join(f"{key}\n" for key in demo_keys()), encoding="utf-8")
        code = _play(Path(folder), _environment(endpoint))
    click.echo(
        '\nThat was the whole job. The same commands with `place = "fargate"` and your own AWS account do it at scale.'
    )
    return code


_SCENES: tuple[tuple[str, str, ExitCode], ...] = (
    (
        "Name the bucket and the class to move its objects into (writes s3reclass.toml).",
        f"init --bucket {BUCKET} --storage-class {TARGET} --place local",
        ExitCode.GOOD,
    ),
    ("Cut the key file into lots.", "split keys.txt --lots 4", ExitCode.GOOD),
    (
        "Phase 1: ask S3 to restore every archived object. One key doesn't exist, hence exit code 3.",
        "run --phase restore",
        ExitCode.SOME_FAILED,
    ),
    (
        "Phase 2: copy each object onto itself with the new class, waiting for the restores.",
        "run --phase copy --wait",
        ExitCode.SOME_FAILED,
    ),
    (
        "Once more: only the missing key is tried again, nothing is copied twice.",
        "run --phase copy --no-estimate",
        ExitCode.SOME_FAILED,
    ),
    ("What became of every key.", "report --csv report.csv", ExitCode.SOME_FAILED),
    ("Look at every object: which isn't in the class?", "verify", ExitCode.SOME_FAILED),
)
"""What is said, the command, and the exit code that it must end with."""


def _play(folder: Path, environment: Mapping[str, str]) -> int:
    for words, line, expected in _SCENES:
        click.echo(f"\n# {words}")
        click.secho(f"$ s3reclass {line}", bold=True)
        done = subprocess.run([*S3RECLASS, *shlex.split(line)], cwd=folder, env=environment, check=False)  # noqa: S603 (our own commands)
        if done.returncode != expected:
            raise S3ReclassError(f"`s3reclass {line}` ended with exit code {done.returncode}, not {int(expected)}")
    rows = Path(folder, "report.csv").read_text(encoding="utf-8").splitlines()
    failed = [row for row in rows if ",succeeded," not in row]
    click.echo(f"\nreport.csv has a row for each of the {len(rows)} keys; the only one that didn't succeed:")
    for row in failed:
        click.echo(f"  {row}")
    if len(rows) != len(demo_keys()) or len(failed) != 1 or MISSING_KEY not in failed[0]:
        raise S3ReclassError("the report doesn't account for every key as it should")
    return ExitCode.GOOD


def _environment(endpoint: str) -> dict[str, str]:
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
