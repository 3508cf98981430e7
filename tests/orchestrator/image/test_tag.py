"""The worker image's tag: the same for the same content, another for any other."""

import pytest

from orchestrator.errors import UsageError
from orchestrator.image.tag import (
    ContextFile,
    architecture_of,
    architecture_of_platform,
    base_image_of,
    content_digest,
    image_tag,
    pinned,
    platform_of,
    repository_of,
)
from orchestrator.model import Architecture

FILES = (ContextFile(path="Dockerfile", data=b"FROM x\n"), ContextFile(path="worker/a.py", data=b"1\n"))


def digest(*files: ContextFile, base_image: str = "base", target: str = "worker") -> str:
    """The digest, with the parts that a test doesn't vary."""
    return content_digest(files, base_image=base_image, target=target)


def test_the_digest_is_of_the_content_alone() -> None:
    """The order in which files are found doesn't matter."""
    assert digest(*FILES) == digest(*reversed(FILES))


@pytest.mark.parametrize(
    "other",
    [
        digest(FILES[0]),
        digest(FILES[0], ContextFile(path="worker/b.py", data=b"1\n")),
        digest(FILES[0], ContextFile(path="worker/a.py", data=b"2\n")),
        digest(FILES[0], ContextFile(path="worker/a.py1", data=b"\n")),
        digest(*FILES, base_image="other"),
        digest(*FILES, target="with-lots"),
    ],
    ids=["a file less", "a name", "a byte", "a byte moved from data to name", "base image", "target"],
)
def test_any_other_content_has_another_digest(other: str) -> None:
    """A file, a name, a byte, the base image or the target."""
    assert other != digest(*FILES)


@pytest.mark.parametrize(
    ("tag", "architecture", "lots_job"),
    [
        ("0123456789abcdef-amd64", Architecture.X86_64, ""),
        ("0123456789abcdef-arm64", Architecture.ARM64, ""),
        ("0123456789abcdef-arm64-lots-fedcba987654", Architecture.ARM64, "fedcba987654"),
    ],
)
def test_the_tag_says_content_architecture_and_lots(tag: str, architecture: Architecture, lots_job: str) -> None:
    """`<digest>-<architecture>`, and the job whose lots it carries."""
    assert image_tag("0123456789abcdef" * 4, architecture, lots_job) == tag


@pytest.mark.parametrize(
    ("architecture", "word"),
    [
        (Architecture.X86_64, "amd64"),
        (Architecture.X86_64, "x86_64"),
        (Architecture.X86_64, "X86_64"),
        (Architecture.ARM64, "arm64"),
        (Architecture.ARM64, "aarch64"),
        (None, "arm"),
        (None, "riscv64"),
        (None, ""),
    ],
)
def test_architectures_go_by_many_names(architecture: Architecture | None, word: str) -> None:
    """Docker's, uname's and ECS's words; None for what Fargate doesn't have."""
    assert architecture_of(word) is architecture


@pytest.mark.parametrize(
    ("architecture", "platform"),
    [
        (Architecture.X86_64, "linux/amd64"),
        (Architecture.ARM64, "linux/arm64"),
        (Architecture.ARM64, "linux/arm64/v8"),
        (Architecture.ARM64, "Linux/ARM64"),
    ],
)
def test_platforms_that_fargate_runs(architecture: Architecture, platform: str) -> None:
    """Linux on the two architectures."""
    assert architecture_of_platform(platform) is architecture
    assert platform_of(architecture) in platform.lower()


@pytest.mark.parametrize("platform", ["windows/amd64", "linux/arm/v7", "amd64", "linux", ""])
def test_other_platforms_are_refused(platform: str) -> None:
    """With the two that there are."""
    with pytest.raises(UsageError, match=r"Fargate runs linux/amd64 and linux/arm64"):
        architecture_of_platform(platform)


def test_the_dockerfile_alone_names_the_base_image() -> None:
    """By tag, or by tag and digest once somebody pins it: whatever stands there, and nothing when nothing does."""
    dockerfile = b"# ARG BASE_IMAGE=old\nARG BASE_IMAGE=r.example/py:3@sha256:11\nFROM ${BASE_IMAGE}\n"

    assert base_image_of([ContextFile(path="Dockerfile", data=dockerfile)]) == "r.example/py:3@sha256:11"
    assert base_image_of([ContextFile(path="Dockerfile", data=b"FROM x\n")]) == ""
    assert base_image_of([]) == ""


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("python", "python"),
        ("python:3.13", "python"),
        ("python:3.13@sha256:11", "python"),
        ("localhost:5000/python", "localhost:5000/python"),
        ("localhost:5000/team/python:3.13", "localhost:5000/team/python"),
    ],
)
def test_a_repository_is_an_image_without_tag_and_digest(image: str, repository: str) -> None:
    """A registry's port is no tag."""
    assert repository_of(image) == repository
    assert pinned(image.partition("@")[0], "sha256:22") == f"{repository}@sha256:22"
    assert pinned(image, "") == image
