"""The project's Markdown pages, taken apart for tests: sections, tables, code, links."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from itertools import takewhile
from pathlib import Path

from worker.command_line import parse_command_line
from worker.contract import Phase

ROOT = Path(__file__).parents[1]
_FOLDERS = tuple(one for one in ROOT.iterdir() if one.is_dir() and not one.name.startswith(".") and one.name != "dist")
PAGES = tuple(sorted({*ROOT.glob("*.md"), *(page for folder in _FOLDERS for page in folder.rglob("*.md"))}))

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    """The page's path, for a test's id."""
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    """The text of a page, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """The text without its fenced code."""
    return _FENCE.sub("", text)


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above; heading: its whole line."""
    level = heading.split(" ", 1)[0]
    lines = iter(text.splitlines())
    if heading not in lines:
        raise LookupError(f"no heading {heading!r}")
    ends = re.compile(f"#{{1,{len(level)}}} ")
    return "\n".join(takewhile(lambda line: not ends.match(line), lines))


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the text's tables, without their heads."""
    lines = [line.strip() for line in prose(text).splitlines()]
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    rules = [number for number, cells in enumerate(tables) if all(set(cell) <= set("-:") and cell for cell in cells)]
    heads = {number - 1 for number in rules}
    return [cells for number, cells in enumerate(tables) if number not in heads and number not in rules]


def spans(text: str) -> list[str]:
    """Each `inline code` of the text."""
    return _SPAN.findall(prose(text))


def block(text: str, kind: str) -> str:
    """The one fenced code whose info string is `kind`."""
    (found,) = [code for _, info, code in _FENCE.findall(text) if info == kind]
    return str(found)


def shown_commands(text: str) -> Iterator[str]:
    """Each command line of s3reclass that the page shows: in code of its own, or inline."""
    for line in text.splitlines():
        typed = line.strip().removeprefix("$ ")
        if typed.startswith("s3reclass ") and line.startswith((" ", "$")):
            yield typed
    yield from (span for span in spans(text) if span.startswith("s3reclass "))


def links(text: str) -> list[str]:
    """The target of each link in the text."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What GitHub makes of the page's headings: lower case, punctuation dropped, spaces to hyphens."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def worker_options() -> set[str]:
    """Every option of the worker's two phases, as its help names them."""
    told = io.StringIO()
    for phase in Phase:
        with redirect_stdout(told), suppress(SystemExit):
            parse_command_line([phase.value, "--help"])
    return set(re.findall(r"--[a-z0-9-]+", told.getvalue())) - {"--help"}
