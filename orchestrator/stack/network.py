"""The subnets that tasks can run in, and their VPC. Calls EC2."""

from collections.abc import Sequence
from typing import Any

from orchestrator.common.aws_sessions import aws_errors, client
from orchestrator.errors import S3ReclassError
from orchestrator.settings.settings import FILE_NAME
from orchestrator.stack.parameters import Network

_NAME_SUBNETS = f'name some in {FILE_NAME} ([fargate] subnets = ["subnet-..."])'


def find_network(subnets: Sequence[str] = (), *, ec2: Any = None) -> Network:
    """
    These subnets and their VPC; without any, the default VPC and its default subnets (else all that it has).

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
