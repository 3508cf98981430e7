"""One ECR repository: where it is, what it holds, how it is logged in to."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.clients.ecr import Ecr
from orchestrator.errors import S3ReclassError


def test_an_image_is_found_by_its_tag(aws: str) -> None:
    """Its digest, or None."""
    ecr = boto3.client("ecr", endpoint_url=aws)
    ecr.create_repository(repositoryName="worker")
    put = ecr.put_image(repositoryName="worker", imageManifest='{"schemaVersion": 2}', imageTag="there")

    assert Ecr("worker").image_digest("there") == put["image"]["imageId"]["imageDigest"]
    assert Ecr("worker").image_digest("not-there") is None


def test_the_repositorys_uri(aws: str) -> None:
    """As ECR names it."""
    uri = boto3.client("ecr", endpoint_url=aws).create_repository(repositoryName="team/worker")["repository"]

    assert Ecr("team/worker").repository_uri() == uri["repositoryUri"]


@pytest.mark.usefixtures("aws")
def test_a_repository_that_is_not_there_is_named() -> None:
    """With what to run."""
    with pytest.raises(S3ReclassError, match=r"no ECR repository worker in eu-west-1: run `s3reclass up`"):
        Ecr("worker").repository_uri()
    with pytest.raises(S3ReclassError, match=r"no ECR repository worker in eu-west-1: run `s3reclass up`"):
        Ecr("worker").image_digest("tag")


@pytest.mark.usefixtures("aws")
def test_the_login_is_ecrs_token_taken_apart() -> None:
    """The token is `AWS:password`, in base64."""
    login = Ecr("worker").login()

    assert login.username == "AWS"
    assert login.password


@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("describe_repositories", Ecr.repository_uri),
        ("describe_images", lambda ecr: ecr.image_digest("tag")),
        ("get_authorization_token", Ecr.login),
    ],
)
def test_a_denial_names_the_permission(operation: str, ask: Any) -> None:
    """ECR refusing is one line that says which action the credentials lack."""
    client = boto3.client("ecr")
    with Stubber(client) as stub:
        stub.add_client_error(operation, "AccessDeniedException", "User: u is not authorized")
        name = client.meta.method_to_api_mapping[operation]
        with pytest.raises(S3ReclassError, match=f"AWS denied it .*must allow {name}"):
            ask(Ecr("worker", ecr=client))
