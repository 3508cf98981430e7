"""
The CloudFormation stack's parameters, and what a run gets from its outputs. Pure.

`stack.yaml` is the template, and `cloudformation.py` asks AWS.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.errors import S3ReclassError, UsageError
from orchestrator.model import Resources
from orchestrator.settings.settings import FILE_NAME, FargateSettings, Settings

TEMPLATE_VERSION = 3
"""Rises with every change of stack.yaml. A stack of an older version is updated; one of a newer version isn't."""

MAX_PARAMETER_BYTES = 4096
"""The longest value of a parameter (CloudFormation User Guide, "CloudFormation quotas", 2026-11)."""

_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_KMS_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
_LISTS = ("BucketArns", "ObjectArns", "StateArns", "BucketOwners", "KmsKeyArns")


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """Where tasks run; vpc_id is "" when no security group has to be made."""

    vpc_id: str
    subnets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """
    What the settings ask of the stack.

    buckets: those whose objects tasks work on.
    state: `bucket` or `bucket/prefix` when the state isn't in the stack's own bucket, else "".
    bucket_owner: the account that the buckets belong to; "" for the stack's own.
    kms_keys: ARNs of the keys that the objects are encrypted with.
    delete_superseded: whether tasks may delete versions of objects; None leaves that as it is.
    fargate: the parts that are named, and so aren't made.
    """

    buckets: tuple[str, ...]
    state: str = ""
    bucket_owner: str = ""
    kms_keys: tuple[str, ...] = ()
    delete_superseded: bool | None = None
    fargate: FargateSettings = field(default_factory=FargateSettings)
    partition: str = "aws"


def needs_of(
    settings: Settings,
    *,
    buckets: Iterable[str] = (),
    kms_keys: Iterable[str] = (),
    delete_superseded: bool | None = None,
    partition: str = "aws",
) -> Needs:
    """
    What these settings ask of the stack.

    buckets: the lots' buckets, besides the one in the settings.
    Raises UsageError for a bucket's name or a key's ARN that could widen the role's policy.
    """
    named = tuple(dict.fromkeys(bucket for bucket in (settings.bucket, *buckets) if bucket))
    state = settings.state.removeprefix("s3://").strip("/") if settings.state.startswith("s3://") else ""
    for bucket in (*named, *([state.partition("/")[0]] if state else [])):
        if not _BUCKET_NAME.fullmatch(bucket):
            raise UsageError(f"{bucket!r} is no bucket's name")
    keys = tuple(dict.fromkeys(kms_keys))
    for key in keys:
        if not _KMS_KEY_ARN.fullmatch(key):
            raise UsageError(f"{key!r} is no KMS key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID; an alias won't do)")
    if any(character in state for character in "*?,$"):
        # In a policy's ARN these characters have a meaning of their own.
        raise UsageError(f"the state's prefix can't hold any of * ? , $: {settings.state!r}")
    return Needs(
        buckets=named,
        state=state,
        bucket_owner=settings.bucket_owner,
        kms_keys=keys,
        delete_superseded=delete_superseded,
        fargate=settings.fargate,
        partition=partition,
    )


def known_network(needs: Needs, previous: Mapping[str, str]) -> Network | None:
    """
    The network, where the settings and the stack's own parameters tell it; None when EC2 must be asked.

    | subnets named | security groups named | the stack has | answer |
    |---|---|---|---|
    | yes | yes | anything | the named ones |
    | yes | no | the same subnets, and a VPC | the stack's |
    | no | yes | subnets | the stack's |
    | no | no | subnets, and a VPC | the stack's |
    | otherwise | | | None |
    """
    named, groups = needs.fargate.subnets, needs.fargate.security_groups
    if named and groups:
        return Network(vpc_id=previous.get("VpcId", ""), subnets=named)
    there = _items(previous.get("SubnetIds", ""))
    if there and (not named or named == there) and (groups or previous.get("VpcId")):
        return Network(vpc_id=previous.get("VpcId", ""), subnets=there)
    return None


