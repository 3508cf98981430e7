"""The documents say what the code does: commands, settings, exit codes, outcomes, numbers, links."""

import re
import shlex
from pathlib import Path

import pytest

from orchestrator.cli import INTERRUPTED
from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.objects.restore_times import RestoreTime, look_every_s, restore_time
from orchestrator.places.fargate import MAX_TASKS
from orchestrator.places.worker_command import rate_per_task
from orchestrator.report.report_rows import UNPROCESSED, status_of
from orchestrator.restores.lot_samples import LOOK_REQUESTS
from orchestrator.restores.readiness import FIRST_DELAY_S
from orchestrator.settings.settings import SETTINGS, FargateSettings, Settings
from orchestrator.state.lease_file import LASTS_S
from tests.command_docs import PAGE, commands_page, documented_commands
from tests.documents import (
    PAGES,
    ROOT,
    anchors,
    links,
    name_of,
    prose,
    read,
    rows,
    section,
    shown_commands,
    spans,
    worker_options,
)
from worker.contract import OUTCOMES, SHARE_EVERY_S, ExitCode, Phase
from worker.pool.concurrency import MOST
from worker.pool.loop import RETRY_BUDGET_S
from worker.state.results import FLUSH_ROWS, FLUSH_S, PROGRESS_S

COMMANDS = {
    one.name: {flag for param in one.command.params for flag in (*param.opts, *param.secondary_opts)}
    for one in documented_commands()
}
README_LINES = 150
THE_FOUR = """\
    s3reclass split keys.txt --lots 20
    s3reclass push-image
    s3reclass run --phase restore
    s3reclass run --phase copy
"""


def hours_at_most(kind: str) -> str:
    """How long a restore of the class typically takes at most, with the default tier."""
    time = restore_time(kind, Settings().tier)
    return f"{time.high_h:g}" if time else "no"


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    """docs/commands.md is fresh; `make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == commands_page(), "run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "README.pt-BR.md"])
def test_a_reader_finds_the_two_and_the_four_commands(page: str) -> None:
    """Word for word, so that they can be copied."""
    text = read(page)

    assert THE_FOUR in text
    assert "    make demo " in text
    assert "    make test " in text


def test_the_readme_is_for_a_reader_in_a_hurry() -> None:
    """At most 150 lines: what is longer has a page of its own, and a link to it."""
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}

    assert len(read("README.md").splitlines()) <= README_LINES
    assert pages <= {link.partition("#")[0].removeprefix("docs/") for link in links(read("README.md"))}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_are_shown_exist(page: Path) -> None:
    """Each command, and each of its flags."""
    for line in shown_commands(page.read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)[1:]
        flags = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
        name = words[0] if words[0] in COMMANDS else "s3reclass"

        assert name != "s3reclass" or words[0].startswith("--"), f"no such command: {line}"
        assert flags <= COMMANDS[name], line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_flags_that_are_named_exist(page: Path) -> None:
    """A flag that a sentence names is one of some command's or of the worker's."""
    known = set().union(*COMMANDS.values(), worker_options(), {"--help"})

    assert {span.split(" ")[0] for span in spans(page.read_text(encoding="utf-8")) if span.startswith("--")} <= known


def test_the_page_has_every_setting() -> None:
    """Its name in s3reclass.toml, its flag and its variable: each of them, and no other."""
    flags = {param.name: param.opts[0] for one in documented_commands() for param in one.command.params}
    places = {name: re.sub(r"^(\w+)\.", r"[\1] ", one.path) for name, one in SETTINGS.items()}
    expected = {(places[name], flags[name], one.variable) for name, one in SETTINGS.items() if one.variable}

    found = {
        tuple(spans(cell)[0] for cell in cells[:3])
        for cells in rows(section(read("docs/settings.md"), "## Settings"))
        if cells[2]
    }

    assert found == expected


def test_the_page_has_every_setting_of_fargate() -> None:
    """Each field, and no other."""
    cells = [cells[0] for cells in rows(section(read("docs/settings.md"), "## Settings")) if "[fargate]" in cells[0]]
    found = [span.removeprefix("[fargate] ") for cell in cells for span in spans(cell)]

    assert sorted(found) == sorted(FargateSettings.__dataclass_fields__)


@pytest.mark.parametrize(
    ("default", "setting"),
    [
        (f"`{Settings().place}`", "place"),
        (f"`{Settings().lots}`", "lots"),
        (f"{Settings().days}", "[restore] days"),
        (f"`{Settings().tier}`", "[restore] tier"),
        (f"fargate: {MAX_TASKS};", "[run] max_tasks"),
        (f"restore: {rate_per_task(Phase.RESTORE, None, 1):g};", "[run] rate"),
        (f"copy: {rate_per_task(Phase.COPY, None, 1):g} (", "[run] rate"),
        (f"up to {MOST}", "[run] threads"),
        (f"`{Settings().s3_client}`", "[run] s3_client"),
        (f"`{Settings().stack}`", "[stack] name"),
        (f"{FargateSettings().cpu}, {FargateSettings().memory}", "[fargate] cpu"),
        (f"{FargateSettings().spot}".lower(), "[fargate] spot"),
        (f"{FargateSettings().spot_interruptions}", "[fargate] spot_interruptions"),
        (f"{FargateSettings().assign_public_ip}".lower(), "[fargate] assign_public_ip"),
    ],
)
def test_the_page_has_the_defaults(default: str, setting: str) -> None:
    """What a setting is unless it is given."""
    (told,) = [
        cells[3] for cells in rows(section(read("docs/settings.md"), "## Settings")) if spans(cells[0])[0] == setting
    ]

    assert default in told


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (f"{Settings().tier}.", "README.md"),
        (f"{hours_at_most('GLACIER')} hours for GLACIER and {hours_at_most('DEEP_ARCHIVE')} for", "README.md"),
        (f"after {FIRST_DELAY_S:g} seconds", "docs/job.md"),
        (f"every {look_every_s(['GLACIER'], 'Bulk') / 60:g} minutes", "docs/job.md"),
        (f"at most {LOOK_REQUESTS:,} HEAD requests", "docs/job.md"),
        (f"at most {MAX_TASKS} at once", "docs/job.md"),
        (f"for {RETRY_BUDGET_S / 60:g} minutes", "docs/job.md"),
        (f"{FLUSH_ROWS:,} keys or {FLUSH_S:g} seconds", "docs/format.md"),
        (f"every {PROGRESS_S:g} seconds at most", "docs/format.md"),
        (f"every {SHARE_EVERY_S:g} seconds or so", "docs/format.md"),
        (f"within {LASTS_S / 60:g} minutes", "docs/job.md"),
    ],
)
def test_numbers_in_sentences_are_those_of_the_code(words: str, page: str) -> None:
    """A number that changes in the code changes on the page."""
    assert words in " ".join(read(page).split())


def test_the_readme_says_how_fast_the_worker_was_measured() -> None:
    """The lowest and the highest ratio to boto3 in the worker's row of the table, rounded."""
    (cells,) = [cells for cells in rows(section(read("docs/speed.md"), "## The table")) if cells[0] == "worker"]
    ratios = [float(ratio) for ratio in re.findall(r"\(([\d.]+)x\)", " ".join(cells))]

    assert f"{min(ratios):.0f} to {max(ratios):.0f} times" in " ".join(read("README.md").split())


