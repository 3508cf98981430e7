"""What is registered with ECS, and removed again."""

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.errors import S3ReclassError
from orchestrator.stack.task_definitions import MAX_DELETED, remove_task_definitions


def test_revisions_are_deleted_a_few_at_a_time() -> None:
    """As many as a request takes, over all pages; those that were deregistered before are deleted only."""
    client = boto3.client("ecs")
    inactive = [f"f:{number}" for number in range(1, MAX_DELETED + 1)]
    active = [f"f:{MAX_DELETED + 1}", f"f:{MAX_DELETED + 2}"]
    with Stubber(client) as stub:
        asked = {"familyPrefix": "f", "status": "INACTIVE"}
        stub.add_response("list_task_definitions", {"taskDefinitionArns": inactive[:3], "nextToken": "t"}, asked)
        stub.add_response("list_task_definitions", {"taskDefinitionArns": inactive[3:]}, asked | {"nextToken": "t"})
        for arn in inactive:
            stub.add_response("describe_task_definition", {"taskDefinition": {}}, {"taskDefinition": arn})
        stub.add_response("list_task_definitions", {"taskDefinitionArns": active}, asked | {"status": "ACTIVE"})
        for arn in active:
            stub.add_response("describe_task_definition", {"taskDefinition": {}}, {"taskDefinition": arn})
            stub.add_response("deregister_task_definition", {}, {"taskDefinition": arn})
        for some in (inactive, active):
            stub.add_response("delete_task_definitions", {"failures": []}, {"taskDefinitions": some})

        assert remove_task_definitions(["f"], lambda _: True, ecs=client) == MAX_DELETED + 2
        stub.assert_no_pending_responses()


def test_a_revision_that_stays_is_told() -> None:
    """With ECS's reason, which comes with a success."""
    client = boto3.client("ecs")
    with Stubber(client) as stub:
        stub.add_response("list_task_definitions", {"taskDefinitionArns": ["f:1"]})
        stub.add_response("describe_task_definition", {"taskDefinition": {}})
        stub.add_response("list_task_definitions", {"taskDefinitionArns": []})
        failure = {"arn": "f:1", "reason": "The specified task definition is still in ACTIVE status."}
        stub.add_response("delete_task_definitions", {"failures": [failure]})

        with pytest.raises(S3ReclassError, match=r"removing the task definition f:1: The specified .* ACTIVE status"):
            remove_task_definitions(["f"], lambda _: True, ecs=client)
