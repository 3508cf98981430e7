"""
The stack, made when it is missing and updated when it lacks something; and what a run gets from it. Calls EC2.

`parameters.py` and `stack_status.py` decide, `cloudformation.py` calls.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestrator.common.aws_sessions import account_id, aws_errors, client
from orchestrator.errors import NoStateError, S3ReclassError
from orchestrator.model import Resources
from orchestrator.objects.buckets import check_bucket, check_owner
from orchestrator.settings.settings import FILE_NAME, Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.parameters import (
    TEMPLATE_VERSION,
    Needs,
    Network,
    difference,
    known_network,
    merge_resources,
    named_resources,
    needs_of,
    new_buckets,
    stack_parameters,
    template_version,
)
from orchestrator.stack.stack_status import Stack, StackCondition, condition_of, remedy

MAX_ROUNDS = 20
"""How many operations of other launchers are waited out before giving up."""

Say = Callable[[str], None]

_NAME_SUBNETS = f'name some in {FILE_NAME} ([fargate] subnets = ["subnet-..."])'


def find_network(subnets: Sequence[str] = (), *, ec2: Any = None) -> Network:
    """
    The subnets that tasks can run in, and their VPC: those given, else the default VPC's default ones, else all it has.

    Raises S3ReclassError when there are none, or they lie in several VPCs.
    """
    ec2 = ec2 or client("ec2")
    if subnets:
        with aws_errors(f"looking up the subnets {', '.join(subnets)} of {FILE_NAME}"):
            found = ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"]
        vpcs = sorted({subnet["VpcId"] for subnet in found})
        if len(vpcs) != 1:
            raise S3ReclassError(
                f"the subnets in {FILE_NAME} lie in several VPCs ({', '.join(vpcs)}): name those of one"
            )
        return Network(vpc_id=vpcs[0], subnets=tuple(subnets))
    with aws_errors("looking up the default VPC and its subnets"):
        vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not vpcs:
            region = ec2.meta.region_name
            raise S3ReclassError(f"there is no default VPC in {region} to run tasks in: {_NAME_SUBNETS}")
        vpc = vpcs[0]["VpcId"]
        pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
        there = [subnet for page in pages for subnet in page["Subnets"]]
    # A default subnet is public, so its tasks reach S3 and ECR; of others that isn't known.
    chosen = [subnet for subnet in there if subnet.get("DefaultForAz")] or there
    if not chosen:
        raise S3ReclassError(f"the default VPC {vpc} has no subnets to run tasks in: {_NAME_SUBNETS}")
    return Network(vpc_id=vpc, subnets=tuple(sorted(subnet["SubnetId"] for subnet in chosen)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    What making a stack asks of an AWS account beside CloudFormation.

    probe_bucket: raises S3ReclassError unless the bucket can be worked on from here, and by tasks.
    network: as `find_network`.
    """

    probe_bucket: Callable[[str], None]
    network: Callable[[tuple[str, ...]], Network] = find_network


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """What `ensure_stack` was asked for."""

    needs: Needs
    look_again: bool
    account: Account

    def parameters(self, previous: Mapping[str, str]) -> dict[str, str]:
        """The parameters that the stack should have; EC2 is asked for the network where that isn't known."""
        network = known_network(self.needs, previous)
        named = self.needs.fargate.subnets
        if network is None or (self.look_again and not (named and self.needs.fargate.security_groups)):
            network = self.account.network(named)
        return stack_parameters(self.needs, network, previous)


def ensure_stack(  # noqa: PLR0913 (all but the settings and `say` are for one caller each)
    settings: Settings,
    *,
    say: Say,
    buckets: Iterable[str] = (),
    kms_keys: Iterable[str] = (),
    delete_superseded: bool | None = None,
    look_again: bool = False,
    cloudformation: CloudFormation | None = None,
    account: Account | None = None,
) -> Resources:
    """
    What a run uses. A missing stack is made first, and one that lacks something is updated.

    No stack is made when the settings name every part. An operation that another launcher has begun is waited for.
    say: takes a line on each thing done.
    buckets, kms_keys, delete_superseded: as for `needs_of`.
    look_again: look up the subnets even if the stack has some.
    Raises S3ReclassError when the stack is broken or can't be made, or when a bucket is missing.
    """
    named = named_resources(settings)
    if named:
        return named
    cloudformation = cloudformation or CloudFormation(settings.stack)
    wish = _Wish(
        needs=needs_of(
            settings,
            buckets=buckets,
            kms_keys=kms_keys,
            delete_superseded=delete_superseded,
            partition=cloudformation.partition,
        ),
        look_again=look_again,
        account=account or Account(probe_bucket=partial(probe_bucket, settings)),
    )
    for _ in range(MAX_ROUNDS):
        stack = cloudformation.describe_stack()
        if stack and condition_of(stack.status) is StackCondition.BUSY:
            say(f"stack {stack.name}: waiting, it is {stack.status}")
            cloudformation.wait(stack.id, say)
        elif stack is None:
            if not wish.needs.buckets:
                settings.require_bucket()
            _create(cloudformation, wish, say)
        elif not _update(cloudformation, stack, wish, say):
            return merge_resources(settings, stack.outputs)
    raise S3ReclassError(f"the stack {settings.stack} keeps being changed by others: run the command again later")


