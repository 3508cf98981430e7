"""The wheel, as it is built from an sdist and installed: in an environment of its own, away from the repository."""

import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

from orchestrator.image.build_context import read_worker_files
from tests.documents import ROOT

# Building, and a whole demo: Python starts some twenty times.
pytestmark = pytest.mark.timeout(600)


def build(source: Path, kind: str, folder: Path) -> Path:
    """An sdist or a wheel of the source, in the folder."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = [path for path in folder.iterdir() if path.name.endswith((".tar.gz", ".whl"))]
    return built


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def environment(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A virtual environment with the wheel that the sdist makes, and nothing else of the project.

    What it depends on is borrowed from this environment by a .pth file: no network. This environment's own s3reclass
    can't be, as .pth files of a borrowed folder aren't read.
    """
    folder = tmp_path_factory.mktemp("installed") / "environment"
    wheel = build(source, "wheel", tmp_path_factory.mktemp("wheel"))
    venv.create(folder, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "borrowed.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n", encoding="utf-8")
    return folder


def call(environment: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program of the environment, in a folder that has nothing of the project."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return subprocess.run(
        [str(environment / "bin" / command[0]), *command[1:]],
        cwd=folder,
        env={**variables, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_demo_runs_to_its_end(environment: Path, tmp_path: Path) -> None:
    """A whole job, with the wheel alone."""
    done = call(environment, tmp_path, "s3reclass", "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "report.csv has a row for each of the 254 keys" in done.stdout


def test_it_is_the_wheel_that_runs(environment: Path, tmp_path: Path) -> None:
    """Not the repository that these tests are in."""
    done = call(environment, tmp_path, "python", "-c", "import orchestrator; print(orchestrator.__file__)")

    assert Path(done.stdout.strip()).is_relative_to(environment)


def test_it_tells_its_version_and_completes(environment: Path, tmp_path: Path) -> None:
    """As installed commands do."""
    assert call(environment, tmp_path, "s3reclass", "--version").stdout.startswith("s3reclass 0.")
    assert "_s3reclass_completion" in call(environment, tmp_path, "s3reclass", "completion", "bash").stdout


def test_the_manual_page_is_where_man_looks(environment: Path) -> None:
    """Beside the programs: `man s3reclass` finds it by PATH."""
    installed = environment / "share/man/man1/s3reclass.1"

    assert installed.read_bytes() == (ROOT / "docs/s3reclass.1").read_bytes()


def test_its_worker_image_is_the_repositorys(environment: Path, tmp_path: Path) -> None:
    """The same files, so the same tag: who installed the wheel finds the image that was pushed from a clone."""
    program = """
from orchestrator.image.build_context import read_worker_files
for file in read_worker_files():
    print(file.path, file.data)
"""

    done = call(environment, tmp_path, "python", "-c", program)

    assert done.stdout.splitlines() == [f"{file.path} {file.data!r}" for file in read_worker_files()]


def test_an_sdist_has_what_its_tests_and_its_image_need(source: Path) -> None:
    """The Dockerfile and its lock, the Makefile and all locks, the scaffolding, the man page."""
    needed = ("Dockerfile", "Makefile", "docs/s3reclass.1", ".github/workflows/ci.yml", "requirements/install.py")
    locks = [path.relative_to(ROOT) for path in ROOT.glob("requirements/*.txt")]

    assert [path for path in (*needed, *map(str, locks)) if not (source / path).is_file()] == []
