"""The Docker engine through docker-py: build an image, push it. Calls the Docker engine."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Self

import docker
from docker.errors import DockerException

from orchestrator.errors import S3ReclassError
from orchestrator.image.ecr import RegistryLogin
from orchestrator.image.tag import architecture_of, pinned, platform_of, repository_of
from orchestrator.model import Architecture

CONNECT_TIMEOUT_S = 20
SILENCE_TIMEOUT_S = 900
"""Seconds that the engine may say nothing in a push."""

_BASE_NAME, _BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
"""https://github.com/opencontainers/image-spec/blob/main/annotations.md"""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerProgress:
    """
    How far the push of a layer is.

    layer: its short id; "" for a line about the whole image. current, total: bytes, 0 when unknown.
    """

    layer: str
    status: str
    current: int = 0
    total: int = 0


class DockerEngine:
    """
    A Docker engine.

    api: docker-py's low-level client.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    @classmethod
    def connect(cls) -> Self:
        """
        The engine that DOCKER_HOST, or Docker's current context, names.

        Raises S3ReclassError when none answers, and says how to get one.
        """
        try:
            api = docker.from_env(timeout=CONNECT_TIMEOUT_S).api
        except (DockerException, OSError) as error:
            raise explain_no_engine(error) from error
        api.timeout = SILENCE_TIMEOUT_S
        return cls(api)

    def close(self) -> None:
        """Drop the connections."""
        self._api.close()

    def architecture(self) -> Architecture:
        """The engine's own architecture. Raises S3ReclassError for one that Fargate doesn't have."""
        with _docker_errors("asking the Docker engine for its version"):
            version = self._api.version()
        architecture = architecture_of(str(version.get("Arch", "")))
        if version.get("Os") != "linux" or architecture is None:
            raise S3ReclassError(
                f"the Docker engine builds for {version.get('Os')}/{version.get('Arch')}, which Fargate doesn't run: "
                "switch it to Linux containers, or give --platform linux/amd64"
            )
        return architecture

    def digest(self, image: str) -> str:
        """
        The digest of an image, `sha256:...`: the engine's own image of this name, else the registry's; "" without one.

        A build takes the image that the engine has, so that one comes first. An image that was built on the engine and
        never pushed has no digest.
        """
        if "@" in image:
            return image.partition("@")[2]
        try:
            known = self._api.inspect_image(image).get("RepoDigests") or []
        except (DockerException, OSError):
            try:
                told = self._api.inspect_distribution(image)
            except (DockerException, OSError):
                # The build says what is wrong with the name, the registry or the network.
                return ""
            return str((told.get("Descriptor") or {}).get("digest") or "")
        named = (str(one).partition("@") for one in known)
        return next((digest for name, _, digest in named if name == repository_of(image)), "")

    def build(
        self, context: IO[bytes], *, image: str, target: str, base_image: str, platform: Architecture | None
    ) -> Iterator[str]:
        """
        Build an image from a context, and yield what the engine says, line by line.

        image: its `repository:tag`. platform: None for the engine's own.
        The base image is taken by its digest where that is known; the image's labels tell both.
        Raises S3ReclassError when a step fails or the image has another architecture.
        """
        asked = {"platform": platform_of(platform)} if platform else {}
        digest = self.digest(base_image)
        yield f"base image {base_image}: {digest or 'no registry tells its digest'}"
        with _docker_errors(f"building {image}"):
            for answer in self._api.build(
                fileobj=context,
                custom_context=True,
                tag=image,
                target=target,
                buildargs={"BASE_IMAGE": pinned(base_image, digest)},
                labels={_BASE_NAME: base_image} | ({_BASE_DIGEST: digest} if digest else {}),
                rm=True,
                forcerm=True,
                decode=True,
                **asked,
            ):
                _raise_error(answer, f"building {image}")
                yield from str(answer.get("stream") or answer.get("status") or "").splitlines()
            built = architecture_of(str(self._api.inspect_image(image).get("Architecture", "")))
        if platform and built is not platform:
            raise S3ReclassError(
                f"the engine built {image} for {built or 'another platform'}, not for {platform_of(platform)}: "
                f"pull the base image for it first (docker pull --platform {platform_of(platform)} {base_image})"
            )

    def push(self, repository_uri: str, tag: str, login: RegistryLogin) -> Iterator[LayerProgress]:
        """
        Push an image and yield how far each layer is.

        Raises S3ReclassError when the engine or the registry refuses.
        """
        doing = f"pushing {repository_uri}:{tag}"
        with _docker_errors(doing):
            for answer in self._api.push(
                repository_uri,
                tag=tag,
                stream=True,
                decode=True,
                auth_config={"username": login.username, "password": login.password},
            ):
                _raise_error(answer, doing)
                if answer.get("status"):
                    detail = answer.get("progressDetail") or {}
                    yield LayerProgress(
                        layer=str(answer.get("id", "")),
                        status=str(answer["status"]),
                        current=int(detail.get("current") or 0),
                        total=int(detail.get("total") or 0),
                    )


@contextmanager
def _docker_errors(doing: str) -> Iterator[None]:
    """A block whose docker-py errors become an S3ReclassError; requests' errors are OSErrors."""
    try:
        yield
    except (DockerException, OSError) as error:
        words = str(getattr(error, "explanation", None) or error)
        raise S3ReclassError(f"{doing}: {_line(words)}{_advice(words)}") from error


