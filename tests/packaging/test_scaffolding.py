"""What `make lint` says of the files that GitHub and git read: run here as the Makefile runs it, on broken copies."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from orchestrator.image.build_context import read_worker_files
from orchestrator.image.tag import base_image_of
from tests.commit_subjects import LONGEST, history, too_long
from tests.documents import ROOT, read

TOOLS = re.compile(r"^\.venv/bin/(check-jsonschema|zizmor|pre-commit) .*", re.MULTILINE)


def lint(folder: Path, *, word: str = "") -> subprocess.CompletedProcess[str]:
    """The Makefile's own commands that have the word, on a copy's files; no network, and no user's settings."""
    commands = [match[0] for match in TOOLS.finditer(read("Makefile").replace("\t$(BIN)", ".venv/bin"))]
    return subprocess.run(
        ["sh", "-euxc", "\n".join(one for one in commands if word in one)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the scaffolding, with this environment's tools."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for tool in ("check-jsonschema", "zizmor", "pre-commit"):
        (tmp_path / ".venv/bin" / tool).symlink_to(Path(sys.prefix, "bin", tool))
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def test_the_scaffolding_is_as_it_should_be(copy: Path) -> None:
    """Exit code 0, as it stands."""
    done = lint(copy)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("+ .venv/bin/") >= 6


@pytest.mark.parametrize(
    ("file", "old", "new", "word", "told"),
    [
        ("workflows/ci.yml", "runs-on:", "run-on:", "workflows", "ci.yml"),
        ("workflows/ci.yml", "on:\n", "when:\n", "workflows", "ci.yml"),
        ("workflows/release.yml", r"needs: \[ci, build\]", "needs: {ci: build}", "workflows", "release.yml"),
        ("workflows/release.yml", r"(docker/login-action)@[0-9a-f]{40}", r"\1", "zizmor", "release.yml"),
        ("workflows/ci.yml", r"(actions/checkout)@[0-9a-f]{40}", r"\1@v7", "zizmor", "unpinned-uses"),
        ("workflows/release.yml", r"(pypa/\S+)@[0-9a-f]{40}", r"\1@release/v1", "zizmor", "unpinned-uses"),
        ("workflows/ci.yml", r'case "\$ASKED"', 'case "${{ github.head_ref }}"', "zizmor", "template-injection"),
        ("workflows/ci.yml", r"permissions:\n +contents: read", "permissions: write-all", "zizmor", "excessive-"),
        ("dependabot.yml", "package-ecosystem: pip", "package-ecosystem: pypi", "dependabot", "dependabot.yml"),
        ("ISSUE_TEMPLATE/bug.yml", "type: dropdown", "type: list", "issue-forms", "bug.yml"),
        ("ISSUE_TEMPLATE/feature.yml", "body:", "form:", "issue-forms", "feature.yml"),
        ("ISSUE_TEMPLATE/config.yml", "false", "perhaps", "issue-config", "config.yml"),
        ("../.pre-commit-config.yaml", "entry:", "run:", "pre-commit", ".pre-commit-config.yaml"),
    ],
)
def test_what_is_broken_is_told(copy: Path, file: str, old: str, new: str, word: str, told: str) -> None:
    """A workflow, form or hook made invalid, an action without its pin, a branch's name run, too much allowed."""
    path = copy / ".github" / file
    broken, times = re.subn(old, new, path.read_text(encoding="utf-8"), count=1)
    assert times == 1
    path.write_text(broken, encoding="utf-8")

    done = lint(copy, word=word)

    assert done.returncode != 0
    assert told in done.stdout + done.stderr


def test_every_action_has_its_version_beside_its_pin() -> None:
    """So that people and Dependabot can read what the hash stands for."""
    uses = [line.strip() for file in ROOT.glob(".github/workflows/*.yml") for line in read_uses(file)]

    assert uses
    assert [
        one for one in uses if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/ci\.yml", one)
    ] == []


def read_uses(file: Path) -> list[str]:
    """What follows each `uses:` of a workflow."""
    return re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))


def test_the_workflow_tries_every_python_that_the_badge_and_the_project_name() -> None:
    """The README's badges say what pyproject.toml says, and the CI runs it."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    named = [one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)]
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))

    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"
    assert f"badge/Python-{named[0]}_to_{named[-1]}-" in read("README.md")
    assert f"badge/licence-{project['license']}-" in read("README.md")


def test_the_base_image_is_the_one_that_dependabot_renews() -> None:
    """Tag and digest alike: a renewal passes once it stands in the worker's Dockerfile too."""
    (watched,) = re.findall(r"^FROM (\S+)$", read(".github/base-image/Dockerfile"), re.MULTILINE)

    assert base_image_of(read_worker_files()) == watched


def test_hooks_run_what_is_in_the_environment() -> None:
    """Nothing is fetched for them, and each program is one that the environment has."""
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]

    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        program = hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert program.startswith(".venv/bin/")
        assert Path(sys.prefix, "bin", Path(program).name).exists()


def git(repository: Path, *arguments: str) -> None:
    """Git, with a user of its own and no one's settings, after subjects began to be looked at."""
    user = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    dated = {**os.environ, "GIT_COMMITTER_DATE": "2027-01-01T00:00:00Z"}
    subprocess.run(["git", "-C", str(repository), *user, *arguments], env=dated, check=True, capture_output=True)


@pytest.mark.parametrize("depth", ["all", "1"])
def test_a_subject_that_is_too_long_is_told_in_any_clone(tmp_path: Path, depth: str) -> None:
    """In a whole one and in a shallow one; characters count, not bytes, and merges don't."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    fits, long = "é" * LONGEST, "x" * (LONGEST + 1)
    git(tmp_path, "init", "--quiet", str(origin))
    for subject in (fits, long):
        git(origin, "commit", "--quiet", "--allow-empty", "-m", subject, "-m", "y" * 200)
    shallow = () if depth == "all" else ("--depth", depth)
    git(tmp_path, "clone", "--quiet", *shallow, origin.as_uri(), str(clone))

    assert too_long(history(clone)) == [f"{LONGEST + 1} characters, not {LONGEST}: {long}"]


def test_where_there_is_no_history_there_is_nothing_to_tell(tmp_path: Path) -> None:
    """As in an sdist."""
    assert history(tmp_path) == []


def test_a_message_is_looked_at_before_it_is_committed(tmp_path: Path) -> None:
    """Its first line, as git's hook hands it over."""
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(f"{'x' * (LONGEST + 1)}\n\nwhy\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "tests.commit_subjects", str(message)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"{LONGEST + 1} characters, not {LONGEST}: xxx")
