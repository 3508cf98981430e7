"""
Virtual environments that hold what a lock file pins, and nothing else.

    python3 requirements/install.py .venv requirements/dev.txt --project

Standard library only, since it is what makes the environments that all else runs in.
"""

import argparse
import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PIP = ("-I", "-m", "pip", "--disable-pip-version-check")
"""Isolated from PYTHONPATH and the user's own packages, which pip would count as installed."""
EXACTLY = ("install", "--quiet", "--no-compile", "--only-binary", ":all:", "--no-deps", "--require-hashes", "-r")
"""
--no-deps: else pip resolves a requirement that has an extra again, and finds releases newer than the lock.
--only-binary: building a source distribution fetches tools that no lock pins.
--no-compile: most of what is installed is never imported; a third of the time.
"""
PROJECT = ("install", "--quiet", "--no-compile", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))

WHERE_FROM = frozenset(
    {
        *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "keyring-provider"),
        *("cert", "client-cert", "proxy", "timeout", "default-timeout", "retries", "cache-dir", "no-cache-dir"),
    }
)
"""pip's options that say where packages come from, which the user decides; what is installed where, the lock does."""


def install(folder: Path, lock: Path, *, project: bool = False) -> None:
    """
    Make the folder a virtual environment of what the lock pins, unless it is one already.

    It is made from nothing: after a move, an interruption, or with another lock or Python than it was made with.
    project: install the project too, as editable.
    Raises subprocess.CalledProcessError, with what the command said in `stderr`.
    """
    mark, made_from = folder / "installed", _made_from(folder, lock, project=project)
    if _read(mark) == made_from and (folder / "bin" / "python").exists():
        return
    print(f"{folder.name}: installing what {lock.name} pins", file=sys.stderr)  # noqa: T201 (a program's own word)
    shutil.rmtree(folder, ignore_errors=True)
    environment = _environment()
    _run([sys.executable, "-I", "-m", "venv", str(folder)], environment)
    environment |= _users_choices(folder, environment)
    pip = [str(folder / "bin" / "python"), *PIP]
    _run([*pip, *EXACTLY, str(lock)], environment)
    if project:
        _run([*pip, *PROJECT], environment)
    _run([*pip, "check"], environment)
    mark.write_text(made_from, encoding="utf-8")


def _made_from(folder: Path, lock: Path, *, project: bool) -> str:
    """What the environment's content depends on, its place among it: none can be moved."""
    parts = [str(folder.resolve()), sys.version, sys.base_prefix]
    if project:
        table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        parts += [str(ROOT), *(str(table.get(name)) for name in ("name", "version", "dependencies", "scripts"))]
    return hashlib.sha256(lock.read_bytes() + "\0".join(parts).encode()).hexdigest()


def _read(mark: Path) -> str:
    try:
        return mark.read_text(encoding="utf-8")
    except OSError:
        return ""


def _environment() -> dict[str, str]:
    """This process's environment, without pip's settings and Python's: no file of pip's is read either."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def _users_choices(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The variables that tell pip where packages come from, as the user's own settings and pip.conf say."""
    users = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    told = _run([str(folder / "bin" / "python"), *PIP, "config", "list"], users)
    chosen: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in told.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}.") and (option := name.removeprefix(f"{section}.")) in WHERE_FROM:
                chosen[f"PIP_{option.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
    return {**environment, **chosen}


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    """What it wrote on standard output."""
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout  # noqa: S603 (our own)


def main() -> None:
    """Read the command line and install; exit with pip's own words when that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--project", action="store_true", help="install the project too, as editable")
    asked = parser.parse_args()
    try:
        install(asked.folder, asked.lock, project=asked.project)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.stdout}{error.stderr}{asked.folder}: `{' '.join(error.cmd)}` failed")


if __name__ == "__main__":
    main()
