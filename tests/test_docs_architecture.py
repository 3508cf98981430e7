"""docs/architecture.md has every folder, and no page names a file of ours that isn't there."""

import re
from pathlib import Path

import pytest

from tests.documents import PAGES, ROOT, name_of, read

PAGE = read("docs/architecture.md")


def named(text: str) -> list[str]:
    """Each file or folder of the project that a text names in code."""
    return re.findall(r"`((?:orchestrator|worker|tests|docs|benchmarks|requirements|\.github)/[\w/.-]+)`", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """A file that moves takes its name on the pages along."""
    text = page.read_text(encoding="utf-8")

    assert [name for name in named(text) if not (ROOT / name).exists()] == []


def test_the_page_leads_through_the_files() -> None:
    """At least thirty are named, so that a journey can be followed."""
    assert len(named(PAGE)) >= 30


def test_every_room_is_on_the_page() -> None:
    """Each folder of the two packages has its line in their tables."""
    rooms = {
        f"{folder.name}/"
        for root in ("orchestrator", "worker")
        for folder in Path(ROOT / root).iterdir()
        if (folder / "__init__.py").exists()
    }

    assert rooms - set(re.findall(r"^\| `(\w+/)` \|", PAGE, re.MULTILINE)) == set()
