"""One ECR repository: where it is, what it holds, how it is logged in to."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.errors import S3ReclassError
from orchestrator.image.ecr import Ecr


@pytest.fixture
def ecr(aws: str) -> Any:
    """ECR without repositories."""
    return boto3.client("ecr", endpoint_url=aws)


def test_an_image_is_found_by_its_tag(ecr: Any) -> None:
    """Its digest, or None."""
    ecr.create_repository(repositoryName="worker")
    put = ecr.put_image(repositoryName="worker", imageManifest='{"mediaType": "m"}', imageTag="there")

    assert Ecr("worker", ecr=ecr).image_digest("there") == put["image"]["imageId"]["imageDigest"]
    assert Ecr("worker", ecr=ecr).image_digest("not-there") is None


def test_the_repositorys_uri(ecr: Any) -> None:
    """As ECR names it."""
    uri = ecr.create_repository(repositoryName="team/worker")["repository"]

    assert Ecr("team/worker", ecr=ecr).repository_uri() == uri["repositoryUri"]


def test_a_repository_that_is_not_there_is_named(ecr: Any) -> None:
    """With what to run."""
    with pytest.raises(S3ReclassError, match=r"no ECR repository worker in eu-west-1: run `s3reclass up`"):
        Ecr("worker", ecr=ecr).repository_uri()
    with pytest.raises(S3ReclassError, match=r"no ECR repository worker in eu-west-1: run `s3reclass up`"):
        Ecr("worker", ecr=ecr).image_digest("tag")


def test_the_login_is_ecrs_token_taken_apart(ecr: Any) -> None:
    """The token is `AWS:password`, in base64."""
    login = Ecr("worker", ecr=ecr).login()

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
