"""`s3reclass up`: make the stack, or update it."""

import click

from orchestrator.common.output import say, tell
from orchestrator.model import Resources
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.stack.ensure import ensure_stack, probe_bucket


@click.command(
    name="up",
    epilog="\b\nExample:\n    s3reclass up --bucket my-bucket --kms-key arn:aws:kms:eu-west-1:111122223333:key/0a1b",
)
@uses_settings("bucket", "state", "request_payer", "bucket_owner", "stack")
@click.option(
    "--kms-key",
    "kms_keys",
    metavar="ARN",
    multiple=True,
    help="A KMS key that the objects are encrypted with: lets tasks use it. May be repeated.",
)
@click.option(
    "--delete-superseded/--no-delete-superseded",
    default=None,
    help="Let tasks delete versions of objects, which `run --delete-superseded` needs, or stop letting them.",
)
def command(*, settings: Settings, kms_keys: tuple[str, ...], delete_superseded: bool | None) -> None:
    """
    Make the stack: cluster, repository, roles, state bucket, log group, security group.

    Run it again to add a bucket, the account of one (--bucket-owner) or a KMS key, or when the VPC's subnets have
    changed. A part that s3reclass.toml names under [fargate] is used instead of the stack's own. `push-image` and
    `run` make a missing stack too.
    """
    probe_bucket(settings, settings.require_bucket())
    _show(ensure_stack(settings, say=say, kms_keys=kms_keys, delete_superseded=delete_superseded, look_again=True))


def _show(parts: Resources) -> None:
    """Print what a run will use, a line for each part."""
    rows = {
        "cluster": parts.cluster,
        "repository": parts.repository,
        "state bucket": parts.state_bucket,
        "log group": parts.log_group,
        "task role": parts.task_role_arn,
        "execution role": parts.execution_role_arn,
        "subnets": ", ".join(parts.subnets),
        "security groups": ", ".join(parts.security_groups),
    }
    for word, value in rows.items():
        tell(f"{word:<16}{value}")