def test_the_page_has_the_times_of_restores() -> None:
    """Those that `estimate` goes by, in minutes below an hour."""
    found = {
        (cells[0], tier): cells[column]
        for cells in rows(section(read("docs/job.md"), "## Restore"))
        for column, tier in enumerate(("Expedited", "Standard", "Bulk"), start=1)
    }

    assert found == {
        (kind, tier): told(restore_time(kind, tier))
        for kind in ("GLACIER", "DEEP_ARCHIVE")
        for tier in ("Expedited", "Standard", "Bulk")
    }


def told(time: RestoreTime | None) -> str:
    """A restore's time as the page tells it."""
    if time is None:
        return "not offered"
    unit, factor = ("minutes", 60) if time.high_h < 1 else ("hours", 1)
    low = f"{time.low_h * factor:.0f} to" if time.low_h else "up to"
    return f"{low} {time.high_h * factor:.0f} {unit}"


def test_the_page_has_every_exit_code() -> None:
    """The commands' codes, and no other."""
    codes = [0, S3ReclassError.exit_code, UsageError.exit_code, ExitCode.SOME_FAILED, ExitCode.SOME_PENDING]

    found = [int(cells[0]) for cells in rows(section(read("docs/settings.md"), "## Exit codes"))]

    assert found == [*codes, INTERRUPTED]


@pytest.mark.parametrize(
    ("page", "heading", "more"),
    [("docs/job.md", "## Outcomes", {UNPROCESSED}), ("docs/format.md", "## Results", set[str]())],
)
def test_every_outcome_is_explained(page: str, heading: str, more: set[str]) -> None:
    """Under its phase, with its status, in a sentence."""
    expected = {(phase.value, one.value, one.status.value) for phase in Phase for one in OUTCOMES[phase]}
    expected |= {(phase.value, word, status_of(word).value) for phase in Phase for word in more}

    table = [cells for cells in rows(section(read(page), heading)) if len(cells) == 4]
    found = {
        (phase, spans(outcome)[0], status)
        for of, outcome, status, _ in table
        for phase in (Phase if of == "both" else [of])
    }

    assert found == expected
    assert all(cells[3] for cells in table)


def test_messages_that_the_table_explains_are_ours() -> None:
    """Each quoted message, an ellipsis standing for what differs, is in the code."""
    code = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "orchestrator").rglob("*.py")))
    code += "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "worker").rglob("*.py")))
    code = re.sub(r'"\s*\n\s*f?"', "", code)  # a message may be written over several lines

    quoted = [
        message
        for cells in rows(section(read("docs/operations.md"), "## Messages, and what to do"))
        for message in re.findall(r'"([^"]+)"', cells[0])
    ]

    assert quoted
    assert [message for message in quoted if any(part.strip(" ,") not in code for part in message.split("..."))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_inline_code_stands_on_one_line(page: Path) -> None:
    """So that it can be found, copied, and seen by these tests."""
    assert [line for line in prose(page.read_text(encoding="utf-8")).splitlines() if line.count("`") % 2] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is to a file that is there, and every anchor to one of its headings."""
    for link in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
