"""
Installing is a function of the lock alone, whatever newer releases an index offers and whatever pip.conf says.

The index is a folder of hand-made wheels: each of the real locks' pins, with the requirements that the real package
has, and a newer release of each package that one of them requires with an extra.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.packaging.wheels import NEWER, installed_version, pins, requirements_of, with_extras, write_wheel

pytestmark = pytest.mark.timeout(600)
"""Each makes virtual environments: seconds, and minutes where much else runs."""

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.txt"))
PINNED = {pin.name for lock in LOCKS for pin in pins((ROOT / "requirements" / lock).read_text(encoding="utf-8"))}
EXTRAS = with_extras(line for name in PINNED for line in requirements_of(name)) & PINNED
"""The packages for which an index's newer release is a trap."""

ENVIRONMENTS = {"dev.txt": ".venv", "demo.txt": ".venv-demo", "release.txt": ".venv-release"}
"""The folder that the Makefile makes from each lock."""
SKIPPED = {"pip", "setuptools", "s3reclass"}
"""What an environment has without a lock."""

BACKEND = """
from pathlib import Path
from tests.packaging.wheels import write_wheel

def build_editable(folder, config_settings=None, metadata_directory=None):
    write_wheel(Path(folder), "s3reclass", "0", REQUIREMENTS)
    return "s3reclass-0-py3-none-any.whl"
"""
"""What builds the copy of the project: nothing of its own, no tool from an index."""


def plain(name: str) -> str:
    """A package's name as all spellings of it are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def held(packages: Path) -> dict[str, str]:
    """The versions of the packages in a folder, by name."""
    names = [path.name.removesuffix(".dist-info").split("-") for path in packages.glob("*.dist-info")]
    return {plain(name): version for name, version in names}


class Copy:
    """A copy of what installs, whose locks pin hand-made wheels, and the index that has them."""

    def __init__(self, folder: Path, *, lightly: bool = False) -> None:
        """Make both in the folder; lightly: what the demo's lock pins is the worker's, a seventh as much."""
        self.root, self.index = folder / "a clone", folder / "index"
        self.index.mkdir(parents=True)
        (self.root / "requirements").mkdir(parents=True)
        for name in ("Makefile", "Dockerfile", "requirements/install.py"):
            shutil.copy(ROOT / name, self.root / name)
        self.pinned = {lock: self._write_lock(lock) for lock in LOCKS}
        if lightly:
            shutil.copy(self.root / "requirements/worker.txt", self.root / "requirements/demo.txt")
            self.pinned["demo.txt"] = self.pinned["worker.txt"]
        for name in EXTRAS:
            write_wheel(self.index, name, NEWER)
        self._write_project()

    def _write_lock(self, lock: str) -> dict[str, str]:
        """Write the real lock with the hand-made wheels' hashes: the versions that hold on this machine, by name."""
        found = pins((ROOT / "requirements" / lock).read_text(encoding="utf-8"))
        lines = []
        for pin in found:
            needs = requirements_of(pin.name) if installed_version(pin.name) == pin.version else ()
            lines.append(f"{pin.line} \\\n    --hash=sha256:{write_wheel(self.index, pin.name, pin.version, needs)}\n")
        (self.root / "requirements" / lock).write_text("".join(lines), encoding="utf-8")
        return {plain(pin.name): pin.version for pin in found if not pin.marker or Marker(pin.marker).evaluate()}

    def _write_project(self) -> None:
        """A project of the same name that requires what the real one does."""
        (self.root / "tests/packaging").mkdir(parents=True)
        shutil.copy(ROOT / "tests/packaging/wheels.py", self.root / "tests/packaging")
        needs = [line for line in requirements_of("s3reclass") if "extra ==" not in line]
        (self.root / "backend.py").write_text(BACKEND.replace("REQUIREMENTS", repr(needs)), encoding="utf-8")
        (self.root / "pyproject.toml").write_text(
            '[project]\nname = "s3reclass"\nversion = "0"\n'
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
            encoding="utf-8",
        )

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of somebody whose index is the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.index), "PIP_CONFIG_FILE": os.devnull}
        return kept | index | more

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command in the copy's root."""
        return subprocess.run(
            command, cwd=self.root, env=self.environment(**more), capture_output=True, text=True, check=False
        )

    def make(self, target: str, **more: str) -> subprocess.CompletedProcess[str]:
        """`make` with this Python."""
        return self.run("make", f"PYTHON={sys.executable}", target, **more)

    def installed(self, environment: str) -> dict[str, str]:
        """The versions that an environment holds, by name."""
        found = held(next((self.root / environment).glob("lib/python*/site-packages")))
        return {name: version for name, version in found.items() if name not in SKIPPED}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """One copy for all: no test leaves it changed."""
    return Copy(tmp_path_factory.mktemp("locked"))


@pytest.fixture
def own_copy(tmp_path: Path) -> Copy:
    """A copy to be changed."""
    return Copy(tmp_path, lightly=True)


def test_the_traps_are_there() -> None:
    """The locks name packages that others require with an extra: those whose newer releases pip would look at."""
    assert "coverage" in EXTRAS


@pytest.mark.parametrize("lock", ENVIRONMENTS)
def test_make_installs_what_the_lock_pins(copy: Copy, lock: str) -> None:
    """All of it, nothing else, and no newer release that the index offers."""
    done = copy.make(f"{ENVIRONMENTS[lock]}/installed")

    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.installed(ENVIRONMENTS[lock]) == copy.pinned[lock]


