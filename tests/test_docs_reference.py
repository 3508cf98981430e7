"""docs/format.md and docs/iam.md say what the code does: formats, the worker's options, permissions."""

import hashlib
import json
import re
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads

from orchestrator.lots.manifest import parse_lots
from orchestrator.stack.cloudformation import template
from tests.documents import block, read, rows, section, spans, worker_options
from worker.contract import (
    RESULT_COLUMNS,
    ExitCode,
    Phase,
    StatePaths,
    Tally,
    format_lot_line,
    format_result_rows,
    parse_lot_line,
    parse_result_rows,
)


def actions(text: str) -> set[str]:
    """Every IAM action, and every condition key in their form, that the text names in code."""
    return {span for span in spans(text) if re.fullmatch(r"[a-z0-9]+:[A-Z]\w+", span)}


def granted(role: str) -> set[str]:
    """Every IAM action that stack.yaml gives a role, or denies it by name."""
    (policy,) = loads(template())["Resources"][role]["Properties"]["Policies"]
    statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in policy["PolicyDocument"]["Statement"]]
    lists: list[Any] = [one["Action"] for one in statements]
    return {str(action) for one in lists for action in (one if isinstance(one, list) else [one]) if "*" not in action}


def conditions(role: str) -> set[str]:
    """Every condition key in the role's policies: who may take it on, and what it may do."""
    properties = loads(template())["Resources"][role]["Properties"]
    return {key for key in re.findall(r"'(\w+:[\w-]+)':", str(properties)) if key.partition(":")[2][0].isupper()}


def test_the_formats_page_has_every_exit_code_of_the_worker() -> None:
    """The worker's codes, and no other."""
    found = [int(cells[0]) for cells in rows(section(read("docs/format.md"), "## Exit codes"))]

    assert found == sorted(ExitCode)


def test_the_formats_page_has_every_path_in_the_state() -> None:
    """Each that StatePaths knows, and no other: a path that is added there is added here and to the page."""
    paths = StatePaths("<job>")
    numbered = {"started": paths.started_name(1), "done": paths.done_name(1), "results": paths.part_name(1, 1)}
    numbered |= {"audit": paths.audit_name(1, 1), "uploads": paths.upload_name(1, 0)}
    names = [
        paths.progress_name(),
        paths.takeover_name(),
        *(re.sub("1", "<attempt>", name, count=1) for name in numbered.values()),
    ]
    names = [name.replace("00001", "<seq>").replace("0" * 32, "<digest>") for name in names]
    in_a_lot = {f"<job>/<phase>/<lot>/{name}" for name in names}
    of_a_phase = paths.rate_file(Phase.COPY).replace(Phase.COPY.value, "<phase>")
    expected = {paths.job_file, paths.stop_file, paths.lease_file, of_a_phase, paths.lot("<lot>"), *in_a_lot}

    table = [cells for cells in rows(section(read("docs/format.md"), "## State")) if len(cells) == 3]

    assert {spans(cells[0])[0] for cells in table} == expected
    assert {name for name in dir(StatePaths) if not name.startswith("_")} == {
        "audit_name",
        "parse_upload_name",
        "upload_name",
        "done_name",
        "job",
        "job_file",
        "lease_file",
        "lot",
        "part_name",
        "phase_folder",
        "progress_name",
        "rate_file",
        "results_folder",
        "started_name",
        "stop_file",
        "takeover_name",
    }


def test_the_formats_page_has_the_results_columns() -> None:
    """In their order."""
    table = [cells for cells in rows(section(read("docs/format.md"), "## Results")) if len(cells) == 2]

    assert [spans(cells[0])[0] for cells in table] == list(RESULT_COLUMNS)


def test_the_formats_page_has_the_workers_options() -> None:
    """Each of them, and no other."""
    expected = worker_options()

    table = [cells for cells in rows(section(read("docs/format.md"), "## The worker")) if len(cells) == 3]

    assert {spans(cells[0])[0].split(" ")[0] for cells in table} == expected


def test_the_examples_of_lots_are_lots() -> None:
    """The example lot is written as we write one, and is the one that the example lots.json names."""
    page = read("docs/format.md")
    lot = block(page, "csv lot")
    lots = parse_lots(block(page, "json lots"))

    assert "".join(format_lot_line(parse_lot_line(line)) for line in lot.splitlines()) == lot
    assert lots.lots[0].sha256 == hashlib.sha256(lot.encode()).hexdigest()
    assert lots.job == lots.digest[:12]


def test_the_examples_of_results_and_tally_are_such() -> None:
    """They can be read, and come out as they went in."""
    page = read("docs/format.md")
    results = block(page, "csv results")
    tally = Tally.from_json(block(page, "json tally"))

    assert format_result_rows(parse_result_rows(results)) == results
    assert sum(tally.outcomes.values()) == tally.keys
    assert json.loads(tally.to_json()) == json.loads(block(page, "json tally"))


@pytest.mark.parametrize(
    ("role", "heading"), [("TaskRole", "## The task role"), ("ExecutionRole", "## The execution role")]
)
def test_the_page_on_iam_has_what_a_role_is_given(role: str, heading: str) -> None:
    """Every action and every condition in stack.yaml, and no other."""
    assert actions(section(read("docs/iam.md"), heading)) == granted(role) | conditions(role)


def test_the_policy_to_copy_is_a_policy() -> None:
    """It is JSON, allows and never denies, and grants no action by wildcard."""
    policy = json.loads(block(read("docs/iam.md"), "json operator"))

    assert policy["Version"] == "2012-10-17"
    assert {one["Effect"] for one in policy["Statement"]} == {"Allow"}
    assert "*" not in json.dumps([one["Action"] for one in policy["Statement"]])
