"""The worker image's journey: looked for, built and pushed only when it isn't there, found again by a run."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from orchestrator.errors import S3ReclassError
from orchestrator.image.build_context import read_worker_files
from orchestrator.image.docker_engine import DockerEngine, LayerProgress
from orchestrator.image.ecr import Ecr
from orchestrator.image.push import WorkerImage, build_and_push, find_image, look_up, read_record, write_record
from orchestrator.lots.manifest import format_lots, lots_digest
from orchestrator.model import Architecture, Image, Lot, Lots
from tests.orchestrator.image.fake_docker import FakeDocker

PAPER = WorkerImage(files=read_worker_files())
IMAGE = Image(repository_uri="r.example/w", tag="t", digest="sha256:00", architecture=Architecture.ARM64)
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Listener:
    """A watch that takes notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.layers: list[LayerProgress] = []

    def built(self, line: str) -> None:
        """Note a line."""
        self.lines.append(line)

    def pushed(self, progress: LayerProgress) -> None:
        """Note a layer."""
        self.layers.append(progress)


@pytest.fixture
def ecr(aws: str) -> Any:
    """ECR with an empty repository `worker`."""
    client = boto3.client("ecr", endpoint_url=aws)
    client.create_repository(repositoryName="worker", imageTagMutability="IMMUTABLE")
    return client


@pytest.fixture
def engine(docker: FakeDocker, ecr: Any) -> Iterator[DockerEngine]:
    """A fake engine whose pushes reach ECR."""
    docker.on_push = lambda _uri, tag: put(ecr, tag)
    with closing(DockerEngine.connect()) as engine:
        yield engine


def put(ecr: Any, tag: str) -> None:
    """An image under this tag."""
    manifest = json.dumps({"mediaType": "m", "tag": tag})
    ecr.put_image(repositoryName="worker", imageManifest=manifest, imageTag=tag)


def push(engine: DockerEngine, paper: WorkerImage = PAPER, platform: Architecture | None = None, **lots: Path) -> Image:
    """Build and push, telling nobody."""
    return build_and_push(paper, Ecr("worker"), engine, platform=platform, reporter=Listener(), **lots)


def test_an_image_is_built_and_pushed_by_its_content(docker: FakeDocker, engine: DockerEngine) -> None:
    """Under its tag, for the engine's architecture, with ECR's login; its digest is ECR's."""
    watch = Listener()
    image = build_and_push(PAPER, Ecr("worker"), engine, platform=None, reporter=watch)

    tag = PAPER.tag(Architecture.X86_64)
    assert image.tag == tag
    assert image.architecture is Architecture.X86_64
    assert image.digest == Ecr("worker").image_digest(tag)
    assert docker.builds[0]["t"] == f"{image.repository_uri}:{tag}"
    assert docker.builds[0]["target"] == "worker"
    assert docker.pushes == [(image.repository_uri, tag)]
    assert docker.logins[0][0] == "AWS"
    assert "worker/__main__.py" in docker.contexts[0]
    assert watch.lines[:2] == [f"base image {PAPER.base_image}: no registry tells its digest", "Step 1/1 : FROM x"]
    assert [one.status for one in watch.layers][-1] == "Pushed"


def test_an_image_for_another_platform(docker: FakeDocker, engine: DockerEngine) -> None:
    """Its tag and its architecture follow the platform, whatever the engine is."""
    docker.image_architecture = "arm64"
    image = push(engine, platform=Architecture.ARM64)

    assert (image.tag, image.architecture) == (PAPER.tag(Architecture.ARM64), Architecture.ARM64)


def test_ecrs_refusal_comes_before_the_build(docker: FakeDocker, engine: DockerEngine) -> None:
    """Nobody waits for a build that can't be pushed."""
    with pytest.raises(S3ReclassError, match=r"no ECR repository elsewhere"):
        build_and_push(PAPER, Ecr("elsewhere"), engine, platform=None, reporter=Listener())
    assert docker.builds == []


def test_a_push_that_another_has_won_is_fine(docker: FakeDocker, engine: DockerEngine) -> None:
    """Tags are immutable, so ECR refuses the second of two equal images: it is there all the same."""
    docker.push_lines = [{"error": "tag invalid: The image tag already exists and cannot be overwritten"}]

    assert push(engine).tag == PAPER.tag(Architecture.X86_64)


def test_a_refused_push_is_an_error(docker: FakeDocker, engine: DockerEngine) -> None:
    """ECR has no such image, so the refusal stands."""
    docker.on_push = lambda _uri, _tag: None
    docker.push_lines = [{"error": "denied: not authorized to perform: ecr:PutImage"}]

    with pytest.raises(S3ReclassError, match=r"denied: not authorized"):
        push(engine)


def test_a_push_that_leaves_no_image_is_an_error(docker: FakeDocker, engine: DockerEngine) -> None:
    """ECR has the last word."""
    docker.on_push = lambda _uri, _tag: None

    with pytest.raises(S3ReclassError, match=r"was pushed, but ECR doesn't have it"):
        push(engine)


