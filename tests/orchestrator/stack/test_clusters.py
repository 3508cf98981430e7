"""What runs on a cluster."""

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.errors import S3ReclassError
from orchestrator.stack.clusters import count_tasks


def test_tasks_are_counted_over_all_pages() -> None:
    """Those that are to run, of one family if asked."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        asked = {"cluster": "c", "desiredStatus": "RUNNING", "family": "s3reclass-copy"}
        stub.add_response("list_tasks", {"taskArns": ["1", "2"], "nextToken": "t"}, asked)
        stub.add_response("list_tasks", {"taskArns": ["3"]}, asked | {"nextToken": "t"})

        assert count_tasks("c", "s3reclass-copy", ecs=client) == 3


def test_a_cluster_that_is_gone_has_none() -> None:
    """A stack half deleted can still be taken down."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_client_error("list_tasks", "ClusterNotFoundException", "Cluster not found.")

        assert count_tasks("c", ecs=client) == 0


def test_a_denial_is_told() -> None:
    """Not taken for a cluster without tasks."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_client_error("list_tasks", "AccessDeniedException", "no")

        with pytest.raises(S3ReclassError, match=r"listing the tasks of the cluster c: AWS denied it"):
            count_tasks("c", ecs=client)
