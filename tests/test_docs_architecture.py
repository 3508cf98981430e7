"""docs/architecture.md names files and folders that are there, and every folder."""

import re
from pathlib import Path

from tests.documents import ROOT, read

PAGE = read("docs/architecture.md")


def test_every_file_that_the_page_names_is_there() -> None:
    """A file that moves takes its name on the page along."""
    named = re.findall(r"`((?:orchestrator|worker|tests|docs)/[\w/.]+)`", PAGE)

    assert [name for name in named if not (ROOT / name).exists()] == []
    assert len(named) >= 30


def test_every_room_is_on_the_page() -> None:
    """Each folder of the two packages has its line in their tables."""
    rooms = {
        f"{folder.name}/"
        for root in ("orchestrator", "worker")
        for folder in Path(ROOT / root).iterdir()
        if (folder / "__init__.py").exists()
    }

    assert rooms - set(re.findall(r"^\| `(\w+/)` \|", PAGE, re.MULTILINE)) == set()
