"""The Docker engine: what is asked of it, and its failures in words that say what to do."""

import io
import json
from contextlib import closing

import pytest
from docker.errors import DockerException

from orchestrator.errors import S3ReclassError
from orchestrator.image.build_context import pack_context
from orchestrator.image.docker_engine import DockerEngine, LayerProgress, explain_no_engine
from orchestrator.image.ecr import RegistryLogin
from orchestrator.image.tag import ContextFile
from orchestrator.model import Architecture
from tests.orchestrator.image.fake_docker import FakeDocker

URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/worker"
LOGIN = RegistryLogin(username="AWS", password="secret")


def build(platform: Architecture | None = None, base: str = "base:1") -> list[str]:
    """The lines of a build of one file."""
    with (
        closing(DockerEngine.connect()) as engine,
        closing(pack_context([ContextFile(path="a", data=b"1")])) as context,
    ):
        return list(engine.build(context, image=f"{URI}:tag", target="worker", base_image=base, platform=platform))


def push() -> list[LayerProgress]:
    """The progress of a push."""
    with closing(DockerEngine.connect()) as engine:
        return list(engine.push(URI, "tag", LOGIN))


def test_without_an_engine_the_error_says_how_to_get_one() -> None:
    """What was tried, and three ways out."""
    with pytest.raises(
        S3ReclassError, match=r"no Docker engine answers .*docs\.docker\.com/engine/install.*DOCKER_HOST"
    ):
        DockerEngine.connect()


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("No such file or directory", "('Connection aborted.', FileNotFoundError(2, 'No such file or directory'))"),
        ("Connection refused", "(Caused by NewConnectionError('x: [Errno 111] Connection refused'))"),
        ("Install paramiko package", "Install paramiko package"),
    ],
)
def test_the_cause_is_told_without_its_wrappings(cause: str, words: str) -> None:
    """The operating system's own words where there are some."""
    assert f"no Docker engine answers ({cause})" in str(explain_no_engine(DockerException(words)))


def test_an_engine_that_is_not_ours_to_use_says_so() -> None:
    """A socket without permission is another trouble than no engine."""
    error = DockerException("Error while fetching server API version: PermissionError(13, 'Permission denied')")

    assert "join its group (sudo usermod -aG docker $USER" in str(explain_no_engine(error))


@pytest.mark.parametrize(("architecture", "word"), [(Architecture.X86_64, "amd64"), (Architecture.ARM64, "arm64")])
def test_the_engines_own_architecture(docker: FakeDocker, architecture: Architecture, word: str) -> None:
    """As Docker calls it."""
    docker.architecture = word

    with closing(DockerEngine.connect()) as engine:
        assert engine.architecture() is architecture


@pytest.mark.parametrize(("system", "architecture"), [("windows", "amd64"), ("linux", "arm"), ("linux", "riscv64")])
def test_an_engine_that_fargate_has_nothing_of_is_refused(docker: FakeDocker, system: str, architecture: str) -> None:
    """With what to do."""
    docker.system, docker.architecture = system, architecture

    with (
        closing(DockerEngine.connect()) as engine,
        pytest.raises(S3ReclassError, match=f"builds for {system}/{architecture}, which Fargate doesn't run"),
    ):
        engine.architecture()


@pytest.mark.parametrize(
    ("base", "repo_digests", "in_registry", "built_on"),
    [
        ("r.example:5000/py:3", ["r.example:5000/py@sha256:11"], {}, "r.example:5000/py@sha256:11"),
        ("py:3", ["other@sha256:22", "py@sha256:11"], {"py:3": "sha256:33"}, "py@sha256:11"),
        ("r.example/py:3", None, {"r.example/py:3": "sha256:11"}, "r.example/py@sha256:11"),
        ("py@sha256:11", None, {}, "py@sha256:11"),
    ],
    ids=["the engine has it", "both have it", "a registry has it", "named by digest"],
)
def test_a_build_is_on_the_base_images_digest(
    docker: FakeDocker, base: str, repo_digests: list[str] | None, in_registry: dict[str, str], built_on: str
) -> None:
    """The engine's own image before the registry's; told, and kept in the labels with the name that was given."""
    docker.repo_digests, docker.in_registry = repo_digests or [], in_registry
    docker.missing = {base} if repo_digests is None else set()

    assert build(base=base)[0] == f"base image {base}: sha256:11"
    (asked,) = docker.builds
    assert json.loads(asked["buildargs"]) == {"BASE_IMAGE": built_on}
    assert json.loads(asked["labels"]) == {
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.base.digest": "sha256:11",
    }


