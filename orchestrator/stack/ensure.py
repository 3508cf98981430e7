"""
The stack's journey: missing, being made, ready, broken; and what a run gets from it.

`parameters.py` and `stack_status.py` decide, `cloudformation.py` calls.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestrator.common.aws_sessions import account_id
from orchestrator.errors import NoStateError, S3ReclassError
from orchestrator.model import Resources
from orchestrator.objects.buckets import check_bucket, check_owner
from orchestrator.settings.settings import Settings
from orchestrator.stack.cloudformation import CloudFormation
from orchestrator.stack.network import find_network
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    What making a stack asks of an AWS account beside CloudFormation.

    look_at_bucket: raises S3ReclassError unless the bucket can be worked on from here, and by tasks.
    network: the subnets given, or the default VPC's, and their VPC.
    """

    look_at_bucket: Callable[[str], None]
    network: Callable[[tuple[str, ...]], Network] = find_network


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """What `ensure_stack` was asked for."""

    needs: Needs
    look_again: bool
    account: Account

    def parameters(self, previous: Mapping[str, str]) -> dict[str, str]:
        """The parameters that the stack should have, looking up the network where that isn't known."""
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
    What a run uses, after making the stack when it is missing and updating it when it lacks something.

    No stack is made when the settings name every part. What another launcher has begun is waited for.
    say: told what is done, line by line.
    buckets: buckets of the lots beside the settings' own.
    kms_keys: ARNs of the keys that the objects are encrypted with.
    delete_superseded: whether tasks may delete versions of objects; None leaves that as it is.
    look_again: look up the subnets anew, not only when the stack is made.
    Raises S3ReclassError when the stack is broken, can't be made, or a bucket isn't there.
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
        account=account or Account(look_at_bucket=partial(look_at_bucket, settings)),
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


def look_at_bucket(settings: Settings, bucket: str, *, s3: Any = None, account: Callable[[], str] = account_id) -> None:
    """
    Nothing, when the bucket can be worked on from here, and by tasks under the stack's role.

    That role is kept off buckets of accounts that weren't named: a name can pass to a stranger. So a bucket must belong
    to the account of `--bucket-owner` or, without one, to that of the credentials; the state's may belong to either.
    account: asks for the account of the credentials.
    Raises S3ReclassError saying what is wrong with it.
    """
    arguments = dict(settings.request_arguments())
    if bucket != settings.bucket and bucket == settings.state.removeprefix("s3://").partition("/")[0]:
        arguments.pop("ExpectedBucketOwner", None)
    check_bucket(bucket, arguments=arguments, s3=s3)
    if "ExpectedBucketOwner" not in arguments and not settings.fargate.task_role_arn:
        check_owner(bucket, filter(None, (account(), settings.bucket_owner)), arguments=arguments, s3=s3)


def resources(settings: Settings, *, cloudformation: CloudFormation | None = None) -> Resources:
    """
    What a run uses, changing nothing.

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
        wish.account.look_at_bucket(bucket)
    say(f"stack {cloudformation.name}: making it in {cloudformation.region} (about two minutes)")
    if cloudformation.create_stack(parameters):
        _finish(cloudformation, say)


def _update(cloudformation: CloudFormation, stack: Stack, wish: _Wish, say: Say) -> bool:
    """Update the stack where it lacks something; whether it has to be looked at again."""
    _refuse_broken(cloudformation, stack)
    version = _refuse_foreign(stack)
    parameters = wish.parameters(stack.parameters)
    changes = difference(parameters, stack.parameters)
    if not changes:
        return False
    for bucket in new_buckets(parameters, stack.parameters):
        wish.account.look_at_bucket(bucket)
    say(f"stack {stack.name}: updating it ({'; '.join(changes)})")
    kept = sorted(set(stack.parameters) - set(parameters))
    if not cloudformation.update_stack(parameters, kept=kept, own_template=version <= TEMPLATE_VERSION):
        return False
    _finish(cloudformation, say)
    return True


def _finish(cloudformation: CloudFormation, say: Say) -> None:
    """Wait for what we began. Raises S3ReclassError when it didn't succeed."""
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
