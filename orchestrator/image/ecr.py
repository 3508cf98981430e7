"""One ECR repository: its URI, its images, and the login for a push. Calls ECR."""

import base64
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.common.aws_sessions import aws_errors, client, error_code
from orchestrator.errors import S3ReclassError


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryLogin:
    """A registry's user name and password, which ECR makes for 12 hours; the password is never shown."""

    username: str
    password: str = field(repr=False)


class Ecr:
    """
    An ECR repository.

    name: the repository's name.
    """

    def __init__(self, name: str, *, ecr: Any = None) -> None:
        self.name = name
        self._client = ecr or client("ecr")

    def repository_uri(self) -> str:
        """The repository's URI, which images are pushed to. Raises S3ReclassError when there is no such repository."""
        with aws_errors(f"reading the repository {self.name}"):
            try:
                answer = self._client.describe_repositories(repositoryNames=[self.name])
            except ClientError as error:
                raise self._missing(error) from error
        return str(answer["repositories"][0]["repositoryUri"])

    def image_digest(self, tag: str) -> str | None:
        """The digest of the image with this tag, or None when there is none."""
        with aws_errors(f"looking for the image {self.name}:{tag}"):
            try:
                answer = self._client.describe_images(repositoryName=self.name, imageIds=[{"imageTag": tag}])
            except ClientError as error:
                if error_code(error) == "ImageNotFoundException":
                    return None
                raise self._missing(error) from error
        details = answer["imageDetails"]
        return str(details[0]["imageDigest"]) if details else None

    def login(self) -> RegistryLogin:
        """User name and password for this account's registry, good for 12 hours."""
        with aws_errors("logging in to ECR"):
            data = self._client.get_authorization_token()["authorizationData"][0]
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return RegistryLogin(username=username, password=password)

    def _missing(self, error: ClientError) -> Exception:
        """For a missing repository, an error that says what to do; else the error itself."""
        if error_code(error) != "RepositoryNotFoundException":
            return error
        return S3ReclassError(
            f"there is no ECR repository {self.name} in {self._client.meta.region_name}: run `s3reclass up`, "
            "or check repository under [fargate] in s3reclass.toml"
        )