def stack_parameters(needs: Needs, network: Network, previous: Mapping[str, str]) -> dict[str, str]:
    """
    The parameters that the stack should have.

    What the stack has stays: buckets are added and never removed, and a part that it made stays when a file names
    another one, as tasks may be using it.
    previous: the stack's parameters; empty before it is made.
    Raises S3ReclassError when the parameters outgrow CloudFormation's limit.
    """
    arn = f"arn:{needs.partition}:s3:::"
    state_bucket = needs.state.partition("/")[0]
    additions = {
        "BucketArns": [arn + bucket for bucket in (*needs.buckets, *([state_bucket] if state_bucket else []))],
        "ObjectArns": [f"{arn}{bucket}/*" for bucket in needs.buckets],
        "StateArns": [f"{arn}{needs.state}/*"] if needs.state else [],
        "BucketOwners": [needs.bucket_owner] if needs.bucket_owner else [],
        "KmsKeyArns": list(needs.kms_keys),
    }
    fargate = needs.fargate
    parameters = {
        "TemplateVersion": str(max(TEMPLATE_VERSION, template_version(previous) or 0)),
        **{name: _union(previous.get(name, ""), additions[name]) for name in _LISTS},
        "VpcId": previous.get("VpcId", "") if fargate.security_groups else network.vpc_id,
        "SubnetIds": ",".join(network.subnets),
        "MakeTaskRole": _made(fargate.task_role_arn, previous.get("MakeTaskRole", "")),
        "MakeExecutionRole": _made(fargate.execution_role_arn, previous.get("MakeExecutionRole", "")),
        "DeleteSuperseded": _asked(needs.delete_superseded, previous.get("DeleteSuperseded", "")),
        "RepositoryName": repository_name(fargate.repository) or previous.get("RepositoryName", ""),
        "LogGroupName": fargate.log_group or previous.get("LogGroupName", ""),
    }
    for name, value in parameters.items():
        if len(value.encode()) > MAX_PARAMETER_BYTES:
            raise S3ReclassError(
                f"the stack can't take more: its parameter {name} would be over {MAX_PARAMETER_BYTES} bytes: "
                "make another stack for the other buckets (--stack NAME)"
            )
    return parameters


def _union(previous: str, additions: Iterable[str]) -> str:
    return ",".join(dict.fromkeys((*_items(previous), *additions)))


def _items(value: str) -> tuple[str, ...]:
    """The items of a CommaDelimitedList."""
    return tuple(item.strip() for item in value.split(",") if item.strip())


def _asked(asked: bool | None, previous: str) -> str:  # noqa: FBT001 (a setting's three values)
    """Another job may be using a permission: it is removed only when that is asked for."""
    return previous or "false" if asked is None else str(asked).lower()


def _made(named: str, previous: str) -> str:
    return "false" if named and previous != "true" else "true"


def template_version(parameters: Mapping[str, str]) -> int | None:
    """The version of the template that a stack was made with; None for a stack that isn't ours."""
    value = parameters.get("TemplateVersion", "")
    return int(value) if value.isdigit() else None


def new_buckets(parameters: Mapping[str, str], previous: Mapping[str, str]) -> tuple[str, ...]:
    """The buckets that these parameters add to the stack's, the state's among them."""
    there = _items(previous.get("BucketArns", ""))
    return tuple(arn.rpartition(":")[2] for arn in _items(parameters["BucketArns"]) if arn not in there)


def difference(parameters: Mapping[str, str], previous: Mapping[str, str]) -> tuple[str, ...]:
    """What an update changes, a phrase for each parameter."""

    def phrase(name: str, value: str, old: str) -> str:
        added = ", ".join(item for item in _items(value) if item not in _items(old))
        return f"{name} + {added}" if name in _LISTS else f"{name} = {value or '(none)'}"

    both = ((name, value, previous.get(name, "")) for name, value in parameters.items())
    return tuple(phrase(name, value, old) for name, value, old in both if value != old)


def repository_name(repository: str) -> str:
    """The name in a repository's name or URI, without registry, tag and digest; "" for ""."""
    first, slash, rest = repository.partition("/")
    if slash and (":" in first or ".dkr.ecr" in first or ".dkr-ecr." in first):
        repository = rest
    return repository.partition("@")[0].partition(":")[0]


def named_resources(settings: Settings) -> Resources | None:
    """What a run uses when the settings name every part and no stack is needed; else None."""
    fargate = settings.fargate
    parts = (fargate.cluster, fargate.repository, fargate.log_group, fargate.task_role_arn, fargate.execution_role_arn)
    named = settings.state.startswith("s3://") and all((*parts, fargate.subnets, fargate.security_groups))
    return merge_resources(settings, {}) if named else None


def merge_resources(settings: Settings, outputs: Mapping[str, str]) -> Resources:
    """
    The parts that a run uses: those that the settings name, else the stack's.

    outputs: the stack's outputs.
    Raises S3ReclassError naming a part that neither has.
    """
    fargate = settings.fargate

    def part(named: str, output: str, word: str) -> str:
        value = named or outputs.get(output, "")
        if not value:
            raise S3ReclassError(
                f"the stack {settings.stack} has no {word} and {FILE_NAME} names none: run `s3reclass up`"
            )
        return value

    named_state = settings.state.removeprefix("s3://").partition("/")[0] if settings.state.startswith("s3://") else ""
    return Resources(
        state_bucket=part(named_state, "StateBucketName", "state bucket"),
        repository=part(repository_name(fargate.repository), "RepositoryName", "repository"),
        cluster=part(fargate.cluster, "ClusterName", "cluster"),
        task_role_arn=part(fargate.task_role_arn, "TaskRoleArn", "task role"),
        execution_role_arn=part(fargate.execution_role_arn, "ExecutionRoleArn", "execution role"),
        log_group=part(fargate.log_group, "LogGroupName", "log group"),
        subnets=_items(part(",".join(fargate.subnets), "SubnetIds", "subnets")),
        security_groups=_items(part(",".join(fargate.security_groups), "SecurityGroupId", "security group")),
        assign_public_ip=fargate.assign_public_ip,
    )
