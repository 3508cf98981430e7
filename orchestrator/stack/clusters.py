"""What runs on an ECS cluster at the moment, for `down`. Calls ECS."""

from typing import Any

from botocore.exceptions import ClientError

from orchestrator.common.aws_sessions import aws_errors, client, error_code


def count_tasks(cluster: str, family: str = "", *, ecs: Any = None) -> int:
    """
    Tasks on the cluster that are to run, those of a task definition family if one is given.

    A cluster that is gone has none.
    """
    ecs = ecs or client("ecs")
    only = {"family": family} if family else {}
    with aws_errors(f"listing the tasks of the cluster {cluster}"):
        try:
            pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING", **only)
            return sum(len(page["taskArns"]) for page in pages)
        except ClientError as error:
            if error_code(error) == "ClusterNotFoundException":
                return 0
            raise
