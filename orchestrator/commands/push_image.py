"""`s3reclass push-image`: build the worker image and push it, unless ECR has it already."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.text import Text

from orchestrator.common.output import say, tell
from orchestrator.common.text import printable
from orchestrator.errors import S3ReclassError
from orchestrator.image.build_context import read_worker_files
from orchestrator.image.docker_engine import DockerEngine, LayerProgress
from orchestrator.image.ecr import Ecr
from orchestrator.image.push import PushReporter, WorkerImage, build_and_push, look_up, write_record
from orchestrator.image.tag import architecture_of_platform
from orchestrator.lots.folder import read_lots
from orchestrator.model import Architecture, Image
from orchestrator.settings.options import uses_settings
from orchestrator.settings.settings import Settings
from orchestrator.stack.ensure import ensure_stack, resources


@click.command(name="push-image", epilog="\b\nExample:\n    s3reclass push-image --platform linux/arm64")
@uses_settings("bucket", "state", "lots", "stack")
@click.option("--with-lots", is_flag=True, help="Put the lots into the image, for `run --lots-from image`.")
@click.option(
    "--platform",
    metavar="PLATFORM",
    help="linux/amd64 or linux/arm64 (default: the engine's own). Tasks run on what the image is built for.",
)
@click.option(
    "--base-image",
    metavar="IMAGE",
    default="",
    help="The Python image to build on, by tag or digest (NAME@sha256:...), instead of the Dockerfile's.",
)
def command(*, settings: Settings, with_lots: bool, platform: str | None, base_image: str) -> None:
    """
    Build the worker image and push it to ECR.

    The image's tag is a digest of its content: an image that ECR has is neither built nor pushed again. A missing
    stack is made first. Prints the image by digest.
    """
    lots_folder = Path(settings.lots) if with_lots else None
    paper = WorkerImage(
        files=read_worker_files(),
        other_base=base_image,
        lots_job=read_lots(lots_folder).job if lots_folder else "",
    )
    architecture = architecture_of_platform(platform) if platform else None
    try:
        engine = DockerEngine.connect()
    except S3ReclassError:
        # Without an engine, only an image that is in ECR already helps; no stack is made for it.
        found = _look_up_only(settings, paper, architecture)
        if found is None:
            raise
        _done(found, base_image, already=True)
        return
    with closing(engine):
        ecr = Ecr(ensure_stack(settings, say=say).repository)
        found = look_up(paper, ecr, [architecture or engine.architecture()])
        if found is None:
            with _reporting() as reporter:
                image = build_and_push(
                    paper, ecr, engine, platform=architecture, reporter=reporter, lots_folder=lots_folder
                )
    _done(found or image, base_image, already=found is not None)


def _look_up_only(settings: Settings, paper: WorkerImage, architecture: Architecture | None) -> Image | None:
    """The image, if stack and image are there; None also when AWS can't tell."""
    try:
        return look_up(paper, Ecr(resources(settings).repository), [architecture] if architecture else Architecture)
    except S3ReclassError:
        return None


def _done(image: Image, base_image: str, *, already: bool) -> None:
    """Record the image and print it."""
    write_record(image, base_image, datetime.now(UTC))
    say(f"image {image.tag}: {'already there, nothing to do' if already else 'pushed'}")
    tell(image.uri)


@contextmanager
def _reporting() -> Iterator[PushReporter]:
    """Bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bars(progress)


def _matters(line: str) -> bool:
    """Whether a line of a build is worth showing; the engine's own bookkeeping isn't."""
    return bool(line.strip()) and not line.startswith((" --->", "Removing intermediate container"))


class _Lines:
    """The build's and the push's progress as lines: every step, every finished layer."""

    def built(self, line: str) -> None:
        if _matters(line):
            say(f"build: {line}")

    def pushed(self, progress: LayerProgress) -> None:
        if progress.status in {"Pushed", "Layer already exists"} or not progress.layer:
            say(f"push: {progress.layer} {progress.status}".replace("  ", " "))


class _Bars:
    """The build's lines above, a bar for each layer below."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def built(self, line: str) -> None:
        if _matters(line):
            self._progress.console.print(Text(printable(f"build: {line}")))

    def pushed(self, progress: LayerProgress) -> None:
        if not progress.layer:
            self._progress.console.print(Text(printable(f"push: {progress.status}")))
            return
        if progress.layer not in self._bars:
            self._bars[progress.layer] = self._progress.add_task("", total=None)
        bar = self._bars[progress.layer]
        self._progress.update(bar, description=printable(f"{progress.layer} {progress.status}"))
        if progress.total:
            # The engine counts the bytes of the layer's tar file, but only estimates its size.
            self._progress.update(bar, completed=min(progress.current, progress.total), total=progress.total)
