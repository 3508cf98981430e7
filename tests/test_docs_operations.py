"""docs/operations.md and docs/security.md speak of what is there: messages, tests, files."""

import re

import pytest

from tests.documents import ROOT, prose, read, section

CODE = re.sub(
    # A message may be written over several lines.
    r'"\s*\n\s*f?"',
    "",
    "\n".join(
        file.read_text(encoding="utf-8")
        for part in ("orchestrator", "worker")
        for file in sorted((ROOT / part).rglob("*.py"))
    ),
)
HEADINGS = re.findall(r"^(## .+)$", read("docs/operations.md"), re.MULTILINE)


def quoted(text: str) -> list[str]:
    """Each message of the tool that a text quotes, on one line."""
    return re.findall(r'"([^"]+)"', " ".join(prose(text).split()))


@pytest.mark.parametrize("heading", HEADINGS)
def test_messages_that_are_explained_are_ours(heading: str) -> None:
    """Each message that a user is said to see, an ellipsis standing for what differs, is in the code."""
    seen = re.findall(r"\*You see\*.*?(?=\n\n)", section(read("docs/operations.md"), heading), re.DOTALL)

    missing = [
        message
        for message in quoted("\n".join(seen))
        if any(part.strip(" ,:(") not in CODE for part in message.split("..."))
    ]

    assert missing == []