@pytest.mark.parametrize("lock", ["bench.txt", "system.txt"])
def test_the_environments_of_others_programs_hold_what_their_locks_pin(copy: Copy, lock: str) -> None:
    """As `make bench` and the system tests make theirs."""
    done = copy.run(sys.executable, "requirements/install.py", f"{lock} here", f"requirements/{lock}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert copy.installed(f"{lock} here") == copy.pinned[lock]


def test_the_image_installs_what_the_lock_pins(copy: Copy, tmp_path: Path) -> None:
    """The Dockerfile's own command, its folders moved here."""
    (command,) = re.findall(r"^RUN (pip install (?:.*\\\n)*.*)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    lock = shutil.copy(copy.root / "requirements/worker.txt", tmp_path)
    command = re.sub(r"/\S+/worker\.txt", str(lock), command.replace("/app/packages", "packages"))
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "base")], check=True)

    done = subprocess.run(
        ["sh", "-euc", command],
        cwd=tmp_path,
        env=copy.environment(PATH=f"{tmp_path / 'base/bin'}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert held(tmp_path / "packages") == copy.pinned["worker.txt"]


def test_pip_left_to_itself_falls_into_the_trap(own_copy: Copy) -> None:
    """Without --no-deps the same install is refused: the tests above would see it."""
    installer = own_copy.root / "requirements/install.py"
    installer.write_text(installer.read_text(encoding="utf-8").replace('"--no-deps", ', ""), encoding="utf-8")

    done = own_copy.make(".venv/installed")

    assert done.returncode != 0
    assert "all requirements must have their versions pinned" in done.stdout + done.stderr


def test_a_lock_that_lacks_a_package_is_refused(own_copy: Copy) -> None:
    """What is missing is told, and the environment doesn't count as made."""
    lock = own_copy.root / "requirements/demo.txt"
    lock.write_text(re.sub(r"^botocore==.*\n.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE))

    done = own_copy.make(".venv-demo/installed")

    assert done.returncode != 0
    assert re.search(r"boto3 \S+ requires botocore, which is not installed", done.stdout + done.stderr)
    assert not (own_copy.root / ".venv-demo/installed").exists()


def test_pips_settings_say_where_from_and_nothing_else(own_copy: Copy, tmp_path: Path) -> None:
    """The index of pip.conf counts; a target, a constraint, --user and packages lying about don't."""
    write_wheel(own_copy.index, "surplus", "1")
    (tmp_path / "constraint.txt").write_text("boto3==1.0\n")
    (tmp_path / "pip.conf").write_text(
        f"[global]\nno-index = true\nfind-links =\n    {own_copy.index}\n    {tmp_path}\n"
        f"[install]\nuser = true\ntarget = {tmp_path / 'elsewhere'}\nno-binary = :all:\n"
    )
    lying_about = tmp_path / "lying about/boto3-1.0.dist-info"
    lying_about.mkdir(parents=True)
    (lying_about / "METADATA").write_text("Metadata-Version: 2.1\nName: boto3\nVersion: 1.0\n")
    settings = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_CONSTRAINT": str(tmp_path / "constraint.txt"),
        "PIP_PREFIX": str(tmp_path / "elsewhere"),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PYTHONPATH": str(lying_about.parent),
    }
    environment = own_copy.environment(**settings)
    del environment["PIP_NO_INDEX"], environment["PIP_FIND_LINKS"]

    done = subprocess.run(
        ["make", f"PYTHON={sys.executable}", ".venv-demo/installed"],
        cwd=own_copy.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert own_copy.installed(".venv-demo") == own_copy.pinned["demo.txt"]
    assert not (tmp_path / "elsewhere").exists()


def test_an_environment_is_made_again_only_when_it_must_be(own_copy: Copy) -> None:
    """Not when all is as it was; from nothing after an interruption, for another lock, and where it was moved to."""
    leftover = Path(".venv-demo/leftover")

    def kept() -> bool:
        (own_copy.root / leftover).touch()
        done = own_copy.make(".venv-demo/installed")
        assert done.returncode == 0, done.stdout + done.stderr
        assert own_copy.installed(".venv-demo") == own_copy.pinned["demo.txt"]
        return (own_copy.root / leftover).exists()

    own_copy.make(".venv-demo/installed")
    assert kept()
    (own_copy.root / ".venv-demo/installed").unlink()
    assert not kept()
    with (own_copy.root / "requirements/demo.txt").open("a") as lock:
        lock.write(f"surplus==1 --hash=sha256:{write_wheel(own_copy.index, 'surplus', '1')}\n")
    own_copy.pinned["demo.txt"]["surplus"] = "1"
    assert not kept()
    own_copy.root = own_copy.root.rename(own_copy.root.parent / "moved")
    assert not kept()


def test_a_python_that_is_too_old_is_told_in_one_line(copy: Copy, tmp_path: Path) -> None:
    """With its version, and how to name another; nothing is made."""
    old = tmp_path / "python3"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.version_info = (3, 9, 6); exec(sys.argv[1])' \"$2\"\n"
    )
    old.chmod(0o755)

    done = copy.run("make", f"PYTHON={old}", "demo")

    assert done.returncode != 0
    assert f"Python 3.11 or later is needed, and {old} is 3.9: name another, as in `make PYTHON=" in done.stderr
    assert "Traceback" not in done.stderr
