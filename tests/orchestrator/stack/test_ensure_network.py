"""The subnets that tasks can run in."""

from typing import Any

import boto3
import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.stack.ensure import find_network


@pytest.fixture
def ec2(aws: str) -> Any:
    """EC2 with moto's default VPC of three subnets."""
    return boto3.client("ec2", endpoint_url=aws)


def default_subnets(ec2: Any) -> list[dict[str, Any]]:
    """The default VPC's subnets."""
    found: list[dict[str, Any]] = ec2.describe_subnets()["Subnets"]
    return found


def test_the_default_vpcs_own_subnets_are_taken(ec2: Any) -> None:
    """Not those that somebody added to it, which may lead nowhere."""
    there = default_subnets(ec2)
    ec2.create_subnet(VpcId=there[0]["VpcId"], CidrBlock="172.31.128.0/20")

    found = find_network(ec2=ec2)

    assert found.vpc_id == there[0]["VpcId"]
    assert found.subnets == tuple(sorted(subnet["SubnetId"] for subnet in there))


def test_other_subnets_of_the_default_vpc_will_do(ec2: Any) -> None:
    """Where its default ones were deleted."""
    there = default_subnets(ec2)
    for subnet in there:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    own = ec2.create_subnet(VpcId=there[0]["VpcId"], CidrBlock="172.31.128.0/20")["Subnet"]

    assert find_network(ec2=ec2).subnets == (own["SubnetId"],)


def test_a_default_vpc_without_subnets_is_an_error(ec2: Any) -> None:
    """It says to name some."""
    for subnet in default_subnets(ec2):
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])

    with pytest.raises(S3ReclassError, match=r"has no subnets to run tasks in: name some in s3reclass\.toml"):
        find_network(ec2=ec2)


def test_no_default_vpc_is_an_error(ec2: Any) -> None:
    """It names the Region and says to name subnets."""
    there = default_subnets(ec2)
    for subnet in there:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=there[0]["VpcId"])

    with pytest.raises(S3ReclassError, match=r"no default VPC in eu-west-1 .*\[fargate\] subnets = "):
        find_network(ec2=ec2)


def test_named_subnets_bring_their_vpc(ec2: Any) -> None:
    """In the order they are named."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(2)]

    found = find_network(ids[::-1], ec2=ec2)

    assert (found.vpc_id, found.subnets) == (vpc, tuple(ids[::-1]))


def test_subnets_of_two_vpcs_are_refused(ec2: Any) -> None:
    """A security group belongs to one."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]

    with pytest.raises(S3ReclassError, match=r"lie in several VPCs"):
        find_network([default_subnets(ec2)[0]["SubnetId"], other], ec2=ec2)


def test_a_subnet_that_is_not_there_is_named(ec2: Any) -> None:
    """EC2's own words, and the file it is named in."""
    with pytest.raises(S3ReclassError, match=r"subnets subnet-00000000 of s3reclass\.toml: InvalidSubnetID\.NotFound"):
        find_network(["subnet-00000000"], ec2=ec2)