def _raise_error(answer: Mapping[str, Any], doing: str) -> None:
    """Raise S3ReclassError when this line of the engine's answer tells a failure; the HTTP status stays 200."""
    detail = answer.get("errorDetail") or {}
    words = str(detail.get("message") or answer.get("error") or "")
    if words:
        raise S3ReclassError(f"{doing}: {_line(words)}{_advice(words)}")


def _line(words: str) -> str:
    return " ".join(words.split())


_ADVICE = {
    "exec format error": "the engine can't run that platform: leave --platform out, or add emulation "
    "(docker run --privileged --rm tonistiigi/binfmt --install all)",
    "no basic auth credentials": "ECR refused the login: check the credentials with `aws sts get-caller-identity`",
    "not authorized to perform": "your credentials need ecr:InitiateLayerUpload, ecr:UploadLayerPart, "
    "ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability and ecr:PutImage on the repository",
    "no space left on device": "free some on the engine's machine (docker system prune)",
    "pull access denied": "the base image can't be pulled: check its name (--base-image)",
    "manifest unknown": "the base image can't be pulled: check its name (--base-image)",
    "toomanyrequests": "the base image's registry is limiting pulls: wait, or name another copy with --base-image",
    "no such host": "the engine's machine has no way to that registry: check its network, or name a copy of the base "
    "image that it can reach with --base-image",
}
"""Words of the engine, and what to do about them; the first that fits counts."""


def _advice(words: str) -> str:
    return next((f": {advice}" for sign, advice in _ADVICE.items() if sign in words.lower()), "")


_CAUSE = re.compile(r"(?:\[Errno \d+\] |Error\(\d+, ')([\w .-]+)")
"""The operating system's words, inside what requests and docker-py wrap around them."""


def explain_no_engine(error: Exception) -> S3ReclassError:
    """What to do when no engine answers, or when its use is denied."""
    words = _line(str(error))
    if "permission denied" in words.lower():
        return S3ReclassError(
            "the Docker engine may not be used by you (permission denied): join its group "
            "(sudo usermod -aG docker $USER, then log in again), or use rootless Docker"
        )
    cause = _CAUSE.search(words)
    return S3ReclassError(
        f"no Docker engine answers ({cause[1] if cause else words}): start Docker Desktop, Colima or the docker "
        "service, install one (https://docs.docker.com/engine/install/), or set DOCKER_HOST to one elsewhere"
    )
