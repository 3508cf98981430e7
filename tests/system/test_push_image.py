"""The image: pushed once for each content, with or without lots, and from an installed wheel too."""

import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.account import Account, Stored
from tests.system.box import REPOSITORY, Box
from tests.system.engine import Engine
from tests.system.jobs import rows_of_report, split_job
from tests.system.terminal import Terminal

# Images are built, containers started, and a command may take 240 s.
pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BUCKET = "pushed"
OBJECTS = [Stored(key=f"reel, {number}", storage_class="GLACIER") for number in range(4)]
ALREADY = "already there, nothing to do"


def test_pushed_twice(account: Account, box: Box, engine: Engine, terminal: Terminal) -> None:
    """The second push-image builds and pushes nothing, and prints the same image by digest."""
    account.make_bucket(BUCKET)
    first = terminal.types(f"s3reclass push-image --bucket {BUCKET}")
    held, in_ecr = engine.images(box.registry), _images_in_ecr(account)

    second = terminal.types(f"s3reclass push-image --bucket {BUCKET}")

    assert ALREADY not in first.err
    assert ALREADY in second.err
    assert "build:" not in second.err
    assert "push:" not in second.err
    assert first.out == second.out
    assert [first.out.strip().partition("@")[2]] == in_ecr == _images_in_ecr(account)
    assert held == engine.images(box.registry)


def test_lots_in_the_image(account: Account, box: Box, engine: Engine, terminal: Terminal) -> None:
    """An image with lots, pulled from ECR, runs its own job from them, and refuses to run another's."""
    split_job(account, terminal, BUCKET, OBJECTS, lots=2)
    terminal.types("s3reclass push-image --with-lots")
    engine.remove_images(box.registry)

    terminal.types("s3reclass run --phase restore --lots-from image")

    terminal.types("s3reclass report --csv report.csv")
    assert [(one.key, "requested") for one in OBJECTS] == [
        (row.entry.key, row.outcome) for row in rows_of_report(terminal)
    ]
    (state,) = (one["Name"] for one in account.s3.list_buckets()["Buckets"] if one["Name"] != BUCKET)
    assert not [name for name in account.names(state) if "/lots/" in name and name.endswith(".csv")]
    tasks = len(account.tasks())
    (terminal.folder / "other.txt").write_text(f"{OBJECTS[0].key}\n")
    terminal.types("s3reclass split other.txt --force")
    refused = terminal.types("s3reclass run --phase restore --lots-from image", exit_code=1)
    assert "run `s3reclass push-image --with-lots`" in refused.err
    assert tasks == len(account.tasks())


def test_installed_from_a_wheel(account: Account, terminal: Terminal, tmp_path: Path) -> None:
    """A wheel's push-image builds, in an empty folder, the very image that the source tree's would."""
    account.make_bucket(BUCKET)
    elsewhere = replace(terminal, commands=_install_wheel(tmp_path))

    pushed = elsewhere.types(f"s3reclass push-image --bucket {BUCKET}")

    assert ALREADY not in pushed.err
    again = terminal.types(f"s3reclass push-image --bucket {BUCKET}")
    assert ALREADY in again.err
    assert pushed.out == again.out


def _images_in_ecr(account: Account) -> list[str]:
    """The digest of every image in every repository."""
    ecr = account.client("ecr")
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    return [
        image["imageDigest"] for name in names for image in ecr.describe_images(repositoryName=name)["imageDetails"]
    ]


def _install_wheel(folder: Path) -> Path:
    """
    Build the wheel, install it into a new virtual environment, and return the folder of its commands.

    What it depends on is borrowed from this environment, by way of a .pth file: no network, and seconds
    instead of a minute. This environment's own s3reclass can't be: a .pth file isn't read in a borrowed folder.
    """
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "venv"
    venv.create(environment, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(environment), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (own,) = environment.glob("lib/python*/site-packages")
    (borrowed,) = {str(Path(pytest.__file__).parents[1])}
    (own / "borrowed.pth").write_text(f"{borrowed}\n")
    return environment / "bin"
