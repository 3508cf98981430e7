"""The text of a new s3reclass.toml: every setting, explained. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.settings.settings import PLACES, REQUESTER
from worker.contract import STORAGE_CLASSES, TIERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """
    One setting in the file.

    table: the TOML table, "" for the top. name: its name there. setting: its field in Settings, "" in `[fargate]`.
    comment: the lines above it.
    shown: what stands commented out when nothing is chosen: the default, or an example where there is none.
    """

    table: str
    name: str
    setting: str = ""
    comment: tuple[str, ...]
    shown: Any


ENTRIES = (
    Entry(
        table="",
        name="bucket",
        setting="bucket",
        comment=("The bucket that holds the objects.",),
        shown="my-bucket",
    ),
    Entry(
        table="",
        name="storage_class",
        setting="storage_class",
        comment=("The class to move the objects into:", f"{', '.join(STORAGE_CLASSES)}."),
        shown="STANDARD_IA",
    ),
    Entry(
        table="",
        name="place",
        setting="place",
        comment=(f"Where tasks run: {' or '.join(PLACES)} (worker processes on this machine).",),
        shown="fargate",
    ),
    Entry(
        table="",
        name="state",
        setting="state",
        comment=(
            "Where the job's state is kept: s3://bucket/prefix or, for local jobs, a directory.",
            'Default (""): the stack\'s state bucket on fargate, .s3reclass/ locally.',
        ),
        shown="",
    ),
    Entry(
        table="",
        name="request_payer",
        setting="request_payer",
        comment=("For a Requester Pays bucket of another account: you pay for the requests and the data.",),
        shown=REQUESTER,
    ),
    Entry(
        table="",
        name="bucket_owner",
        setting="bucket_owner",
        comment=("The account that must own the bucket: requests fail if it is somebody else's by now.",),
        shown="123456789012",
    ),
    Entry(
        table="",
        name="lots",
        setting="lots",
        comment=("The folder of lots, as `s3reclass split` writes it.",),
        shown="lots",
    ),
    Entry(
        table="restore",
        name="days",
        setting="days",
        comment=("Days that a restored copy stays; the clock starts when the restore is asked for.",),
        shown=7,
    ),
    Entry(
        table="restore",
        name="tier",
        setting="tier",
        comment=(f"How fast, and how dear: {', '.join(TIERS)}.",),
        shown="Bulk",
    ),
    Entry(
        table="run",
        name="max_tasks",
        setting="max_tasks",
        comment=("Tasks at once. Default: the place's own (locally, one for each core).",),
        shown=20,
    ),
    Entry(
        table="run",
        name="rate",
        setting="rate",
        comment=("Requests a second of all tasks together, 0 for no limit. Default: the phase's own.",),
        shown=900,
    ),
    Entry(
        table="run",
        name="threads",
        setting="threads",
        comment=("Requests that each task keeps in flight. Default: as many as make it faster.",),
        shown=32,
    ),
    Entry(
        table="run",
        name="s3_client",
        setting="s3_client",
        comment=('"boto3" lets boto3 do everything: as right as "fast", and several times slower.',),
        shown="fast",
    ),
    Entry(
        table="fargate",
        name="cpu",
        comment=("A task's CPU units (1024 are one vCPU) and MiB of memory, in a pair that Fargate takes.",),
        shown=512,
    ),
    Entry(table="fargate", name="memory", comment=(), shown=1024),
    Entry(
        table="fargate",
        name="spot",
        comment=("Run on FARGATE_SPOT: cheaper, and now and then interrupted, after which the lot goes on.",),
        shown=False,
    ),
    Entry(
        table="fargate",
        name="spot_interruptions",
        comment=("Interruptions on Spot after which a lot's next task runs on-demand; 0 for any number.",),
        shown=3,
    ),
    Entry(
        table="fargate",
        name="cluster",
        comment=("Parts of your own in place of the stack's. \"\" and []: the stack's.",),
        shown="",
    ),
    Entry(table="fargate", name="subnets", comment=(), shown=[]),
    Entry(table="fargate", name="security_groups", comment=(), shown=[]),
    Entry(table="fargate", name="task_role_arn", comment=(), shown=""),
    Entry(table="fargate", name="execution_role_arn", comment=(), shown=""),
    Entry(table="fargate", name="repository", comment=(), shown=""),
    Entry(table="fargate", name="log_group", comment=(), shown=""),
    Entry(
        table="fargate",
        name="assign_public_ip",
        comment=("A public subnet needs it to reach S3 and ECR; a private one needs NAT or endpoints instead.",),
        shown=True,
    ),
    Entry(
        table="fargate",
        name="environment",
        comment=(
            "Variables for the worker's container (an endpoint, say). Never secrets: anyone with ECS reads them.",
        ),
        shown={},
    ),
    Entry(
        table="stack",
        name="name",
        setting="stack",
        comment=("The CloudFormation stack that `s3reclass up` makes.",),
        shown="s3reclass",
    ),
)
"""Every setting of s3reclass.toml, in the file's order; each table's stand together."""

_HEAD = """\
# Settings of s3reclass. A flag (--bucket) or a variable (S3RECLASS_BUCKET) outweighs what stands here.
# Lines that begin with `# name =` show a default or an example: take the # away to set it.
# AWS credentials, Region and profile are set as for every AWS tool (AWS_PROFILE, AWS_REGION, ...), never here.
"""


def format_settings_file(chosen: Mapping[str, Any]) -> str:
    """
    The text of an s3reclass.toml.

    chosen: the values to set, by their field in Settings; everything else is commented out.
    """
    lines, table = _HEAD.splitlines(), ""
    for entry in ENTRIES:
        if entry.table != table:
            table = entry.table
            lines += ["", f"[{table}]"]
        elif entry.comment:
            lines.append("")
        lines += [f"# {line}" for line in entry.comment]
        is_chosen = bool(entry.setting) and entry.setting in chosen
        value = _toml(chosen[entry.setting] if is_chosen else entry.shown)
        lines.append(f"{'' if is_chosen else '# '}{entry.name} = {value}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A string, number, boolean, or an empty list or table, as TOML writes it: just as JSON does."""
    return json.dumps(value, ensure_ascii=False)
