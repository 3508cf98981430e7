"""What docs/security.md promises and no other test is about: pinned dependencies, no shell, no secret told."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from requirements.install import EXACTLY
from tests.documents import PAGES, ROOT, read, spans

LOCKED = tuple(sorted((ROOT / "requirements").glob("*.txt")))
SOURCES = tuple(sorted(file for part in ("orchestrator", "worker") for file in (ROOT / part).rglob("*.py")))


@pytest.mark.parametrize("file", LOCKED, ids=lambda file: file.name)
def test_every_dependency_is_pinned_with_hashes(file: Path) -> None:
    """One version, and the digest of each of its files: what is installed is what was looked at."""
    blocks = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", file.read_text(), flags=re.MULTILINE).strip())

    assert blocks
    assert [
        block for block in blocks if not re.match(r"[\w.\[\],-]+==\S+( ; [^\\]+)? \\\n +--hash=sha256:", block)
    ] == []


def test_what_is_installed_is_checked_against_the_hashes() -> None:
    """Pip checks them and resolves nothing: in the image, wherever tests run, and in what the pages tell people."""
    told = [*PAGES, ROOT / "Dockerfile", ROOT / "Makefile", ROOT / ".ci/run", *ROOT.glob(".github/**/*.yml")]
    lines = [
        line
        for file in told
        if file.is_file()
        for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        if re.search(r"pip3? (install|download|wheel|sync)\b.* (-r|--requirement)", line)
    ]

    words = [set(line.split()) for line in (*lines, " ".join(EXACTLY))]
    assert len(words) >= 3
    assert [one for one in words if not {"--no-deps", "--require-hashes"} <= one] == []


def test_no_shell_is_ever_started() -> None:
    """So no key, no metadata and no setting can be taken for a command: programs get their arguments as a list."""
    forbidden = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "eval", "exec"}
    found = [
        f"{file.name}:{node.lineno}"
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        if (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in forbidden
        or any(keyword.arg == "shell" for keyword in node.keywords)
    ]

    assert found == []


def test_every_test_that_the_page_names_is_there() -> None:
    """Files, and functions in them."""
    named = [span for span in spans(read("docs/security.md")) if span.startswith("tests/")]

    assert named
    for span in named:
        path, _, function = span.partition("::")
        assert (ROOT / path).exists(), span
        assert not function or f"def {function}(" in read(path), span


def test_every_threat_has_an_answer_and_a_test() -> None:
    """Each section says what answers it, and which tests show that."""
    text = read("docs/security.md").split("\n## What is not answered")[0]
    headings = [match.start() for match in re.finditer(r"^## ", text, re.MULTILINE)]

    assert len(headings) > 8
    for first, last in pairwise([*headings, len(text)]):
        assert "*Shown by* `tests/" in " ".join(text[first:last].split()), text[first : first + 60]
