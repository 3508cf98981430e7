"""
The worker image's tag. It names the content, so that the same content is never built twice. Pure.

`build_context.py` reads the files, `docker_engine.py` calls the engine.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.errors import UsageError
from orchestrator.model import Architecture

DIGEST_DIGITS = 16
"""Hex digits of the content's digest in a tag."""

TARGET = "worker"
TARGET_WITH_LOTS = "with-lots"
"""The Dockerfile's targets."""

_SHORT = {Architecture.X86_64: "amd64", Architecture.ARM64: "arm64"}
_ARCHITECTURES = {
    "amd64": Architecture.X86_64,
    "x86_64": Architecture.X86_64,
    "arm64": Architecture.ARM64,
    "aarch64": Architecture.ARM64,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextFile:
    """
    One file of the build context.

    path: in the context, `/` between its parts. data: its bytes.
    """

    path: str
    data: bytes


def base_image_of(files: Iterable[ContextFile]) -> str:
    """The base image that the Dockerfile among the files names, or ""."""
    dockerfile = next((file.data for file in files if file.path == "Dockerfile"), b"")
    named = re.search(rb"^ARG BASE_IMAGE=(\S+)", dockerfile, re.MULTILINE)
    return named[1].decode() if named else ""


def pinned(image: str, digest: str) -> str:
    """
    The image by its digest, `repository@sha256:...`; unchanged without a digest, or when it names one itself.

    The tag is left out: not every engine takes both.
    """
    if not digest or "@" in image:
        return image
    return f"{repository_of(image)}@{digest}"


def repository_of(image: str) -> str:
    """An image's name without tag and digest. The colon of a registry's port stands before a slash."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]


def content_digest(files: Iterable[ContextFile], *, base_image: str, target: str) -> str:
    """
    The sha256, in hex, of what an image is made of.

    Names, bytes, base image and target count. The files' order, modes, owners and times don't: every context has the
    same.
    """
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        # The lengths come first: then no two lists of files make the same stream.
        digest.update(f"{len(file.path.encode())} {len(file.data)}\n".encode())
        digest.update(file.path.encode())
        digest.update(file.data)
    digest.update(f"{base_image}\n{target}\n".encode())
    return digest.hexdigest()


def image_tag(digest: str, architecture: Architecture, lots_job: str = "") -> str:
    """
    The tag of an image: `<digest>-<amd64|arm64>`, and `-lots-<job>` when it carries a job's lots.

    digest: of its content, without the lots. lots_job: the job's id, which the lots' digest begins with.
    """
    lots = f"-lots-{lots_job}" if lots_job else ""
    return f"{digest[:DIGEST_DIGITS]}-{_SHORT[architecture]}{lots}"


def architecture_of(word: str) -> Architecture | None:
    """The architecture of this name in Docker, uname or ECS; None for one that Fargate doesn't have."""
    return _ARCHITECTURES.get(word.lower())


def architecture_of_platform(platform: str) -> Architecture:
    """The architecture of a `--platform`: linux/amd64 or linux/arm64. Raises UsageError for another."""
    system, _, word = platform.lower().partition("/")
    architecture = architecture_of(word.removesuffix("/v8"))
    if system != "linux" or architecture is None:
        raise UsageError(f"--platform {platform}: Fargate runs linux/amd64 and linux/arm64")
    return architecture


def platform_of(architecture: Architecture) -> str:
    """The `--platform` of an architecture."""
    return f"linux/{_SHORT[architecture]}"