@pytest.mark.parametrize("missing", [True, False], ids=["nowhere", "made on the engine"])
def test_a_base_image_without_a_digest_is_taken_by_its_name(docker: FakeDocker, *, missing: bool) -> None:
    """The build then says itself what is wrong with it, if anything; no digest is made up."""
    docker.missing = {"base:1"} if missing else set()

    assert build()[0] == "base image base:1: no registry tells its digest"
    (asked,) = docker.builds
    assert json.loads(asked["buildargs"]) == {"BASE_IMAGE": "base:1"}
    assert json.loads(asked["labels"]) == {"org.opencontainers.image.base.name": "base:1"}


def test_a_build_sends_the_context_and_yields_lines(docker: FakeDocker) -> None:
    """Target and base image are given, intermediate containers removed, and no platform unless asked for."""
    assert build() == ["base image base:1: no registry tells its digest", "Step 1/1 : FROM x", " ---> 0123456789ab"]
    assert docker.contexts == [{"a": b"1"}]
    (asked,) = docker.builds
    assert asked["t"] == f"{URI}:tag"
    assert (asked["target"], asked["buildargs"]) == ("worker", '{"BASE_IMAGE": "base:1"}')
    assert (asked["rm"], asked["forcerm"]) == ("True", "True")
    assert "platform" not in asked


def test_a_build_for_another_platform_asks_for_it(docker: FakeDocker) -> None:
    """And is checked: an engine may take a base image of its own architecture all the same."""
    docker.image_architecture = "arm64"
    build(Architecture.ARM64)

    assert docker.builds[0]["platform"] == "linux/arm64"
    docker.image_architecture = "amd64"
    with pytest.raises(S3ReclassError, match=r"not for linux/arm64: pull the base image for it first"):
        build(Architecture.ARM64)


@pytest.mark.parametrize(
    ("advice", "message"),
    [
        ("leave --platform out", "exec /bin/sh: exec format error"),
        ("docker system prune", "write /var/lib: no space left on device"),
        ("--base-image", "pull access denied for base, repository does not exist"),
        ("--base-image", "dial tcp: lookup public.ecr.aws: no such host"),
        ("returned a non-zero code: 1", "The command '/bin/sh -c pip install' returned a non-zero code: 1"),
    ],
)
def test_a_failed_step_is_an_error(docker: FakeDocker, advice: str, message: str) -> None:
    """The engine answers 200 and tells the failure in the stream."""
    docker.build_lines = [{"stream": "Step 1\n"}, {"errorDetail": {"message": message}, "error": message}]

    with pytest.raises(S3ReclassError) as caught:
        build()
    assert str(caught.value).startswith(f"building {URI}:tag: {message}")
    assert advice in str(caught.value)


def test_a_push_yields_progress_and_sends_the_login(docker: FakeDocker) -> None:
    """The login goes with the request and nowhere else."""
    assert push() == [
        LayerProgress(layer="", status="The push refers to repository [r]"),
        LayerProgress(layer="aaaa", status="Pushing", current=512, total=1024),
        LayerProgress(layer="aaaa", status="Pushed"),
    ]
    assert docker.pushes == [(URI, "tag")]
    assert docker.logins == [("AWS", "secret")]


def test_a_refused_push_says_what_it_needs(docker: FakeDocker) -> None:
    """ECR's denial comes through the engine's stream; the password doesn't come with it."""
    docker.push_lines = [
        {"errorDetail": {"message": "denied: User: u is not authorized to perform: ecr:InitiateLayerUpload"}}
    ]

    with pytest.raises(
        S3ReclassError, match=r"pushing .*denied: .*your credentials need ecr:InitiateLayerUpload"
    ) as caught:
        push()
    assert "secret" not in str(caught.value)


def test_the_password_never_shows() -> None:
    """Not even where the login is printed by mistake."""
    assert "secret" not in repr(LOGIN)


def test_an_engine_that_goes_away_is_an_error(docker: FakeDocker) -> None:
    """A connection that breaks off is told as what was being done."""
    with closing(DockerEngine.connect()) as engine:
        engine._api.base_url = "http://127.0.0.1:9"  # noqa: SLF001 (the engine's going away can't be had otherwise)
        with pytest.raises(S3ReclassError, match=r"building i:t: "):
            list(engine.build(io.BytesIO(b""), image="i:t", target="worker", base_image="b", platform=None))
    assert docker.builds == []
