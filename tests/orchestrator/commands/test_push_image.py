"""`s3reclass push-image`, as typed, against a fake Docker engine and moto's ECR."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.cli import run
from orchestrator.image.build_context import read_worker_files
from orchestrator.image.push import WorkerImage, find_image
from orchestrator.model import Architecture
from tests.orchestrator.commands.test_stack_commands import NAMED
from tests.orchestrator.image.fake_docker import FakeDocker
from tests.orchestrator.image.test_push import make_lots

PAPER = WorkerImage(files=read_worker_files())


@pytest.fixture
def ecr(aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A folder whose s3reclass.toml names every part, so that no stack is made; ECR with its repository `worker`."""
    monkeypatch.chdir(tmp_path)
    Path("s3reclass.toml").write_text(NAMED)
    client = boto3.client("ecr", endpoint_url=aws)
    client.create_repository(repositoryName="worker", imageTagMutability="IMMUTABLE")
    return client


@pytest.fixture
def engine(docker: FakeDocker, ecr: Any) -> FakeDocker:
    """A fake engine whose pushes reach ECR."""
    docker.on_push = lambda _uri, tag: put(ecr, tag)
    return docker


def put(ecr: Any, tag: str) -> None:
    """An image under this tag."""
    ecr.put_image(repositoryName="worker", imageManifest=json.dumps({"mediaType": "m", "tag": tag}), imageTag=tag)


def test_the_image_is_pushed_once(engine: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    """The image by digest on standard output, progress on standard error; the second time nothing is built."""
    assert run(["push-image"]) == 0
    first = capsys.readouterr()
    record = json.loads(Path(".s3reclass/image.json").read_text())
    assert first.out == f"{record['repository_uri']}@{record['digest']}\n"
    assert first.err.splitlines() == [
        f"build: base image {PAPER.base_image}: no registry tells its digest",
        "build: Step 1/1 : FROM x",
        "push: The push refers to repository [r]",
        "push: aaaa Pushed",
        f"image {record['tag']}: pushed",
    ]

    assert run(["push-image"]) == 0
    second = capsys.readouterr()
    assert second.out == first.out
    assert second.err == f"image {record['tag']}: already there, nothing to do\n"
    assert (len(engine.builds), len(engine.pushes)) == (1, 1)
    assert find_image("worker").uri == first.out.strip()


def test_the_login_is_written_nowhere(engine: FakeDocker, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Not to the terminal, not to the record, not to Docker's configuration."""
    run(["push-image"])
    ((_, password),) = engine.logins
    shown = capsys.readouterr()

    assert password not in shown.out + shown.err
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"s3reclass.toml", "image.json"}
    assert password not in Path(".s3reclass/image.json").read_text()


def test_another_platform(engine: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine is asked for it, and the record says so."""
    engine.image_architecture = "arm64"

    assert run(["push-image", "--platform", "linux/arm64"]) == 0
    assert engine.builds[0]["platform"] == "linux/arm64"
    assert json.loads(Path(".s3reclass/image.json").read_text())["architecture"] == "ARM64"
    assert run(["push-image", "--platform", "linux/riscv64"]) == 2
    assert "Fargate runs linux/amd64 and linux/arm64" in capsys.readouterr().err


def test_lots_in_the_image(engine: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    """`--with-lots` puts lots/ into it and the job into its tag; without lots it says to split."""
    assert run(["push-image", "--with-lots"]) == 1
    assert "run `s3reclass split` first" in capsys.readouterr().err
    job = make_lots(Path("lots"))

    assert run(["push-image", "--with-lots"]) == 0
    assert engine.builds[0]["target"] == "with-lots"
    assert find_image("worker", lots_job=job).tag.endswith(f"-lots-{job}")


def test_another_base_image(engine: FakeDocker) -> None:
    """For those who can't pull the default one; `run` then finds the image by the record."""
    assert run(["push-image", "--base-image", "mine:1"]) == 0
    assert engine.builds[0]["buildargs"] == '{"BASE_IMAGE": "mine:1"}'
    assert find_image("worker").tag == engine.pushes[0][1]


@pytest.mark.usefixtures("ecr")
def test_no_docker_engine(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and how to get one."""
    assert run(["push-image"]) == 1
    assert "no Docker engine answers" in capsys.readouterr().err


def test_no_docker_engine_is_needed_for_an_image_that_is_there(ecr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody else, or CI, pushed it."""
    put(ecr, PAPER.tag(Architecture.ARM64))

    assert run(["push-image"]) == 0
    assert "already there" in capsys.readouterr().err
    assert run(["push-image", "--platform", "linux/amd64"]) == 1


@pytest.mark.usefixtures("aws")
def test_no_docker_engine_makes_no_stack(
    aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing half done: without an engine there would be nothing to push into it."""
    monkeypatch.chdir(tmp_path)

    assert run(["push-image", "--bucket", "my-bucket"]) == 1
    assert "no Docker engine answers" in capsys.readouterr().err
    assert boto3.client("cloudformation", endpoint_url=aws).describe_stacks()["Stacks"] == []


def test_a_failed_build_records_nothing(engine: FakeDocker, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, the engine's words, no push, no record."""
    engine.build_lines = [{"errorDetail": {"message": "pip install returned a non-zero code: 1"}}]

    assert run(["push-image"]) == 1
    assert "pip install returned a non-zero code: 1" in capsys.readouterr().err
    assert engine.pushes == []
    assert not Path(".s3reclass").exists()


def test_a_refusing_ecr(docker: FakeDocker, ecr: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and ECR's words, with the permissions that a push needs."""
    assert ecr
    docker.push_lines = [{"errorDetail": {"message": "denied: u is not authorized to perform: ecr:PutImage"}}]

    assert run(["push-image"]) == 1
    assert "your credentials need ecr:InitiateLayerUpload" in capsys.readouterr().err
    assert not Path(".s3reclass").exists()
