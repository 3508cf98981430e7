"""
The worker image: named by its content, looked up in ECR, and built and pushed when it isn't there.

`.s3reclass/image.json` records the image that was pushed last from here, which `run` then takes. ECR alone says
whether an image is there.
"""

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from orchestrator.common.atomic_file import whole_file
from orchestrator.errors import S3ReclassError
from orchestrator.image.build_context import pack_context, read_worker_files
from orchestrator.image.ecr import Ecr
from orchestrator.image.tag import TARGET, TARGET_WITH_LOTS, ContextFile, base_image_of, content_digest, image_tag
from orchestrator.lots.folder import read_lots, verify_lots
from orchestrator.model import Architecture, Image

if TYPE_CHECKING:
    # Only push-image needs the docker package; `run` looks images up without it.
    from orchestrator.image.docker_engine import DockerEngine, LayerProgress

RECORD = Path(".s3reclass/image.json")


class PushReporter(Protocol):
    """Shows how a build and a push go."""

    def built(self, line: str) -> None:
        """One line of the engine's build."""

    def pushed(self, progress: "LayerProgress") -> None:
        """How far a layer is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerImage:
    """
    A worker image before it is built: all that its tag depends on, except the architecture.

    files: the build context without lots. other_base: the image to build on; "" for the Dockerfile's.
    lots_job: the job whose lots it carries, or "".
    """

    files: tuple[ContextFile, ...]
    other_base: str = ""
    lots_job: str = ""

    @property
    def target(self) -> str:
        """The Dockerfile's target."""
        return TARGET_WITH_LOTS if self.lots_job else TARGET

    @property
    def base_image(self) -> str:
        """The image to build on."""
        return self.other_base or base_image_of(self.files)

    def tag(self, architecture: Architecture) -> str:
        """Its tag when built for this architecture."""
        digest = content_digest(self.files, base_image=self.base_image, target=self.target)
        return image_tag(digest, architecture, self.lots_job)


def look_up(paper: WorkerImage, ecr: Ecr, architectures: Iterable[Architecture]) -> Image | None:
    """The first image that ECR has for one of these architectures, or None."""
    for architecture in architectures:
        tag = paper.tag(architecture)
        digest = ecr.image_digest(tag)
        if digest:
            uri, job = ecr.repository_uri(), paper.lots_job
            return Image(repository_uri=uri, tag=tag, digest=digest, architecture=architecture, lots_job=job)
    return None


def build_and_push(
    paper: WorkerImage,
    ecr: Ecr,
    engine: "DockerEngine",
    *,
    platform: Architecture | None,
    reporter: PushReporter,
    lots_folder: Path | None = None,
) -> Image:
    """
    Build the image here, and push it to ECR.

    platform: what to build for; None for the engine's own architecture.
    lots_folder: the lots that the image carries; None for an image without lots.
    Raises S3ReclassError when the lots aren't whole, or the engine or ECR refuses.
    """
    architecture = platform or engine.architecture()
    tag, uri = paper.tag(architecture), ecr.repository_uri()
    # First, so that a refusal by ECR comes before the build, which takes a minute.
    login = ecr.login()
    with closing(_context(paper, lots_folder)) as context:
        for line in engine.build(
            context, image=f"{uri}:{tag}", target=paper.target, base_image=paper.base_image, platform=platform
        ):
            reporter.built(line)
    try:
        for progress in engine.push(uri, tag, login):
            reporter.pushed(progress)
    except S3ReclassError:
        # Tags are immutable: another launcher may have pushed the same content during the build.
        if image := look_up(paper, ecr, [architecture]):
            return image
        raise
    image = look_up(paper, ecr, [architecture])
    if image is None:
        raise S3ReclassError(f"{uri}:{tag} was pushed, but ECR doesn't have it: run the command again")
    return image


def _context(paper: WorkerImage, lots_folder: Path | None) -> IO[bytes]:
    """The build context, its lots checked against lots.json."""
    if lots_folder is None:
        return pack_context(paper.files)
    lots = read_lots(lots_folder)
    verify_lots(lots_folder, lots)
    return pack_context(paper.files, lots=lots, lots_folder=lots_folder)


def find_image(repository: str, *, lots_job: str = "", record: Path = RECORD, ecr: Ecr | None = None) -> Image:
    """
    The image of this version of the worker for tasks to run: the one pushed last from here, else any that ECR has.

    repository: the ECR repository's name. lots_job: the job whose lots the image must carry, or "".
    Raises S3ReclassError when there is none, and says what to run.
    """
    ecr = ecr or Ecr(repository)
    last = read_record(record)
    paper = WorkerImage(files=read_worker_files(), other_base=str(last.get("base_image") or ""), lots_job=lots_job)
    image = look_up(paper, ecr, sorted(Architecture, key=lambda one: paper.tag(one) != last.get("tag")))
    if image is None:
        raise S3ReclassError(_no_image(ecr.name, lots_job, str(last.get("lots_job") or "")))
    return image


def _no_image(repository: str, lots_job: str, last_job: str) -> str:
    if not lots_job:
        return f"the repository {repository} has no image of this version of s3reclass: run `s3reclass push-image`"
    if last_job and last_job != lots_job:
        return (
            f"the image pushed last carries the lots of job {last_job}, but lots/ holds job {lots_job}: "
            "run `s3reclass push-image --with-lots`"
        )
    return (
        f"the repository {repository} has no image of this version with the lots of job {lots_job}: "
        "run `s3reclass push-image --with-lots`"
    )


def read_record(record: Path = RECORD) -> dict[str, Any]:
    """The record of the last image; empty when there is none, or none that can be read: ECR alone decides."""
    try:
        data = json.loads(record.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def write_record(image: Image, other_base: str, at: datetime, record: Path = RECORD) -> None:
    """
    Record the image, by an atomic write.

    other_base: the base image that was asked for; "" for the Dockerfile's.
    Raises S3ReclassError when the folder can't be written.
    """
    data = {**asdict(image), "base_image": other_base, "pushed_at": at.isoformat(timespec="seconds")}
    text = json.dumps(data, indent=1)
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise S3ReclassError(f"{record} can't be written: {error.strerror}") from error
    with whole_file(record) as write:
        write(text + "\n")