def probe_bucket(settings: Settings, bucket: str, *, s3: Any = None, account: Callable[[], str] = account_id) -> None:
    """
    Raise S3ReclassError unless the bucket can be worked on from here, and by tasks under the stack's role.

    That role reaches no bucket of an account that wasn't named: a bucket's name can pass to a stranger. So a bucket
    must belong to the account of `--bucket-owner` or, without one, to that of the credentials; the state's bucket may
    belong to either.
    account: asks for the account of the credentials.
    """
    arguments = dict(settings.request_arguments())
    if bucket != settings.bucket and bucket == settings.state.removeprefix("s3://").partition("/")[0]:
        arguments.pop("ExpectedBucketOwner", None)
    check_bucket(bucket, arguments=arguments, s3=s3)
    if "ExpectedBucketOwner" not in arguments and not settings.fargate.task_role_arn:
        check_owner(bucket, filter(None, (account(), settings.bucket_owner)), arguments=arguments, s3=s3)


def resources(settings: Settings, *, cloudformation: CloudFormation | None = None) -> Resources:
    """
    What a run uses; nothing is changed.

    Raises NoStateError when there is no stack, S3ReclassError when it can't be used.
    """
    named = named_resources(settings)
    if named:
        return named
    cloudformation = cloudformation or CloudFormation(settings.stack)
    stack = cloudformation.describe_stack()
    if stack is None:
        raise NoStateError(
            f"there is no stack {settings.stack} in {cloudformation.region}: run `s3reclass up`, "
            "or check AWS_REGION and --stack"
        )
    if not stack.outputs:
        _refuse_broken(cloudformation, stack)
        raise S3ReclassError(f"the stack {stack.name} is {stack.status}: run the command again when it is ready")
    _refuse_foreign(stack)
    return merge_resources(settings, stack.outputs)


def _create(cloudformation: CloudFormation, wish: _Wish, say: Say) -> None:
    """Make the stack and wait for it. Raises S3ReclassError when it fails."""
    parameters = wish.parameters({})
    for bucket in new_buckets(parameters, {}):
        wish.account.probe_bucket(bucket)
    say(f"stack {cloudformation.name}: making it in {cloudformation.region} (about two minutes)")
    if cloudformation.create_stack(parameters):
        _finish(cloudformation, say)


def _update(cloudformation: CloudFormation, stack: Stack, wish: _Wish, say: Say) -> bool:
    """Update the stack where it lacks something; False when it lacks nothing."""
    _refuse_broken(cloudformation, stack)
    version = _refuse_foreign(stack)
    parameters = wish.parameters(stack.parameters)
    changes = difference(parameters, stack.parameters)
    if not changes:
        return False
    for bucket in new_buckets(parameters, stack.parameters):
        wish.account.probe_bucket(bucket)
    say(f"stack {stack.name}: updating it ({'; '.join(changes)})")
    kept = sorted(set(stack.parameters) - set(parameters))
    if not cloudformation.update_stack(parameters, kept=kept, own_template=version <= TEMPLATE_VERSION):
        return False
    _finish(cloudformation, say)
    return True


def _finish(cloudformation: CloudFormation, say: Say) -> None:
    """Wait for the operation that we began. Raises S3ReclassError when it failed."""
    begun = cloudformation.describe_stack()
    stack = cloudformation.wait(begun.id, say) if begun else None
    if stack is None:
        raise S3ReclassError(f"the stack {cloudformation.name} was deleted while it was made: run `s3reclass up` again")
    if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        _refuse_broken(cloudformation, stack)
        raise S3ReclassError(
            f"the stack {stack.name} could not be updated and is as it was before "
            f"({stack.status}): {cloudformation.failure(stack)}"
        )
    say(f"stack {stack.name}: ready")


def _refuse_broken(cloudformation: CloudFormation, stack: Stack) -> None:
    if condition_of(stack.status) is StackCondition.BROKEN:
        raise S3ReclassError(
            f"the stack {stack.name} can't be used ({stack.status}): {cloudformation.failure(stack)}: {remedy(stack)}"
        )


def _refuse_foreign(stack: Stack) -> int:
    """The version of the stack's template. Raises S3ReclassError when it isn't one of ours."""
    version = template_version(stack.parameters)
    if version is None:
        raise S3ReclassError(
            f"the stack {stack.name} isn't s3reclass's: choose another name (--stack, S3RECLASS_STACK, [stack] name)"
        )
    return version