def make_lots(folder: Path) -> str:
    """A folder with one lot, as `split` leaves it; the job's id."""
    line = b"bucket,key\n"
    lots = (Lot(name="lot-00000", keys=1, sha256=hashlib.sha256(line).hexdigest()),)
    whole = Lots(lots=lots, digest=lots_digest(lots), buckets=("bucket",), source="keys.txt")
    folder.mkdir()
    (folder / "lot-00000.csv").write_bytes(line)
    (folder / "lots.json").write_text(format_lots(whole))
    return whole.job


def test_lots_travel_in_the_image(docker: FakeDocker, engine: DockerEngine, tmp_path: Path) -> None:
    """Target `with-lots`, the lots in the context, the job in the tag."""
    job = make_lots(tmp_path / "lots")
    paper = WorkerImage(files=read_worker_files(), lots_job=job)
    image = push(engine, paper, lots_folder=tmp_path / "lots")

    assert image.tag.endswith(f"-amd64-lots-{job}")
    assert image.lots_job == job
    assert docker.builds[0]["target"] == "with-lots"
    assert docker.contexts[0]["lots/lot-00000.csv"] == b"bucket,key\n"


def test_lots_that_were_changed_are_not_put_into_an_image(
    docker: FakeDocker, engine: DockerEngine, tmp_path: Path
) -> None:
    """The tag would promise other keys than the image holds."""
    paper = WorkerImage(files=read_worker_files(), lots_job=make_lots(tmp_path / "lots"))
    (tmp_path / "lots/lot-00000.csv").write_bytes(b"bucket,other\n")

    with pytest.raises(S3ReclassError, match=r"isn't the lot that lots\.json names"):
        push(engine, paper, lots_folder=tmp_path / "lots")
    assert docker.builds == []


def test_a_run_takes_what_was_pushed_from_here(ecr: Any, tmp_path: Path) -> None:
    """Of images for both architectures, the one in the record; without a record any."""
    record = tmp_path / "image.json"
    for architecture in Architecture:
        put(ecr, PAPER.tag(architecture))
    arm = look_up(PAPER, Ecr("worker"), [Architecture.ARM64])
    assert arm

    assert find_image("worker", record=record).architecture is Architecture.X86_64
    write_record(arm, "", AT, record)
    assert find_image("worker", record=record) == arm


def test_a_run_remembers_the_base_image(ecr: Any, tmp_path: Path) -> None:
    """An image on another base has another tag: the record tells which base to look for."""
    record = tmp_path / "image.json"
    paper = WorkerImage(files=read_worker_files(), other_base="mine:1")
    put(ecr, paper.tag(Architecture.X86_64))

    with pytest.raises(S3ReclassError):
        find_image("worker", record=record)
    write_record(IMAGE, "mine:1", AT, record)
    assert find_image("worker", record=record).tag == paper.tag(Architecture.X86_64)


@pytest.mark.usefixtures("ecr")
def test_a_run_without_an_image_says_what_to_run(tmp_path: Path) -> None:
    """No image of this version, whatever was pushed before or whatever the record says."""
    record = tmp_path / "image.json"
    write_record(IMAGE, "", AT, record)

    with pytest.raises(
        S3ReclassError, match=r"worker has no image of this version of s3reclass: run `s3reclass push-image`"
    ):
        find_image("worker", record=record)


def test_lots_in_an_image_must_be_the_jobs(ecr: Any, tmp_path: Path) -> None:
    """An image with another job's lots is refused, naming both jobs."""
    record = tmp_path / "image.json"
    other = WorkerImage(files=read_worker_files(), lots_job="0123456789ab")
    put(ecr, other.tag(Architecture.X86_64))

    assert find_image("worker", lots_job="0123456789ab", record=record).lots_job == "0123456789ab"
    with pytest.raises(
        S3ReclassError, match=r"no image .* with the lots of job ffff: run `s3reclass push-image --with"
    ):
        find_image("worker", lots_job="ffff", record=record)
    found = look_up(other, Ecr("worker"), Architecture)
    assert found
    write_record(found, "", AT, record)
    with pytest.raises(S3ReclassError, match=r"carries the lots of job 0123456789ab, but lots/ holds job ffff"):
        find_image("worker", lots_job="ffff", record=record)
    with pytest.raises(S3ReclassError, match=r"run `s3reclass push-image`$"):
        find_image("worker", record=record)


def test_the_record_says_what_was_pushed(tmp_path: Path) -> None:
    """Whole, and nothing beside it."""
    record = tmp_path / "folder" / "image.json"
    write_record(IMAGE, "base:1", AT, record)

    assert read_record(record) == {
        "repository_uri": "r.example/w",
        "tag": "t",
        "digest": "sha256:00",
        "architecture": "ARM64",
        "lots_job": "",
        "base_image": "base:1",
        "pushed_at": "2026-01-02T03:04:05+00:00",
    }
    assert [path.name for path in record.parent.iterdir()] == ["image.json"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "\xff"])
def test_a_record_that_is_no_record_is_forgotten(tmp_path: Path, text: str | None) -> None:
    """ECR knows better anyway."""
    record = tmp_path / "image.json"
    if text is not None:
        record.write_bytes(text.encode("latin-1"))

    assert read_record(record) == {}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file in the folder's place, say."""
    (tmp_path / ".s3reclass").write_text("")

    with pytest.raises(S3ReclassError, match=r"image\.json can't be written"):
        write_record(IMAGE, "", AT, tmp_path / ".s3reclass" / "image.json")
